"""A circuit breaker: while an upstream is down, callers hear so at once instead of each waiting for a time-out.

    closed ── failures in a row, or one slow one ──> open ── pause over ──> half-open ── probe answered ──> closed
                                                      ^                        │
                                                      └──── probe failed ──────┘

One probe at a time. What is known of the upstream lies in a :class:`BreakerMemory`: of this process, or of all of them.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Protocol, TypeVar

from casduo.clock import Clock, system_clock
from casduo.errors import UpstreamBusy, UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.meter import Outcome, meter

T = TypeVar("T")
Judge = Callable[[UpstreamError], bool]


class BreakerState(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerOpen(UpstreamUnavailable):
    """The upstream failed and is left alone for a moment; nobody was asked."""

    code = "UPSTREAM_BREAKER_OPEN"

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, "breaker_open")


@dataclass(frozen=True, slots=True)
class BreakerTerms:
    """When a breaker opens, and for how long; ``pause`` and ``probe_deadline`` in seconds. See :class:`Breaker`."""

    name: str
    failures: int
    pause: float
    probe_deadline: float


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call.

    :param probe: the lease of the call that may find out whether the upstream is back; empty for every other call
    :param noted: whether there may be failures on record, for a success to wipe out
    """

    probe: str = ""
    noted: bool = True


UNASKED = Permit()
"""For calls that are made without leave."""


class BreakerMemory(Protocol):
    """What is known of an upstream.

    Safe to share by threads, and never the reason why a call fails: no method raises. ``now`` is in epoch seconds.
    """

    def state(self, terms: BreakerTerms, now: float) -> BreakerState:
        """Return the state at ``now``."""

    def allow(self, terms: BreakerTerms, now: float) -> Permit | None:
        """Give leave for a call at ``now``, or none. Whoever got leave reports by one of the other methods."""

    def success(self, terms: BreakerTerms, permit: Permit, now: float) -> None:
        """Note that the upstream answered: closed, nothing on record."""

    def failure(self, terms: BreakerTerms, permit: Permit, now: float, *, slow: bool, lasted: float) -> None:
        """Note that the upstream did not answer. Late news is ignored: of a call that began before the breaker opened.

        :param slow: it opens the breaker alone
        :param lasted: seconds from the beginning of the call to ``now``
        """

    def release(self, terms: BreakerTerms, permit: Permit, now: float) -> None:
        """Note that the call ended without saying anything about the upstream; a probe's lease is given back."""


