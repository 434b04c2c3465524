"""What all processes together know of an upstream: the record of a circuit breaker in Redis.

* Each step is one script and one round trip; after a call that went well, with nothing on record, there is none.
* Of all callers everywhere exactly one holds the lease of the probe.
* Redis's own clock measures pauses, so that nodes whose clocks differ agree. Records expire by themselves.
* A Redis that does not answer costs nobody a call: the process goes by its own memory, which is kept up to date all the
  time, and leaves Redis alone for a moment. Once Redis answers, it decides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from casduo.errors import UpstreamError
from casduo.outbound.breaker import BreakerState, BreakerTerms, LocalBreakerMemory, Permit, judge_open
from casduo.signing import fingerprint
from casduo.store.scripts import Script, load_script
from casduo.store.store import Store, Value

T = TypeVar("T")

_ALLOW = load_script(__file__, "breaker_allow.lua")
_FAILURE = load_script(__file__, "breaker_failure.lua")
_SUCCESS = load_script(__file__, "breaker_success.lua")
_RELEASE = load_script(__file__, "breaker_release.lua")

_KEPT = 3600.0
"""Seconds for which a record outlives its pause: whoever comes first after a quiet hour need not be the only one."""
_LEFT_ALONE = 1.0
"""Seconds without questions for a Redis that did not answer one: each costs a caller its time-out."""

_log = structlog.get_logger("casduo")


class RedisBreakerMemory:
    """A :class:`~casduo.outbound.breaker.BreakerMemory` for all breakers of this process, told apart by their names.

    :param store: shared by all processes that are to agree
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._local: dict[str, LocalBreakerMemory] = {}
        self._silent_at: float | None = None

    def state(self, terms: BreakerTerms, now: float) -> BreakerState:
        """See :class:`~casduo.outbound.breaker.BreakerMemory`. One round trip."""
        found = self._ask(now, lambda: self._look(terms))
        return self._local_of(terms).state(terms, now) if found is None else found

    def allow(self, terms: BreakerTerms, now: float) -> Permit | None:
        """See :class:`~casduo.outbound.breaker.BreakerMemory`. One round trip."""
        local = self._local_of(terms)
        match self._run(now, _ALLOW, terms, _ms(terms.pause), _ms(terms.probe_deadline), _kept_ms(terms)):
            case ["closed", count]:
                local.follow_closed(count)
                return Permit(noted=count > 0)
            case ["open", age]:
                local.follow_open(now - age / 1000, "", now)
                return None
            case ["probe", age, lease]:
                local.follow_open(now - age / 1000, lease, now)
                return Permit(lease)
        return local.allow(terms, now)

    def success(self, terms: BreakerTerms, permit: Permit, now: float) -> None:
        """See :class:`~casduo.outbound.breaker.BreakerMemory`. One round trip, none with nothing on record."""
        local = self._local_of(terms)
        noted = permit.noted or local.noted
        local.success(terms, permit, now)
        if noted:
            self._run(now, _SUCCESS, terms, _ms(terms.probe_deadline))

    def failure(self, terms: BreakerTerms, permit: Permit, now: float, *, slow: bool, lasted: float) -> None:
        """See :class:`~casduo.outbound.breaker.BreakerMemory`. One round trip."""
        self._local_of(terms).failure(terms, permit, now, slow=slow, lasted=lasted)
        # How long it took, not when it began: that would be by the clock of this node.
        self._run(now, _FAILURE, terms, permit.probe, terms.failures, int(slow), _ms(lasted), _kept_ms(terms))

    def release(self, terms: BreakerTerms, permit: Permit, now: float) -> None:
        """See :class:`~casduo.outbound.breaker.BreakerMemory`. One round trip for a probe, none for others."""
        self._local_of(terms).release(terms, permit, now)
        if permit.probe:
            self._run(now, _RELEASE, terms, permit.probe)

    def _look(self, terms: BreakerTerms) -> BreakerState:
        batch = self._store.batch()
        opened = batch.command("HGET", breaker_key(terms.name), "opened")
        time = batch.command("TIME")
        batch.run()
        if opened.value is None:
            return BreakerState.CLOSED
        seconds, microseconds = time.value
        return judge_open(int(seconds) + int(microseconds) / 1e6 - int(opened.value) / 1000, terms)

    def _run(self, now: float, script: Script, terms: BreakerTerms, *arguments: Value) -> Any:
        """Run a script on the record; None if Redis does not answer."""
        return self._ask(now, lambda: self._store.call(script, (breaker_key(terms.name),), arguments))

    def _ask(self, now: float, question: Callable[[], T]) -> T | None:
        silent_at = self._silent_at
        if silent_at is not None and 0 <= now - silent_at < _LEFT_ALONE:
            return None
        try:
            answer = question()
        except Exception as error:
            # Whatever it is: people who sign in with Duo must not suffer from it.
            self._silent_at = now
            if silent_at is None:
                detail = error.detail if isinstance(error, UpstreamError) else type(error).__name__
                _log.warning("breakers.apart", detail=detail)
            return None
        self._silent_at = None
        return answer

    def _local_of(self, terms: BreakerTerms) -> LocalBreakerMemory:
        with self._lock:
            return self._local.setdefault(terms.name, LocalBreakerMemory())


def breaker_key(name: str) -> str:
    """Return the Redis key of the record of the breaker called ``name``."""
    return f"casduo:{{breaker:{fingerprint(name)[:32]}}}"


def _kept_ms(terms: BreakerTerms) -> int:
    return _ms(max(terms.pause, terms.probe_deadline) + _KEPT)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
