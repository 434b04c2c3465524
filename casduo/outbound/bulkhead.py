"""A bulkhead: a limit on how many threads may wait for one upstream, so that it can never take them all."""

from __future__ import annotations

import threading
from types import TracebackType

from casduo.errors import UpstreamBusy


class Bulkhead:
    """At most ``limit`` threads inside; the next is refused at once, it never queues.

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
        self._inside = 0
        self._refused = 0

    @property
    def inside(self) -> int:
        """How many threads are inside now."""
        return self._inside

    @property
    def refused(self) -> int:
        """How many threads were refused since the start."""
        return self._refused

    def __enter__(self) -> None:
        """Take a place.

        :raises UpstreamBusy: all places are taken.
        """
        with self._lock:
            if self._inside >= self.limit:
                self._refused += 1
                raise UpstreamBusy(self.name, "bulkhead_full")
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
