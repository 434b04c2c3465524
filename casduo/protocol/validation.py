"""Validating a ticket: what is asked, in the order the protocol lays down, and what an application then knows.

``judge`` decides and is pure; ``Validator`` takes the ticket first, in one atomic step, and only then lets it be
judged: a ticket is good for one attempt, failed or not (CAS protocol 3.1.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Protocol as Interface

from casduo.errors import MalformedService
from casduo.protocol.entitlement import DuoStanding, EntitlementRules, check_access, check_duo, check_permit
from casduo.protocol.errors import (
    InvalidRequest,
    InvalidService,
    InvalidTicket,
    InvalidTicketSpec,
    NotFromNewLogin,
    ProtocolError,
    UnauthorizedService,
    UnauthorizedServiceProxy,
    faults_as_internal_error,
)
from casduo.protocol.mismatch import compare, other_entry
from casduo.protocol.parameters import Parameters
from casduo.services.freshness import good_enough
from casduo.services.index import Registry
from casduo.services.model import Protocol, ProxyRule, RegisteredService
from casduo.services.pairwise import PairwiseIds
from casduo.services.release import Released, UsernameUnfit, release
from casduo.services.urls import ServiceUrl, parse_service, same_service
from casduo.store import Batch
from casduo.tickets.ids import TicketId, TicketKind, new_proxy_granting, parse_ticket_id
from casduo.tickets.model import TakenTicket, TicketGrantingTicket
from casduo.tickets.registry import TicketRegistry
from casduo.values import value_object


class Format(Enum):
    """How the answer is written."""

    XML = "XML"
    JSON = "JSON"


@value_object(frozen=True, slots=True)
class ValidationRequest:
    """A request that could be read: its parts, not yet judged.

    ``protocol`` is the one the endpoint speaks, ``proxies_accepted`` whether it takes proxy tickets too,
    ``proxy_callback`` the ``pgtUrl``, empty for none.
    """

    service: ServiceUrl
    ticket: TicketId
    renew: bool
    proxy_callback: str
    protocol: Protocol
    proxies_accepted: bool = False


@value_object(frozen=True, slots=True)
class ValidatedTicket:
    """A ticket that passed every check. One can only hold one if it did.

    ``session`` is who signed in and how; ``released`` what this service may know of it; ``duo`` how the session stands
    with Duo as far as this service goes; ``proxies`` the chain that a proxy ticket came through, newest first; ``iou``
    stands for the proxy-granting ticket that the service was given.
    """

    service: RegisteredService
    session: TicketGrantingTicket
    released: Released
    primary: bool
    duo: DuoStanding
    proxies: tuple[str, ...] = ()
    iou: str = ""


class Callback(Interface):
    """Brings a proxy-granting ticket to the service that asked for one."""

    def deliver(self, url_text: str, pgt: str, iou: str, rule: ProxyRule) -> None:
        """Call ``url_text`` once and return when it has taken the ticket.

        :raises InvalidProxyCallback: the registry does not allow the address, or it did not take the ticket
        """
        ...


def read_format(parameters: Parameters) -> Format:
    """Return the format asked for, XML by default.

    :raises InvalidRequest: a format the protocol does not know; the ticket stays untouched
    """
    asked = parameters.get("format", "").strip().upper()
    if asked in ("", "XML"):
        return Format.XML
    if asked == "JSON":
        return Format.JSON
    raise InvalidRequest("unknown format", "format")


def format_asked(query: str) -> Format:
    """Return the format that a query asks for which as a whole may not be readable."""
    asked = [pair[7:].upper() for pair in query.split("&") if pair.startswith("format=")]
    return Format.JSON if asked[:1] == ["JSON"] else Format.XML


def read_request(
    parameters: Parameters, registry: Registry, protocol: Protocol, *, proxies_accepted: bool = False
) -> ValidationRequest:
    """Read what is asked, without touching any ticket. The registry says which schemes exist besides http and https.

    :param protocol: the one the endpoint speaks; CAS 1.0 and SAML 1.1 know no proxying
    :param proxies_accepted: whether the endpoint takes proxy tickets

    :raises InvalidRequest: ``service`` or ``ticket`` missing or malformed
    :raises InvalidTicket: the ticket cannot be one of ours
    """
    service, ticket = parameters.get("service", ""), parameters.get("ticket", "")
    if not service.strip() or not ticket.strip():
        raise InvalidRequest("service or ticket missing", "incomplete")
    url = _url(service, registry)
    callback = parameters.get("pgtUrl", "") if protocol in ("cas2", "cas3") else ""
    return ValidationRequest(url, _ticket(ticket), parameters.flag("renew"), callback, protocol, proxies_accepted)


def read_saml_request(parameters: Parameters, artifact: str, registry: Registry) -> ValidationRequest:
    """Read what a SAML request asks: the service is ``TARGET`` in the query, the ticket the artifact of the message.

    :raises InvalidRequest: ``TARGET`` missing or malformed
    :raises InvalidTicket: the ticket cannot be one of ours
    """
    target = parameters.get("TARGET", "")
    if not target.strip():
        raise InvalidRequest("TARGET missing", "incomplete")
    return ValidationRequest(_url(target, registry), _ticket(artifact), parameters.flag("renew"), "", "saml1")


def _url(service: str, registry: Registry) -> ServiceUrl:
    try:
        return parse_service(service, registry.schemes)
    except MalformedService as error:
        raise InvalidRequest(f"service malformed: {error.reason}", "malformed") from error


def _ticket(ticket: str) -> TicketId:
    ticket_id = parse_ticket_id(ticket)
    if ticket_id is None or ticket_id.kind not in (TicketKind.SERVICE, TicketKind.PROXY):
        raise InvalidTicket("not a ticket of this server", "foreign")
    return ticket_id


def judge(
    request: ValidationRequest,
    taken: TakenTicket | None,
    registry: Registry,
    now: float,
    rules: EntitlementRules,
    pairwise: PairwiseIds | None = None,
) -> ValidatedTicket:
    """Decide about a ticket that has been taken. The first check that fails decides (CAS protocol 2.5.3).

    :param taken: what the registry gave up for the ticket, ``None`` for nothing
    :param now: epoch seconds
    :param pairwise: makes pairwise ids, for entries that want them
    :raises ProtocolError: the failure to answer with
    """
    if taken is None:
        raise InvalidTicket("unknown, expired or used before")
    if request.ticket.kind is TicketKind.PROXY and not request.proxies_accepted:
        raise InvalidTicketSpec("proxy ticket at an endpoint for service tickets")
    entry = registry.find(request.service)
    level = entry.service_match if entry is not None else "canonical"
    if not same_service(taken.ticket.service, request.service, level):
        ticket = taken.ticket
        mismatch = compare(ticket.service, request.service, ticket.service_id, registry.schemes)
        raise InvalidService(mismatch=mismatch)
    if entry is None:
        raise UnauthorizedService("not registered", "unregistered", taken.ticket.service_id)
    if not entry.enabled:
        raise UnauthorizedService("disabled", "disabled")
    if entry.id != taken.ticket.service_id:
        # The rules of one entry let the person in; they say nothing about another entry.
        raise InvalidService(mismatch=other_entry(request.service, taken.ticket.service_id, entry.id))
    if request.protocol not in entry.protocols:
        raise UnauthorizedService(f"the entry does not allow {request.protocol}", "protocol")
    if request.protocol == "saml1" and request.service.scheme != "https" and not entry.allow_http_saml:
        # Attributes would cross the network in the clear (CAS protocol 2.8.3).
        raise UnauthorizedService("SAML attributes are not told to plain http; see allow_http_saml", "plain_http")
    if taken.session is None:
        raise InvalidTicket("the session ended in between", "ended")
    session, address = taken.session, taken.ticket.address or taken.session.address
    check_access(entry, session, address, now, rules)
    check_permit(entry, session, taken.ticket.permit, now)
    if request.renew and not taken.ticket.primary:
        raise NotFromNewLogin("renew was asked for")
    if not taken.ticket.primary and not good_enough(entry, session, now):
        raise NotFromNewLogin("the service wants a newer session than this one", "stale")
    duo = check_duo(entry, session, address, now, rules)
    if request.proxy_callback and not entry.proxy.allow:
        raise UnauthorizedServiceProxy("the service may not proxy")
    try:
        released = release(entry, session.principal_id, session.attributes, pairwise=pairwise)
    except UsernameUnfit as error:
        raise UnauthorizedService(str(error), "username") from error
    return ValidatedTicket(entry, session, released, taken.ticket.primary, duo, taken.ticket.proxies)


class Validator:
    """Validates tickets against one registry of tickets.

    :param callback: who brings proxy-granting tickets to services
    :param later: takes writes that nobody waits for
    :param pairwise: makes pairwise ids
    """

    def __init__(
        self,
        tickets: TicketRegistry,
        rules: EntitlementRules,
        callback: Callback,
        later: Callable[[Callable[[Batch], None]], None],
        pairwise: PairwiseIds | None = None,
    ) -> None:
        self._tickets = tickets
        self._rules = rules
        self._callback = callback
        self._later = later
        self._pairwise = pairwise

    def validate(self, request: ValidationRequest, registry: Registry, now: float) -> ValidatedTicket:
        """Take the ticket and judge it: one round trip, and one more where a proxy-granting ticket is given.

        The callback comes last: nobody makes this server call an address by a ticket that is not good.

        :raises ProtocolError: the failure to answer with; storage faults are ``InternalError``
        """
        with faults_as_internal_error("validating"):
            taken = self._tickets.take(request.ticket)
            try:
                validated = judge(request, taken, registry, now, self._rules, self._pairwise)
                if request.proxy_callback and taken is not None:
                    return self._with_proxy_granting(request, taken, validated, now)
            except ProtocolError:
                self._forget(request, taken)
                raise
            return validated

    def _with_proxy_granting(
        self, request: ValidationRequest, taken: TakenTicket, validated: ValidatedTicket, now: float
    ) -> ValidatedTicket:
        url = request.proxy_callback
        pgt, iou = new_proxy_granting(request.ticket)
        self._callback.deliver(url, str(pgt), iou, validated.service.proxy)
        # Stored when it has arrived: one that nobody holds need not exist.
        if not self._tickets.grant_proxy_granting(pgt, taken.ticket, (url, *taken.ticket.proxies), now):
            raise InvalidTicket("the session ended in between", "ended")
        return replace(validated, iou=iou)

    def _forget(self, request: ValidationRequest, taken: TakenTicket | None) -> None:
        """A service that was refused has no session to end."""
        if taken is not None and taken.session is not None:
            ticket = taken.ticket
            self._later(lambda batch: self._tickets.forget_visit(batch, request.ticket, ticket))
