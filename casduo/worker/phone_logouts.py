"""The job that logs people out of phones when their time is over, where UCM does not do that itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from casduo.cause import caused_by, taken
from casduo.errors import UpstreamError, UpstreamMisconfigured
from casduo.events.model import Subject
from casduo.events.phone import PhoneLoggedOut, PhoneLogoutDelayed
from casduo.outbound.budget import Budget
from casduo.phone.locks import LOCKED, DeviceLocks
from casduo.phone.timers import LogoutTimer, LogoutTimers
from casduo.ucm.errors import UcmRefused
from casduo.ucm.model import same_user
from casduo.worker.parts import Parts, Stopped

LEASE = 60.0
"""Seconds after which others take over a timer that a worker died over; longer than one takes."""
EVERY = 1.0
"""Seconds between two looks for timers that are due."""
_AT_ONCE = 2
"""Timers in hand at a time. Nobody waits for them, and UCM has the logins to do besides."""
_LONGEST_BUDGET = LOCKED / 2
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 300.0


class PhoneLogouts:
    """Ends logins whose time is over, as long as the worker runs.

    A timer is over when its user is not on the phone any more. Somebody else who is there is left alone, and so is the
    same user where they logged in anew: that set a new timer. Where UCM or Redis are away it is tried again, with
    pauses that grow. A worker that takes over from another one looks first, so that one logout is enough.

    :param lease: see :data:`LEASE`
    :param every: see :data:`EVERY`
    """

    name = "phone-logouts"

    def __init__(self, parts: Parts, lease: float = LEASE, every: float = EVERY) -> None:
        self._parts = parts
        self._timers = LogoutTimers(parts.store)
        self._locks = DeviceLocks(parts.store)
        self._lease = lease
        self._every = every
        ucm = parts.settings.ucm
        self._budget = min(ucm.budget, _LONGEST_BUDGET) if ucm is not None else 0.0
        self._rest = 0.0

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        stopping = self._parts.stopping
        if self._parts.settings.ucm is None:
            stopping.wait()
        while not stopping.is_set():
            self._rest = 0.0
            timers = self._timers.due(self._parts.clock(), _AT_ONCE, self._lease)
            self._see_to_all(timers)
            stopping.wait(self._rest if timers else self._every)

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. ``run`` ends when nothing is in hand; a claim ends by itself."""

    def _see_to_all(self, timers: Sequence[LogoutTimer]) -> None:
        crew = [threading.Thread(target=self._see_to, args=(timer,), daemon=True) for timer in timers]
        for member in crew:
            member.start()
        for member in crew:
            member.join()

    def _see_to(self, timer: LogoutTimer) -> None:
        with suppress(Stopped), caused_by(taken(timer.cause, self._parts.settings.log.propagate)):
            try:
                self._carry_out(timer)
            except (UpstreamError, UcmRefused) as error:
                if isinstance(error, UpstreamMisconfigured):
                    # An account that is refused again and again would be locked.
                    self._rest = _LONGEST_PAUSE
                self._try_again(timer, error.code, error.detail)
            except Exception as error:
                self._parts.fault(error, self.name)
                self._try_again(timer, "UNEXPECTED", type(error).__name__)

    def _carry_out(self, timer: LogoutTimer) -> None:
        token = self._parts.insist(lambda: self._locks.take(timer.device))
        if not token:
            # Somebody logs in there just now, which may set the timer anew.
            self._put_off(timer, _FIRST_PAUSE, timer.tries)
            return
        try:
            self._log_out(timer)
        finally:
            self._parts.insist(lambda: self._locks.free(timer.device, token))

    def _log_out(self, timer: LogoutTimer) -> None:
        """Log the user out, or find that this is not to be done.

        :raises UpstreamError: UCM gave no answer
        :raises UcmRefused: UCM does not want to
        """
        budget = Budget(self._budget)
        logins = self._parts.ucm.logins
        state = logins.state(timer.device, budget)
        if not (state.known and same_user(state.user, timer.userid)):
            # Where UCM was asked before, it did what the answer got lost of.
            self._over(timer, ended=timer.asked)
        elif self._parts.insist(lambda: self._timers.ask(timer)):
            try:
                logins.log_out(timer.device, budget)
            except UcmRefused as refused:
                if refused.kind not in ("nobody", "no_device"):
                    raise
                self._over(timer, ended=timer.asked)
            else:
                self._over(timer, ended=True, profile=state.profile)

    def _over(self, timer: LogoutTimer, *, ended: bool, profile: str = "") -> None:
        if self._parts.insist(lambda: self._timers.done(timer)) and ended:
            about = Subject(principal=timer.userid)
            self._parts.journal.write(PhoneLoggedOut(about, device=timer.device, profile=profile, cause="time"))

    def _try_again(self, timer: LogoutTimer, code: str, detail: str) -> None:
        if self._put_off(timer, pause_after(timer.tries), timer.tries + 1) and timer.tries == 0:
            about = Subject(principal=timer.userid)
            self._parts.journal.write(PhoneLogoutDelayed(about, device=timer.device, code=code, detail=detail))

    def _put_off(self, timer: LogoutTimer, pause: float, tries: int) -> bool:
        until = self._parts.clock() + pause
        return self._parts.insist(lambda: self._timers.put_off(timer, until, tries))


def pause_after(tries: int) -> float:
    """Return how long to wait after a try that failed, in seconds. Pure.

    :param tries: how many had failed before it
    """
    return min(_FIRST_PAUSE * 2.0 ** min(tries, 30), _LONGEST_PAUSE)
