"""A bulkhead: a limit on how many threads may wait for one upstream, so that it can never take them all."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from types import TracebackType

from casduo.errors import UpstreamBusy
from casduo.meter import meter
from casduo.outbound.line import Line

PATIENCE: ContextVar[float] = ContextVar("patience", default=0.0)
"""Seconds for which the present thread waits for a place. None, for whoever answers requests is needed elsewhere;
threads that are there for nothing but such calls set it.
"""


class Bulkhead:
    """At most ``limit`` threads inside; the next is refused at once, unless it has :data:`PATIENCE`.

    ``with bulkhead: ...`` around every blocking call. Entering twice in one thread takes two places.

    :param name: the upstream, as errors and metrics name it.
    :param limit: places, at least 1.
    """

    def __init__(self, name: str, limit: int) -> None:
        if limit < 1:
            raise ValueError("a bulkhead lets at least one thread in")
        self.name = name
        self.limit = limit
        self._lock = threading.Lock()
        self._line = Line()
        self._inside = 0
        self._refused = 0
        meter().watch_bulkhead(self)

    @property
    def inside(self) -> int:
        """How many threads are inside now."""
        return self._inside

    @property
    def refused(self) -> int:
        """How many threads were refused since the start."""
        return self._refused

    def take(self) -> bool:
        """Take a place and return True, or False where there is none. Whoever got one calls :meth:`leave`."""
        with self._lock:
            if self._inside >= self.limit:
                return False
            self._inside += 1
            return True

    def leave(self) -> None:
        """Give a place back."""
        with self._lock:
            self._inside -= 1
        self._line.freed()

    def turn_away(self) -> None:
        """Count a thread that found no place."""
        with self._lock:
            self._refused += 1
        meter().turned_away(self.name)

    def __enter__(self) -> None:
        """Take a place.

        :raises UpstreamBusy: all places are taken.
        """
        if not self._line.take(lambda: self.take() or None, PATIENCE.get()):
            self.turn_away()
            raise UpstreamBusy(self.name, "bulkhead_full")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
