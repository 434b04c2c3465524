"""Sessions of a node's web server: a cookie that stands for a password until nobody has used it for a while."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

COOKIE = "JSESSIONIDSSO"


@dataclass(slots=True)
class _Session:
    account: str
    used_at: float


class Sessions:
    """The sessions of one node. Other nodes do not know them."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def open(self, account: str, now: float) -> str:
        """Begin a session and return its cookie."""
        cookie = secrets.token_hex(16).upper()
        with self._lock:
            self._sessions[cookie] = _Session(account, now)
        return cookie

    def use(self, cookie: str, now: float, idle: float) -> str | None:
        """Return whose session it is, None when it is over or was never there.

        :param idle: seconds without use after which a session is over
        """
        with self._lock:
            session = self._sessions.get(cookie)
            if session is None or now >= session.used_at + idle:
                self._sessions.pop(cookie, None)
                return None
            session.used_at = now
            return session.account

    def clear(self) -> None:
        """End every session, as a restart does."""
        with self._lock:
            self._sessions.clear()
