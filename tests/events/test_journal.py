"""Journals: one line of the log for each event, and the stream beside it."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from casduo.errors import UpstreamUnavailable
from casduo.events.journal import LogJournal, StreamJournal
from casduo.events.model import DuoAnswered, Fault, SignedIn, Subject
from casduo.events.stream import EventReader, EventStream
from casduo.store import Store
from casduo.store.store import client_for
from tests.support.site import Recorder

ABOUT = Subject(reference="R-1", principal="ada")


def kinds(store: Store) -> list[str]:
    entries = EventReader(store, "audit", ("audit",), "a-worker").read(100)
    return [entry.record.kind for entry in entries if entry.record is not None]


def test_the_log_has_one_line_with_the_facts_that_there_are() -> None:
    with capture_logs() as lines:
        LogJournal().write(SignedIn(ABOUT, handler="campus"))
    assert lines == [
        {"event": "signin.ok", "log_level": "info", "reference": "R-1", "principal": "ada", "handler": "campus"}
    ]


@pytest.mark.parametrize(("event", "level"), [(SignedIn(ABOUT), "info"), (Fault(ABOUT, code="X"), "error")])
def test_the_level_is_the_events(event: SignedIn | Fault, level: str) -> None:
    with capture_logs() as lines:
        LogJournal().write(event)
    assert [line["log_level"] for line in lines] == [level]


def test_an_event_goes_to_stream_and_log_with_its_change_and_not_before(store: Store) -> None:
    log = Recorder()
    journal = StreamJournal(log, EventStream(store))
    batch = store.batch()
    journal.write(SignedIn(ABOUT), batch)
    assert (len(log.events), kinds(store)) == (0, [])
    batch.run()
    assert (len(log.events), kinds(store)) == (1, ["signin.ok"])


def test_of_a_change_that_redis_did_not_take_nothing_is_told() -> None:
    log, nowhere = Recorder(), Store(client_for("unix:///nowhere", "", 1.0, 1, ""))
    batch = nowhere.batch()
    StreamJournal(log, EventStream(nowhere)).write(SignedIn(ABOUT), batch)
    with pytest.raises(UpstreamUnavailable):
        batch.run()
    assert log.events == []


def test_an_event_without_a_change_comes_to_the_stream_a_moment_later(store: Store) -> None:
    stream = EventStream(store)
    StreamJournal(Recorder(), stream).write(SignedIn(ABOUT))
    stream.flush()
    assert kinds(store) == ["signin.ok"]


@pytest.mark.parametrize("comes_about", [True, False])
def test_an_event_that_is_attached_is_kept_if_the_change_comes_about(store: Store, comes_about: bool) -> None:
    log = Recorder()
    journal = StreamJournal(log, EventStream(store))
    batch = store.batch()
    if comes_about:
        batch.command("SET", "casduo:{events}:change", "1")
    journal.attach(SignedIn(ABOUT), batch, "casduo:{events}:change")
    batch.run()
    assert kinds(store) == ["signin.ok"] * comes_about
    assert log.events == []
    journal.note(SignedIn(ABOUT))
    assert len(log.events) == 1
    assert kinds(store) == ["signin.ok"] * comes_about


def test_a_reported_fraud_is_a_violation_too(store: Store) -> None:
    log = Recorder()
    batch = store.batch()
    StreamJournal(log, EventStream(store)).write(DuoAnswered(ABOUT, outcome="fraud"), batch)
    batch.run()
    assert kinds(store) == ["duo.fraud", "policy.violation"]
    assert [event.name for event in log.events] == ["duo.answered", "policy.violation"]
