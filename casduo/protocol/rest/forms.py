"""Reads what a program sends."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from casduo.protocol.parameters import Parameters
from casduo.protocol.rest.errors import BadForm

_SECRETS = ("username", "password", "passcode")
_SHORTEST, _LONGEST = 6, 10
"""Digits of a passcode: six in Duo Mobile and on most tokens, nine in a bypass code."""


@dataclass(frozen=True, slots=True)
class RestForm:
    """The fields of a call, empty where they are missing. ``passcode`` consists of digits."""

    service: str = ""
    renew: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    passcode: str = field(default="", repr=False)

    def require_credentials(self) -> None:
        """Insist on user name and password.

        :raises BadForm: one of them is missing
        """
        if not self.username.strip() or not self.password:
            raise BadForm(text="username and password are required")

    def require_service(self) -> None:
        """Insist on a service.

        :raises BadForm: there is none
        """
        if not self.service.strip():
            raise BadForm(text="service is required")


def read_form(parameters: Parameters, query: Container[str] = ()) -> RestForm:
    """Return the fields of a call.

    :param parameters: of query and body together
    :param query: the names of those in the query
    :raises BadForm: a password in the address, where every log on the way finds it; or a passcode that cannot be one
    """
    if any(name in query for name in _SECRETS):
        raise BadForm(text="username, password and passcode belong in the body, not in the address")
    passcode = "".join(parameters.get("passcode", "").split())
    if passcode and not (passcode.isascii() and passcode.isdecimal() and _SHORTEST <= len(passcode) <= _LONGEST):
        raise BadForm(text=f"passcode must be {_SHORTEST} to {_LONGEST} digits")
    return RestForm(
        service=parameters.get("service", ""),
        renew=parameters.flag("renew"),
        username=parameters.get("username", ""),
        password=parameters.get("password", ""),
        passcode=passcode,
    )
