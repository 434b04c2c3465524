"""Reads what a program sends."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from casduo.protocol.parameters import Parameters
from casduo.protocol.rest.errors import BadForm

_SECRETS = ("username", "password", "passcode", "push")


@dataclass(frozen=True, slots=True)
class RestForm:
    """The fields of a call, empty where they are missing.

    ``passcode`` may be one of the words of :mod:`casduo.mfa.duo.entry` as well. ``push`` is the token of a push that
    was sent for an earlier call: the one that is asked about, or, beside ``passcode``, the one that gives way to it.
    """

    service: str = ""
    renew: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    passcode: str = field(default="", repr=False)
    push: str = field(default="", repr=False)

    @property
    def second_factor(self) -> bool:
        """Whether anything is brought besides the password."""
        return bool(self.passcode or self.push)

    @property
    def about_push(self) -> bool:
        """Whether it is asked what became of a push."""
        return bool(self.push) and not self.passcode

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
    :raises BadForm: a password in the address, where every log on the way finds it
    """
    if any(name in query for name in _SECRETS):
        raise BadForm(text="username, password, passcode and push belong in the body, not in the address")
    return RestForm(
        service=parameters.get("service", ""),
        renew=parameters.flag("renew"),
        username=parameters.get("username", ""),
        password=parameters.get("password", ""),
        passcode=parameters.get("passcode", "").strip(),
        push=parameters.get("push", ""),
    )
