"""A circuit breaker: while an upstream is down, callers hear so at once instead of each waiting for a time-out.

    closed ── failures in a row ──> open ── pause over ──> half-open ── probe answered ──> closed
                                      ^                        │
                                      └──── probe failed ──────┘

One probe at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from casduo.clock import Clock, system_clock
from casduo.errors import UpstreamBusy, UpstreamError, UpstreamUnavailable

T = TypeVar("T")


class BreakerState(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerOpen(UpstreamUnavailable):
    """The upstream failed several times in a row and is left alone for a moment; nobody was asked."""

    code = "UPSTREAM_BREAKER_OPEN"

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, "breaker_open")


def _every_unavailability(error: UpstreamError) -> bool:
    return isinstance(error, UpstreamUnavailable)


class Breaker:
    """Counts failures in a row and refuses calls for a pause once there were too many. Safe to share by threads.

    :param name: the upstream, as errors and metrics name it.
    :param failures: failures in a row that open the breaker, at least 1.
    :param pause: seconds for which an open breaker refuses; then one call at a time may probe.
    :param clock: where :meth:`call` and :meth:`observe` take the time from.
    :param probe_deadline: seconds after which a probe that never reported back no longer blocks the next one.
    :param is_outage: which errors count as failures. Every other :class:`~casduo.errors.UpstreamError` is proof that
        somebody answers, and closes the breaker.
    """

    def __init__(
        self,
        name: str,
        failures: int = 5,
        pause: float = 10.0,
        clock: Clock = system_clock,
        *,
        probe_deadline: float = 30.0,
        is_outage: Callable[[UpstreamError], bool] = _every_unavailability,
    ) -> None:
        if failures < 1:
            raise ValueError("a breaker opens after one failure at least")
        self.name = name
        self._failures = failures
        self._pause = pause
        self._clock = clock
        self._probe_deadline = probe_deadline
        self._is_outage = is_outage
        self._lock = threading.Lock()
        self._count = 0
        self._opened_at: float | None = None
        self._probe_at: float | None = None

    def state(self, now: float) -> BreakerState:
        """Return the state at ``now`` (epoch seconds), for metrics and health pages."""
        with self._lock:
            if self._opened_at is None:
                return BreakerState.CLOSED
            return BreakerState.OPEN if _within(now, self._opened_at, self._pause) else BreakerState.HALF_OPEN

    def allow(self, now: float) -> bool:
        """Say whether a call may be made at ``now``. In half-open state, True makes the caller the probe.

        Whoever gets True reports the outcome by :meth:`success`, :meth:`failure` or :meth:`release`.
        """
        with self._lock:
            if self._opened_at is None:
                return True
            if _within(now, self._opened_at, self._pause):
                return False
            if self._probe_at is not None and _within(now, self._probe_at, self._probe_deadline):
                return False
            self._probe_at = now
            return True

    def success(self) -> None:
        """The upstream answered: close."""
        with self._lock:
            self._count = 0
            self._opened_at = None
            self._probe_at = None

    def failure(self, now: float) -> None:
        """The upstream did not answer, noticed at ``now``."""
        with self._lock:
            self._count += 1
            if self._opened_at is None:
                if self._count >= self._failures:
                    self._opened_at = now
            elif self._probe_at is not None:
                self._opened_at = now
                self._probe_at = None
            # Otherwise: late news of a call that began before the breaker opened. It must not lengthen the pause.

    def release(self) -> None:
        """The call ended without saying anything about the upstream (it was cancelled): let the next one probe."""
        with self._lock:
            self._probe_at = None

    def call(self, function: Callable[[], T]) -> T:
        """Run ``function`` unless the breaker is open, and learn from how it ends.

        :raises BreakerOpen: at once, while the breaker is open or somebody else is probing.
        """
        if not self.allow(self._clock()):
            raise BreakerOpen(self.name)
        return self.observe(function)

    def observe(self, function: Callable[[], T]) -> T:
        """Run ``function`` even if the breaker is open, and learn from how it ends.

        For a call that is worth a try in any case, such as one that a person already waited for.
        """
        try:
            result = function()
        except UpstreamBusy:
            self.release()
            raise
        except UpstreamError as error:
            if self._is_outage(error):
                self.failure(self._clock())
            else:
                self.success()
            raise
        except BaseException:
            self.release()
            raise
        self.success()
        return result


def _within(now: float, since: float, span: float) -> bool:
    # A clock that was set back would otherwise keep the breaker open for as long as it was wrong.
    return 0 <= now - since < span
