"""The stream of events in Redis: written along with the change they tell of, read by the audit trail and the outbox.

An event is written once. It stays until every reader is done with it, however long that takes: nothing is trimmed for
its length. A reader is a job of which one works at a time, by a lease; how far it has come is kept beside the stream.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import structlog

from casduo.clock import Clock, system_clock
from casduo.errors import UpstreamError
from casduo.events.model import Event
from casduo.events.record import EventRecord, record_of
from casduo.store import Batch, Reply, Store, Value, fields_of, load_script
from casduo.store.leases import free_lease, take_lease

_ADD = load_script(__file__, "stream_add.lua")
_ADD_WHEN_FULL = load_script(__file__, "stream_add.lua", when_full=True)
_ADVANCE = load_script(__file__, "stream_advance.lua", when_full=True)
_BEGIN = load_script(__file__, "stream_begin.lua", when_full=True)
_LAG = load_script(__file__, "stream_lag.lua")
_ONCE = load_script(__file__, "stream_once.lua")
_THERE = load_script(__file__, "stream_there.lua")
_WHEN = load_script(__file__, "stream_when.lua")

STREAM = "casduo:{events}:stream"
READERS = "casduo:{events}:readers"
"""How far each reader has come."""
ReaderName = Literal["audit", "outbox"]

_ONCE_MS = 86_400_000
_EVERY = 0.2
_TOGETHER = 100
"""Events written at a time: Redis does nothing else meanwhile, so that it has to be done with them in half a
millisecond.
"""
_MOST_WAITING = 50_000
"""Events kept in memory while Redis is away; a page of memory each."""
_START = "0-0"

_log = structlog.get_logger("casduo")


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """An event in the stream; ``record`` is ``None`` where another version wrote something that cannot be read."""

    id: str
    record: EventRecord | None


class EventStream:
    """The writing end.

    :param clock: epoch seconds, for events that come without a moment of their own
    """

    def __init__(self, store: Store, clock: Clock = system_clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[tuple[Event, float]] = deque()
        self._lost = 0
        self._losing = threading.Lock()
        # The records of those that are being written: sent again after an answer that was lost, they are the same.
        self._writing: list[str] = []
        self._flushing = threading.Lock()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, batch: Batch, event: Event, *, when: str = "") -> None:
        """Add the writing of an event to the round trip of the change it tells of.

        :param when: a key that exists if the change has come about; without it the event is written in any case
        """
        if when and batch.apart(STREAM, when):
            # A cluster: no step can do both. It is written a moment later, as events are that tell of no change.
            there = batch.script(_THERE, (when,))
            batch.then(lambda: self.later(event) if there.value else None)
            return
        text = record_of(event, self._clock()).to_json()
        if when:
            batch.script(_WHEN, (STREAM, when), (text,))
        elif event.when_full:
            batch.script(_ADD_WHEN_FULL, (STREAM,), (text,))
        else:
            batch.command("XADD", STREAM, "*", "record", text)

    def once(self, batch: Batch, event: Event, name: str) -> None:
        """Add the writing of an event that other processes see as well.

        :param name: the same in all of them; it is forgotten after a day
        """
        text = record_of(event, self._clock()).to_json()
        batch.script(_ONCE, (STREAM, f"casduo:{{events}}:once:{name}"), (_ONCE_MS, text))

    def later(self, event: Event) -> None:
        """Write an event that tells of no change, a moment from now. While Redis is away, events wait in memory."""
        # On the way of a request: everything else about it is left to the thread that writes.
        self._waiting.append((event, self._clock()))
        if len(self._waiting) > _MOST_WAITING:
            with self._losing, suppress(IndexError):
                self._waiting.popleft()
                self._lost += 1
        if not self._wanted.is_set():
            self._wanted.set()

    def flush(self) -> bool:
        """Write what waits. Returns whether nothing is left; what Redis did not take stays."""
        with self._flushing:
            while self._writing or self._waiting:
                if not self._writing:
                    self._take()
                try:
                    # Half the cost of as many commands.
                    self._store.call(_ADD, (STREAM,), self._writing)
                except UpstreamError:
                    return False
                self._writing.clear()
            self._tell_lost()
        return True

    def start(self) -> None:
        """Write from now on by itself. Once is enough."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="events", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what is left, and stop. What Redis does not take then is in the log alone, which says so."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(2 * _EVERY + 2.0)
        if not self.flush():
            _log.error("events.not_kept", events=len(self._writing) + len(self._waiting))

    def _take(self) -> None:
        with suppress(IndexError):
            while len(self._writing) < _TOGETHER:
                event, at = self._waiting.popleft()
                try:
                    self._writing.append(record_of(event, at).to_json())
                except (TypeError, ValueError):
                    # One that nobody can write down must not end the writing of all others.
                    with self._losing:
                        self._lost += 1

    def _tell_lost(self) -> None:
        with self._losing:
            lost, self._lost = self._lost, 0
        if lost:
            _log.error("events.not_kept", events=lost)

    def _run(self) -> None:
        while self._wanted.wait() and not self._stopping.wait(_EVERY):
            self._wanted.clear()
            if not self.flush():
                self._wanted.set()


