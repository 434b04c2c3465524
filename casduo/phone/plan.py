"""Decides what has to be done so that somebody is logged in on a phone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from casduo.ucm.model import PhoneState, same_user

PlanOutcome = Literal["done", "write", "occupied", "elsewhere", "no_device", "not_enabled"]
"""``done``: the user is logged in with that profile already, nothing is to be written. ``write``: log out, then log in.
All others are refusals: ``occupied``: somebody else is on the phone; ``elsewhere``: the user is on another phone;
``no_device``: UCM has no such phone; ``not_enabled``: nobody may log in on it.
"""


@dataclass(frozen=True, slots=True)
class LoginTerms:
    """The rules of the settings, and whether the back end has one of its own.

    :param other_user: what becomes of a login at a phone where somebody else is logged in
    :param elsewhere: what becomes of a login of somebody who is logged in at another phone; ``ucm``: as UCM decides,
        and a refusal where the back end leaves that to us
    :param has_policy: :attr:`casduo.ucm.interfaces.PhoneLogins.has_policy`
    """

    other_user: Literal["refuse", "take_over"]
    elsewhere: Literal["ucm", "allow", "refuse", "move"]
    has_policy: bool

    @property
    def looks_elsewhere(self) -> bool:
        """Whether :func:`plan` has to know on which phones the user is."""
        return self.other_phones != "allow"

    @property
    def other_phones(self) -> Literal["allow", "refuse", "move"]:
        """What we ourselves do about logins at other phones."""
        if self.elsewhere == "ucm":
            return "allow" if self.has_policy else "refuse"
        return self.elsewhere


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. ``log_out`` are the phones to log out first, in this order: the one of this login comes last, so that
    whoever is on it stays where another one fails. ``places`` are the phones that stand in the way of ``elsewhere``.
    """

    outcome: PlanOutcome
    log_out: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


def plan(state: PhoneState, elsewhere: tuple[str, ...] | None, userid: str, profile: str, terms: LoginTerms) -> Plan:
    """Return what has to be done for a login.

    Where the back end does not tell the profile in use, the user gets the one asked for.

    :param state: who is on the phone
    :param elsewhere: the phones on which the user is, this one or not; ``None`` where nobody asked
    :param userid: whose PIN was right
    :param profile: the profile to log in with
    :raises ValueError: nobody asked where the user is, although ``terms`` need it: a mistake in the caller
    """
    if not state.known:
        return Plan("no_device")
    if state.enabled is False:
        return Plan("not_enabled")
    own = same_user(state.user, userid)
    if own and state.profile == profile:
        return Plan("done")
    if state.user and not own and terms.other_user == "refuse":
        return Plan("occupied")
    others = _others(state, elsewhere) if terms.looks_elsewhere else ()
    if others and terms.other_phones == "refuse":
        return Plan("elsewhere", places=others)
    return Plan("write", others + ((state.device,) if state.user else ()))


def reached(state: PhoneState, userid: str, profile: str) -> bool:
    """Return whether a login whose answer was lost has been carried out. A profile that the back end does not tell is
    taken for the one that was just written.
    """
    return same_user(state.user, userid) and state.profile in ("", profile)


def _others(state: PhoneState, elsewhere: tuple[str, ...] | None) -> tuple[str, ...]:
    if elsewhere is None:
        raise ValueError("these terms need to know on which phones the user is")
    return tuple(device for device in elsewhere if device.upper() != state.device.upper())
