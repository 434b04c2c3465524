"""Decides whether a person may use a service through a program: the checks of the sign-in form, and stricter ones."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.errors import MalformedService
from casduo.mfa.policy import DuoDecision
from casduo.mfa.strength import Strength
from casduo.protocol.entitlement import EntitlementRules, Standings, check_access, decide_duo
from casduo.protocol.entitlement import check_approval as approval_of
from casduo.protocol.errors import UnauthorizedService
from casduo.protocol.rest.call import NO_ADDRESS
from casduo.protocol.rest.clients import RestClient
from casduo.protocol.rest.errors import BadForm, DuoNeeded, PasswordNeeded, ServiceForbidden
from casduo.services.freshness import good_enough
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.release import UsernameUnfit, username
from casduo.services.urls import parse_service
from casduo.tickets.model import Permit, TicketGrantingTicket


@dataclass(frozen=True, slots=True)
class AskedService:
    """A registered service that a program may get tickets for; ``text`` as it was sent."""

    entry: RegisteredService
    text: str
    host: str


def find_service(text: str, client: RestClient, registry: Registry) -> AskedService:
    """Find the registry entry of ``text``, before any password is looked at.

    :raises BadForm: not a URL that a service can have
    :raises ServiceForbidden: not registered, switched off, not to be used by REST, or not by this client
    """
    try:
        url = parse_service(text, registry.schemes)
    except MalformedService as error:
        raise BadForm(f"service malformed: {error.reason}", text="service is not a URL that can be used") from error
    entry = registry.find(url)
    if entry is None or entry.channel != "browser":
        raise ServiceForbidden("unregistered", url.host)
    if not entry.enabled:
        raise ServiceForbidden("disabled", url.host)
    if "rest" not in entry.protocols:
        raise ServiceForbidden("the entry does not allow rest", url.host)
    if not client.may_use(entry.id):
        raise ServiceForbidden("not among the services of the client", url.host)
    return AskedService(entry, text, url.host)


def check_person(
    asked: AskedService, session: TicketGrantingTicket, address: str, now: float, rules: EntitlementRules
) -> None:
    """Apply the access rules of the service to the person, and see whether it could be told a name.

    :param address: where the program runs
    :param now: epoch seconds
    :raises ServiceForbidden: one is not met
    """
    try:
        check_access(asked.entry, session, address, now, rules)
        username(asked.entry, session.principal_id, session.attributes)
    except UnauthorizedService as error:
        raise ServiceForbidden(error.why, asked.host) from error
    except UsernameUnfit as error:
        raise ServiceForbidden(str(error), asked.host) from error


def check_approval(
    asked: AskedService, session: TicketGrantingTicket, now: float, standings: Standings
) -> Permit | None:
    """Return by which approval the service is open to the person, ``None`` where it needs none. Programs cannot ask for
    one: a person has asked in a browser before.

    :raises ServiceForbidden: it is not open
    """
    try:
        return approval_of(asked.entry, session, now, standings)
    except UnauthorizedService as error:
        raise ServiceForbidden(error.why, asked.host) from error


def check_freshness(asked: AskedService, session: TicketGrantingTicket, now: float) -> None:
    """See whether the service takes the session without a new password.

    :raises PasswordNeeded: it does not
    """
    if not good_enough(asked.entry, session, now):
        raise PasswordNeeded()


def check_duo(
    asked: AskedService, session: TicketGrantingTicket, strength: Strength, now: float, rules: EntitlementRules
) -> DuoDecision:
    """See whether the service requires Duo and the session has none that counts, and return the decision.

    Nothing but a real Duo authentication pays. That a service may be entered without Duo, because Duo cannot be reached
    (``fail: open``), the person has no device (``mode: optional``) or the browser is trusted, is for people at a
    browser, who would otherwise stand before a closed door; here it never holds.

    :param strength: what the session has, or has just got
    :raises DuoNeeded: it does
    """
    decision = decide_duo(asked.entry, session.attributes, NO_ADDRESS, strength, now, rules, trust=False)
    if decision.owed:
        raise DuoNeeded("; ".join(decision.reasons))
    return decision
