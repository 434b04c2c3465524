"""The kinds of event about people's own pages, one class each."""

from __future__ import annotations

from typing import ClassVar

from casduo.events.model import Event
from casduo.values import value_object


@value_object(frozen=True, slots=True)
class SignInDisowned(Event):
    """A person says of a sign-in with their name that it was not them.

    ``outcome`` is what came of that sign-in, one of :data:`casduo.account.signins.Outcome`, ``when`` its moment in ISO
    8601, ``origin`` the address it came from; ``guessed``: whoever it was did not show the password. ``sessions`` and
    ``browsers`` are how many sessions were ended and how many trusted browsers forgotten. The event itself is about the
    session in which it was said.
    """

    name: ClassVar[str] = "signin.disowned"
    level: ClassVar[str] = "warning"
    outcome: str = ""
    when: str = ""
    origin: str = ""
    guessed: bool = False
    sessions: int = 0
    browsers: int = 0


@value_object(frozen=True, slots=True)
class TrustForgotten(Event):
    """A person no longer trusts browsers of theirs, ``browsers`` of them: Duo is asked there again."""

    name: ClassVar[str] = "trust.forgotten"
    browsers: int = 1
