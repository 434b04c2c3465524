"""Audit trails for tests: events to write, and ways to write and to read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from casduo.events.audit import AuditTrail, Confirmed
from casduo.events.audit_files import trail_files
from casduo.events.audit_line import Position
from casduo.events.model import Event, SignedIn, SignedOut, Subject
from casduo.events.record import EventRecord, record_of

MORNING = 1_800_000_000.0
LARGE = 100 * 1024 * 1024


def sign_ins(count: int, first: int = 1) -> list[EventRecord]:
    """Return records named ``event-1`` and so on."""
    return [record(f"event-{number}", at=MORNING + number) for number in range(first, first + count)]


def record(name: str, event: Event | None = None, at: float = MORNING) -> EventRecord:
    about = Subject(reference="R-1", address="192.0.2.7", principal="ada", service="library")
    return record_of(event or SignedIn(about, handler="campus"), at, name)


def mixed() -> Iterator[EventRecord]:
    """Yield events of ada and grace."""
    yield record("in-1")
    yield record("in-2", SignedIn(Subject(principal="grace", service="payroll"), handler="campus"), MORNING + 60)
    yield record("out-1", SignedOut(Subject(principal="ada"), cause="logout"), MORNING + 86_400)


def write_trail(directory: Path, records: Sequence[EventRecord], rotate_size: int = LARGE) -> Position:
    """Write a trail and let go of it; return its end."""
    trail = AuditTrail(directory, rotate_size)
    trail.open(Confirmed())
    trail.append(records)
    trail.close()
    return trail.last


def rows(directory: Path) -> list[dict[str, Any]]:
    """Return every line of every file, parsed."""
    return [json.loads(line) for path in trail_files(directory) for line in path.read_bytes().splitlines()]


def ids(directory: Path) -> list[str]:
    return [row["id"] for row in rows(directory)]
