"""ping, check, logo and preauth, asked by the official Auth API client."""

from __future__ import annotations

import hashlib
import http.client
import ssl
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import duo_client
import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application, Phone, Token
from tests.simulators.duo.conftest import AuthClientFactory, Refusal

RefusalOf = Callable[[Callable[[], object]], Refusal]
SIGNATURES = [(5, hashlib.sha512), (4, hashlib.sha512), (2, hashlib.sha512), (2, hashlib.sha1), (1, hashlib.sha1)]


class TestPing:
    def test_it_tells_the_time(self, auth: duo_client.Auth) -> None:
        assert abs(auth.ping()["time"] - time.time()) < 60

    def test_it_takes_any_signature(self, auth_client: AuthClientFactory) -> None:
        stranger = Application("authapi", "stranger")
        assert "time" in auth_client(stranger).ping()

    def test_it_shows_a_clock_that_is_wrong(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.faults.clock_offset = 1000.0
        assert abs(auth.ping()["time"] - time.time() - 1000) < 60


class TestCheck:
    @pytest.mark.parametrize(("version", "digest"), SIGNATURES)
    def test_every_version_of_the_signature_is_taken(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, authapi: Application, version: int, digest: object
    ) -> None:
        assert "time" in auth_client(authapi, sig_version=version, digestmod=digest).check()
        assert duo.requests()[-1].signature_version == version

    @pytest.mark.parametrize(("version", "digest"), SIGNATURES)
    def test_so_it_is_for_bodies(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, authapi: Application, version: int, digest: object
    ) -> None:
        duo.add_user("Zoë O'Brien+x/y~z*")
        client = auth_client(authapi, sig_version=version, digestmod=digest)
        assert client.preauth(username="Zoë O'Brien+x/y~z*", ipaddr="192.0.2.7")["result"] == "auth"

    def test_a_wrong_secret(
        self, duo: DuoSimulator, auth: duo_client.Auth, authapi: Application, refusal_of: RefusalOf
    ) -> None:
        duo.rotate_secret(authapi.integration_key)
        assert refusal_of(auth.check) == Refusal(
            401, 40103, None, "Received 401 Invalid signature in request credentials"
        )

    def test_the_rotated_secret_is_the_new_one(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, authapi: Application
    ) -> None:
        assert "time" in auth_client(duo.rotate_secret(authapi.integration_key)).check()

    def test_an_application_that_was_removed(
        self, duo: DuoSimulator, auth: duo_client.Auth, authapi: Application, refusal_of: RefusalOf
    ) -> None:
        duo.remove_application(authapi.integration_key)
        assert refusal_of(auth.check).code == 40102

    @pytest.mark.parametrize("offset", [301.5, -301.5])
    def test_a_clock_too_far_off(
        self, duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf, offset: float
    ) -> None:
        duo.faults.clock_offset = offset
        assert refusal_of(auth.check).code == 40105

    def test_no_credentials_at_all(self, duo: DuoSimulator) -> None:
        context = ssl.create_default_context(cafile=duo.ca_file)
        raw = http.client.HTTPSConnection("localhost", duo.port, context=context, timeout=10)
        raw.request("GET", "/auth/v2/check")
        response = raw.getresponse()
        assert response.status == 401
        assert b"40101" in response.read()
        raw.close()

    def test_a_repeated_signature_is_taken(
        self, duo: DuoSimulator, auth: duo_client.Auth, authapi: Application
    ) -> None:
        auth.check()
        seen: dict[str, str] = {}
        auth._make_request = lambda method, uri, body, headers: seen.update(headers)  # type: ignore[method-assign]
        auth.api_call("GET", "/auth/v2/check", {})
        context = ssl.create_default_context(cafile=duo.ca_file)
        raw = http.client.HTTPSConnection("localhost", duo.port, context=context, timeout=10)
        for _ in range(2):
            raw.request("GET", "/auth/v2/check?", headers=seen)
            response = raw.getresponse()
            response.read()
            assert response.status == 200
        raw.close()


class TestWhoMayCallWhat:
    def test_a_web_sdk_application_may_ask_preauth_but_not_enrol(
        self, auth_client: AuthClientFactory, websdk: Application, refusal_of: RefusalOf
    ) -> None:
        client = auth_client(websdk)
        assert client.preauth(username="ada")["result"] == "enroll"
        assert refusal_of(lambda: client.enroll(username="ada")) == Refusal(
            403, 40301, "Wrong integration type for this API.",
            "Received 403 Access forbidden (Wrong integration type for this API.)",
        )  # fmt: skip

    def test_an_admin_application_may_not_authenticate(
        self, duo: DuoSimulator, auth: duo_client.Auth, authapi: Application, refusal_of: RefusalOf
    ) -> None:
        duo.change_type(authapi.integration_key, "admin")
        assert refusal_of(auth.check).code == 40301

    def test_what_a_type_may_call_is_a_setting(
        self, duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf
    ) -> None:
        duo.allowed_paths["authapi"] = frozenset({"/auth/v2/check"})
        assert "time" in auth.check()
        assert refusal_of(lambda: auth.preauth(username="ada")).code == 40301

    def test_an_unknown_path(self, auth: duo_client.Auth, refusal_of: RefusalOf) -> None:
        assert refusal_of(lambda: auth.json_api_call("GET", "/auth/v2/nothing", {})).code == 40401
        assert refusal_of(lambda: auth.json_api_call("GET", "/admin/v1/nothing", {})).code == 40401

    def test_a_wrong_method(self, auth: duo_client.Auth, refusal_of: RefusalOf) -> None:
        assert refusal_of(lambda: auth.json_api_call("POST", "/auth/v2/check", {})).code == 40501


class TestLogo:
    def test_an_account_without_one_refuses(self, auth: duo_client.Auth, refusal_of: RefusalOf) -> None:
        assert refusal_of(auth.logo).code == 40002

    def test_the_picture_comes_as_it_is(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.logo = b"\x89PNG\r\n\x1a\nrest"
        assert auth.logo() == duo.logo == b"\x89PNG\r\n\x1a\nrest"


class TestPreauth:
    def test_an_enrolled_user_gets_a_list_of_devices(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        phone = Phone("Ada's iPhone", "+1 555 555 0100")
        token = Token("20361492")
        duo.add_user("ada", devices=[phone, token])
        answer = auth.preauth(username="ada")
        assert (answer["result"], answer["status_msg"]) == ("auth", "Account is active")
        assert answer["devices"] == [
            {
                "device": phone.id,
                "type": "phone",
                "name": "Ada's iPhone",
                "display_name": "Ada's iPhone (XXX-XXX-0100)",
                "number": "XXX-XXX-0100",
                "capabilities": ["auto", "push", "sms", "phone", "mobile_otp"],
            },
            {"device": token.id, "type": "token", "name": "20361492"},
        ]

    def test_an_unknown_user_is_to_enrol_at_the_portal(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        answer = auth.preauth(username="grace")
        assert answer["result"] == "enroll"
        assert answer["status_msg"] == "Enroll an authentication device to proceed"
        portal = urlsplit(answer["enroll_portal_url"])
        assert (portal.netloc, portal.path) == (duo.api_host, "/portal")
        assert len(parse_qs(portal.query)["code"][0]) == 16

    @pytest.mark.parametrize(
        ("policy", "result", "message"),
        [
            ("allow", "allow", "Allowing unknown user"),
            ("deny", "deny", "Access is not allowed because you are not enrolled in Duo"),
        ],
    )
    def test_the_policy_decides_about_unknown_users(
        self, duo: DuoSimulator, auth: duo_client.Auth, policy: str, result: str, message: str
    ) -> None:
        duo.new_user_policy = policy  # type: ignore[assignment]
        assert auth.preauth(username="grace") == {"result": result, "status_msg": message}

    def test_an_application_may_have_a_policy_of_its_own(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, auth: duo_client.Auth
    ) -> None:
        lenient = duo.add_application("authapi", "Guests", new_user_policy="allow")
        assert auth_client(lenient).preauth(username="grace")["result"] == "allow"
        assert auth.preauth(username="grace")["result"] == "enroll"

    @pytest.mark.parametrize(
        ("status", "result", "message"),
        [
            ("bypass", "allow", "Bypassing second factor for this user"),
            ("disabled", "deny", "Your account is disabled"),
            ("locked out", "deny", "Your account is locked out"),
        ],
    )
    def test_the_status_of_a_user_decides(
        self, duo: DuoSimulator, auth: duo_client.Auth, status: str, result: str, message: str
    ) -> None:
        duo.add_user("ada", status)  # type: ignore[arg-type]
        assert auth.preauth(username="ada") == {"result": result, "status_msg": message}

    @pytest.mark.parametrize("devices", [[], [Phone(activated=False)], [Phone(capabilities=())]])
    def test_a_user_without_a_usable_device_is_to_enrol(
        self, duo: DuoSimulator, auth: duo_client.Auth, devices: list[Phone]
    ) -> None:
        duo.add_user("ada", devices=devices)
        answer = auth.preauth(username="ada")
        assert answer["result"] == "enroll"
        assert "enroll_portal_url" in answer

    def test_a_user_can_be_named_by_id(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        user = duo.add_user("ada")
        assert auth.preauth(user_id=user.id)["result"] == "auth"

    @pytest.mark.parametrize(
        ("arguments", "code", "detail"),
        [
            ({}, 40001, "user_id or username"),
            ({"username": "ada", "user_id": "DUxxxxxxxxxxxxxxxxxx"}, 40002, "user_id or username"),
            ({"user_id": "DUxxxxxxxxxxxxxxxxxx"}, 40002, "user_id"),
            ({"username": "ada", "ipaddr": "somewhere"}, 40002, "ipaddr"),
        ],
    )
    def test_wrong_parameters_are_named(
        self, auth: duo_client.Auth, refusal_of: RefusalOf, arguments: dict[str, str], code: int, detail: str
    ) -> None:
        refusal = refusal_of(lambda: auth.preauth(**arguments))
        assert (refusal.status, refusal.code, refusal.detail) == (400, code, detail)

    @pytest.mark.parametrize("body", ["[1, 2]", "{"])
    def test_parameters_that_are_no_object_are_missing(
        self, auth: duo_client.Auth, refusal_of: RefusalOf, body: str
    ) -> None:
        auth.canon_json = lambda params: body  # type: ignore[method-assign, assignment]
        assert refusal_of(lambda: auth.preauth(username="ada")).code == 40001


class TestUserNames:
    @pytest.mark.parametrize(
        ("rule", "asked", "known"),
        [
            ("lower", "ADA", True),
            ("lower", " ada ", True),
            ("lower", "ada@example.org", False),
            ("simple", "ADA@example.org", True),
            ("simple", "CAMPUS\\Ada", True),
            ("none", "Ada", False),
            ("none", "ada", True),
        ],
    )
    def test_the_rule_decides_who_is_meant(
        self, duo: DuoSimulator, auth: duo_client.Auth, rule: str, asked: str, known: bool
    ) -> None:
        duo.settings.username_rule = rule  # type: ignore[assignment]
        duo.add_user("ada")
        assert (auth.preauth(username=asked)["result"] == "auth") is known


class TestTheLog:
    def test_requests_are_counted_without_their_secrets(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        duo.add_user("ada")
        auth.auth("passcode", username="ada", passcode="123456")
        assert duo.requests.count("/auth/v2/auth") == duo.requests.count() == len(duo.requests) == 1
        record = duo.requests("/auth/v2/auth")[0]
        assert (record.method, record.status, record.signature_version) == ("POST", 200, 5)
        assert record.integration_key == auth.ikey
        assert record.parameters == {
            "async": "0", "factor": "passcode", "passcode": "[hidden]", "username": "ada",
        }  # fmt: skip

    def test_a_refused_request_is_not_verified(
        self, duo: DuoSimulator, auth: duo_client.Auth, authapi: Application, refusal_of: RefusalOf
    ) -> None:
        duo.rotate_secret(authapi.integration_key)
        refusal_of(auth.check)
        record = duo.requests()[0]
        assert (record.status, record.signature_version, record.integration_key) == (401, None, "")

    def test_it_can_be_cleared(self, duo: DuoSimulator, auth: duo_client.Auth) -> None:
        auth.ping()
        duo.requests.clear()
        assert duo.requests() == []


def test_a_simulator_without_tls_serves_duo_client_too(clock: VirtualClock) -> None:
    with DuoSimulator(None, clock) as duo:
        application = duo.add_application("authapi")
        client = duo_client.Auth(
            application.integration_key, application.secret_key, duo.host, ca_certs="HTTP", port=duo.port, timeout=10
        )
        assert "time" in client.check()
        with pytest.raises(ValueError, match="no authority"):
            _ = duo.ca_file


def test_keys_and_settings_that_make_no_sense_are_refused(duo: DuoSimulator) -> None:
    with pytest.raises(ValueError, match="20 characters"):
        duo.add_application("websdk", integration_key="short")
    with pytest.raises(ValueError, match="an application is one of"):
        duo.add_application("radius")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a status is one of"):
        duo.add_user("ada", "asleep")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a policy is one of"):
        duo.new_user_policy = "maybe"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="cannot fly"):
        Phone(capabilities=("fly",))  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        duo.user("nobody")
    with pytest.raises(KeyError):
        duo.phone("nobody")


def test_the_same_keys_can_be_given_again(duo: DuoSimulator, auth_client: AuthClientFactory) -> None:
    first = duo.add_application("authapi", "Payroll")
    again = duo.add_application(
        "authapi", "Payroll", integration_key=first.integration_key, secret_key=first.secret_key
    )
    assert again == first
    assert "time" in auth_client(again).check()
    assert first.integration_key.startswith("DI")
    assert first.secret_key not in repr(first)