class LocalBreakerMemory:
    """What one process knows of one upstream; see :class:`BreakerMemory`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases = itertools.count(1)
        self._count = 0
        self._opened_at: float | None = None
        self._closed_at: float | None = None
        self._probe = ""
        self._probe_at = 0.0

    @property
    def noted(self) -> bool:
        """Whether there are failures on record."""
        return self._opened_at is not None or self._count > 0

    def state(self, terms: BreakerTerms, now: float) -> BreakerState:
        """See :class:`BreakerMemory`."""
        with self._lock:
            if self._opened_at is None:
                return BreakerState.CLOSED
            return judge_open(now - self._opened_at, terms)

    def allow(self, terms: BreakerTerms, now: float) -> Permit | None:
        """See :class:`BreakerMemory`."""
        with self._lock:
            if self._opened_at is None:
                return Permit(noted=self._count > 0)
            if judge_open(now - self._opened_at, terms) is BreakerState.OPEN:
                return None
            if self._probe and 0 <= now - self._probe_at < terms.probe_deadline:
                return None
            self._probe, self._probe_at = str(next(self._leases)), now
            return Permit(self._probe)

    def success(self, terms: BreakerTerms, permit: Permit, now: float) -> None:
        """See :class:`BreakerMemory`."""
        with self._lock:
            if self._opened_at is not None:
                self._closed_at = now
            self._count, self._opened_at, self._probe = 0, None, ""

    def failure(self, terms: BreakerTerms, permit: Permit, now: float, *, slow: bool, lasted: float) -> None:
        """See :class:`BreakerMemory`."""
        with self._lock:
            if self._opened_at is not None:
                if permit.probe and permit.probe == self._probe:
                    self._opened_at, self._probe = now, ""
                return
            if self._closed_at is not None and now - lasted < self._closed_at <= now:
                return
            self._count += 1
            if slow or self._count >= terms.failures:
                self._opened_at, self._probe = now, ""

    def release(self, terms: BreakerTerms, permit: Permit, now: float) -> None:
        """See :class:`BreakerMemory`."""
        with self._lock:
            if permit.probe == self._probe:
                self._probe = ""

    def follow_closed(self, count: int) -> None:
        """Take over from somebody who knows better: closed, with ``count`` failures in a row."""
        with self._lock:
            self._count, self._opened_at, self._probe = count, None, ""

    def follow_open(self, since: float, probe: str, now: float) -> None:
        """Take over from somebody who knows better: open since the moment ``since``.

        :param probe: the lease that this process was given at ``now``, empty for none
        """
        with self._lock:
            self._opened_at = since
            if probe:
                self._probe, self._probe_at = probe, now


def timed_out(error: UpstreamError) -> bool:
    """Say whether somebody waited for the whole of a time-out."""
    return error.detail in ("timeout", "deadline")


def _every_unavailability(error: UpstreamError) -> bool:
    return isinstance(error, UpstreamUnavailable)


def _none_at_all(_error: UpstreamError) -> bool:
    return False


class Breaker:
    """Refuses calls for a pause once there were too many failures. Safe to share by threads.

    :param name: the upstream, as errors and metrics name it. Breakers of one name that share a memory are one breaker.
    :param failures: failures in a row that open the breaker, at least 1.
    :param pause: seconds for which an open breaker refuses; then one call at a time may probe.
    :param clock: where :meth:`call` and :meth:`observe` take the time from.
    :param probe_deadline: seconds after which a probe that never reported back no longer blocks the next one.
    :param is_outage: which errors count as failures. Every other :class:`~casduo.errors.UpstreamError` is proof that
        somebody answers, and closes the breaker.
    :param is_slow: which outages open the breaker alone, for what they cost whoever waited. By default those for which
        :func:`timed_out` holds where ``memory`` is given, and none in a breaker of this process alone.
    :param memory: shared by all processes that call the upstream, None for a memory of this breaker's own.
    """

    def __init__(
        self,
        name: str,
        failures: int = 5,
        pause: float = 10.0,
        clock: Clock = system_clock,
        *,
        probe_deadline: float = 30.0,
        is_outage: Judge = _every_unavailability,
        is_slow: Judge | None = None,
        memory: BreakerMemory | None = None,
    ) -> None:
        if failures < 1:
            raise ValueError("a breaker opens after one failure at least")
        self.name = name
        self._terms = BreakerTerms(name, failures, pause, probe_deadline)
        self._clock = clock
        self._is_outage = is_outage
        self._is_slow = is_slow or (_none_at_all if memory is None else timed_out)
        self._memory = memory or LocalBreakerMemory()
        self._given = threading.local()
        meter().watch_breaker(self)

    def is_closed(self) -> bool:
        """Say whether calls go through as if nothing had happened, now by its own clock; for metrics."""
        return self.state(self._clock()) is BreakerState.CLOSED

    def state(self, now: float) -> BreakerState:
        """Return the state at ``now`` (epoch seconds), for metrics and health pages."""
        return self._memory.state(self._terms, now)

    def allow(self, now: float) -> bool:
        """Say whether a call may be made at ``now``. In half-open state, True makes the caller the probe.

        Whoever gets True reports the outcome by :meth:`observe`, :meth:`success`, :meth:`failure` or :meth:`release`,
        in the same thread.
        """
        permit = self._memory.allow(self._terms, now)
        if permit is not None:
            self._given.permit = permit
        else:
            meter().left_alone(self.name)
        return permit is not None

    def success(self) -> None:
        """The upstream answered: close."""
        self._memory.success(self._terms, self._permit(), self._clock())

    def failure(self, now: float) -> None:
        """The upstream did not answer, noticed at ``now``."""
        self._memory.failure(self._terms, self._permit(), now, slow=False, lasted=0.0)

    def release(self) -> None:
        """The call ended without saying anything about the upstream (it was cancelled): let the next one probe."""
        self._memory.release(self._terms, self._permit(), self._clock())

    def call(self, function: Callable[[], T]) -> T:
        """Run ``function`` unless the breaker is open, and learn from how it ends.

        :raises BreakerOpen: at once, while the breaker is open or somebody else is probing.
        """
        permit = self._memory.allow(self._terms, self._clock())
        if permit is None:
            meter().left_alone(self.name)
            raise BreakerOpen(self.name)
        return self._watch(function, permit)

    def observe(self, function: Callable[[], T]) -> T:
        """Run ``function`` even if the breaker is open, and learn from how it ends.

        For a call that is worth a try in any case, such as one that a person already waited for.
        """
        return self._watch(function, self._permit())

    def _watch(self, function: Callable[[], T], permit: Permit) -> T:
        began, started = self._clock(), perf_counter()
        try:
            result = function()
        except UpstreamError as error:
            meter().upstream_called(self.name, _outcome_of(error), perf_counter() - started)
            self._learn(error, permit, began)
            raise
        except BaseException:
            meter().upstream_called(self.name, "error", perf_counter() - started)
            self._memory.release(self._terms, permit, self._clock())
            raise
        meter().upstream_called(self.name, "ok", perf_counter() - started)
        self._memory.success(self._terms, permit, self._clock())
        return result

    def _learn(self, error: UpstreamError, permit: Permit, began: float) -> None:
        now = self._clock()
        if isinstance(error, UpstreamBusy):
            self._memory.release(self._terms, permit, now)
        elif self._is_outage(error):
            lasted = max(0.0, now - began)
            self._memory.failure(self._terms, permit, now, slow=self._is_slow(error), lasted=lasted)
        else:
            self._memory.success(self._terms, permit, now)

    def _permit(self) -> Permit:
        """Return the leave that this thread was given last, once."""
        permit: Permit = getattr(self._given, "permit", UNASKED)
        self._given.permit = UNASKED
        return permit


def _outcome_of(error: UpstreamError) -> Outcome:
    match error:
        case UpstreamBusy():
            return "busy"
        case UpstreamMisconfigured():
            return "misconfigured"
        case UpstreamUnavailable():
            return "timeout" if timed_out(error) else "unavailable"
    return "refused"


def judge_open(age: float, terms: BreakerTerms) -> BreakerState:
    """Return the state of a breaker that opened ``age`` seconds ago."""
    # A clock that was set back would otherwise keep the breaker open for as long as it was wrong.
    return BreakerState.OPEN if 0 <= age < terms.pause else BreakerState.HALF_OPEN
