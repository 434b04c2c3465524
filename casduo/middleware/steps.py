"""What happens to a request next: one pure function over the facts, and the two short memories it rests on.

A browser that keeps no cookies would be sent to the CAS server and back for ever. So a ticket is taken only from a
browser that shows the sign-in cookie it got on leaving; if that is missing (cookies off; or the way led here from a
link that had a ticket in it), one redirect within the application finds out whether cookies come back at all, and then
either the sign-in begins properly or a page says what is wrong. It also means that a ticket bought by somebody else
and planted in a link signs nobody in by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from casduo.middleware.paths import Access
from casduo.middleware.urls import Check

LOOP_WINDOW: Final = 30.0
"""Seconds in which redirects to the CAS server are counted."""

LOOP_LIMIT: Final = 6
"""Redirects within the window after which a page is shown instead."""

REFUSED_LIMIT: Final = 2
"""Tickets refused in one sign-in after which it is given up."""

SIGN_IN_MAX_AGE: Final = 3600.0
"""Seconds for which a sign-in may be under way: passwords are typed, second factors looked for."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in under way in this browser.

    :param redirects: how often the browser was sent to the CAS server since ``since``.
    :param since: epoch seconds.
    :param refused: how many of its tickets the CAS server has refused.
    """

    redirects: int
    since: float
    refused: int = 0

    def looping(self, now: float) -> bool:
        """Return whether the browser has been sent to and fro too often."""
        return self.redirects >= LOOP_LIMIT and now < self.since + LOOP_WINDOW

    def to_json(self) -> list[int]:
        """Return plain values for :func:`attempt_from_json`."""
        return [self.redirects, int(self.since), self.refused]


def attempt_from_json(value: Any, now: float) -> Attempt | None:
    """Return the attempt that :meth:`Attempt.to_json` wrote, or ``None`` if it is not that or too old."""
    if not isinstance(value, list) or len(value) != 3 or not now < value[1] + SIGN_IN_MAX_AGE:
        return None
    return Attempt(value[0], value[1], value[2])


def sent_again(attempt: Attempt | None, now: float) -> Attempt:
    """Return the sign-in after one more redirect to the CAS server."""
    if attempt is None:
        return Attempt(1, now)
    if now >= attempt.since + LOOP_WINDOW:
        return Attempt(1, now, attempt.refused)
    return Attempt(attempt.redirects + 1, attempt.since, attempt.refused)


class Asked(Enum):
    """How far the silent question to the CAS server has come in this browser."""

    CHECKING = "checking"
    DONE = "done"


class Step(Enum):
    """What to do with a request."""

    PASS = auto()
    """Hand it to the application."""
    SIGN_IN = auto()
    """Send the browser to the CAS server."""
    ASK_SILENTLY = auto()
    """Send it there with ``gateway``."""
    VALIDATE = auto()
    """Have the ticket validated."""
    CHECK_SIGN_IN = auto()
    """Find out whether cookies come back, then sign in."""
    CHECK_GATEWAY = auto()
    """Find out whether cookies come back, then ask silently."""
    GO_CLEAN = auto()
    """Send the browser to its address without our parameters."""
    COOKIES_OFF = auto()
    """Say that cookies do not come back."""
    LOOP = auto()
    """Say that signing in does not come to an end."""
    REFUSE = auto()
    """401: a redirect would lose data or not be seen."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts that decide.

    :param access: what the path demands.
    :param method: of the request.
    :param navigation: a redirect would be seen and lose nothing.
    :param ticket: the query holds a ticket.
    :param check: our parameter about cookies, if the query holds one.
    :param signed_in: there is a live session that lets its user in.
    :param fresh: that session's credentials were typed recently.
    :param attempt: the sign-in under way, if any.
    :param asked: how far the silent question has come, if it was begun.
    :param by_proxy: the ticket is a proxy ticket, and a program brings it.
    """

    access: Access
    method: str
    navigation: bool
    ticket: bool = False
    check: Check | None = None
    signed_in: bool = False
    fresh: bool = False
    attempt: Attempt | None = None
    asked: Asked | None = None
    by_proxy: bool = False

    @property
    def satisfied(self) -> bool:
        """Whether the application may answer."""
        if self.access is Access.RENEW:
            return self.signed_in and self.fresh
        return self.signed_in or self.access < Access.PROTECTED


def next_step(situation: Situation, now: float) -> Step:
    """Return what to do with a request at ``now``."""
    if situation.by_proxy:
        # No cookie is asked of a program: it may keep none, and nobody plants tickets in it.
        return Step.VALIDATE
    # HEAD must not use up a ticket, nor must a prefetch (which is no navigation).
    seen = situation.navigation and situation.method == "GET"
    if seen and situation.ticket:
        return Step.VALIDATE if situation.attempt else Step.CHECK_SIGN_IN
    if seen and situation.check:
        return _after_check(situation, now)
    if not situation.satisfied:
        return _sign_in(situation, now) if situation.navigation else Step.REFUSE
    if seen and situation.access is Access.GATEWAY and not situation.signed_in and situation.asked is None:
        return Step.CHECK_GATEWAY
    return Step.PASS


def _after_check(situation: Situation, now: float) -> Step:
    if situation.check is Check.SIGN_IN and situation.attempt:
        return _sign_in(situation, now)
    if situation.check is Check.GATEWAY and situation.asked is Asked.CHECKING and not situation.signed_in:
        return Step.ASK_SILENTLY
    if not situation.satisfied:
        return Step.COOKIES_OFF if situation.check is Check.SIGN_IN else _sign_in(situation, now)
    return Step.GO_CLEAN if situation.signed_in else Step.PASS


def _sign_in(situation: Situation, now: float) -> Step:
    return Step.LOOP if situation.attempt and situation.attempt.looping(now) else Step.SIGN_IN
