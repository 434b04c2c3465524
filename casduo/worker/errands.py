"""Takes entries of a queue as long as the worker runs, and has each carried out in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from casduo.cause import caused_by, taken
from casduo.store.streams import Entry, StreamQueue
from casduo.worker.parts import Parts, Stopped

_MOST_AT_ONCE = 64
_MOST_CLAIMED = 256
_BEGUN_PER_SECOND = 500
_HELD_TOGETHER = 500
_LONGEST_WAIT = 0.5
_LOOKS_PER_LEASE = 4


class Errands:
    """The entries of one queue that this worker has in hand.

    An entry leaves the queue once ``carry_out`` says that it is done, and also when it fails in a way that nobody
    expected: whoever took it next would fare no better. Otherwise it stays, for the next worker.

    :param name: what the log calls them
    :param key: the queue
    :param carry_out: does what an entry says and returns whether that is done; may raise ``Stopped``
    :param lease: seconds without a sign of life of a worker after which others take over what it held
    :param most: entries in hand at a time
    :param wait: seconds that a question for entries waits for the first one; new ones are answered with at once
    :param idle_of: which of some entries leave nothing to do: they are taken off the queue together, without a thread
        each, so that however many of them there are no other waits behind them. May raise ``Stopped``
    """

    def __init__(
        self,
        parts: Parts,
        name: str,
        key: str,
        carry_out: Callable[[Entry], bool],
        *,
        lease: float,
        most: int,
        wait: float = _LONGEST_WAIT,
        idle_of: Callable[[Sequence[Entry]], Collection[str]] | None = None,
    ) -> None:
        self._parts = parts
        self._name = name
        self._carry_out = carry_out
        self._idle_of = idle_of
        self._lease = lease
        self._most = most
        # The wait is an answer of Redis's too, and has to come within the time-out of those.
        self._wait = min(wait, parts.settings.redis.timeout / 2, lease / _LOOKS_PER_LEASE)
        self._queue = StreamQueue(parts.store, key, parts.name)
        self._in_hand: dict[str, threading.Thread] = {}

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        stopping, look_after = self._parts.stopping, 0.0
        while not stopping.is_set():
            if time.monotonic() >= look_after:
                more = self._look_around()
                look_after = 0.0 if more else time.monotonic() + self._lease / _LOOKS_PER_LEASE
            elif self._room:
                self._take(self._without_idle(self._queue.read(min(self._room, _MOST_AT_ONCE), self._wait)))
            else:
                stopping.wait(self._wait)

    def finish(self, seconds: float) -> None:
        """Wait for what is in hand, and give back the rest. See :class:`casduo.worker.process.Job`."""
        deadline = time.monotonic() + seconds
        for thread in tuple(self._in_hand.values()):
            thread.join(max(0.0, deadline - time.monotonic()))
        self._queue.leave()

    @property
    def _room(self) -> int:
        return max(0, self._most - len(self._in_hand))

    def _look_around(self) -> bool:
        """Say what is still being worked on, and take over what others died over. Returns whether there may be more."""
        held = tuple(self._in_hand)
        for first in range(0, len(held), _HELD_TOGETHER):
            self._queue.hold(held[first : first + _HELD_TOGETHER])
        most = min(self._room, _MOST_CLAIMED)
        entries = self._queue.claim(most, self._lease) if most else []
        self._take(self._without_idle(entries))
        return 0 < most == len(entries)

    def _without_idle(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        if self._idle_of is None or not entries:
            return entries
        try:
            idle = self._idle_of(entries)
            if idle:
                self._parts.insist(lambda: self._queue.done(*idle))
        except Stopped:
            # They stay in the queue, for the next worker.
            return ()
        return [entry for entry in entries if entry.id not in idle]

    def _take(self, entries: Sequence[Entry]) -> None:
        """Begin with these, and then give them time to open their connections: a thousand at once would all be late."""
        for entry in entries:
            # Taken over from oneself, after Redis was away for long.
            if entry.id not in self._in_hand:
                name = f"{self._name}-{entry.id}"
                thread = threading.Thread(target=self._see_to, args=(entry,), name=name, daemon=True)
                self._in_hand[entry.id] = thread
                thread.start()
        if entries:
            self._parts.stopping.wait(len(entries) / _BEGUN_PER_SECOND)

    def _see_to(self, entry: Entry) -> None:
        with caused_by(taken(entry.fields, self._parts.settings.log.propagate)):
            self._see_to_it(entry)

    def _see_to_it(self, entry: Entry) -> None:
        try:
            if self._carry_out(entry):
                self._parts.insist(lambda: self._queue.done(entry.id))
        except Stopped:
            # It stays in the queue, for the next worker.
            pass
        except Exception as error:
            self._parts.fault(error, self._name)
            with suppress(Stopped):
                self._parts.insist(lambda: self._queue.done(entry.id))
        finally:
            del self._in_hand[entry.id]
