"""What the system knows of this process: its memory, threads and open files, and the time it has had the processor."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from casduo.metrics import table
from casduo.metrics.table import Instrument

_SELF = Path("/proc/self")
_THREADS_FIELD = 17
"""Of proc(5) ``stat``, counted from the one behind the name of the program."""


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """``processor``: seconds that the process has had it; ``gauges``: the rest, as far as the system tells."""

    processor: float
    gauges: tuple[tuple[Instrument, float], ...]


def process_facts() -> ProcessFacts:
    """Return how this process is right now. Where there is no ``/proc`` less is known."""
    times = os.times()
    return ProcessFacts(times.user + times.system, tuple(_gauges()))


def _gauges() -> Iterator[tuple[Instrument, float]]:
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        yield table.MOST_FILES, most
    with suppress(OSError, ValueError, IndexError):
        yield table.MEMORY, int((_SELF / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        # The name of the program stands in brackets and may hold anything.
        yield table.THREADS, int((_SELF / "stat").read_text().rpartition(")")[2].split()[_THREADS_FIELD])
        yield table.OPEN_FILES, len(os.listdir(_SELF / "fd"))
