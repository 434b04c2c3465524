"""The job that brings events from the stream into the audit trail."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import structlog

from casduo.errors import UpstreamUnavailable
from casduo.events.audit import AuditTrail
from casduo.events.audit_files import AuditUnwritable, Obstacle
from casduo.events.audit_head import AuditHead, Trouble
from casduo.events.model import Fault, Subject
from casduo.events.readers import readers_of
from casduo.events.record import EventRecord
from casduo.events.stream import StreamEntry
from casduo.worker.parts import Parts

LEASE = 10.0
"""Seconds after which another worker writes the trail, where this one gives no sign of life."""
EVERY = 0.5
"""Seconds between two looks for events: what has happened is in the trail within a second."""
TELL_EVERY = 600.0
"""Seconds after which a trouble that lasts is told again."""
_MOST = 500
_LOOKS_PER_LEASE = 4
_LONGEST_PAUSE = 30
"""How many times ``EVERY`` the pauses between two tries grow to."""
_NOBODY_READS = 86_400.0
"""Seconds that events stay which the settings let nobody read, should another worker's say otherwise."""

_log = structlog.get_logger("casduo")


class AuditTrailJob:
    """Writes the audit trail as long as the worker runs; of several workers one does.

    Events stay in the stream until their lines are on disk and Redis knows it, both told in one step. While the trail
    cannot be written they wait there, and it is tried again and again.

    :param lease: see :data:`LEASE`
    :param every: see :data:`EVERY`
    """

    name = "audit"

    def __init__(self, parts: Parts, lease: float = LEASE, every: float = EVERY) -> None:
        settings = parts.settings
        self._parts = parts
        self._without = frozenset(settings.audit.without)
        self._readers = readers_of(settings)
        self._place = f"{socket.gethostname()}:{settings.audit_directory}"
        self._trail = AuditTrail(settings.audit_directory, settings.audit.rotate_size)
        self._head = AuditHead(parts.store, self._readers, parts.name, self._place)
        self._lease = lease
        self._every = every
        self._open = False
        self._lead_again = 0.0
        self._try_again = 0.0
        self._pause = every
        self._since = 0.0
        self._told: Obstacle | None = None
        self._told_at = 0.0
        # Perhaps by a worker before this one.
        self._hindered = True

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        stopping = self._parts.stopping
        if not self._parts.settings.audit.enabled:
            self._stand_by()
        try:
            while not stopping.is_set():
                stopping.wait(self._turn())
        finally:
            # While Redis is away another worker may have taken over.
            self._close()

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. What is left is the next worker's, at once."""
        self._head.reader.leave()

    def _stand_by(self) -> None:
        """Write nothing. Where nobody else reads either, see that the stream does not grow for ever."""
        parts = self._parts
        while not parts.stopping.is_set():
            if not self._readers:
                self._head.drop_unread(parts.clock() - _NOBODY_READS)
            parts.stopping.wait(60.0)

    def _turn(self) -> float:
        """Do what there is to do, if this is the worker that does; return how long to wait then."""
        pause = self._lease / _LOOKS_PER_LEASE
        if not self._leads():
            self._close()
            return pause
        resting = self._try_again - time.monotonic()
        if resting > 0:
            return min(pause, resting)
        try:
            return self._work()
        except AuditUnwritable as error:
            self._open = False
            self._tell(error)
            self._try_again = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE * self._every)
            return 0.0

    def _leads(self) -> bool:
        now = time.monotonic()
        if now < self._lead_again:
            return True
        leads = self._head.reader.lead(self._lease)
        self._lead_again = now + self._lease / _LOOKS_PER_LEASE if leads else 0.0
        return leads

    def _work(self) -> float:
        if not self._open:
            self._begin()
        entries = self._head.reader.read(_MOST)
        if not entries:
            self._well()
            return self._every
        if not self._trail.intact():
            self._begin()
        self._trail.append(self._wanted(entries))
        confirmed = self._head.confirm(entries[-1].id, self._trail.last, self._trail.file, self._parts.clock())
        if not confirmed:
            # Somebody else writes by now, and had these events given too.
            self._lead_again = 0.0
            self._close()
            return 0.0
        self._well()
        return 0.0 if len(entries) == _MOST else self._every

    def _begin(self) -> None:
        opened = self._trail.open(self._head.confirmed())
        self._open = True
        if opened.torn:
            _log.warning("audit.torn", kept_in=opened.torn)
        if opened.missing:
            detail = f"lines that were written in {self._place} are gone or changed: run casduo audit verify"
            self._parts.journal.write(Fault(Subject(), code="AUDIT_DAMAGED", detail=detail, path=self.name))

    def _close(self) -> None:
        self._trail.close()
        self._open = False

    def _wanted(self, entries: Iterable[StreamEntry]) -> Iterator[EventRecord]:
        for entry in entries:
            record = entry.record or _unreadable(entry)
            if record.kind not in self._without:
                yield record

    def _tell(self, error: AuditUnwritable) -> None:
        """Make known that the trail cannot be written: to monitoring each time, to the journal now and then."""
        now = self._parts.clock()
        self._since = self._since or now
        trouble = Trouble(error.obstacle, error.detail, self._since, self._place)
        if error.obstacle == "locked" and now - self._since < self._lease:
            # Whoever wrote before has not noticed yet.
            return
        if error.obstacle != self._told or now - self._told_at >= TELL_EVERY:
            detail = f"{error.obstacle}: {error.detail}"
            self._parts.journal.write(Fault(Subject(), code=error.code, detail=detail, path=self.name))
            self._told, self._told_at = error.obstacle, now
        self._hindered = True
        with suppress(UpstreamUnavailable):
            self._head.hinder(trouble)

    def _well(self) -> None:
        if self._hindered:
            self._head.unhinder()
            self._hindered = False
        if self._since:
            _log.warning("audit.goes_on", place=self._place, seconds=round(self._parts.clock() - self._since))
        self._since, self._told, self._pause = 0.0, None, self._every


def _unreadable(entry: StreamEntry) -> EventRecord:
    """Return what is written in place of an event that cannot be read."""
    facts = {"code": "EVENT_UNREADABLE", "detail": f"entry {entry.id}", "path": AuditTrailJob.name}
    at = int(entry.id.partition("-")[0]) / 1000
    return EventRecord(f"unreadable-{entry.id}", at, Fault.name, Fault.level, Subject(), facts)