class EventReader:
    """The reading end, for one of the readers. Of several workers one reads at a time.

    :param name: which reader
    :param readers: all readers that the settings switch on, this one among them
    :param worker: a name of this worker's own
    """

    def __init__(self, store: Store, name: ReaderName, readers: Sequence[ReaderName], worker: str) -> None:
        self._store = store
        self._name = name
        self._readers = tuple(readers)
        self._worker = worker

    @property
    def lease_key(self) -> str:
        """The lease of who reads; scripts that move the reader on look at it."""
        return f"casduo:{{events}}:lease:{self._name}"

    def lead(self, seconds: float) -> bool:
        """Become or stay the one who reads, for ``seconds``. One round trip.

        :raises UpstreamUnavailable: Redis does not answer
        """
        return take_lease(self._store, self.lease_key, self._worker, seconds)

    def leave(self) -> None:
        """Let another one read at once.

        :raises UpstreamUnavailable: Redis does not answer
        """
        free_lease(self._store, self.lease_key, self._worker)

    def begin(self, most_age: float) -> None:
        """Settle where this reader begins that has never read: whoever leads calls it before reading. One round trip.

        Where the oldest event is older than ``most_age`` seconds, the reader was switched on while others had been
        writing: it begins with the next event. Otherwise both began together, and it begins with the first. A reader
        for which this is never called begins with the first in any case.

        :raises UpstreamUnavailable: Redis does not answer
        """
        keys = (STREAM, READERS, self.lease_key)
        self._store.call(_BEGIN, keys, (self._worker, self._name, int(most_age * 1000)))

    def read(self, most: int) -> list[StreamEntry]:
        """Return the entries behind the last one that is done, the oldest first. Two round trips.

        :raises UpstreamUnavailable: Redis does not answer
        """
        done = self._store.command("HGET", READERS, self._name) or _START
        rows = self._store.command("XRANGE", STREAM, f"({done}", "+", "COUNT", most)
        return [StreamEntry(name, _record(flat)) for name, flat in rows]

    def advance(self, entry: str) -> bool:
        """Say that everything up to ``entry`` is done. One round trip.

        :return: ``False`` where another one reads by now, and nothing was changed
        :raises UpstreamUnavailable: Redis does not answer
        """
        return bool(self._store.call(_ADVANCE, (STREAM, READERS, self.lease_key), self.advance_arguments(entry)))

    def advance_arguments(self, entry: str) -> tuple[Value, ...]:
        """Return the arguments of ``stream_advance.lua``, for scripts that do something else in the same step.

        :param entry: the last one that is done
        """
        return (self._worker, self._name, entry, *self._readers)


def stream_length(batch: Batch) -> Reply:
    """Add the question how many events wait for a reader."""
    return batch.command("XLEN", STREAM)


class LagReply:
    """How far readers are behind, readable once the batch has run."""

    def __init__(self, reply: Reply, readers: Sequence[ReaderName]) -> None:
        self._reply = reply
        self._readers = readers

    @property
    def value(self) -> dict[ReaderName, float]:
        """For each reader the seconds that the oldest event has waited which it is not done with; 0 without any."""
        return {reader: int(lag) / 1000 for reader, lag in zip(self._readers, self._reply.value, strict=True)}


def ask_lag(batch: Batch, readers: Sequence[ReaderName]) -> LagReply:
    """Add the question how far ``readers`` are behind."""
    return LagReply(batch.script(_LAG, (STREAM, READERS), readers), readers)


def _record(flat: Sequence[str]) -> EventRecord | None:
    fields = fields_of(flat)
    try:
        return EventRecord.from_json(fields["record"])
    except (KeyError, ValueError):
        return None
