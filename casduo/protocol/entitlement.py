"""Whether the person of a session may use a service: what validating a ticket and asking for a proxy ticket share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from casduo.mfa.policy import owed
from casduo.mfa.strength import UNAVAILABLE, Strength
from casduo.protocol.errors import InvalidAuthenticationContext, UnauthorizedService
from casduo.services.access import decide
from casduo.services.model import DuoRule, RegisteredService
from casduo.tickets.model import TicketGrantingTicket

FailMode = Literal["closed", "open"]


@dataclass(frozen=True, slots=True)
class EntitlementRules:
    """What the settings say: which attributes hold groups, and what a service without a fail mode of its own does while
    Duo cannot be reached.
    """

    group_attributes: tuple[str, ...]
    duo_fail: FailMode = "closed"


def check_access(
    entry: RegisteredService, session: TicketGrantingTicket, address: str, now: float, rules: EntitlementRules
) -> None:
    """Apply the access rules of ``entry`` to the person.

    :param address: where the browser was
    :param now: epoch seconds
    :raises UnauthorizedService: one is not met
    """
    access = decide(entry.access, session.attributes, address, now, group_attributes=rules.group_attributes)
    if not access.allowed:
        raise UnauthorizedService(f"access rule: {access.reason}", "access")


def check_duo(
    entry: RegisteredService, session: TicketGrantingTicket, address: str, now: float, rules: EntitlementRules
) -> bool:
    """Say whether ``entry`` requires Duo of the person.

    :raises InvalidAuthenticationContext: it does, and the session has none
    """
    strength = session.strength
    duo = owed(entry.duo_rule, session.attributes, address, strength, now, group_attributes=rules.group_attributes)
    if duo.required and not _counts(strength, entry.duo_rule, rules.duo_fail):
        raise InvalidAuthenticationContext(f"the service requires Duo and the session has: {strength.level}")
    return duo.required


def _counts(strength: Strength, rule: DuoRule | None, duo_fail: FailMode) -> bool:
    """Say whether a session of this strength may have got a ticket where Duo is required.

    A login without Duo, where Duo could not be asked, is good for services that fail open and for no other one: the
    registry may demand Duo since the ticket was granted.
    """
    if strength.level == "bypassed" and strength.why == UNAVAILABLE:
        return ((rule.fail if rule is not None else None) or duo_fail) == "open"
    return strength.level != "none"
