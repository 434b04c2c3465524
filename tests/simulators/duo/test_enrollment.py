"""enroll and enroll_status, asked by the official client, with a phone that scans the code."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import duo_client
import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from tests.simulators.duo.conftest import Refusal

RefusalOf = Callable[[Callable[[], object]], Refusal]


def test_a_new_user_scans_the_code_and_can_log_in(duo: DuoSimulator, auth: duo_client.Auth) -> None:
    enrolment = auth.enroll("Grace")
    assert enrolment["username"] == "grace"
    assert enrolment["user_id"].startswith("DU")
    user_id, code = enrolment["user_id"], enrolment["activation_code"]
    assert auth.enroll_status(user_id, code) == "waiting"
    assert auth.preauth(username="grace")["result"] == "enroll"
    assert duo.activate(code)
    assert auth.enroll_status(user_id, code) == "success"
    devices = auth.preauth(username="grace")["devices"]
    assert "push" in devices[0]["capabilities"]
    assert not duo.activate(code)


def test_the_code_holds_the_api_host_and_the_links_hold_the_code(duo: DuoSimulator, auth: duo_client.Auth) -> None:
    enrolment = auth.enroll("grace", valid_secs=600)
    code, _, host = enrolment["activation_code"].removeprefix("duo://").rpartition("-")
    assert base64.urlsafe_b64decode(host + "=" * (-len(host) % 4)).decode() == duo.api_host
    barcode = urlsplit(enrolment["activation_barcode"])
    assert (barcode.netloc, barcode.path) == (duo.api_host, "/frame/qr")
    assert parse_qs(barcode.query)["value"] == [enrolment["activation_code"]]
    assert enrolment["activation_url"].endswith(f"/activate/{code}")


def test_expiration_is_a_moment_not_a_duration(duo: DuoSimulator, auth: duo_client.Auth) -> None:
    now = auth.ping()["time"]
    assert 600 <= auth.enroll("grace", valid_secs=600)["expiration"] - now <= 610
    assert 86400 <= auth.enroll("ada")["expiration"] - now <= 86410


def test_a_code_runs_out(duo: DuoSimulator, auth: duo_client.Auth, clock: VirtualClock) -> None:
    enrolment = auth.enroll("grace", valid_secs=600)
    clock.advance(600.0)
    assert auth.enroll_status(enrolment["user_id"], enrolment["activation_code"]) == "invalid"
    assert not duo.activate(enrolment["activation_url"])


def test_an_activation_url_can_be_opened_on_the_phone(duo: DuoSimulator, auth: duo_client.Auth) -> None:
    assert duo.activate(auth.enroll("grace")["activation_url"], "Grace's Pixel")
    assert auth.preauth(username="grace")["devices"][0]["name"] == "Grace's Pixel"


def test_a_name_that_exists_is_refused_even_without_a_device(
    duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf
) -> None:
    auth.enroll("grace")
    refusal = refusal_of(lambda: auth.enroll("GRACE"))
    assert (refusal.status, refusal.code, refusal.detail) == (400, 40002, "username")


def test_a_name_is_made_up_when_none_is_given(auth: duo_client.Auth) -> None:
    first, second = auth.enroll(), auth.enroll()
    assert first["username"] != second["username"]


@pytest.mark.parametrize(
    ("parameters", "detail"),
    [
        ({"username": "  "}, "username"),
        ({"username": "grace", "valid_secs": "soon"}, "valid_secs"),
        ({"username": "grace", "bypass_codes": "99"}, "bypass_codes"),
    ],
)
def test_wrong_parameters_are_named_and_nobody_is_made(
    duo: DuoSimulator, auth: duo_client.Auth, refusal_of: RefusalOf, parameters: dict[str, str], detail: str
) -> None:
    refusal = refusal_of(lambda: auth.json_api_call("POST", "/auth/v2/enroll", parameters))
    assert (refusal.code, refusal.detail) == (40002, detail)
    assert duo.users() == []


def test_bypass_codes_come_with_it(duo: DuoSimulator, auth: duo_client.Auth) -> None:
    enrolment = auth.enroll("grace", bypass_codes=2)
    assert len(enrolment["bypass_codes"]) == 2
    duo.activate(enrolment["activation_code"])
    assert auth.auth("passcode", username="grace", passcode=enrolment["bypass_codes"][1])["result"] == "allow"


def test_the_status_of_somebody_else_s_code_is_invalid(duo: DuoSimulator, auth: duo_client.Auth) -> None:
    grace, ada = auth.enroll("grace"), auth.enroll("ada")
    assert auth.enroll_status(ada["user_id"], grace["activation_code"]) == "invalid"
    assert auth.enroll_status(ada["user_id"], "duo://made-up") == "invalid"


def test_the_status_of_nobody_is_refused(auth: duo_client.Auth, refusal_of: RefusalOf) -> None:
    assert refusal_of(lambda: auth.enroll_status("DUxxxxxxxxxxxxxxxxxx", "duo://x-y")).detail == "user_id"
    assert refusal_of(lambda: auth.enroll_status("", "duo://x-y")).code == 40001
    assert refusal_of(lambda: auth.enroll_status("DUxxxxxxxxxxxxxxxxxx", "")).code == 40001
