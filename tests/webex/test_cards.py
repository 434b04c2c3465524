"""The cards: what is on them, what their buttons send, and that nobody's text becomes more than text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casduo.approvals.model import ApprovalRequest, Target
from casduo.events.model import Subject
from casduo.events.record import EventRecord
from casduo.simulators.webex.cards import check_attachments
from casduo.simulators.webex.model import CARD_TYPE
from casduo.simulators.webex.settings import Settings as SimulatorSettings
from casduo.webex.announcements import (
    digest_text,
    outcome_text,
    reminder_text,
    request_text,
    told_text,
    untold_text,
)
from casduo.webex.cards import LARGEST_CARD, Card, Look, approval_card, outcome_card, size_of, violation_card
from casduo.webex.text import LONGEST_MESSAGE, plain
from tests.webex.asked import NOON, decided, decision, request
from tests.webex.desk import SERVER
from tests.webex.hostile import HOSTILE, words
from tests.webex.test_text import inline_of

BERLIN = Look(SERVER, ZoneInfo("Europe/Berlin"))


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Everything in a card that has a type."""
    if isinstance(node, dict):
        if "type" in node:
            yield node
        for value in node.values():
            yield from parts(value)
    elif isinstance(node, list):
        for each in node:
            yield from parts(each)


def lines(card: Card) -> list[str]:
    """What a card shows before anything is pressed."""
    return [
        element["text"] if "text" in element else "".join(run["text"] for run in element["inlines"])
        for element in card["body"]
    ]


def actions(card: Card) -> list[dict[str, Any]]:
    return [part for part in parts(card) if part["type"].startswith("Action.")]


def titles(card: Card) -> list[str]:
    return [action["title"] for action in card.get("actions", [])]


def shown_by(card: Card, title: str) -> Card:
    inner: Card = next(action["card"] for action in card["actions"] if action["title"] == title)
    return inner


def test_a_request_is_shown_with_all_its_facts() -> None:
    card = approval_card(request(), BERLIN, buttons=True)
    assert lines(card) == [
        "Access request 7F3K",
        "Requestor: Ada Lovelace, ada, ada@example.edu",
        "Application: OracleLinux_SystemB",
        "Start: 2026-08-01 13:00 UTC (15:00 Europe/Berlin)",
        "End: 2026-08-01 15:00 UTC (17:00 Europe/Berlin)",
        "Host name: OracleLinux_SystemB",
        "IP: 172.16.200.53",
        "Account: root",
        "Reason: Patches",
        "To be decided by: 2026-08-01 13:00 UTC (15:00 Europe/Berlin)",
    ]
    assert titles(card) == ["Approve request 7F3K", "Reject", "More", "Review in casduo"]
    assert titles(shown_by(card, "Reject")) == ["Reject request 7F3K"]


def test_its_buttons_send_what_was_agreed() -> None:
    sent = [action for action in actions(approval_card(request(), BERLIN, buttons=True)) if "data" in action]
    common = {"casduo": 1, "kind": "approval", "request": "7f3kQmVwX2", "nonce": "n0nce"}
    assert [action["data"] for action in sent] == [{**common, "decision": "approve"}, {**common, "decision": "reject"}]
    assert [action["style"] for action in sent] == ["positive", "destructive"]


def test_a_reason_for_a_refusal_is_optional() -> None:
    (reason,) = shown_by(approval_card(request(), BERLIN, buttons=True), "Reject")["body"]
    assert (reason["type"], reason["id"], reason["maxLength"]) == ("Input.Text", "comment", 500)
    assert "isRequired" not in reason


def test_the_link_leads_to_the_page_of_the_request() -> None:
    card = approval_card(request(), BERLIN, buttons=True)
    assert card["actions"][-1] == {
        "type": "Action.OpenUrl",
        "title": "Review in casduo",
        "url": f"{SERVER}/approvals/7f3kQmVwX2",
    }


def test_without_buttons_there_is_the_link_alone() -> None:
    card = approval_card(request(), BERLIN, buttons=False)
    assert titles(card) == ["More", "Review in casduo"]
    assert card["version"] == "1.2"
    assert not [action for action in actions(card) if action["type"] == "Action.Submit"]


def test_without_an_address_of_the_server_there_is_no_link() -> None:
    assert titles(approval_card(request(), Look(), buttons=True)) == ["Approve request 7F3K", "Reject", "More"]


