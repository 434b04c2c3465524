"""A clock that a test moves by hand, and the one way a simulator waits on a clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class VirtualClock:
    """A clock that stands still until it is advanced, or that runs faster than the real one.

    :param start: the first moment it shows, in epoch seconds. With the official Duo clients in play this should be
        the real time, because they read ``time.time`` themselves; default: the real time.
    :param rate: seconds of this clock per real second. 0 stands still, 1 is real time, 60 makes a minute a second.
    """

    def __init__(self, start: float | None = None, rate: float = 0.0) -> None:
        if rate < 0:
            raise ValueError("a clock cannot run backwards")
        self._shown = time.time() if start is None else start
        self._rate = rate
        self._since = time.monotonic()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def __call__(self) -> float:
        """Return the moment this clock shows, in epoch seconds."""
        with self._lock:
            return self._shown + (time.monotonic() - self._since) * self._rate

    def advance(self, seconds: float) -> None:
        """Move the clock by ``seconds`` (negative: back) and wake everybody who waits on it."""
        with self._lock:
            self._shown += seconds
            listeners = tuple(self._listeners)
        for wake in listeners:
            wake()

    def on_advance(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called after every :meth:`advance`, in the thread that advances."""
        with self._lock:
            self._listeners.append(wake)

    def real_seconds(self, seconds: float) -> float | None:
        """Return how long ``seconds`` of this clock take in reality; None when it only moves by hand."""
        return seconds / self._rate if self._rate else None


def wait_on(condition: threading.Condition, clock: Callable[[], float], seconds: float) -> None:
    """Wait until ``condition`` is notified or ``seconds`` have passed on ``clock``, whichever comes first.

    The caller holds the condition's lock and looks at its state again afterwards. On a :class:`VirtualClock` the
    caller must also have the condition notified by :meth:`VirtualClock.on_advance`; any other callable is taken to
    run at the pace of real time.
    """
    timeout = clock.real_seconds(seconds) if isinstance(clock, VirtualClock) else seconds
    condition.wait(timeout if timeout is None else max(0.0, timeout))
