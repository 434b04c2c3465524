"""Use cases 7 to 9: what the Webex space is told, and requests that are decided there or on casduo's page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Locator, expect

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.demo.applications import ACCOUNT, MACHINE, MACHINE_ADDRESS
from tests.demo.approving import Webex
from tests.support.site import SetClock
from tests.support.waiting import until
from tests.usecases.conftest import SomebodyAt, SpacesOf
from tests.usecases.person import FORM_HEADING, Person, picture
from tests.usecases.place import APPROVER, GATEWAY_MACHINE, NAMES, Place, email, running_place

Somebody = Callable[[str], Person]
HOUR, DAY = 3600.0, 86400.0
FORM = FORM_HEADING.format(MACHINE)
DECIDER = NAMES[APPROVER]


def minutes(moment: float) -> str:
    """Return a moment as the form takes it, in the time zone of the server."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M")


def buttons(card: Locator) -> list[str]:
    """Return what can be pressed on a card, in order."""
    titles = card.locator(".card > .actions").locator(".action:not(details .inner *)").all_inner_texts()
    return [title.partition("(opens")[0].strip() for title in titles]


def test_use_case_7_events_in_the_webex_space(place: Place, somebody: Somebody, spaces_of: SpacesOf) -> None:
    security = spaces_of(place, APPROVER)
    radia = somebody("radia")
    radia.open("library")
    radia.sign_in()
    radia.is_in("library")
    texts = [security.said("radia signed in to Library from 127.0.0.1")]
    radia.open("gateway")
    radia.uses_a_passcode()
    radia.is_in("gateway")
    texts.append(security.said(f"Remote access: radia opens {GATEWAY_MACHINE}, operator at {GATEWAY_MACHINE}"))
    radia.open("database")
    radia.sees(FORM)
    tomorrow = time.time() + DAY
    radia.asks_for_access("Backups", minutes(tomorrow), minutes(tomorrow + HOUR))
    security.approves("Backups")
    radia.sees(re.compile("^Opens on "))
    radia.keeps_a_picture("7-early")
    radia.open("database")
    radia.sees(re.compile("^Opens on "))
    violation = security.said("Policy violation", "radia", "access outside the time that was approved")
    assert buttons(violation) == ["More", "Open in casduo"]
    violation.get_by_text("More", exact=True).click()
    expect(violation.get_by_text("policy.violation")).to_be_visible()
    expect(violation.get_by_role("link", name="Open in casduo")).to_have_attribute(
        "href", re.compile(f"^{re.escape(place.cas_url)}/approvals/[A-Za-z0-9]+$")
    )
    radia.open("library")
    radia.presses("Sign out")
    radia.sees("You are signed out")
    texts.append(security.said("radia signed out"))
    for text in texts:
        expect(text.locator(".card")).to_have_count(0)
    picture(security.page, "7-space")


def test_use_case_8_access_is_approved_in_webex_and_ends_with_its_time(
    tmp_path: Path, authority: CertificateAuthority, somebody_at: SomebodyAt, spaces_of: SpacesOf
) -> None:
    with running_place(tmp_path, authority.issue()) as place:
        katherine, security = somebody_at(place, "katherine"), spaces_of(place, APPROVER)
        katherine.open("database")
        katherine.sign_in()
        katherine.uses_a_passcode()
        katherine.sees(FORM)
        katherine.keeps_a_picture("8-form")
        end = time.time() + HOUR
        katherine.asks_for_access("The disk is full", ends=minutes(end))
        katherine.keeps_a_picture("8-waiting")
        card = security.said("The disk is full", MACHINE, MACHINE_ADDRESS, ACCOUNT, "katherine@example.edu")
        approve, *others = buttons(card)
        assert re.fullmatch(r"Approve request [A-Z0-9]{4}", approve)
        assert others == ["Reject", "More", "Review in casduo"]
        card.get_by_text("More", exact=True).click()
        expect(card.get_by_text("No earlier request of this person for this application.")).to_be_visible()
        picture(security.page, "8-card")
        (pressed,) = (message for message in place.webex.messages_in(place.room.id) if message.card)
        security.approves("The disk is full")
        katherine.is_in("database")
        katherine.keeps_a_picture("8-in")
        outcome = security.said(f"Request was approved by {DECIDER}", "The disk is full")
        assert buttons(outcome) == ["Review in casduo"]
        until(lambda: place.webex.message(pressed.id).deleted, "the pressed card is withdrawn")
        picture(security.page, "8-outcome")
        own = spaces_of(place, "katherine")
        own.said(f"Access application approved by {DECIDER}", MACHINE)
        picture(own.page, "8-told")
        with place.started_again(SetClock(end)):
            katherine.sees_in_time("database", FORM)
            katherine.keeps_a_picture("8-over")
            security.said("Policy violation", "katherine", "access outside the time that was approved")
            katherine.open("library")
            katherine.is_in("library")


def test_use_case_9_the_request_is_rejected(place: Place, somebody: Somebody, spaces_of: SpacesOf) -> None:
    mary, security = somebody("mary"), spaces_of(place, APPROVER)
    mary.open("database")
    mary.sign_in()
    mary.uses_a_passcode()
    mary.sees(FORM)
    mary.asks_for_access("Curiosity")
    security.rejects("Curiosity", "Not tonight")
    _is_rejected(place, mary, security, spaces_of, "Curiosity", "Not tonight")
    mary.keeps_a_picture("9-rejected")
    mary.follows("Ask again")
    mary.sees(FORM)
    mary.asks_for_access("An index is broken")
    card = security.said("An index is broken")
    card.get_by_text("More", exact=True).click()
    expect(card.get_by_text(f"rejected by {DECIDER} ({email(APPROVER)}): Curiosity")).to_be_visible()
    picture(security.page, "9-history")
    decider = somebody(APPROVER)
    decider.page.goto(card.get_by_role("link", name="Review in casduo").get_attribute("href") or "")
    decider.sign_in()
    decider.uses_a_passcode()
    decider.sees(f"Mary Jackson asks for access to {MACHINE}")
    decider.reads("An index is broken")
    decider.keeps_a_picture("9-page")
    decider.page.get_by_label("Comment (optional)").fill("Ask the owner first")
    decider.presses("Reject")
    decider.reads("You rejected this request")
    decider.keeps_a_picture("9-decided")
    _is_rejected(place, mary, security, spaces_of, "An index is broken", "Ask the owner first")


def _is_rejected(place: Place, person: Person, security: Webex, spaces_of: SpacesOf, reason: str, comment: str) -> None:
    """See that the space, the person and their page have it."""
    person.sees("Not approved")
    person.reads(f"{DECIDER} did not approve it.")
    person.reads(comment)
    outcome = security.said(f"Request was rejected by {DECIDER}", reason, comment)
    assert buttons(outcome) == ["Review in casduo"]
    own = spaces_of(place, person.username)
    own.said(f"Access application rejected by {DECIDER}", comment)
    picture(own.page, "9-told")
