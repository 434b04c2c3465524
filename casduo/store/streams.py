"""A queue for several workers on a Redis stream: each entry is done at least once, whoever dies over it.

An entry that was read is held by its reader until it says that it is done. Whoever holds entries for long says so from
time to time; entries of somebody who has not been heard of may be taken over. Redis's own clock measures that time.
Only commands of Redis 7.0 are used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casduo.cause import stored
from casduo.store.replies import fields_of
from casduo.store.scripts import load_script
from casduo.store.store import Batch, Reply, Store, Value

_GROUP = load_script(__file__, "group.lua", spelled_out=True, when_full=True)
_APPEND = load_script(__file__, "append.lua", when_full=True, order=True)
_LEAVE = load_script(__file__, "leave.lua")

WORKERS = "workers"
"""The consumer group."""
_NOBODY = "-"
"""The consumer whose entries are free for all."""
_GONE_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a queue. ``id`` is Redis's, in the order of the queue; ``fields`` are kept out of ``repr``."""

    id: str
    fields: Mapping[str, str] = field(repr=False)


def append(batch: Batch, queue: str, fields: Mapping[str, Value], most: int, *, when_full: bool = False) -> Reply:
    """Add the appending of an entry; the reply is its id. What it is done for goes into it too (:mod:`casduo.cause`).

    :param queue: the stream's key
    :param most: entries that the queue keeps, about; the oldest go first
    :param when_full: also in a Redis that is full: for what must not be forgotten, and follows on what was freed
    """
    words = tuple(word for pair in {**stored(), **fields}.items() for word in pair)
    if when_full:
        return batch.script(_APPEND, (queue,), (most, *words))
    return batch.command("XADD", queue, "MAXLEN", "~", most, "*", *words)


class StreamQueue:
    """The reading end of one queue, for one worker.

    :param key: the stream's key
    :param worker: a name of this worker's own, never used again by another
    """

    def __init__(self, store: Store, key: str, worker: str) -> None:
        self._store = store
        self._key = key
        self._worker = worker
        self._claimed_to = "0-0"

    def read(self, most: int, wait: float) -> list[Entry]:
        """Take entries that nobody has taken, and wait for the first one if there is none.

        :param most: how many at most, at least 1
        :param wait: seconds; has to stay below the time-out of the store's connections
        :raises UpstreamUnavailable: Redis does not answer. What it had given out by then is taken over later.
        """
        batch = self._store.batch()
        # With every read: whoever empties Redis empties it of the group too.
        batch.script(_GROUP, (self._key,), (WORKERS,))
        milliseconds = max(1, int(wait * 1000))
        group = ("GROUP", WORKERS, self._worker)
        reply = batch.command("XREADGROUP", *group, "COUNT", most, "BLOCK", milliseconds, "STREAMS", self._key, ">")
        batch.run(waits=True)
        return _entries(reply.value[0][1]) if reply.value else []

    def claim(self, most: int, silence: float) -> list[Entry]:
        """Take over entries whose holder has not been heard of; it may be this worker itself.

        One call looks at a part of what is held, the next one at the next part.

        :param silence: seconds, some times as long as the pauses between two calls of :meth:`hold`
        :raises UpstreamUnavailable: Redis does not answer
        """
        batch = self._store.batch()
        batch.script(_GROUP, (self._key,), (WORKERS,))
        holder = (WORKERS, self._worker)
        reply = batch.command("XAUTOCLAIM", self._key, *holder, int(silence * 1000), self._claimed_to, "COUNT", most)
        batch.run()
        self._claimed_to = reply.value[0]
        return _entries(reply.value[1])

    def hold(self, entries: Collection[str]) -> None:
        """Say that these entries, by their ids, are still being worked on.

        :raises UpstreamUnavailable: Redis does not answer
        """
        if entries:
            self._store.command("XCLAIM", self._key, WORKERS, self._worker, 0, *entries, "JUSTID")

    def done(self, *entries: str) -> None:
        """Take entries off the queue, by their ids; one at least.

        :raises UpstreamUnavailable: Redis does not answer
        """
        batch = self._store.batch()
        # In this order: what was deleted and is still noted as held, Redis drops when somebody claims it.
        batch.command("XDEL", self._key, *entries)
        batch.command("XACK", self._key, WORKERS, *entries)
        batch.run()

    def leave(self) -> int:
        """Give back what this worker holds, for the next one to take at once, and have its name forgotten.

        :return: how many entries were given back
        :raises UpstreamUnavailable: Redis does not answer
        """
        arguments = (WORKERS, self._worker, _NOBODY, _GONE_MS)
        return int(self._store.call(_LEAVE, (self._key,), arguments))

    def length(self, batch: Batch) -> Reply:
        """Add the question how many entries are not done yet."""
        return batch.command("XLEN", self._key)


def _entries(rows: Iterable[Any]) -> list[Entry]:
    return [Entry(name, fields_of(flat)) for name, flat in rows]
