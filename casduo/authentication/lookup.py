"""The interface of a store that can say who somebody is without a password: a capability that some handlers have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from casduo.authentication.model import Principal, Reason
from casduo.errors import CasduoError, UpstreamError


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody a store knows.

    :param principal: as a sign-in would make it.
    :param refusal: why the store would refuse even the right password; None when it sees no reason now.
    :param judged: whether the store has looked for such reasons. Directories do so only while a password is checked.
    """

    principal: Principal
    refusal: Reason | None = None
    judged: bool = True


class CannotLookUp(CasduoError):
    """A store that answers, and cannot say who this is without the password. ``handler`` names it, ``detail`` is a
    sentence for administrators, never for a page.
    """

    code: ClassVar[str] = "LOOKUP"

    def __init__(self, handler: str, detail: str) -> None:
        super().__init__(f"{handler}: {detail}")
        self.handler = handler
        self.detail = detail


@runtime_checkable
class PrincipalLookup(Protocol):
    """A store that can be asked about people. It proves nothing: for administrators, never part of a sign-in."""

    @property
    def name(self) -> str:
        """The handler's name."""

    def lookup(self, username: str, now: float) -> KnownPerson | None:
        """Return the person whom a sign-in with ``username`` would be about; None when the store knows nobody.

        :param username: as the sign-in form would pass it on.
        :param now: epoch seconds.
        :raises CannotLookUp: the store has no answer without the password, or more than one.
        :raises casduo.errors.UpstreamError: the store could not be asked.
        """


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What asking a chain of stores came to.

    :param person: whom the first store that knows the name knows; None for nobody.
    :param handler: that store's name, empty for nobody.
    :param unasked: a sentence for every store that could not say.
    """

    person: KnownPerson | None
    handler: str
    unasked: tuple[str, ...]


def look_up(handlers: Iterable[object], names: Iterable[str], username: str, now: float) -> LookedUp:
    """Ask the stores in the order of ``names`` who ``username`` is, as a sign-in asks them: the first one that knows
    the name decides, and one that is down is passed over. One that answers and cannot say who it is ends the search,
    for it ends a sign-in too.

    :param handlers: the stores there are; only those in ``names`` are asked, and not all of them can look people up.
    :param now: epoch seconds.
    """
    able = {handler.name: handler for handler in handlers if isinstance(handler, PrincipalLookup)}
    unasked: list[str] = []
    for name in names:
        if name not in able:
            unasked.append(f"{name}: handlers of this kind know nobody without the password")
            continue
        try:
            person = able[name].lookup(username, now)
        except CannotLookUp as error:
            unasked.append(str(error))
            break
        except UpstreamError as error:
            unasked.append(str(error))
            continue
        if person is not None:
            return LookedUp(person, name, tuple(unasked))
    return LookedUp(None, "", tuple(unasked))