def test_more_shows_the_requests_before() -> None:
    before = [
        decided("rejected", id="aaaa1", created=NOON - 3600, reason="Try"),
        request(id="bbbb1", state="expired", created=NOON - 7200, reason=""),
    ]
    more = shown_by(approval_card(request(), BERLIN, buttons=True, earlier=before), "More")
    assert lines(more)[-3:] == [
        "Earlier requests of this person for this application:",
        "2026-08-01 11:00 UTC (13:00 Europe/Berlin), rejected by Luke (luke@example.edu): Try",
        "2026-08-01 10:00 UTC (12:00 Europe/Berlin), expired",
    ]
    none = shown_by(approval_card(request(), BERLIN, buttons=True), "More")
    assert lines(none)[-1] == "No earlier request of this person for this application."


def test_of_many_requests_before_the_latest_are_shown() -> None:
    before = [request(id=f"id{number}", state="expired", reason=f"number {number}") for number in range(40)]
    more = lines(shown_by(approval_card(request(), BERLIN, buttons=True, earlier=before), "More"))
    assert [line.rpartition(" ")[2] for line in more[-5:]] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("ended", "line"),
    [
        (decided(), "Request was approved by Luke (luke@example.edu), 2026-08-01 12:01 UTC"),
        (decided("rejected"), "Request was rejected by Luke (luke@example.edu), 2026-08-01 12:01 UTC"),
        (request(state="expired"), "Request has expired: nobody decided it in time"),
        (request(state="cancelled"), "Request was withdrawn"),
    ],
)
def test_an_outcome_says_what_became_of_it_and_has_no_buttons(ended: ApprovalRequest, line: str) -> None:
    card = outcome_card(ended, Look(SERVER))
    assert lines(card)[:2] == ["Access request 7F3K", line]
    assert {action["type"] for action in actions(card)} == {"Action.OpenUrl"}
    assert card["version"] == "1.2"


def test_an_outcome_tells_why() -> None:
    assert lines(outcome_card(decided("rejected", "not on a Friday"), BERLIN))[-1] == "Comment: not on a Friday"


def test_a_violation_is_a_card_with_buttons() -> None:
    card = violation_card(violation(), "OracleLinux_SystemB", BERLIN)
    assert lines(card) == [
        "Policy violation",
        "Rule: access outside the time that was approved",
        "User: ada",
        "Application: OracleLinux_SystemB",
        "Address: 192.0.2.7",
        "Request: 7F3K",
        "Time: 2026-08-01 12:00 UTC (14:00 Europe/Berlin)",
    ]
    assert titles(card) == ["More", "Open in casduo"]
    assert card["actions"][1]["url"] == f"{SERVER}/approvals/7f3kQmVwX2"
    assert lines(shown_by(card, "More"))[0] == "Detail: three minutes late"


def test_a_violation_without_a_request_leads_to_all_of_them() -> None:
    card = violation_card(violation(request="../../evil"), "x", BERLIN)
    assert card["actions"][1]["url"] == f"{SERVER}/approvals"


def test_a_made_up_id_of_a_request_leads_nowhere() -> None:
    assert "Review in casduo" not in titles(approval_card(request(id="../logout?x="), BERLIN, buttons=False))


# -- whatever people write -------------------------------------------------------------------------------------------


@st.composite
def requests(draw: st.DrawFn) -> ApprovalRequest:
    text = draw(st.lists(words, min_size=15, max_size=15))
    moments = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 2e9)
    made = request(
        # Ours, so of letters that can be written; which ones is not relied on.
        id=draw(st.text(st.characters(codec="utf-8"), max_size=64)),
        nonce="n" * 22,
        principal=text[0],
        name=text[1],
        emails=tuple(text[2:4]),
        service=text[4],
        service_name=text[5],
        target=Target(*text[6:9]),
        start=draw(moments),
        end=draw(moments),
        reason=text[9],
        address=text[10],
        reference=text[11],
        state=draw(st.sampled_from(["pending", "approved", "rejected", "expired", "cancelled"])),
    )
    chosen = decision(draw(st.sampled_from(["approved", "rejected"])), by=text[12], name=text[13], comment=text[14])
    return replace(made, decision=draw(st.sampled_from([None, chosen])))


WORST = request(
    id="z" * 22,
    name="😀" * 10_000,
    principal="😁" * 10_000,
    emails=("😂" * 10_000,),
    service_name="😃" * 10_000,
    target=Target("😄" * 10_000, "😅" * 10_000, "😆" * 10_000),
    reason="😇" * 10_000,
    address="😉" * 10_000,
    reference="😊" * 10_000,
    state="rejected",
    decision=decision("rejected", name="🙂" * 10_000, by="🙃" * 10_000, comment="😋" * 10_000),
)


