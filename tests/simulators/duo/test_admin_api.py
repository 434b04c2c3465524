"""The Admin API, asked by the official client: people, their phones, and new ways to a device."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import duo_client
import pytest
import requests

from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Phone, Token
from tests.simulators.duo.conftest import AuthClientFactory, Refusal

RefusalOf = Callable[[Callable[[], object]], Refusal]

NOBODY = "DUXXXXXXXXXXXXXXXXXX"


@pytest.fixture
def admin(duo: DuoSimulator) -> duo_client.Admin:
    application = duo.add_application("admin", "Help desk")
    return duo_client.Admin(
        application.integration_key,
        application.secret_key,
        duo.host,
        ca_certs=str(duo.ca_file),
        port=duo.port,
        timeout=10,
    )


class TestRights:
    def test_an_admin_application_may_not_log_people_in(
        self, duo: DuoSimulator, admin: duo_client.Admin, refusal_of: RefusalOf
    ) -> None:
        refusal = refusal_of(lambda: admin.json_api_call("POST", "/auth/v2/preauth", {"username": "ada"}))
        assert (refusal.status, refusal.code) == (403, 40301)

    @pytest.mark.parametrize("kind", ["authapi", "websdk"])
    def test_no_other_application_may_administer(
        self, duo: DuoSimulator, auth_client: AuthClientFactory, refusal_of: RefusalOf, kind: str
    ) -> None:
        other = auth_client(duo.add_application(kind))  # type: ignore[arg-type]
        refusal = refusal_of(lambda: other.json_api_call("GET", "/admin/v1/users", {}))
        assert (refusal.status, refusal.code, refusal.detail) == (403, 40301, "Wrong integration type for this API.")

    def test_a_wrong_secret_comes_first(
        self, duo: DuoSimulator, admin: duo_client.Admin, refusal_of: RefusalOf
    ) -> None:
        duo.rotate_secret(admin.ikey)
        assert refusal_of(admin.get_users).code == 40103

    def test_paths_and_methods_that_are_not_there(self, admin: duo_client.Admin, refusal_of: RefusalOf) -> None:
        for path in ("/admin/v1/nothing", "/admin/v1/users//phones", "/admin/v1"):
            assert refusal_of(lambda path=path: admin.json_api_call("GET", path, {})).code == 40401
        assert refusal_of(lambda: admin.json_api_call("PUT", "/admin/v1/users", {})).code == 40501


class TestUsers:
    def test_a_user_is_made_found_and_changed(self, duo: DuoSimulator, admin: duo_client.Admin) -> None:
        made = admin.add_user("Grace", realname="Grace Hopper", email="Grace@example.org", notes="navy")
        assert made["user_id"].startswith("DU")
        assert (made["username"], made["status"], made["phones"], made["is_enrolled"]) == ("grace", "active", [], False)
        assert admin.get_users_by_name("GRACE") == [admin.get_user_by_id(made["user_id"])]
        assert admin.get_users_by_name("nobody") == []
        assert [user["username"] for user in admin.get_users_by_names(["grace", "ada"])] == ["grace"]
        by_mail = admin.json_api_call("GET", "/admin/v1/users", {"email": "grace@example.org"})
        assert [user["realname"] for user in by_mail] == ["Grace Hopper"]
        changed = admin.update_user(made["user_id"], status="disabled", username="hopper")
        assert (changed["username"], changed["status"], changed["notes"]) == ("hopper", "disabled", "navy")
        assert [user.username for user in duo.users()] == ["hopper"]

    def test_a_user_shows_what_the_account_knows(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth
    ) -> None:
        phone, token = Phone("Ada's iPhone", "+15555550100"), Token("20361492")
        duo.add_user("ada", devices=[phone, token])
        assert admin.get_users_by_name("ada")[0]["last_login"] is None
        auth.auth("passcode", username="ada", passcode=duo.phone("ada").passcode())
        shown = admin.get_users_by_name("ada")[0]
        assert shown["last_login"] is not None
        assert shown["is_enrolled"]
        assert shown["tokens"] == [{"token_id": token.id, "serial": "20361492", "type": "h6"}]
        assert shown["phones"][0]["phone_id"] == phone.id
        assert shown["phones"][0]["activated"]

    def test_a_name_that_exists_is_refused(
        self, duo: DuoSimulator, admin: duo_client.Admin, refusal_of: RefusalOf
    ) -> None:
        duo.add_user("ada")
        grace = admin.add_user("grace")["user_id"]
        refusal = refusal_of(lambda: admin.add_user("ADA"))
        assert (refusal.status, refusal.code, refusal.text) == (400, 40003, "Received 400 Duplicate resource")
        assert refusal_of(lambda: admin.update_user(grace, username="ada")).code == 40003
        assert admin.update_user(grace, username="GRACE")["username"] == "grace"

    def test_lifting_a_lock_out_starts_the_count_again(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth
    ) -> None:
        duo.settings.lockout_threshold = 1
        user = duo.add_user("ada")
        auth.auth("passcode", username="ada", passcode="000000000")
        assert admin.get_user_by_id(user.id)["status"] == "locked out"
        admin.update_user(user.id, status="active")
        assert (user.status, user.failures) == ("active", 0)

    def test_a_user_is_deleted_as_often_as_one_likes(
        self, duo: DuoSimulator, admin: duo_client.Admin, refusal_of: RefusalOf
    ) -> None:
        user = duo.add_user("ada")
        for _ in range(2):
            assert admin.delete_user(user.id) == ""
        assert refusal_of(lambda: admin.get_user_by_id(user.id)).code == 40401

    @pytest.mark.parametrize(
        ("parameters", "code", "detail"),
        [
            ({}, 40001, "username"),
            ({"username": "ada", "status": "locked out"}, 40002, "status"),
            ({"username": "ada", "status": "asleep"}, 40002, "status"),
        ],
    )
    def test_wrong_parameters_are_named_and_nobody_is_made(
        self,
        duo: DuoSimulator,
        admin: duo_client.Admin,
        refusal_of: RefusalOf,
        parameters: dict[str, str],
        code: int,
        detail: str,
    ) -> None:
        refusal = refusal_of(lambda: admin.json_api_call("POST", "/admin/v1/users", parameters))
        assert (refusal.code, refusal.detail) == (code, detail)
        assert duo.users() == []

    @pytest.mark.parametrize("names", ["ada", '"ada"', "[1]"])
    def test_a_list_of_names_is_a_list_of_names(
        self, admin: duo_client.Admin, refusal_of: RefusalOf, names: str
    ) -> None:
        asked = {"username_list": names}
        assert refusal_of(lambda: admin.json_api_call("GET", "/admin/v1/users", asked)).detail == "username_list"


class TestPages:
    def test_the_official_client_turns_the_pages(self, duo: DuoSimulator, admin: duo_client.Admin) -> None:
        names = [f"user{number:02}" for number in range(25)]
        for name in names:
            duo.add_user(name)
        admin.paging_limit = 10
        assert [user["username"] for user in admin.get_users()] == names
        assert duo.requests.count("/admin/v1/users") == 3
        assert len(admin.get_phones()) == 25

    def test_a_part_can_be_asked_for(self, duo: DuoSimulator, admin: duo_client.Admin) -> None:
        for number in range(5):
            duo.add_user(f"user{number}")
        assert [user["username"] for user in admin.get_users(limit=2, offset=1)] == ["user1", "user2"]
        asked = {"limit": "2", "offset": "2"}
        _, metadata = admin.parse_json_response_and_metadata(*admin.api_call("GET", "/admin/v1/users", asked))
        assert metadata == {"total_objects": 5, "next_offset": 4, "prev_offset": 0}

    @pytest.mark.parametrize(
        ("asked", "detail"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "301"}, "limit"),
            ({"offset": "-1"}, "offset"),
            ({"limit": "x"}, "limit"),
        ],
    )
    def test_limits_have_limits(
        self, admin: duo_client.Admin, refusal_of: RefusalOf, asked: dict[str, str], detail: str
    ) -> None:
        assert refusal_of(lambda: admin.json_api_call("GET", "/admin/v1/users", asked)).detail == detail


class TestPhones:
    def test_a_new_phone_is_given_to_a_user_and_set_up(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth
    ) -> None:
        user = admin.add_user("grace")["user_id"]
        phone = admin.add_phone(number="+15555550100", type="mobile", platform="google android")
        assert (phone["activated"], phone["platform"]) == (False, "Google Android")
        admin.add_user_phone(user, phone["phone_id"])
        assert admin.get_phone_by_id(phone["phone_id"])["users"][0]["username"] == "grace"
        assert auth.preauth(username="grace")["devices"][0]["capabilities"] == ["auto", "sms", "phone"]
        activation = admin.create_activation_url(phone["phone_id"], valid_secs=600, install=True)
        assert activation["valid_secs"] == 600
        assert activation["installation_url"]
        barcode = urlsplit(activation["activation_barcode"])
        assert (barcode.netloc, barcode.path) == (duo.api_host, "/frame/qr")
        assert duo.activate(parse_qs(barcode.query)["value"][0], "Grace's Pixel")
        assert [each["name"] for each in admin.get_user_phones(user)] == ["Grace's Pixel"]
        assert "push" in auth.preauth(username="grace")["devices"][0]["capabilities"]

    def test_somebody_whose_enrolment_ran_out_gets_a_new_code(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth, clock: VirtualClock
    ) -> None:
        enrolment = auth.enroll("grace", valid_secs=60)
        clock.advance(60.0)
        phone = admin.get_user_by_id(enrolment["user_id"])["phones"][0]
        assert not phone["activated"]
        url = admin.create_activation_url(phone["phone_id"])["activation_url"]
        page = requests.get(url, verify=str(duo.ca_file), timeout=10).text
        assert "This phone will confirm logins of grace." in page
        requests.post(url, {"name": "Pixel"}, verify=str(duo.ca_file), timeout=10)
        assert auth.preauth(username="grace")["devices"][0]["name"] == "Pixel"
        assert auth.enroll_status(enrolment["user_id"], enrolment["activation_code"]) == "invalid"

    def test_a_new_code_puts_an_end_to_the_one_before(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth
    ) -> None:
        enrolment = auth.enroll("grace")
        phone = admin.get_user_by_id(enrolment["user_id"])["phones"][0]
        url = admin.create_activation_url(phone["phone_id"])["activation_url"]
        assert auth.enroll_status(enrolment["user_id"], enrolment["activation_code"]) == "invalid"
        assert not duo.activate(enrolment["activation_code"])
        assert duo.activate(url)

    def test_a_phone_set_up_again_keeps_its_name(self, duo: DuoSimulator, admin: duo_client.Admin) -> None:
        phone = Phone("Ada's iPhone")
        duo.add_user("ada", devices=[phone])
        assert duo.activate(admin.create_activation_url(phone.id)["activation_url"])
        assert phone.name == "Ada's iPhone"

    def test_a_phone_of_nobody_can_be_set_up_too(self, duo: DuoSimulator, admin: duo_client.Admin) -> None:
        phone = admin.add_phone(type="mobile", platform="apple ios", name="Spare")
        url = admin.create_activation_url(phone["phone_id"])["activation_url"]
        assert "will confirm" not in requests.get(url, verify=str(duo.ca_file), timeout=10).text
        page = requests.post(url, {"name": "Spare"}, verify=str(duo.ca_file), timeout=10).text
        assert "belongs to nobody yet" in page
        assert admin.get_phone_by_id(phone["phone_id"])["activated"]

    def test_a_phone_changes_hands(self, duo: DuoSimulator, admin: duo_client.Admin) -> None:
        phone = Phone()
        ada, grace = duo.add_user("ada", devices=[phone]), duo.add_user("grace", devices=[])
        admin.add_user_phone(grace.id, phone.id)
        assert (ada.devices, grace.devices) == ([], [phone])
        for _ in range(2):
            admin.delete_user_phone(grace.id, phone.id)
        assert grace.devices == []
        assert "users" not in admin.get_phone_by_id(phone.id)
        for _ in range(2):
            admin.delete_phone(phone.id)
        assert admin.get_phones() == []

    def test_a_phone_can_be_found_by_its_number(self, duo: DuoSimulator, admin: duo_client.Admin) -> None:
        duo.add_user("ada", devices=[Phone("first", "1"), Phone("second", "2")])
        found = admin.json_api_call("GET", "/admin/v1/phones", {"number": "2"})
        assert [phone["name"] for phone in found] == ["second"]

    def test_a_landline_takes_calls_only(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth
    ) -> None:
        user = duo.add_user("ada", devices=[])
        admin.add_user_phone(user.id, admin.add_phone(number="555", type="landline")["phone_id"])
        assert auth.preauth(username="ada")["devices"][0]["capabilities"] == ["auto", "phone"]

    def test_what_is_wrong_is_said(self, duo: DuoSimulator, admin: duo_client.Admin, refusal_of: RefusalOf) -> None:
        user = duo.add_user("ada", devices=[Phone("mine", "555")])
        unknown = admin.add_phone()["phone_id"]
        no_platform = admin.add_phone(type="mobile")["phone_id"]
        assert refusal_of(lambda: admin.create_activation_url(unknown)).detail == "type"
        assert refusal_of(lambda: admin.create_activation_url(no_platform)).detail == "platform"
        assert refusal_of(lambda: admin.create_activation_url("DPX")).code == 40401
        assert refusal_of(lambda: admin.add_user_phone(user.id, "DPX")).detail == "phone_id"
        assert refusal_of(lambda: admin.add_user_phone(NOBODY, unknown)).code == 40401
        assert refusal_of(lambda: admin.add_phone(number="555")).code == 40003
        assert refusal_of(lambda: admin.add_phone(type="pager")).detail == "type"
        assert refusal_of(lambda: admin.add_phone(platform="abacus")).detail == "platform"


class TestBypassCodes:
    def test_codes_are_made_and_work_once(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth
    ) -> None:
        user = duo.add_user("ada", bypass_codes=["123456789"])
        codes = admin.add_user_bypass_codes(user.id, count=2)
        assert [len(code) for code in codes] == [9, 9]
        assert auth.auth("passcode", username="ada", passcode="123456789")["status"] == "deny"
        assert [auth.auth("passcode", username="ada", passcode=codes[0])["status"] for _ in range(2)] == [
            "allow",
            "fraud",
        ]
        assert admin.get_user_bypass_codes(user.id) == [{"expiration": None, "reuse_count": 1}]

    def test_codes_of_ones_own_can_last_and_run_out(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth, clock: VirtualClock
    ) -> None:
        user = duo.add_user("ada", bypass_codes=["123456789"])
        codes = ["700000001", "700000002"]
        options = {"valid_secs": 60, "remaining_uses": 2, "preserve_existing": True}
        assert admin.add_user_bypass_codes(user.id, codes=codes, **options) == codes
        used = [auth.auth("passcode", username="ada", passcode=codes[0])["status"] for _ in range(3)]
        assert used == ["allow", "allow", "fraud"]
        clock.advance(60.0)
        assert auth.auth("passcode", username="ada", passcode=codes[1])["status"] == "deny"
        assert auth.auth("passcode", username="ada", passcode="123456789")["status"] == "allow"
        assert duo.requests(f"/admin/v1/users/{user.id}/bypass_codes")[0].parameters["codes"] == "[hidden]"

    def test_a_code_may_work_for_ever(self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth) -> None:
        user = duo.add_user("ada")
        [code] = admin.add_user_bypass_codes(user.id, count=1, remaining_uses=0)
        assert {auth.auth("passcode", username="ada", passcode=code)["status"] for _ in range(3)} == {"allow"}
        assert admin.get_user_bypass_codes(user.id)[0]["reuse_count"] == 0

    @pytest.mark.parametrize(
        ("parameters", "detail"),
        [
            ({"count": "11"}, "count"),
            ({"count": "1", "codes": "123456789"}, "codes"),
            ({"codes": "12 34"}, "codes"),
            ({"reuse_count": "-1"}, "reuse_count"),
        ],
    )
    def test_wrong_parameters_are_named(
        self,
        duo: DuoSimulator,
        admin: duo_client.Admin,
        refusal_of: RefusalOf,
        parameters: dict[str, str],
        detail: str,
    ) -> None:
        path = f"/admin/v1/users/{duo.add_user('ada').id}/bypass_codes"
        assert refusal_of(lambda: admin.json_api_call("POST", path, parameters)).detail == detail
        assert refusal_of(lambda: admin.get_user_bypass_codes(NOBODY)).code == 40401


class TestInvitations:
    def test_somebody_is_invited_to_the_portal(
        self, duo: DuoSimulator, admin: duo_client.Admin, auth: duo_client.Auth, clock: VirtualClock
    ) -> None:
        assert admin.enroll_user("grace", "grace@example.org") == ""
        [mail] = duo.mails()
        assert (mail.address, mail.username) == ("grace@example.org", "grace")
        assert mail.link not in repr(mail)
        clock.advance(86400.0)
        code = parse_qs(urlsplit(mail.link).query)["code"][0]
        page = requests.post(f"{duo.base_url}/portal", {"code": code}, verify=str(duo.ca_file), timeout=10)
        assert "Open the simulated phone" in page.text
        assert admin.get_users_by_name("grace")[0]["email"] == "grace@example.org"

    def test_an_invitation_runs_out(self, duo: DuoSimulator, admin: duo_client.Admin, clock: VirtualClock) -> None:
        duo.add_user("grace", devices=[])
        admin.enroll_user("grace", "grace@example.org", valid_secs=60)
        clock.advance(60.0)
        code = parse_qs(urlsplit(duo.mails()[0].link).query)["code"][0]
        page = requests.post(f"{duo.base_url}/portal", {"code": code}, verify=str(duo.ca_file), timeout=10)
        assert page.status_code == 404
