"""What the pages decide from what Duo says."""

from __future__ import annotations

from typing import Any

import pytest

from casduo.enrollment.model import Code, EnrollSession
from casduo.enrollment.standing import Standing, agrees, proves, standing
from casduo.mfa.duo.gateway import Device, Preauth, PreauthResult
from casduo.mfa.strength import UNENROLLED, Strength
from casduo.tickets.ids import SessionName

PHONE = Device("DP1", "phone", "iPhone", frozenset({"auto", "push", "mobile_otp"}))
LANDLINE = Device("DP2", "phone", "Desk", frozenset({"phone"}))
TOKEN = Device("DH1", "token", "20361492")
CODE = Code("duo://abc-def", "https://m.duo.test/abc", 1000.0, "DU1")
PORTAL = "https://api.duo.test/portal?code=1"
UNENROLLED_AT_DUO = Preauth(PreauthResult.ENROLL, enroll_portal_url=PORTAL)


def session(**facts: Any) -> EnrollSession:
    return EnrollSession("key", "f" * 64, "ada", SessionName("aaaa", "e" * 64), 0.0, Strength(), **facts)


def decide(preauth: Preauth, *, admin: bool = False, proven: bool = False, **facts: Any) -> Standing:
    return standing(session(**facts), preauth, admin=admin, proven=proven)


def test_somebody_duo_does_not_know_gets_a_code() -> None:
    assert decide(UNENROLLED_AT_DUO).need == "code"


@pytest.mark.parametrize("facts", [{"stage": "elsewhere"}, {"code": CODE, "code_state": "over"}])
def test_an_account_is_made_once_so_duo_s_own_page_has_to_help_afterwards(facts: dict[str, Any]) -> None:
    found = decide(UNENROLLED_AT_DUO, **facts)
    assert (found.need, found.portal_url) == ("portal", PORTAL)
    assert PORTAL not in repr(found)


def test_with_the_admin_api_there_is_a_new_code() -> None:
    assert decide(UNENROLLED_AT_DUO, admin=True, code=CODE, code_state="over").need == "code"


def test_where_duo_names_no_page_of_its_own_the_help_desk_has_to() -> None:
    assert decide(Preauth(PreauthResult.ENROLL), stage="elsewhere").need == "nobody"


@pytest.mark.parametrize(
    ("admin", "proven", "addition"),
    [(False, False, ""), (False, True, ""), (True, False, "confirm"), (True, True, "offered")],
)
def test_another_device_is_added_only_after_confirming_with_one(admin: bool, proven: bool, addition: str) -> None:
    found = decide(Preauth(PreauthResult.AUTH, devices=(PHONE, TOKEN)), admin=admin, proven=proven)
    assert (found.need, found.devices, found.addition) == ("devices", (PHONE, TOKEN), addition)


def test_people_whom_duo_lets_in_or_refuses_are_told_so() -> None:
    assert decide(Preauth(PreauthResult.ALLOW, "Bypassing")).need == "unneeded"
    refused = decide(Preauth(PreauthResult.DENY, "Your account is disabled"))
    assert (refused.need, refused.said) == ("refused", "Your account is disabled")


@pytest.mark.parametrize(
    ("preauth", "code", "agreed"),
    [
        (Preauth(PreauthResult.AUTH, devices=(PHONE,)), CODE, True),
        (Preauth(PreauthResult.AUTH, devices=(LANDLINE, TOKEN)), CODE, False),
        (Preauth(PreauthResult.AUTH, devices=(LANDLINE, PHONE)), Code("duo://x", "", 0.0, device="DP1"), True),
        (Preauth(PreauthResult.AUTH, devices=(LANDLINE, PHONE)), Code("duo://x", "", 0.0, device="DP3"), False),
        (Preauth(PreauthResult.AUTH, devices=(LANDLINE, PHONE)), Code("duo://x", "", 0.0, device="DP2"), False),
        (Preauth(PreauthResult.AUTH, devices=(TOKEN,)), None, True),
        (Preauth(PreauthResult.ENROLL), None, False),
        (Preauth(PreauthResult.ALLOW), CODE, False),
        (Preauth(PreauthResult.DENY), CODE, False),
    ],
)
def test_only_a_device_that_duo_lists_counts(preauth: Preauth, code: Code | None, agreed: bool) -> None:
    assert agrees(preauth, code) is agreed


@pytest.mark.parametrize(
    ("strength", "proven"),
    [
        (Strength.duo("push", 1.0), True),
        (Strength.duo("push", 1.0, "clinic"), True),
        (Strength.duo("push", 1.0, "elsewhere"), False),
        (Strength.trusted(1.0), False),
        (Strength.bypassed(UNENROLLED, 1.0), False),
        (Strength(), False),
    ],
)
def test_only_a_confirmation_with_a_device_of_that_account_adds_another(strength: Strength, proven: bool) -> None:
    assert proves(strength, {"", "clinic"}) is proven


def test_a_code_shows_in_no_repr() -> None:
    assert "abc" not in repr(CODE)
    assert "abc" not in repr(session(code=CODE))
