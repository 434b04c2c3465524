"""Proxy tickets: what a service asks for in a person's name, and whether it gets it (CAS protocol 2.7)."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.errors import MalformedService
from casduo.protocol.entitlement import EntitlementRules, Standings, check_access, check_approval, check_duo
from casduo.protocol.errors import (
    InvalidAuthenticationContext,
    InvalidRequest,
    InvalidTicket,
    UnauthorizedService,
    faults_as_internal_error,
)
from casduo.protocol.parameters import Parameters
from casduo.services.freshness import good_enough
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.urls import ServiceUrl, parse_service
from casduo.tickets.ids import TicketId, TicketKind, parse_ticket_id
from casduo.tickets.model import FoundProxyGranting
from casduo.tickets.registry import TicketRegistry


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """A request that could be read: who asks, and for which service; ``target_text`` as it was sent."""

    granting: TicketId
    target: ServiceUrl
    target_text: str


@dataclass(frozen=True, slots=True)
class ProxyGrant:
    """A proxy ticket that was granted, for whom it stands, who asked, and for which service."""

    ticket: TicketId
    principal_id: str
    owner: RegisteredService
    target: RegisteredService


def read_proxy_request(parameters: Parameters, registry: Registry) -> ProxyRequest:
    """Read what is asked, without touching any ticket.

    :raises InvalidRequest: ``pgt`` or ``targetService`` missing or malformed
    :raises InvalidTicket: the ticket cannot be one of ours
    """
    granting, target = parameters.get("pgt", ""), parameters.get("targetService", "")
    if not granting.strip() or not target.strip():
        raise InvalidRequest("pgt or targetService missing")
    try:
        url = parse_service(target, registry.schemes)
    except MalformedService as error:
        raise InvalidRequest(f"targetService malformed: {error.reason}") from error
    ticket_id = parse_ticket_id(granting)
    if ticket_id is None or ticket_id.kind is not TicketKind.PROXY_GRANTING:
        raise InvalidTicket("not a proxy-granting ticket of this server")
    return ProxyRequest(ticket_id, url, target)


def judge_proxy(
    request: ProxyRequest, found: FoundProxyGranting | None, registry: Registry, now: float, rules: EntitlementRules
) -> tuple[RegisteredService, RegisteredService]:
    """Decide whether a proxy ticket is granted, and return the entries of who asks and of the target.

    Both are looked up anew: the registry may have changed since the proxy-granting ticket was given.

    :raises ProtocolError: the failure to answer with
    """
    if found is None:
        raise InvalidTicket("unknown or expired proxy-granting ticket")
    if found.session is None:
        raise InvalidTicket("the session has ended")
    owner = registry.by_id(found.ticket.service_id)
    if owner is None or not owner.enabled or not owner.proxy.allow:
        raise UnauthorizedService(f"{found.ticket.service_id} may not proxy (any more)")
    target = registry.find(request.target)
    if target is None or not target.enabled or target.channel != "browser":
        raise UnauthorizedService("the target is not registered or disabled")
    if owner.proxy.targets and target.id not in owner.proxy.targets:
        raise UnauthorizedService(f"{target.id} is not among the targets of {owner.id}")
    session, address = found.session, found.ticket.address or found.session.address
    check_access(target, session, address, now, rules)
    if not good_enough(target, session, now):
        raise UnauthorizedService("the target wants a newer session than this one")
    try:
        # What a login would ask Duo for again, nobody is here to answer.
        check_duo(target, session, address, now, rules, fresh=True)
    except InvalidAuthenticationContext as error:
        raise UnauthorizedService(error.why) from error
    return owner, target


class Proxying:
    """Grants proxy tickets from one registry of tickets.

    :param standings: how people stand with services that somebody has to approve
    """

    def __init__(self, tickets: TicketRegistry, rules: EntitlementRules, standings: Standings) -> None:
        self._tickets = tickets
        self._rules = rules
        self._standings = standings

    def grant(self, request: ProxyRequest, registry: Registry, now: float) -> ProxyGrant:
        """Grant a proxy ticket. Two round trips, and one for each of the two services that needs an approval; the last
        one looks again whether the session lives.

        :raises ProtocolError: the failure to answer with; storage faults are ``InternalError``
        """
        with faults_as_internal_error("granting a proxy ticket"):
            found = self._tickets.find_proxy_granting(request.granting)
            owner, target = judge_proxy(request, found, registry, now, self._rules)
            assert found is not None
            assert found.session is not None
            # Who asks was given its leave while it was open; it has to be open still.
            check_approval(owner, found.session, now, self._standings)
            permit = check_approval(target, found.session, now, self._standings)
            ticket = self._tickets.grant_proxy_ticket(
                request.granting, found.ticket, request.target_text, target.id, now, permit
            )
        if ticket is None:
            raise InvalidTicket("the session ended in between")
        return ProxyGrant(ticket, found.session.principal_id, owner, target)
