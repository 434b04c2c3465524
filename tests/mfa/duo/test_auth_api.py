"""The wrapper of duo_client, against the simulated Duo."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from typing import Any

import duo_client
import pytest

from casduo.mfa.duo.auth_api import AuthApi
from casduo.mfa.duo.errors import (
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoUnavailable,
    DuoUnexpected,
    DuoUntrusted,
)
from casduo.mfa.duo.gateway import Device, PreauthResult
from casduo.outbound.http import HttpClient, HttpSettings
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS, CannedAnswer
from casduo.simulators.duo.model import Application, Phone, Token

PING, CHECK, PREAUTH = "/auth/v2/ping", "/auth/v2/check", "/auth/v2/preauth"


@pytest.fixture
def keys(duo: DuoSimulator) -> Application:
    return duo.add_application("authapi")


@pytest.fixture
def api(duo: DuoSimulator, keys: Application, http: HttpClient) -> AuthApi:
    return AuthApi(keys.integration_key, keys.secret_key, duo.api_host, http)


@pytest.fixture
def impatient(duo: DuoSimulator, keys: Application) -> Iterator[AuthApi]:
    http = HttpClient("duo", HttpSettings(0.2, 0.05, 1.0, extra_ca_file=str(duo.ca_file)))
    yield AuthApi(keys.integration_key, keys.secret_key, duo.api_host, http)
    http.close()


def facts(call: Callable[[], object]) -> tuple[type[DuoFailure], str, bool]:
    with pytest.raises(DuoFailure) as caught:
        call()
    failure = caught.value
    assert failure.__cause__ is None
    assert failure.__context__ is None
    return type(failure), failure.detail, failure.may_fail_open


# -- good answers ----------------------------------------------------------------------------------------------------


def test_ping_and_check_tell_the_time(api: AuthApi) -> None:
    assert abs(api.ping() - time.time()) < 5
    assert abs(api.check() - time.time()) < 5


def test_ping_needs_no_keys(duo: DuoSimulator, http: HttpClient) -> None:
    assert AuthApi("DI" + "0" * 18, "s" * 40, duo.api_host, http).ping()


def test_a_person_with_devices_has_to_authenticate(api: AuthApi, duo: DuoSimulator) -> None:
    phone, token = Phone("ada's phone", "555 0100", ("push", "mobile_otp")), Token("20361492")
    duo.add_user("ada", devices=[phone, token])
    preauth = api.preauth("ada", "192.0.2.7")
    assert preauth.result is PreauthResult.AUTH
    assert preauth.devices == (
        Device(phone.id, "phone", phone.display_name, frozenset({"push", "mobile_otp"})),
        Device(token.id, "token", "20361492"),
    )


@pytest.mark.parametrize(
    ("username", "result"),
    [
        ("grace", PreauthResult.ENROLL),
        ("ken", PreauthResult.ENROLL),
        ("linus", PreauthResult.DENY),
        ("alan", PreauthResult.ALLOW),
    ],
)
def test_the_other_people(api: AuthApi, username: str, result: PreauthResult) -> None:
    preauth = api.preauth(username, "192.0.2.7")
    assert preauth.result is result
    assert preauth.status_message


def test_who_has_to_enrol_gets_an_address_for_it(api: AuthApi, duo: DuoSimulator) -> None:
    url = api.preauth("ken", "192.0.2.7").enroll_portal_url
    assert url is not None
    assert url.startswith(duo.base_url)


@pytest.mark.parametrize(
    ("policy", "result"),
    [("enroll", PreauthResult.ENROLL), ("allow", PreauthResult.ALLOW), ("deny", PreauthResult.DENY)],
)
def test_people_nobody_knows_are_treated_as_the_policy_says(
    api: AuthApi, duo: DuoSimulator, policy: Any, result: PreauthResult
) -> None:
    duo.new_user_policy = policy
    assert api.preauth("ken", "192.0.2.7").result is result


@pytest.mark.parametrize("detail", ["username", "user_id"])
def test_a_name_that_duo_does_not_accept_has_to_enrol(api: AuthApi, duo: DuoSimulator, detail: str) -> None:
    duo.faults.refuse(PREAUTH, 40002, detail)
    preauth = api.preauth("ken", "192.0.2.7")
    assert (preauth.result, preauth.enroll_portal_url) == (PreauthResult.ENROLL, None)


@pytest.mark.parametrize("username", ["zoë.o'brien+x@example.org", "a b", "%41", "\ud800"])
def test_any_name_can_be_asked_about(api: AuthApi, username: str) -> None:
    assert api.preauth(username, "192.0.2.7").result is PreauthResult.ENROLL


def test_the_persons_address_is_sent_if_it_is_known(api: AuthApi, duo: DuoSimulator) -> None:
    api.preauth("ada", "192.0.2.7")
    api.preauth("ada", "")
    assert [record.parameters.get("ipaddr") for record in duo.requests(PREAUTH)] == ["192.0.2.7", None]


# -- faults ----------------------------------------------------------------------------------------------------------


def ask(api: AuthApi, path: str) -> Callable[[], object]:
    return {PING: api.ping, CHECK: api.check, PREAUTH: lambda: api.preauth("ada", "192.0.2.7")}[path]


@pytest.fixture(params=[PING, CHECK, PREAUTH])
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


ANSWERS = {
    "server_error_json": (DuoUnavailable, "server_error", True),
    "server_error_stat_ok": (DuoUnavailable, "server_error", True),
    "unavailable_json": (DuoUnavailable, "server_error", True),
    "bad_gateway_html": (DuoUnavailable, "server_error", True),
    "bad_gateway_latin1": (DuoUnavailable, "server_error", True),
    "html": (DuoUnavailable, "unreadable", True),
    "no_stat": (DuoUnavailable, "unreadable", True),
    "fail_with_200": (DuoMisconfigured, "request", False),
    "json_list": (DuoUnavailable, "unreadable", True),
    "response_null": (DuoUnavailable, "unreadable", True),
    "response_string": (DuoUnavailable, "unreadable", True),
    "response_list": (DuoUnavailable, "unreadable", True),
    "redirect": (DuoUnavailable, "unreadable", True),
}


@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_odd_answers(api: AuthApi, duo: DuoSimulator, path: str, kind: Any) -> None:
    duo.faults.answer(path, kind)
    assert facts(ask(api, path)) == ANSWERS[kind]
    assert len(duo.requests) == 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (40001, (DuoMisconfigured, "request", False)),
        (40002, (DuoMisconfigured, "request", False)),
        (40301, (DuoMisconfigured, "rights", False)),
        (40401, (DuoMisconfigured, "request", False)),
        (50000, (DuoUnavailable, "server_error", True)),
    ],
)
def test_refusals(api: AuthApi, duo: DuoSimulator, path: str, code: int, expected: object) -> None:
    duo.faults.refuse(path, code)
    assert facts(ask(api, path)) == expected


def test_a_code_nobody_knows_never_opens(api: AuthApi, duo: DuoSimulator) -> None:
    body = b'{"stat": "FAIL", "code": 1042, "message": "?"}'
    duo.faults.answer(PREAUTH, CannedAnswer(200, "application/json", body))
    assert facts(ask(api, PREAUTH)) == (DuoUnexpected, "unknown_code", False)


def test_a_rate_limit_is_asked_once_waits_for_nothing_and_never_opens(
    api: AuthApi, duo: DuoSimulator, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("duo_client.client.sleep", slept.append)
    duo.faults.rate_limit(path)
    assert facts(ask(api, path)) == (DuoRateLimited, "rate_limited", False)
    assert (len(duo.requests), slept) == (1, [])


def test_a_stopped_duo_is_refused(api: AuthApi, duo: DuoSimulator, path: str) -> None:
    duo.stop_listening()
    assert facts(ask(api, path)) == (DuoUnavailable, "refused", True)


def test_a_silent_duo_is_a_timeout(impatient: AuthApi, duo: DuoSimulator, path: str) -> None:
    duo.transport.stay_silent(path)
    assert facts(ask(impatient, path)) == (DuoUnavailable, "timeout", True)
    assert len(duo.requests) <= 1


def test_hanging_up_is_an_outage_after_a_second_try(api: AuthApi, duo: DuoSimulator, path: str) -> None:
    duo.transport.cut(path)
    assert facts(ask(api, path)) == (DuoUnavailable, "reset", True)
    assert len(duo.requests) == 2


def test_a_connection_that_duo_closed_meanwhile_does_not_look_like_an_outage(
    api: AuthApi, duo: DuoSimulator, path: str
) -> None:
    duo.transport.cut(path, times=1)
    assert ask(api, path)()


def test_an_answer_cut_off_is_unreadable(api: AuthApi, duo: DuoSimulator, path: str) -> None:
    duo.transport.cut(path, after=100)
    assert facts(ask(api, path)) == (DuoUnavailable, "unreadable", True)


@pytest.mark.parametrize("wrong", ["authority", "name", "expired"])
def test_a_strange_certificate_never_opens(
    api: AuthApi, duo: DuoSimulator, authority: CertificateAuthority, stranger: CertificateAuthority, wrong: str
) -> None:
    leaves = {
        "authority": stranger.issue,
        "name": lambda: authority.issue(["duo.example"], localhost=False),
        "expired": lambda: authority.issue(expired=True),
    }
    duo.use_certificate(leaves[wrong]())
    assert facts(api.ping) == (DuoUntrusted, "certificate", False)
    assert len(duo.requests) == 0


@pytest.mark.parametrize("path", [CHECK, PREAUTH])
@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (lambda duo, key: duo.rotate_secret(key), "keys"),
        (lambda duo, key: duo.remove_application(key), "keys"),
        (lambda duo, key: duo.change_type(key, "admin"), "rights"),
        (lambda duo, key: setattr(duo.faults, "clock_offset", 301.0), "clock"),
        (lambda duo, key: setattr(duo.faults, "clock_offset", -302.0), "clock"),
    ],
)
def test_whatever_is_wrong_with_our_set_up_never_opens(
    api: AuthApi, duo: DuoSimulator, keys: Application, path: str, fault: Any, detail: str
) -> None:
    fault(duo, keys.integration_key)
    assert facts(ask(api, path)) == (DuoMisconfigured, detail, False)


def test_an_address_that_duo_does_not_accept_is_our_mistake(api: AuthApi) -> None:
    assert facts(lambda: api.preauth("ada", "nowhere")) == (DuoMisconfigured, "request", False)


# -- secrets, and what the wrapper relies on -------------------------------------------------------------------------


def test_failures_quote_no_key_and_no_signature(api: AuthApi, duo: DuoSimulator, keys: Application) -> None:
    duo.rotate_secret(keys.integration_key)
    with pytest.raises(DuoFailure) as caught:
        api.check()
    failure = caught.value
    shown = f"{failure} {failure!r} {failure.message} {vars(failure)}"
    assert all(secret not in shown for secret in (keys.secret_key, keys.integration_key, "Basic "))


def test_nothing_shows_the_secret_key(api: AuthApi, keys: Application) -> None:
    assert keys.secret_key not in f"{api!r} {api.client!r}"


def test_the_library_still_sends_everything_through_the_seam() -> None:
    parameters = list(inspect.signature(duo_client.client.Client._make_request).parameters)
    assert parameters == ["self", "method", "uri", "body", "headers"]
    assert "return self._make_request(method, uri, body, encoded_headers)" in inspect.getsource(
        duo_client.client.Client.api_call
    )


def test_the_logo_still_comes_through(api: AuthApi, duo: DuoSimulator) -> None:
    duo.logo = b"\x89PNG\r\n"
    assert api.client.logo() == b"\x89PNG\r\n"
