"""A Redis that stands still: one request a second waits for it, and no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PAUSE = 1.0
"""Seconds between two requests that try a Redis that is silent: for so long at most it is back and not in use."""


class Silence:
    """Whether a Redis is silent, as one process knows it. Safe to share by threads.

    It begins when an answer did not come in time and nobody got another one meanwhile, and ends with the next answer,
    whoever gets that. The first request afterwards tries at once: what was silent may have been one connection, and
    then nobody is refused for it.

    :param monotonic: seconds of a clock that is never set
    """

    __slots__ = ("_lock", "_monotonic", "_next_try", "heard", "lasts")

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next_try = 0.0
        self.lasts = False
        """Whether nothing was heard since an answer did not come in time."""
        self.heard = 0
        """Changes with each answer; who gets one adds to it. Two that add at once may count as one."""

    def begin(self, heard: int) -> None:
        """Note that somebody waited in vain.

        :param heard: what ``heard`` was when they asked
        """
        with self._lock:
            if not self.lasts and self.heard == heard:
                self._next_try = self._monotonic()
                self.lasts = True

    def end(self) -> None:
        """Note that there was an answer."""
        self.lasts = False

    def may_try(self) -> bool:
        """Whether the caller is the one that tries. Those who tried before may still wait."""
        with self._lock:
            now = self._monotonic()
            if now < self._next_try:
                return False
            self._next_try = now + PAUSE
            return True
