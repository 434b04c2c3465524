"""What to do where all connections that there may be are in use: wait for one, and not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from redis.exceptions import MaxConnectionsError

T = TypeVar("T")


class Shortage:
    """Callers that wait for a connection. Safe to share by threads.

    :param patience: seconds that each waits at most
    """

    __slots__ = ("_free", "_lock", "_patience", "lasts")

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        # Counts, so that what becomes free between an attempt and the wait is not missed.
        self._free = threading.Semaphore(0)
        self.lasts = 0
        """How many wait. Whoever gives a connection back while somebody does calls :meth:`freed`."""

    def wait(self, attempt: Callable[[], T]) -> T:
        """Return what ``attempt`` returns, which is made again each time that a connection becomes free.

        :raises MaxConnectionsError: none was left for too long
        """
        give_up = time.monotonic() + self._patience
        with self._lock:
            self.lasts += 1
        try:
            while True:
                try:
                    return attempt()
                except MaxConnectionsError:
                    if not self._free.acquire(timeout=max(0.0, give_up - time.monotonic())):
                        raise
        finally:
            with self._lock:
                self.lasts -= 1

    def freed(self) -> None:
        """Tell that a connection was given back."""
        self._free.release()
