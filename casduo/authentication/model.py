"""What goes into an authentication and what comes out of it: plain values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Literal

from casduo.values import value_object

Reason = Literal[
    "wrong",
    "unknown",
    "locked",
    "disabled",
    "expired",
    "must_change",
    "not_permitted_now",
    "unavailable",
    "busy",
]
"""Why nobody was authenticated.

``wrong``, ``unknown`` and ``locked`` must look alike to the person who typed; they differ for audit and administrators.
``unavailable`` and ``busy`` say that nobody could be asked, so they must not count as a failed attempt.
"""


@value_object(frozen=True, slots=True)
class Credential:
    """What a person typed. The password shows in no representation and so in no log."""

    username: str
    password: str = field(repr=False)


@value_object(frozen=True, slots=True)
class Principal:
    """Who a person is, in the words of the store that knows them.

    :param id: the name as the store spells it, never as it was typed: ``Ada`` and ``ada`` must not become two people
        with two second factors.
    :param attributes: every attribute the store gave, before any release policy; each has at least one value. The
        mapping is copied and read-only, so that no request can change what another one sees.
    """

    id: str
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", MappingProxyType(dict(self.attributes)))


@value_object(frozen=True, slots=True)
class GraceLogins:
    """The password has run out and is still taken ``left`` times, 0 meaning that this was the last."""

    left: int


@value_object(frozen=True, slots=True)
class ExpiresIn:
    """The password runs out ``seconds`` from now."""

    seconds: int


PasswordWarning = GraceLogins | ExpiresIn
"""Something to tell a person who signed in with the right password."""


@value_object(frozen=True, slots=True)
class Authenticated:
    """The password was right and nothing speaks against the person. ``handler`` names the store that says so."""

    principal: Principal
    handler: str
    warnings: tuple[PasswordWarning, ...] = ()


@value_object(frozen=True, slots=True)
class Rejected:
    """Nobody was authenticated.

    :param reason: for audit, throttling and, if ``proved``, the page.
    :param handler: the store that decided; empty when none was asked.
    :param detail: a short fixed word or code for audit and administrators (``data 52e``), never for the page.
    :param proved: the right password was given, so the person may be told the reason. Never true for ``locked``:
        an account that says so only after the right password would go on answering the guesses it was locked against.
    """

    reason: Reason
    handler: str = ""
    detail: str = ""
    proved: bool = False


Outcome = Authenticated | Rejected
