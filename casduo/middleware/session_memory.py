"""Sessions in the memory of one process: on the server's side without a Redis; a restart ends them all."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import replace

from casduo.middleware.errors import SessionEnded
from casduo.middleware.session import Found, Limits, MemoryRevocations, Session
from casduo.middleware.signing import Purpose, Signer


class MemorySessions:
    """Keeps sessions in this process; the cookie holds a signed random id.

    See :class:`~casduo.middleware.SessionStore`.

    :param signer: signs the cookie.
    :param limits: how long sessions live.
    :param capacity: most sessions kept at a time. When there are more, the one not used for longest ends, and its user
        signs in again.
    """

    def __init__(self, signer: Signer, limits: Limits, capacity: int = 20_000) -> None:
        self._signer = signer
        self._limits = limits
        self._capacity = capacity
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._ids: dict[str, str] = {}
        self._ended = MemoryRevocations()
        self._lock = threading.Lock()

    def begin(self, session: Session, now: float) -> str:
        """Keep a new session under a new id. See :class:`~casduo.middleware.SessionStore`."""
        session_id = secrets.token_urlsafe(32)
        with self._lock:
            if session.ticket in self._ids or self._ended.covers(session, now):
                raise SessionEnded("the ticket was used or ended before")
            self._make_room(now)
            self._sessions[session_id] = session
            self._ids[session.ticket] = session_id
        return self._signer.sign(Purpose.SESSION, session_id)

    def find(self, cookie: str, now: float, *, touch: bool) -> Found | None:
        """Return the live session a cookie stands for. See :class:`~casduo.middleware.SessionStore`."""
        session_id = self._id_of(cookie)
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None or not self._limits.allow(session, now):
                return None
            if touch:
                session = self._sessions[session_id] = replace(session, seen=now)
                self._sessions.move_to_end(session_id)
        return Found(session)

    def end(self, cookie: str, now: float) -> None:
        """End the session a cookie stands for."""
        with self._lock:
            self._forget(self._id_of(cookie))

    def end_ticket(self, ticket: str, now: float) -> None:
        """End the session that a ticket began, also when it has yet to begin."""
        with self._lock:
            self._ended.add(ticket, now, self._limits.lifetime)
            self._forget(self._ids.get(ticket, ""))

    def _make_room(self, now: float) -> None:
        while self._sessions:
            oldest, session = next(iter(self._sessions.items()))
            if self._limits.allow(session, now) and len(self._sessions) < self._capacity:
                return
            self._forget(oldest)

    def _forget(self, session_id: str) -> None:
        session = self._sessions.pop(session_id, None)
        if session is not None:
            del self._ids[session.ticket]

    def _id_of(self, cookie: str) -> str:
        session_id = self._signer.read(Purpose.SESSION, cookie)
        return session_id if isinstance(session_id, str) else ""
