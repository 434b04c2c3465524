"""Whether the person of a session may use a service: what validating a ticket, asking for a proxy ticket and the REST
protocol share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from casduo.approvals.model import Line, Standing
from casduo.mfa.policy import DuoDecision, owed
from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, UNENROLLED, Strength
from casduo.mfa.terms import DuoDefaults
from casduo.protocol.errors import InvalidAuthenticationContext, NotApproved, UnauthorizedService
from casduo.services.access import Attributes, decide
from casduo.services.model import RegisteredService
from casduo.tickets.model import Permit, TicketGrantingTicket
from casduo.values import value_object

Standings = Callable[[str, str, float], Standing]
"""Tells how a person (principal id) stands with a service (registry id) at a moment, in one round trip."""

_OUTAGE = 300.0
"""Seconds for which a login that went without Duo, because Duo was down, is good for proxy tickets."""


@dataclass(frozen=True, slots=True)
class EntitlementRules:
    """What the settings say: which attributes hold groups, and how Duo is asked where a service does not say."""

    group_attributes: tuple[str, ...]
    duo: DuoDefaults = field(default_factory=DuoDefaults)


@value_object(frozen=True, slots=True)
class DuoStanding:
    """How a session that may use a service stands with Duo, for the service to be told.

    :param required: the registry demands Duo of the person
    :param confirmed: Duo said yes, by the application and at a time that are good enough for the service
    :param why: of a service that requires Duo and was entered without, why that was; empty where nobody knows
    """

    required: bool = False
    confirmed: bool = False
    why: str = ""

    @property
    def bypassed(self) -> bool:
        """Whether Duo was due and did not happen."""
        return self.required and not self.confirmed


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


def check_approval(
    entry: RegisteredService, session: TicketGrantingTicket, now: float, standings: Standings
) -> Permit | None:
    """Return by which approval ``entry`` is open to the person, ``None`` where it needs none.

    :raises NotApproved: somebody has to approve, and has not, or not for now
    """
    if entry.requires_approval is None:
        return None
    standing = standings(session.principal_id, entry.id, now)
    if standing.is_open and standing.line is not None:
        return Permit(standing.line.request, standing.line.end)
    raise NotApproved(session.principal_id, entry.id, standing)


def check_permit(entry: RegisteredService, session: TicketGrantingTicket, permit: Permit | None, now: float) -> None:
    """See whether a ticket that was granted by an approval still counts.

    :raises NotApproved: somebody has to approve, and has not, or not for now
    """
    if entry.requires_approval is None or (permit is not None and now < permit.until):
        return
    standing = Standing("none")
    if permit is not None:
        until = permit.until
        standing = Standing("over", Line(permit.request, "approved", until, until, until, until))
    raise NotApproved(session.principal_id, entry.id, standing)


def decide_duo(
    entry: RegisteredService,
    attributes: Attributes,
    address: str,
    strength: Strength,
    now: float,
    rules: EntitlementRules,
    *,
    trust: bool = True,
) -> DuoDecision:
    """Decide what ``entry`` demands of a person and whether ``strength`` pays for it.

    :param address: where the browser was; empty where nobody knows
    :param now: epoch seconds
    :param trust: whether a trusted browser pays where the service takes that
    """
    rule = entry.duo_rule
    return owed(
        rule,
        attributes,
        address,
        strength,
        now,
        group_attributes=rules.group_attributes,
        trusted_browser=rules.duo.terms(rule).trusted_browser if trust else 0.0,
    )


def check_duo(
    entry: RegisteredService,
    session: TicketGrantingTicket,
    address: str,
    now: float,
    rules: EntitlementRules,
    *,
    fresh: bool = False,
) -> DuoStanding:
    """Look whether the person of a session may use ``entry`` as far as Duo goes.

    Whatever a login takes is taken here too, so that nobody is let in by the one and shut out by the other; a login
    that went without Duo is good for the services that allow such a one, and for no others.

    :param fresh: whether Duo must still be as young as the service wants it; a ticket is good without, for the login
        it comes from has looked at that
    :raises InvalidAuthenticationContext: the service requires Duo, and the session has nothing that is taken for it
    """
    strength = session.strength
    decision = decide_duo(entry, session.attributes, address, strength, now, rules)
    too_old = decision.lack == "age" and not fresh
    if decision.owed and not too_old and not _may_do_without(entry, strength, decision, now, rules, fresh=fresh):
        raise InvalidAuthenticationContext(f"the service requires Duo, but {decision.reasons[-1]}")
    # Where a login went without Duo, an older mark stays on the session, and the reason is noted beside it.
    confirmed = not decision.lack or (decision.required and too_old and not strength.why)
    return DuoStanding(decision.required, confirmed, strength.why if decision.required and not confirmed else "")


def _may_do_without(
    entry: RegisteredService,
    strength: Strength,
    decision: DuoDecision,
    now: float,
    rules: EntitlementRules,
    *,
    fresh: bool,
) -> bool:
    """Say whether a login that went without Duo may have led to this service."""
    rule = entry.duo_rule
    if fresh and rule is not None and rule.max_age is not None and now - strength.passed_over_at > rule.max_age:
        return False
    terms = rules.duo.terms(rule)
    reasons = {
        # Where nobody can be asked again, an outage is an excuse for as long as one may last, not for a whole session.
        UNAVAILABLE: terms.fail == "open" and not (fresh and now - strength.passed_over_at > _OUTAGE),
        DUO_BYPASS: terms.accept_allow,
        UNENROLLED: decision.mode == "optional",
    }
    return reasons.get(strength.why, False)
