"""The job that makes messages of events: reads the stream and puts into the outbox what is to be told of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from casduo.events.messages import Message
from casduo.events.model import Fault
from casduo.events.outbox import READER, Outbox
from casduo.events.outbox_events import OUTBOX_KINDS
from casduo.events.readers import readers_of
from casduo.events.record import EventRecord
from casduo.events.stream import EventReader
from casduo.services.index import Registry
from casduo.settings.webex import WebexSettings
from casduo.webex.build import look_of
from casduo.webex.cards import Look
from casduo.webex.routing import messages_for
from casduo.worker.parts import Parts

LEASE = 20.0
"""Seconds without a sign of life of the worker that reads after which another one does."""
EVERY = 0.5
"""Seconds between two looks whether there is something new."""
NEWS = 600.0
"""Seconds: older events show that the stream was written long before anybody was to be told of it."""
_TOGETHER = 500
_SIGNS_PER_LEASE = 4

Route = Callable[[EventRecord, WebexSettings, Registry, Look], Sequence[Message]]
"""Says which messages an event leads to. Pure."""


class FanOut:
    """Reads as long as the worker runs; of several workers one does, and another one goes on where it died.

    Where Webex is switched on while older events lie in the stream, those are not told of any more.

    :param route: see :data:`Route`
    :param lease: see :data:`LEASE`
    :param every: see :data:`EVERY`
    """

    name = "fan-out"

    def __init__(self, parts: Parts, route: Route = messages_for, lease: float = LEASE, every: float = EVERY) -> None:
        webex = parts.settings.webex
        assert webex is not None
        self._parts = parts
        self._webex = webex
        self._route = route
        self._lease = lease
        self._look = look_of(parts.settings)
        self._every = every
        self._reader = EventReader(parts.store, READER, readers_of(parts.settings), parts.name)
        self._outbox = Outbox(parts.store)
        self._led_at: float | None = None

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        stopping = self._parts.stopping
        while not stopping.is_set():
            if not (self._leads() and self._read()):
                stopping.wait(self._every)

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`."""
        if self._led_at is not None:
            self._reader.leave()

    def _leads(self) -> bool:
        """Whether this is the worker that reads. It says so from time to time only."""
        now = time.monotonic()
        if self._led_at is None or now - self._led_at >= self._lease / _SIGNS_PER_LEASE:
            leads = self._reader.lead(self._lease)
            if leads and self._led_at is None:
                self._reader.begin(NEWS)
            self._led_at = now if leads else None
        return self._led_at is not None

    def _read(self) -> bool:
        """Make messages of what is new. Returns whether there was something."""
        entries = self._reader.read(_TOGETHER)
        if not entries:
            return False
        registry = self._parts.services.current()
        messages = [
            message
            for entry in entries
            if entry.record is not None
            for message in self._messages(entry.record, registry)
        ]
        if not self._outbox.fan_out(self._reader, entries[-1].id, messages):
            self._led_at = None
        return True

    def _messages(self, record: EventRecord, registry: Registry) -> Sequence[Message]:
        if record.kind in OUTBOX_KINDS:
            return ()
        try:
            return self._route(record, self._webex, registry, self._look)
        except Exception as error:
            # One event that nobody can make anything of must not keep all others waiting; nor lead to the next one.
            if record.kind != Fault.name:
                self._parts.fault(error, self.name)
            return ()
