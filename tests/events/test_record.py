"""Records of events: what is in them, and that they come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.events.model import DuoAnswered, SignedIn, SignedOut, Subject
from casduo.events.record import EventRecord, record_of

ABOUT = Subject("R-1", "192.0.2.7", "ada", "library", "duo")


def test_a_record_has_who_what_and_when_and_no_empty_values() -> None:
    record = record_of(SignedIn(ABOUT, handler="campus"), 1_800_000_000.1234, "event-1")
    assert record.members() == {
        "id": "event-1",
        "at": 1_800_000_000.123,
        "event": "signin.ok",
        "level": "info",
        "reference": "R-1",
        "address": "192.0.2.7",
        "principal": "ada",
        "service": "library",
        "strength": "duo",
        "facts": {"handler": "campus"},
    }
    assert record_of(SignedIn(Subject()), 1.0, "x").members() == {
        "id": "x",
        "at": 1.0,
        "event": "signin.ok",
        "level": "info",
    }


def test_zero_and_false_are_facts() -> None:
    assert record_of(SignedOut(ABOUT, sessions=0), 1.0).facts == {"sessions": 0}


def test_the_kind_is_that_of_the_outcome() -> None:
    assert record_of(DuoAnswered(ABOUT, outcome="fraud"), 1.0).kind == "duo.fraud"


def test_records_without_a_name_are_told_apart() -> None:
    names = {record_of(SignedIn(ABOUT), 1.0).id for _ in range(100)}
    assert len(names) == 100


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")), st.integers(0, 4_000_000_000))
def test_a_record_comes_back_as_it_was(principal: str, handler: str, at: int) -> None:
    record = record_of(SignedIn(Subject(principal=principal), handler=handler), float(at), "event-1")
    assert EventRecord.from_json(record.to_json()) == record


def test_half_a_character_is_written_out() -> None:
    record = record_of(SignedIn(Subject(principal="ada\ud800"), handler='é\u2028"\\'), 1.0, "event-1")
    assert "\\ud800" in record.to_json()
    assert EventRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "1", "{}", '{"id":1,"at":1,"event":"x","level":"info"}', '{"id":"x","at":1,"event":"x"}'),
        *('{"id":"x","at":1,"event":"x","level":"info","facts":[]}', '{"id":"x","at":"1","event":"x","level":"info"}'),
    ],
)
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"record|line 1"):
        EventRecord.from_json(text)


def test_what_a_later_version_adds_does_no_harm() -> None:
    record = EventRecord.from_json('{"id":"x","at":1,"event":"y.z","level":"info","colour":"red"}')
    assert record == EventRecord("x", 1.0, "y.z", "info", Subject(), {})
