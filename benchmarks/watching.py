"""What a server takes while it works: memory of each of its processes, memory and keys of Redis, sampled over time."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks import machine
from casduo.store import Store

_PAGE = 2000
_SLOT = re.compile(r"casduo:\{[0-9A-Za-z]{4}\}:(\w+):")
_ABOUT = re.compile(r"casduo:\{(\w):[^}]+\}")
_OWN = re.compile(r"[0-9A-Za-z_.-]{15,}")
"""What in the name of a key is of one session, one phone, one request: slots, fingerprints, ids."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was found ``at`` seconds after the start: megabytes by process, Redis's memory in bytes and its keys."""

    at: float
    processes: dict[str, float]
    redis_process: float
    redis_bytes: int
    keys: int

    @property
    def server(self) -> float:
        """Megabytes of all processes of the server."""
        return sum(self.processes.values())


@dataclass(frozen=True, slots=True)
class Level:
    """A figure after the beginning and at the end."""

    before: float
    after: float

    @property
    def growth(self) -> float:
        """By what share of itself it grew."""
        return self.after / self.before - 1.0 if self.before else 0.0


def level(samples: Sequence[Sample], read: Callable[[Sample], float], settled: float, window: float) -> Level | None:
    """Return the medians of the ``window`` seconds after ``settled`` and of the last ones; ``None`` where the samples
    do not reach so far.
    """
    end = samples[-1].at if samples else 0.0
    before = [read(one) for one in samples if settled <= one.at <= settled + window]
    after = [read(one) for one in samples if one.at >= end - window]
    if not before or not after or end < settled + 2 * window:
        return None
    return Level(median(before), median(after))


@dataclass(slots=True)
class Watcher:
    """Takes a sample every few seconds, in a thread.

    :param processes: ids by name; all that the ``server`` started and that has no name of its own is ``serving``
    """

    store: Store
    processes: dict[str, int]
    every: float
    samples: list[Sample] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, with a first sample at once."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> list[Sample]:
        """End with a last sample. Returns all of them."""
        self._enough.set()
        if self._thread is not None:
            self._thread.join()
        return self.samples

    def _run(self) -> None:
        began = time.monotonic()
        while True:
            self.samples.append(self.sample(time.monotonic() - began))
            if self._enough.wait(self.every):
                break
        self.samples.append(self.sample(time.monotonic() - began))

    def sample(self, at: float) -> Sample:
        """Return how things are now."""
        named = {number: name for name, number in self.processes.items() if name != "Redis"}
        found: dict[str, float] = {}
        for number in machine.family([self.processes["server"]]):
            name = named.get(number, "serving")
            found[name] = found.get(name, 0.0) + machine.own_megabytes(number)
        memory = str(self.store.command("INFO", "memory"))
        used = int(memory.partition("used_memory:")[2].split()[0])
        redis = machine.own_megabytes(self.processes["Redis"])
        return Sample(at, found, redis, used, int(self.store.command("DBSIZE")))


LASTING = frozenset(
    {
        "casduo:duo.pushes",
        "casduo:{duo.reports}:queue",
        "casduo:{signouts}:orders",
        "casduo:{events}:stream",
        "casduo:{events}:readers",
        "casduo:{events}:audit:head",
        "casduo:{events}:audit:places",
    }
)
"""Keys that never expire: queues, from which what is done is taken off, and how far the audit trail has come."""


@dataclass(slots=True)
class Census:
    """How many keys there are of each kind, and of which kinds some never expire."""

    kinds: Counter[str] = field(default_factory=Counter)
    lasting: set[str] = field(default_factory=set)


def census(store: Store) -> Census:
    """Return what keys there are.

    A benchmark's Redis may be looked through; a real one's must not be.
    """
    found, cursor = Census(), "0"
    while True:
        cursor, keys = store.command("SCAN", cursor, "COUNT", _PAGE)
        batch = store.batch()
        lives = [(kind_of(key), batch.command("PTTL", key)) for key in keys]
        batch.run()
        found.kinds.update(kind for kind, _ in lives)
        found.lasting |= {kind for kind, left in lives if int(left.value) == -1}
        if str(cursor) == "0":
            return found


def kind_of(key: str) -> str:
    """Return the kind of a key: its name without what is one session's, phone's or person's own."""
    key = _SLOT.sub(r"casduo:{…}:\1:", key)
    key = _ABOUT.sub(r"casduo:{\1:…}", key)
    return _OWN.sub("…", key)
