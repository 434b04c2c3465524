"""Threads that wait for one of few places, first come first served, each for as long as it can."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Line:
    """A line before places that something else counts. Safe to share by threads.

    :param monotonic: a clock that never goes back
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    def __len__(self) -> int:
        """Return how many threads wait."""
        return len(self._waiting)

    def take(self, attempt: Callable[[], T | None], seconds: float) -> T | None:
        """Return the place that ``attempt`` gets, or None where there is none within so many seconds.

        Nobody is overtaken: while others wait, ``attempt`` is made by the first of them only.

        :param attempt: takes a place, or returns None where all are taken. Does not block.
        """
        with self._changed:
            if not self._waiting and (found := attempt()) is not None:
                return found
            return self._wait(attempt, self._monotonic() + seconds)

    def freed(self) -> None:
        """Tell that a place has become free."""
        with self._changed:
            self._changed.notify_all()

    def _wait(self, attempt: Callable[[], T | None], until: float) -> T | None:
        mark = object()
        self._waiting.append(mark)
        try:
            while (left := until - self._monotonic()) > 0:
                self._changed.wait(left)
                if self._waiting[0] is mark and (found := attempt()) is not None:
                    return found
            return None
        finally:
            self._waiting.remove(mark)
            # Who comes next may find a place as well.
            self._changed.notify_all()
