"""What is said of events and of the audit trail."""

from __future__ import annotations

import time
from typing import get_args

import pytest

from casduo.diagnosis.events import LONGEST_WAIT, MOST_WAITING, EventFacts, judge_events
from casduo.diagnosis.health import HealthReports
from casduo.diagnosis.store import ask_store
from casduo.events.audit_files import Obstacle
from casduo.events.audit_head import AuditHead, AuditStatus, Trouble
from casduo.events.audit_line import Position
from casduo.events.model import SignedIn, Subject
from casduo.events.stream import STREAM, EventStream
from casduo.store import Store
from tests.support.site import Build

NOW = 1_800_000_000.0
END = AuditStatus(Position(42, "a" * 64), "audit-000000000001.jsonl", "host:/audit", NOW - 1)


def test_nothing_is_said_where_nobody_reads() -> None:
    assert list(judge_events(EventFacts(5, NOW), (), NOW)) == []


def test_all_is_well() -> None:
    stream, trail = judge_events(EventFacts(3, NOW - 1, END), ("audit",), NOW)
    assert (stream.level, stream.found, stream.facts) == ("ok", "3 waiting to be read", {"waiting": 3, "oldest": 1})
    assert (trail.level, trail.facts["last"]) == ("ok", f"42:{'a' * 64}")
    assert "entry 42 in audit-000000000001.jsonl of host:/audit" in trail.found


def test_without_an_audit_trail_nothing_is_said_of_it() -> None:
    (stream,) = judge_events(EventFacts(), ("outbox",), NOW)
    assert (stream.examined, stream.found) == ("stream", "none waiting to be read")


@pytest.mark.parametrize(
    ("waiting", "age", "level"),
    [
        (MOST_WAITING, 0, "ok"),
        (MOST_WAITING + 1, 0, "attention"),
        (1, LONGEST_WAIT, "ok"),
        (1, LONGEST_WAIT + 1, "attention"),
    ],
)
def test_events_that_nobody_reads(waiting: int, age: float, level: str) -> None:
    (stream,) = judge_events(EventFacts(waiting, NOW - age), ("outbox",), NOW)
    assert (stream.level, stream.detail) == (level, "unread" if level != "ok" else "")


@pytest.mark.parametrize("obstacle", get_args(Obstacle))
def test_a_trail_that_cannot_be_written_is_a_fault_with_a_cause_and_a_remedy(obstacle: Obstacle) -> None:
    trouble = Trouble(obstacle, "No space left on device", NOW - 90, "host:/audit")
    _, trail = judge_events(EventFacts(audit=AuditStatus(END.last, trouble=trouble)), ("audit",), NOW)
    assert (trail.level, trail.detail) == ("fault", obstacle)
    assert trail.found == "cannot be written in host:/audit for 1m30s: No space left on device"
    assert trail.cause
    assert trail.remedy


def test_redis_is_asked_for_real(any_store: Store) -> None:
    assert ask_store(any_store, time.time).events == EventFacts()
    batch = any_store.batch()
    EventStream(any_store).add(batch, SignedIn(Subject(principal="ada")))
    batch.run()
    AuditHead(any_store, ("audit",), "a-worker", "host:/audit").hinder(Trouble("full", "no room", NOW, "host:/audit"))
    facts = ask_store(any_store, time.time).events
    assert facts.waiting == 1
    assert facts.oldest == pytest.approx(time.time(), abs=30)
    assert facts.audit == AuditStatus(trouble=Trouble("full", "no room", NOW, "host:/audit"))


def test_the_health_report_tells_it(build: Build, store: Store) -> None:
    parts = build(registry="services: []\n").composed.parts
    store.command("DEL", STREAM)
    reports = HealthReports((), store, parts.services, {}, parts.clock, readers=("audit",))
    found = {finding.examined: finding.level for finding in reports.current().findings if finding.part == "Events"}
    assert found == {"stream": "ok", "audit trail": "ok"}
