"""Timers that end logins on phones, where UCM does not do that itself: AXL does not (AXL guide, ``doDeviceLogin``).

A phone has one timer; setting it again replaces it. A worker claims those that are due, and everything it does with a
claim afterwards fails once the timer was set anew or cleared: then the new one counts.

Set a timer while you hold the phone's lock (:mod:`casduo.phone.locks`), when nobody is logged in there any more and
before you log the new user in. Set afterwards it would be missing if this process died in between; without the lock a
worker could be just about to log the same user out. Where the login comes to nothing, clear it; left over, it finds
nobody and does no harm.

Everything expires by itself, a week after it was due. What is decided by time is decided by the caller's ``now``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from casduo.cause import stored
from casduo.signing import random_text
from casduo.store import Batch, Reply, Store, Value, load_script

_SET = load_script(__file__, "timer_set.lua")
_DUE = load_script(__file__, "timer_due.lua")
_STEP = load_script(__file__, "timer_step.lua")

_ORDER = "casduo:{phone.logouts}:due"
_PREFIX = "casduo:{phone.logouts}:timer:"
_KEPT_MS = 7 * 86_400_000
_ID_LENGTH = 22


@dataclass(frozen=True, slots=True)
class LogoutTimer:
    """A timer that was claimed.

    ``at`` is when it was due, in epoch seconds; ``tries`` how many failed so far; ``asked`` whether UCM has been asked
    to log the user out before, by whoever had the timer then; ``cause`` is what
    :func:`casduo.cause.stored` told when it was set.
    """

    device: str
    userid: str
    at: float
    id: str
    tries: int
    asked: bool
    cause: Mapping[str, str] = field(default_factory=dict)


class LogoutTimers:
    """The timers in one store. What takes no batch is one round trip and may raise ``UpstreamUnavailable``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set(self, batch: Batch, device: str, userid: str, at: float, now: float) -> None:
        """Add the setting of the phone's timer. It keeps what it is set for (:mod:`casduo.cause`).

        :param userid: who is to be logged out; nobody else will be
        :param at: when, in epoch seconds
        """
        kept = max(0, _ms(at - now)) + _KEPT_MS
        words = (word for pair in stored().items() for word in pair)
        batch.script(_SET, _keys(device), (device, random_text(_ID_LENGTH), userid, _ms(at), kept, *words))

    def clear(self, batch: Batch, device: str) -> Reply:
        """Add the clearing of the phone's timer, because the user has logged out; the reply is 1 if there was one."""
        return batch.script(_STEP, _keys(device), ("end", device, ""))

    def due(self, now: float, most: int, lease: float) -> list[LogoutTimer]:
        """Claim timers that are due, the oldest first.

        :param most: how many at most
        :param lease: seconds after which they are given to the next one who asks, unless they are over by then
        """
        rows = self._store.call(_DUE, (_ORDER,), (_ms(now), most, _ms(now + lease), _PREFIX))
        return [_timer(row) for row in rows]

    def ask(self, timer: LogoutTimer) -> bool:
        """Note that UCM is about to be asked to log the user out. ``False``: it must not be, the timer is gone."""
        return self._step("ask", timer)

    def put_off(self, timer: LogoutTimer, until: float, tries: int) -> bool:
        """Give the timer back, to be due again at ``until``. Returns whether it was still there.

        :param tries: how many have failed by now
        """
        return self._step("put_off", timer, _ms(until), tries)

    def done(self, timer: LogoutTimer) -> bool:
        """End the timer. Returns whether it was still there: of several that end it, one is told so."""
        return self._step("end", timer)

    def _step(self, step: str, timer: LogoutTimer, *arguments: Value) -> bool:
        words = (step, timer.device, timer.id, *arguments)
        return bool(self._store.call(_STEP, _keys(timer.device), words))


def _keys(device: str) -> tuple[str, str]:
    return _ORDER, _PREFIX + device


def _timer(row: Sequence[str | None]) -> LogoutTimer:
    device, name, userid, at, tries, asked, reference, traceparent = (value or "" for value in row)
    cause = {"reference": reference, "traceparent": traceparent}
    return LogoutTimer(device, userid, int(at) / 1000, name, int(tries), asked == "1", cause)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
