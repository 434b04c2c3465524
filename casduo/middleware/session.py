"""Sessions of the application: what they hold, when they end, and the signed-cookie store.

A store keeps its promises in any order of events: a back-channel sign-out may arrive before the session it ends.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from casduo.middleware.errors import SessionEnded, SessionTooLarge
from casduo.middleware.signing import Purpose, Signer

COOKIE_LIMIT: Final = 3800
"""Longest cookie value in bytes: browsers keep 4096 for name, value and attributes together (RFC 6265, 6.1)."""

_FORMAT: Final = 2


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in at this application.

    :param user: the name the CAS server gave.
    :param attributes: all values of every attribute.
    :param ticket: hash of the service or proxy ticket; see :func:`casduo.middleware.tickets.ticket_hash`.
    :param started: epoch seconds of the sign-in.
    :param seen: epoch seconds of the last request that counted as use.
    :param renewed: the ticket was validated with ``renew``: credentials were typed for it.
    :param proxies: callback addresses of those through whom the ticket came, the one that brought it first.
    :param pgt: the proxy-granting ticket, or ``None``. Whoever reads it can act as the user: a store keeps it where
        only the application gets at it, and forgets it with the session.
    """

    user: str
    attributes: Mapping[str, tuple[str, ...]]
    ticket: str
    started: float
    seen: float
    renewed: bool
    proxies: tuple[str, ...] = ()
    pgt: str | None = field(default=None, repr=False)

    def to_json(self) -> list[Any]:
        """Return the session as plain lists and values, for :func:`session_from_json`."""
        attributes = {name: list(values) for name, values in self.attributes.items()}
        times = [int(self.started), int(self.seen)]
        return [_FORMAT, self.user, attributes, self.ticket, *times, self.renewed, list(self.proxies), self.pgt]


def session_from_json(value: object) -> Session | None:
    """Return the session that :meth:`Session.to_json` wrote, or ``None`` if it is of another release."""
    if not isinstance(value, list) or len(value) != 9 or value[0] != _FORMAT:
        return None
    _, user, attributes, ticket, started, seen, renewed, proxies, pgt = value
    return Session(
        user=user,
        attributes={name: tuple(values) for name, values in attributes.items()},
        ticket=ticket,
        started=started,
        seen=seen,
        renewed=renewed,
        proxies=tuple(proxies),
        pgt=pgt,
    )


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """What ``environ["casduo.session"]`` tells the application about the sign-in.

    :param authentication_date: when the password was checked, as the CAS server wrote it (ISO 8601), or ``None``.
    :param is_from_new_login: credentials were typed for this very sign-in; ``False`` when single sign-on did it.
    :param remembered: the CAS session is a long-lived "remember me" one.
    :param authn_context: what else was proved, ``("mfa-duo",)``; empty without a second factor.
    :param started: epoch seconds of the sign-in at this application.
    :param expires: epoch seconds at which it ends at the latest.
    :param proxies: callback addresses of the services that asked in this person's name, the one that called first;
        empty when the person came in person.
    """

    authentication_date: str | None
    is_from_new_login: bool
    remembered: bool
    authn_context: tuple[str, ...]
    started: float
    expires: float
    proxies: tuple[str, ...] = ()


