"""The few cookies a phone keeps: four for each of eight hosts, 255 bytes each, for half an idle hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

MOST_COOKIES = 4
LONGEST_COOKIE = 255
"""Bytes of name, equals sign and value."""

MOST_HOSTS = 8
IDLE_SECONDS = 30 * 60.0


@dataclass(frozen=True, slots=True)
class _Cookie:
    value: str
    path: str
    secure: bool


@dataclass(slots=True)
class _Session:
    used: float
    cookies: dict[str, _Cookie] = field(default_factory=dict)


class CookieJar:
    """Cookies by host; the port makes no difference (application development notes, "HTTP cookies")."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}

    def clear(self) -> None:
        """Forget everything, as when the service's window closes."""
        self._sessions.clear()

    def names(self) -> tuple[str, ...]:
        """Return the names of all cookies held, in the order they came."""
        return tuple(name for session in self._sessions.values() for name in session.cookies)

    def header(self, url: str, now: float) -> str:
        """Return the Cookie header for a request; empty where there is none. Counts as use of the session."""
        parts = urlsplit(url)
        session = self._session(parts.hostname or "", now)
        if session is None:
            return ""
        session.used = now
        return "; ".join(
            f"{name}={cookie.value}"
            for name, cookie in session.cookies.items()
            if _covers(cookie.path, parts.path or "/") and (not cookie.secure or parts.scheme == "https")
        )

    def take(self, header: str, url: str, now: float, remark: Callable[[str], None]) -> None:
        """Store what a Set-Cookie header says, as far as a phone can.

        :param remark: takes what a phone loses: a cookie too many or too large.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        pair, *attributes = (part.strip() for part in header.split(";"))
        name, equals, value = pair.partition("=")
        if not equals or not name:
            remark("a Set-Cookie header without a name and a value")
            return
        said = {key.strip().lower(): text.strip() for key, _, text in (each.partition("=") for each in attributes)}
        session = self._session(host, now)
        if _over(said, now):
            if session is not None:
                session.cookies.pop(name, None)
            return
        size = len(pair.encode("latin-1", "replace"))
        if size > LONGEST_COOKIE:
            remark(f"a cookie {name} of {size} bytes, {LONGEST_COOKIE} are the most: it is lost")
            return
        if session is None:
            session = self._new_session(host, now)
        session.used = now
        if name not in session.cookies and len(session.cookies) == MOST_COOKIES:
            remark(f"a cookie {name} after {MOST_COOKIES} others: it is lost")
            return
        path = said.get("path", "")
        session.cookies[name] = _Cookie(value, path if path.startswith("/") else "/", "secure" in said)

    def _session(self, host: str, now: float) -> _Session | None:
        session = self._sessions.get(host)
        if session is not None and now - session.used > IDLE_SECONDS:
            del self._sessions[host]
            return None
        return session

    def _new_session(self, host: str, now: float) -> _Session:
        if len(self._sessions) == MOST_HOSTS:
            del self._sessions[min(self._sessions, key=lambda each: self._sessions[each].used)]
        session = self._sessions[host] = _Session(now)
        return session


def _covers(cookie_path: str, path: str) -> bool:
    """Path matching by RFC 6265 section 5.1.4."""
    if path == cookie_path:
        return True
    return path.startswith(cookie_path if cookie_path.endswith("/") else f"{cookie_path}/")


def _over(said: dict[str, str], now: float) -> bool:
    """Whether the attributes say that the cookie has ended; Max-Age goes before Expires (RFC 6265 section 5.3)."""
    age = said.get("max-age", "")
    if age.lstrip("-").isdecimal():
        return int(age) <= 0
    try:
        return "expires" in said and parsedate_to_datetime(said["expires"]).timestamp() <= now
    except ValueError:
        return False
