"""The middleware's three cookies: names, attributes, what they hold, and reading them with suspicion.

One is the session; one says that a sign-in is under way in this browser; one that the CAS server was asked silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from werkzeug.http import dump_cookie, parse_cookie

from casduo.middleware.settings import Settings
from casduo.middleware.signing import Purpose, Signer
from casduo.middleware.steps import SIGN_IN_MAX_AGE, Asked, Attempt, attempt_from_json

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

Header = tuple[str, str]
CookieValues = Mapping[str, Sequence[str]]

_MOST_OF_A_NAME: Final = 4
"""How many cookies of one name are looked at: sister domains may plant some beside ours."""


def cookie_values(environ: WSGIEnvironment) -> CookieValues:
    """Return all values of every cookie of a request, a few for each name, in the order they came."""
    return {name: values[:_MOST_OF_A_NAME] for name, values in parse_cookie(environ).lists()}


class Cookies:
    """Writes and reads one application's cookies."""

    def __init__(self, settings: Settings, signer: Signer) -> None:
        self._session = settings.cookie
        self._attempt = f"{settings.cookie}-in"
        self._asked = f"{settings.cookie}-gw"
        self._asked_max_age = settings.gateway_interval
        self._path = settings.cookie_path
        self._secure = settings.secure
        self._signer = signer

    def session(self, value: str) -> Header:
        """Return the header that sets the session; it is kept until the browser is closed."""
        return self._write(self._session, value, None)

    def drop_session(self) -> Header:
        """Return the header that removes the session."""
        return self._write(self._session, "", 0)

    def read_session(self, values: CookieValues) -> Sequence[str]:
        """Return everything that claims to be the session, unchecked: the store knows which is one."""
        return values.get(self._session, ())

    def attempt(self, attempt: Attempt) -> Header:
        """Return the header that remembers a sign-in under way."""
        return self._write(self._attempt, self._signer.sign(Purpose.ATTEMPT, attempt.to_json()), SIGN_IN_MAX_AGE)

    def drop_attempt(self) -> Header:
        """Return the header that ends a sign-in under way."""
        return self._write(self._attempt, "", 0)

    def read_attempt(self, values: CookieValues, now: float) -> Attempt | None:
        """Return the sign-in under way in this browser."""
        for value in values.get(self._attempt, ()):
            if attempt := attempt_from_json(self._signer.read(Purpose.ATTEMPT, value), now):
                return attempt
        return None

    def asked(self, asked: Asked, now: float) -> Header:
        """Return the header that remembers how far the silent question has come."""
        value = self._signer.sign(Purpose.GATEWAY, [asked.value, int(now)])
        return self._write(self._asked, value, self._asked_max_age)

    def read_asked(self, values: CookieValues, now: float) -> Asked | None:
        """Return how far the silent question has come, or ``None`` if it is to be put (again)."""
        for value in values.get(self._asked, ()):
            signed = self._signer.read(Purpose.GATEWAY, value)
            if isinstance(signed, list) and now < signed[1] + self._asked_max_age:
                return Asked(signed[0])
        return None

    def _write(self, name: str, value: str, max_age: float | None) -> Header:
        # Lax: the browser comes back from the CAS server by a navigation that began on another site.
        return "Set-Cookie", dump_cookie(
            name,
            value,
            max_age=None if max_age is None else int(max_age),
            path=self._path,
            secure=self._secure,
            httponly=True,
            samesite="Lax",
            max_size=0,
        )