def session_info(session: Session, lifetime: float) -> SessionInfo:
    """Read the protocol's own attributes (CAS Protocol 3.0, 2.5.7) out of a session."""
    values = session.attributes
    return SessionInfo(
        authentication_date=next(iter(values.get("authenticationDate", ())), None),
        is_from_new_login=values.get("isFromNewLogin", ()) == ("true",),
        remembered=values.get("longTermAuthenticationRequestTokenUsed", ()) == ("true",),
        authn_context=values.get("authnContextClass", ()),
        started=session.started,
        expires=session.started + lifetime,
        proxies=session.proxies,
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """How long sessions live, in seconds: ``lifetime`` from the sign-in, ``idle`` from the last use."""

    lifetime: float
    idle: float

    def allow(self, session: Session, now: float) -> bool:
        """Return whether the session is still alive at ``now``."""
        return now < session.started + self.lifetime and now < session.seen + self.idle


@dataclass(frozen=True, slots=True)
class Found:
    """A live session. ``cookie`` is the value to send to the browser instead of the old one, if any."""

    session: Session
    cookie: str | None = None


class SessionStore(Protocol):
    """Keeps sessions. Safe to use from many threads.

    Every method raises :class:`~casduo.middleware.errors.StoreUnavailable` when the store does not answer; then nobody
    is signed in.
    """

    def begin(self, session: Session, now: float) -> str:
        """Keep a new session under a new id and return the cookie value for it.

        :raises SessionTooLarge: it does not fit.
        :raises SessionEnded: :meth:`end_ticket` was called for its ticket before, or the ticket began a session before.
        """

    def find(self, cookie: str, now: float, *, touch: bool) -> Found | None:
        """Return the live session a cookie stands for.

        :param touch: count this as use.
        """

    def end(self, cookie: str, now: float) -> None:
        """End the session a cookie stands for; copies of the cookie die with it. Unknown cookies are fine."""

    def end_ticket(self, ticket: str, now: float) -> None:
        """End the session that a ticket began, now or in future.

        :param ticket: hash of the ticket.
        """


class Revocations(Protocol):
    """Remembers which tickets' sessions were ended, for stores that cannot forget a session."""

    def add(self, ticket: str, now: float, lifetime: float) -> None:
        """Remember a ticket's hash for ``lifetime`` seconds."""

    def covers(self, session: Session, now: float) -> bool:
        """Return whether the session was ended."""


class MemoryRevocations:
    """Remembers ended sessions in this process: lost on restart, not known to other processes.

    :param capacity: most tickets remembered at a time, some 150 bytes each. Anybody can send sign-out messages, so
        the memory is bounded; when it is full of live entries, all sessions begun so far count as ended. People then
        sign in again through single sign-on, most without noticing. The alternative, forgetting the oldest, would
        let a flood of messages bring ended sessions back.
    """

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._until: dict[str, float] = {}
        self._ended_before = 0.0
        self._lock = threading.Lock()

    def add(self, ticket: str, now: float, lifetime: float) -> None:
        """Remember a ticket's hash for ``lifetime`` seconds."""
        with self._lock:
            if len(self._until) >= self._capacity:
                self._until = {known: until for known, until in self._until.items() if until > now}
            if len(self._until) >= self._capacity:
                self._until = {}
                self._ended_before = now
            self._until[ticket] = now + lifetime

    def covers(self, session: Session, now: float) -> bool:
        """Return whether the session was ended."""
        return session.started < self._ended_before or self._until.get(session.ticket, 0.0) > now


class CookieSessions:
    """Keeps each session in the browser: signed, readable by its user, at most :data:`COOKIE_LIMIT` bytes.

    :param signer: signs the cookie.
    :param limits: how long sessions live.
    :param revocations: where ended sessions are remembered; a cookie cannot be called back.
    """

    def __init__(self, signer: Signer, limits: Limits, revocations: Revocations) -> None:
        self._signer = signer
        self._limits = limits
        self._revocations = revocations

    def begin(self, session: Session, now: float) -> str:
        """Return the cookie that is the session. See :class:`SessionStore`.

        :raises ValueError: it holds a proxy-granting ticket, which its user and anybody at the browser could read.
        """
        if session.pgt is not None:
            raise ValueError("a proxy-granting ticket does not go into a cookie")
        if self._revocations.covers(session, now):
            raise SessionEnded("the session was ended before it began")
        cookie = self._signer.sign(Purpose.SESSION, session.to_json())
        if len(cookie) > COOKIE_LIMIT:
            raise SessionTooLarge(len(cookie), COOKIE_LIMIT)
        return cookie

    def find(self, cookie: str, now: float, *, touch: bool) -> Found | None:
        """Return the session in a cookie. See :class:`SessionStore`."""
        session = self._read(cookie)
        if session is None or not self._limits.allow(session, now) or self._revocations.covers(session, now):
            return None
        # A new cookie with every page would be waste: the idle limit is kept with an error of a tenth.
        if touch and now - session.seen >= self._limits.idle / 10:
            return Found(session, self._signer.sign(Purpose.SESSION, replace(session, seen=now).to_json()))
        return Found(session)

    def end(self, cookie: str, now: float) -> None:
        """End the session in a cookie. See :class:`SessionStore`."""
        session = self._read(cookie)
        if session is not None:
            self.end_ticket(session.ticket, now)

    def end_ticket(self, ticket: str, now: float) -> None:
        """End the session that a ticket began. See :class:`SessionStore`."""
        self._revocations.add(ticket, now, self._limits.lifetime)

    def _read(self, cookie: str) -> Session | None:
        return session_from_json(self._signer.read(Purpose.SESSION, cookie))
