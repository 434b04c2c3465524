"""Use cases 1 to 6: what Duo says at a sign-in, what the person sees of it, and how they go on."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.waiting import until
from tests.usecases.conftest import SpacesOf
from tests.usecases.person import PUSH_HEADING, Person
from tests.usecases.place import APPROVER, UNKNOWN_TO_DUO, Place

PING, PREAUTH, AUTH = "/auth/v2/ping", "/auth/v2/preauth", "/auth/v2/auth"
MINUTE = 60.0
"""How long Duo waits for an answer."""
UNREACHABLE = "There was a problem accessing to DUO"

Somebody = Callable[[str], Person]


def test_use_case_1_duo_is_pinged_then_a_push_is_sent_and_approved(place: Place, somebody: Somebody) -> None:
    barbara = somebody("barbara")
    barbara.is_asked("payroll")
    asked = place.asked(PING, PREAUTH, AUTH)
    # What Duo answered to a ping counts for a few seconds, so that there may have been one for several people.
    assert (asked[0], *asked[-2:]) == (PING, PREAUTH, AUTH)
    left = barbara.reads(re.compile(r"^about \d+ s left$"))
    first = left.inner_text()
    barbara.keeps_a_picture("1-push")
    expect(left).not_to_have_text(first)
    place.duo.phone("barbara").approve()
    barbara.is_in("payroll")
    barbara.reads("Approved with Duo")
    barbara.keeps_a_picture("1-in")


def test_use_case_2_a_six_digit_passcode_on_the_same_page(place: Place, somebody: Somebody) -> None:
    claude = somebody("claude")
    claude.is_asked("payroll")
    passcode = claude.uses_a_passcode()
    assert re.fullmatch(r"\d{6}", passcode)
    claude.is_in("payroll")
    claude.reads("Approved with Duo")


def test_use_case_3_the_push_is_denied(place: Place, somebody: Somebody) -> None:
    dennis = somebody("dennis")
    dennis.is_asked("payroll")
    place.duo.phone("dennis").deny()
    dennis.is_told("You refused the request on your device.")
    dennis.keeps_a_picture("3-denied")
    dennis.presses("Cancel")
    dennis.begins_anew()
    dennis.open("payroll")
    dennis.sees("Sign in")


def test_use_case_4_the_push_is_reported_as_fraud(place: Place, somebody: Somebody, spaces_of: SpacesOf) -> None:
    evelyn = somebody("evelyn")
    evelyn.open("library")
    evelyn.sign_in()
    evelyn.is_in("library")
    thief = somebody("evelyn")
    thief.is_asked("payroll")
    place.duo.phone("evelyn").report_fraud()
    thief.sees("You were not let in to Payroll")
    thief.keeps_a_picture("4-reported")
    assert not re.search("fraud|report", thief.page.content(), re.IGNORECASE)
    thief.open("library")
    thief.sees("Sign in")
    evelyn.sees_in_time("library", "Sign in")
    security = spaces_of(place, APPROVER)
    violation = security.said("Policy violation", "evelyn", "a sign-in was reported as somebody else's")
    violation.get_by_text("More", exact=True).click()
    expect(violation.get_by_text("policy.violation")).to_be_visible()
    expect(violation.get_by_role("link", name="Open in casduo")).to_have_attribute("href", f"{place.cas_url}/approvals")


@pytest.mark.parametrize("why", ["unknown user", "unreachable"])
def test_use_case_5_duo_does_not_know_the_user_or_cannot_be_reached(place: Place, somebody: Somebody, why: str) -> None:
    {"unknown user": _unknown_user, "unreachable": _unreachable}[why](place, somebody)


def _unknown_user(place: Place, somebody: Somebody) -> None:
    frances = somebody(UNKNOWN_TO_DUO)
    frances.open("payroll")
    frances.sign_in()
    frances.sees("One more step for Payroll")
    frances.reads("You need a second factor for Payroll. You have none yet.")
    expect(frances.page.get_by_role("link", name="Set up a device")).to_be_visible()
    frances.keeps_a_picture("5-unknown")
    frances.follows("Show my other applications")
    frances.begins_anew()


def _unreachable(place: Place, somebody: Somebody) -> None:
    hedy = somebody("hedy")
    # Pushes of other cases that nobody answered run out first: Duo waits for what is open when it stops.
    place.duo.advance(MINUTE)
    place.duo.stop_listening()
    try:
        hedy.open("payroll")
        hedy.sign_in()
        hedy.sees(UNREACHABLE)
        hedy.reads("Your password is right.")
        hedy.keeps_a_picture("5-unreachable")
        hedy.follows("Show my other applications")
        hedy.begins_anew()
        hedy.open("payroll")
        hedy.sign_in()
        hedy.sees(UNREACHABLE)
    finally:
        place.duo.listen_again()
    until(lambda: _goes_on(hedy), "Duo is asked again")
    hedy.approves_the_push()
    hedy.is_in("payroll")


def _goes_on(person: Person) -> bool:
    """Try again, and return whether it goes on from there."""
    with person.page.expect_navigation():
        person.presses("Try again")
    return person.page.get_by_role("heading", level=1).inner_text() != UNREACHABLE


def test_use_case_6_nobody_answers_for_a_minute(place: Place, somebody: Somebody) -> None:
    ida = somebody("ida")
    ida.is_asked("payroll")
    place.duo.advance(MINUTE)
    ida.is_told("No answer came within 60 seconds.", "Login timed out.")
    ida.keeps_a_picture("6-timeout")
    ida.presses("Send again")
    ida.sees(PUSH_HEADING)
    until(lambda: len(place.duo.pending("ida")) == 1, "another push waits")
    place.duo.phone("ida").approve()
    ida.is_in("payroll")
    ida.reads("Approved with Duo")
