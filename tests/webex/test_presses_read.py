"""What a press says is read without believing any of it, and what is answered cannot be turned into something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.approvals.events import RefusedPress
from casduo.approvals.model import ApprovalRequest, Decision, Target
from casduo.webex import model
from casduo.webex.model import CardAction, PostedMessage
from casduo.webex.press import Choice, answer_to, choice_in, not_ours, request_named
from tests.webex.hostile import texts

NOW = 1_800_000_000.0
REQUEST = ApprovalRequest(
    id="7f3kq9",
    nonce="n0nce",
    principal="ada",
    name="Ada",
    emails=("ada@example.edu",),
    service="oracle-b",
    service_name="Oracle B",
    url="https://gateway.example.edu/b",
    target=Target(),
    start=NOW,
    end=NOW + 3600,
    reason="Patches",
    created=NOW,
    expires=NOW + 600,
    room="room",
)
RIGHT = {"casduo": "1", "kind": "approval", "request": "7f3kq9", "nonce": "n0nce", "decision": "approve"}
URL = "https://sso.example.edu/cas"


def action(inputs: Mapping[str, str], room: str = "room", created: float = NOW) -> CardAction:
    return CardAction("press", "card", "luke", room, inputs, created)


def test_a_choice_is_read() -> None:
    assert choice_in(action(RIGHT), REQUEST) == Choice("approved")
    rejected = RIGHT | {"decision": "reject", "comment": "no\u202e,\nnot today"}
    assert choice_in(action(rejected), REQUEST) == Choice("rejected", "no, not today")


@pytest.mark.parametrize("missing", ["kind", "request", "nonce", "decision"])
def test_what_is_not_whole_is_no_choice(missing: str) -> None:
    assert (
        choice_in(action({name: value for name, value in RIGHT.items() if name != missing}), REQUEST) == "wrong_inputs"
    )


def test_a_press_in_another_space_is_none() -> None:
    assert choice_in(action(RIGHT, room="another"), REQUEST) == "other_room"


def test_the_clocks_may_differ_a_little() -> None:
    assert isinstance(choice_in(action(RIGHT, created=NOW - 299), REQUEST), Choice)
    assert choice_in(action(RIGHT, created=NOW - 301), REQUEST) == "wrong_inputs"
    assert choice_in(action(RIGHT, created=0.0), REQUEST) == "wrong_inputs"


@given(st.dictionaries(st.sampled_from([*RIGHT, "comment"]), texts))
def test_nothing_made_up_is_a_choice(inputs: dict[str, str]) -> None:
    assert choice_in(action(inputs), REQUEST) == "wrong_inputs"


@given(texts)
def test_a_comment_is_harmless_whatever_it_is(comment: str) -> None:
    choice = choice_in(action(RIGHT | {"decision": "reject", "comment": comment}), REQUEST)
    assert isinstance(choice, Choice)
    assert len(choice.comment) <= 500
    choice.comment.encode()
    assert not set(choice.comment) & set("\n\r\x00\x1b\u202e")


@pytest.mark.parametrize("named", ["", "../x", "a b", "é", "\ud800", "a:b", "{events}"])
def test_a_name_that_is_no_id_is_none(named: str) -> None:
    assert request_named(action({"request": named})) == ""


def test_an_id_is_one() -> None:
    assert request_named(action(RIGHT)) == "7f3kq9"
    assert request_named(action({})) == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"person": "luke"}, "unknown_message"),
        ({"created": NOW - 301}, "unknown_message"),
        ({"created": 0.0}, "unknown_message"),
        ({"room": "another"}, "other_room"),
    ],
)
def test_a_card_is_ours_or_not(changes: dict[str, str], expected: RefusedPress | None) -> None:
    message = replace(PostedMessage("card", "room", "bot", created=NOW), **changes)  # type: ignore[arg-type]
    assert not_ours(message, REQUEST, "bot") == expected


ANSWERED = {
    "not_an_approver": "You are not an approver for request 7F3K for Oracle B: nothing was decided.",
    "other_organisation": "You are not an approver for request 7F3K for Oracle B: nothing was decided.",
    "oneself": "You cannot decide about your own request: request 7F3K for Oracle B waits for somebody else.",
    "too_late": "It is too late: request 7F3K for Oracle B has expired.",
    "already_decided": "Nothing was changed: request 7F3K for Oracle B was withdrawn.",
    "portal_only": f"Not by a button: request 7F3K for Oracle B is decided in casduo only, at {URL}/approvals/7f3kq9",
    "service_gone": "Nothing was decided: request 7F3K for Oracle B needs no decision any more.",
}


@pytest.mark.parametrize("reason", get_args(RefusedPress))
def test_what_is_answered(reason: RefusedPress) -> None:
    assert answer_to(reason, REQUEST, URL, UTC) == ANSWERED.get(reason, "")


@pytest.mark.parametrize("state", ["approved", "rejected"])
def test_who_was_first_is_named(state: str) -> None:
    decision = Decision(state, "leia@example.edu", "Leia *O*", "p", "webex", NOW)  # type: ignore[arg-type]
    decided = replace(REQUEST, state=state, decision=decision)
    said = answer_to("already_decided", decided, URL, UTC)
    assert said == (
        f"Nothing was changed: request 7F3K for Oracle B was already {state} by Leia \\*O\\* at 2027-01-15 08:00 UTC."
    )
    nameless = replace(decided, decision=replace(decision, name=""))
    assert "by leia@example.edu at" in answer_to("already_decided", nameless, URL, UTC)


@given(texts, texts, st.sampled_from(get_args(RefusedPress)))
def test_an_answer_is_one_short_line(service: str, name: str, reason: RefusedPress) -> None:
    decision = Decision("approved", "leia@example.edu", name, "p", "webex", NOW)
    said = answer_to(reason, replace(REQUEST, service_name=service, state="approved", decision=decision), URL, UTC)
    assert len(said) < 1000
    assert "\n" not in said


def test_half_a_character_becomes_a_whole_one() -> None:
    """JSON can name it, and neither Redis nor an address can hold it."""
    half = "half \ud800"
    members = ("id", "messageId", "personId", "roomId")
    press = model.card_action({name: half for name in members} | {"inputs": {half: half, "list": [half]}})
    found = model.person({"id": half, "emails": [half], "displayName": half, "type": half, "orgId": half})
    texts = [press.id, press.message, press.person, press.room, *press.inputs, *press.inputs.values()]
    for text in (*texts, found.id, *found.emails, found.name, found.kind, found.organisation):
        text.encode()
    assert press.id == "half ?"
