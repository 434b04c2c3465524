"""Messages and dead letters as texts, and destinations as they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.events.messages import Message
from casduo.events.outbox_model import DeadLetter, DestinationLine, destination_of, message_in, shown, text_of

_text = st.text(max_size=40)
_bodies = st.dictionaries(_text, _text | st.integers(-1000, 1000) | st.booleans() | st.lists(_text, max_size=3))
messages = st.builds(
    Message,
    id=_text,
    to=_text,
    task=_text,
    body=_bodies,
    urgent=st.booleans(),
    created=st.integers(0, 2_000_000_000).map(float),
    expires=st.integers(0, 2_000_000_000).map(float),
)
letters = st.builds(
    DeadLetter,
    message=messages,
    at=st.integers(0, 2_000_000_000).map(float),
    reason=_text,
    tries=st.integers(0, 50),
    status=st.integers(0, 599),
    detail=_text,
)


@given(messages)
def test_a_message_comes_back_from_its_text(message: Message) -> None:
    assert message_in(text_of(message)) == message


@given(letters)
def test_a_dead_letter_comes_back_from_its_text(letter: DeadLetter) -> None:
    assert DeadLetter.from_json(letter.to_json()) == letter


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"id": 1}', '{"id": "a", "to": "b", "task": "c", "body": []}', "nul"]
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a|Expecting"):
        message_in(text)
    with pytest.raises(ValueError, match=r"not a|Expecting"):
        DeadLetter.from_json(text)


@pytest.mark.parametrize(
    ("to", "seen"),
    [
        ("room:Y2lzY29", "room:Y2lzY29"),
        ("person:ada@example.edu", "person:a***@example.edu"),
        ("urgent:person:ada@example.edu", "urgent:person:a***@example.edu"),
        ("person:grace", "person:g***"),
        ("person:", "person:***"),
        ("urgent:room:r1", "urgent:room:r1"),
    ],
)
def test_people_are_not_shown_by_their_whole_address(to: str, seen: str) -> None:
    assert shown(to) == seen


def test_what_is_urgent_has_a_destination_of_its_own() -> None:
    assert destination_of(Message("a", "room:r1", "event", {})) == "room:r1"
    assert destination_of(Message("a", "room:r1", "event", {}, urgent=True)) == "urgent:room:r1"


def test_neither_bodies_nor_addresses_are_in_what_logs_print() -> None:
    message = Message("a", "person:ada@example.edu", "told", {"reason": "hospital"})
    assert "hospital" not in repr(DeadLetter(message, 0.0, "refused"))
    assert "ada" not in repr(DestinationLine("person:ada@example.edu", 1, 0.0, 0, 0.0))