def check(card: Card) -> None:
    """A card that Webex takes, on which only words of ours can be anything but text."""
    assert size_of(card) <= LARGEST_CARD
    assert len(actions(card)) <= 5
    check_attachments([{"contentType": CARD_TYPE, "content": card}], SimulatorSettings())
    for part in parts(card):
        assert part["type"] not in ("FactSet", "Image")
        if part["type"] == "TextBlock":
            assert part["wrap"] is True
            assert plain(part["text"]).replace(" ", "").isalnum()
        if part["type"] == "TextRun":
            assert len(part["text"].splitlines()) <= 1
            assert "://" not in part["text"]
        if part["type"] == "Action.OpenUrl":
            assert part["url"].startswith(f"{SERVER}/approvals")
            assert part["url"].removeprefix(SERVER).replace("/", "").isalnum()
        if "title" in part:
            assert part["title"].replace(" ", "").isalnum()


@settings(max_examples=50)
@given(requests(), st.lists(requests(), max_size=2), st.booleans())
@example(WORST, [WORST] * 10, True)
@example(WORST, [WORST] * 10, False)
def test_no_text_makes_more_of_a_card_than_it_is(
    asked: ApprovalRequest, earlier: list[ApprovalRequest], buttons: bool
) -> None:
    check(approval_card(asked, BERLIN, buttons=buttons, earlier=earlier))
    check(outcome_card(asked, BERLIN))


@given(st.lists(words, min_size=8, max_size=8), words)
def test_nor_of_a_card_about_a_violation(text: list[str], service: str) -> None:
    record = EventRecord(
        text[0],
        NOON,
        "policy.violation",
        "warning",
        Subject(*text[1:5]),
        {"rule": text[5], "detail": text[6], "request": text[7]},
    )
    check(violation_card(record, service, BERLIN))


@settings(max_examples=50)
@given(requests())
@example(WORST)
def test_texts_beside_cards_are_short_and_have_nothing_in_them_but_emphasis(asked: ApprovalRequest) -> None:
    written = [
        request_text(asked, BERLIN),
        outcome_text(asked, BERLIN),
        told_text(asked, Look()),
        untold_text(asked),
        reminder_text(asked, Look()),
    ]
    for text in written:
        assert len(text.encode()) <= LONGEST_MESSAGE
        kinds = {token.type for token in inline_of(text)}
        assert kinds <= {"text", "text_special", "strong_open", "strong_close"}, text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_cannot_decide_in_its_own_favour(name: str) -> None:
    text = outcome_text(decided("rejected", principal=name, name=name), Look())
    bold = [token.content for token in inline_of(text) if token.type == "text"]
    assert "rejected by Luke" in "".join(bold)
    assert len(text.splitlines()) == 1


# -- the words -------------------------------------------------------------------------------------------------------


def test_who_asked_is_told_who_decided() -> None:
    told = told_text(decided("rejected", "not on a Friday"), Look(SERVER))
    assert told == (
        "Access application rejected by **Luke**: **OracleLinux\\_SystemB**, root at OracleLinux\\_SystemB "
        "\\(172.16.200.53\\), from 2026-08-01 13:00 UTC to 2026-08-01 15:00 UTC. Comment: not on a Friday. "
        f"Request 7F3K, {SERVER}/requests/7f3kQmVwX2"
    ).replace("\\(", "(").replace("\\)", ")")
    assert told_text(decided(), Look()).startswith("Access application approved by **Luke**: ")
    assert "expired: nobody decided it in time" in told_text(request(state="expired"), Look())
    assert "withdrawn" in told_text(request(state="cancelled"), Look())


def test_a_reminder_leads_to_the_page() -> None:
    text = reminder_text(request(target=Target()), Look(SERVER))
    assert text == (
        "Access request 7F3K of **Ada Lovelace** for **OracleLinux\\_SystemB** still waits, "
        f"until 2026-08-01 13:00 UTC. {SERVER}/approvals/7f3kQmVwX2"
    )


def test_a_digest_counts() -> None:
    text = digest_text({"signout": 1, "signin.ok": 40}, NOON, NOON + 60, Look())
    assert text == "**40** sign-ins, **1** sign-out, from 2026-08-01 12:00 UTC to 2026-08-01 12:01 UTC"


def violation(**facts: str) -> EventRecord:
    about = Subject("R-7Q2", "192.0.2.7", "ada", "oracle-b", "duo")
    usual = {"rule": "outside_window", "request": "7f3kQmVwX2", "detail": "three minutes late"}
    return EventRecord("E1", NOON, "policy.violation", "warning", about, {**usual, **facts})
