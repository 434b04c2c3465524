"""Links that lead from an application to enrolment and back: signed, timed, and back only ever to our own login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from casduo.signing import Purpose, Signing, TokenExpired, TokenInvalid, random_text

RETURN_PARAMETER = "return"
"""Under this name enrolment pages elsewhere are told the way back."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of ours, as it came back.

    :param name: stands for it where it is noted as used; nobody can make a link of it.
    :param asked: what the login was for; see ``Scope.asked``. Its service may hold secrets of an application.
    :param expired: it is ours, and too old.
    """

    name: str
    asked: Mapping[str, Any] = field(repr=False)
    expired: bool


class EnrollmentLinks:
    """Makes and reads the links.

    :param base: path of the server without a trailing slash, ``/cas``
    :param server_url: the server's address, ``https://sso.example.edu/cas``; a slash at its end is ignored
    :param lifetime: seconds for which a link is good
    """

    def __init__(self, signing: Signing, base: str, server_url: str, lifetime: float = 1800.0) -> None:
        self._signing = signing
        self._base = base
        self._server_url = server_url.rstrip("/")
        self.lifetime = lifetime

    def built_in(self, asked: Mapping[str, Any], now: float) -> str:
        """Return the link to our own enrolment pages, as a path of this server.

        :param asked: what the login was for, from ``Scope.asked``
        :param now: epoch seconds
        """
        return f"{self._base}/enroll/?back={self._token(asked, now)}"

    def external(self, url: str, asked: Mapping[str, Any], now: float) -> str:
        """Return ``url``, an address of the registry or the settings, with the way back added to its query.

        :param asked, now: as for :meth:`built_in`
        """
        back = quote(f"{self._server_url}/enroll/back?key={self._token(asked, now)}", safe="")
        address, mark, fragment = url.partition("#")
        glue = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
        return f"{address}{glue}{RETURN_PARAMETER}={back}{mark}{fragment}"

    def read(self, token: str, now: float) -> Link | None:
        """Return the link that ``token`` came from, ``None`` when it is none of ours."""
        expired = False
        try:
            value = self._signing.loads(Purpose.ENROLL_RETURN, token, self.lifetime, now)
        except TokenExpired as error:
            value, expired = error.value, True
        except TokenInvalid:
            return None
        match value:
            case [str(name), dict(asked)]:
                return Link(name, asked, expired)
        return None

    def _token(self, asked: Mapping[str, Any], now: float) -> str:
        # The name tells two people's links apart that were made for one application in one second.
        return self._signing.dumps(Purpose.ENROLL_RETURN, [random_text(22), dict(asked)], now)
