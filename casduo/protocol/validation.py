"""Validating a ticket: what is asked, in the order the protocol lays down, and what an application then knows.

``judge`` decides and is pure; ``Validator`` takes the ticket first, in one atomic step, and only then lets it be
judged: a ticket is good for one attempt, failed or not (CAS protocol 3.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from casduo.errors import MalformedService, UpstreamError
from casduo.mfa.policy import owed
from casduo.mfa.strength import UNAVAILABLE, Strength
from casduo.protocol.errors import (
    InternalError,
    InvalidAuthenticationContext,
    InvalidRequest,
    InvalidService,
    InvalidTicket,
    InvalidTicketSpec,
    NotFromNewLogin,
    ProtocolError,
    UnauthorizedService,
    UnauthorizedServiceProxy,
)
from casduo.protocol.parameters import Parameters
from casduo.services.access import decide
from casduo.services.index import Registry
from casduo.services.model import DuoRule, RegisteredService
from casduo.services.release import Released, UsernameUnfit, release
from casduo.services.urls import ServiceUrl, first_difference, parse_service, same_service
from casduo.tickets.ids import TicketId, TicketKind, parse_ticket_id
from casduo.tickets.model import TakenTicket, TicketGrantingTicket
from casduo.tickets.registry import TicketRegistry

FailMode = Literal["closed", "open"]


class Format(Enum):
    """How the answer is written."""

    XML = "XML"
    JSON = "JSON"


@dataclass(frozen=True, slots=True)
class ValidationRequest:
    """A request that could be read: its parts, not yet judged."""

    service: ServiceUrl
    ticket: TicketId
    renew: bool
    proxy_callback: str


@dataclass(frozen=True, slots=True)
class ValidatedTicket:
    """A ticket that passed every check. One can only hold one if it did.

    ``session`` is who signed in and how; ``released`` what this service may know of it.
    """

    service: RegisteredService
    session: TicketGrantingTicket
    released: Released
    primary: bool
    duo_required: bool


def read_format(parameters: Parameters) -> Format:
    """Return the format asked for, XML by default.

    :raises InvalidRequest: a format the protocol does not know; the ticket stays untouched
    """
    asked = parameters.get("format", "").strip().upper()
    if asked in ("", "XML"):
        return Format.XML
    if asked == "JSON":
        return Format.JSON
    raise InvalidRequest("unknown format")


def read_request(parameters: Parameters, registry: Registry) -> ValidationRequest:
    """Read what is asked, without touching any ticket. The registry says which schemes exist besides http and https.

    :raises InvalidRequest: ``service`` or ``ticket`` missing or malformed
    :raises InvalidTicket: the ticket cannot be one of ours
    """
    service, ticket = parameters.get("service", ""), parameters.get("ticket", "")
    if not service.strip() or not ticket.strip():
        raise InvalidRequest("service or ticket missing")
    try:
        url = parse_service(service, registry.schemes)
    except MalformedService as error:
        raise InvalidRequest(f"service malformed: {error.reason}") from error
    ticket_id = parse_ticket_id(ticket)
    if ticket_id is None or ticket_id.kind not in (TicketKind.SERVICE, TicketKind.PROXY):
        raise InvalidTicket("not a ticket of this server")
    return ValidationRequest(url, ticket_id, parameters.flag("renew"), parameters.get("pgtUrl", ""))


def judge(
    request: ValidationRequest,
    taken: TakenTicket | None,
    registry: Registry,
    now: float,
    *,
    group_attributes: tuple[str, ...],
    duo_fail: FailMode = "closed",
) -> ValidatedTicket:
    """Decide about a ticket that has been taken. The first check that fails decides (CAS protocol 2.5.3).

    :param taken: what the registry gave up for the ticket, ``None`` for nothing
    :param now: epoch seconds
    :param duo_fail: what a service without a fail mode of its own does while Duo cannot be reached
    :raises ProtocolError: the failure to answer with
    """
    if taken is None:
        raise InvalidTicket("unknown, expired or used before")
    if request.ticket.kind is TicketKind.PROXY:
        raise InvalidTicketSpec("proxy ticket at an endpoint for service tickets")
    entry = registry.find(request.service)
    level = entry.service_match if entry is not None else "canonical"
    if not same_service(taken.ticket.service, request.service, level):
        raise InvalidService(_difference(taken.ticket.service, request.service, registry.schemes))
    if entry is None or not entry.enabled:
        raise UnauthorizedService("not registered or disabled")
    if entry.id != taken.ticket.service_id:
        # The rules of one entry let the person in; they say nothing about another entry.
        raise InvalidService(f"granted for entry {taken.ticket.service_id}, presented for {entry.id}")
    if taken.session is None:
        raise InvalidTicket("the session ended in between")
    session, address = taken.session, taken.ticket.address or taken.session.address
    access = decide(entry.access, session.attributes, address, now, group_attributes=group_attributes)
    if not access.allowed:
        raise UnauthorizedService(f"access rule: {access.reason}")
    if request.renew and not taken.ticket.primary:
        raise NotFromNewLogin("renew was asked for")
    duo = owed(
        entry.duo_rule,
        session.attributes,
        address,
        session.strength,
        now,
        group_attributes=group_attributes,
    )
    if duo.required and not _counts(session.strength, entry.duo_rule, duo_fail):
        raise InvalidAuthenticationContext(f"the service requires Duo and the session has: {session.strength.level}")
    if request.proxy_callback:
        raise UnauthorizedServiceProxy("the service may not proxy")
    try:
        released = release(entry, session.principal_id, session.attributes)
    except UsernameUnfit as error:
        raise UnauthorizedService(str(error)) from error
    return ValidatedTicket(entry, session, released, taken.ticket.primary, duo.required)


class Validator:
    """Validates tickets against one registry of tickets."""

    def __init__(
        self, tickets: TicketRegistry, group_attributes: tuple[str, ...], duo_fail: FailMode = "closed"
    ) -> None:
        self._tickets = tickets
        self._group_attributes = group_attributes
        self._duo_fail = duo_fail

    def validate(self, request: ValidationRequest, registry: Registry, now: float) -> ValidatedTicket:
        """Take the ticket and judge it. One round trip.

        :raises ProtocolError: the failure to answer with; storage faults are ``InternalError``
        """
        try:
            taken = self._tickets.take(request.ticket)
            return judge(
                request, taken, registry, now, group_attributes=self._group_attributes, duo_fail=self._duo_fail
            )
        except ProtocolError:
            raise
        except UpstreamError as error:
            raise InternalError(str(error)) from error
        except Exception as error:
            # The class only: the text of an unexpected error may hold anything.
            raise InternalError(f"{type(error).__name__} while validating") from error


def _counts(strength: Strength, rule: DuoRule | None, duo_fail: FailMode) -> bool:
    """Say whether a session of this strength may have got a ticket where Duo is required.

    A login without Duo, where Duo could not be asked, is good for services that fail open and for no other one: the
    registry may demand Duo since the ticket was granted.
    """
    if strength.level == "bypassed" and strength.why == UNAVAILABLE:
        return ((rule.fail if rule is not None else None) or duo_fail) == "open"
    return strength.level != "none"


def _difference(granted_raw: str, presented: ServiceUrl, schemes: frozenset[str]) -> str:
    try:
        granted = parse_service(granted_raw, schemes)
    except MalformedService as error:
        return f"the service of the ticket cannot be read any more: {error.reason}"
    return f"{_shown(granted)} is not {_shown(presented)}: {first_difference(granted, presented)}"


def _shown(url: ServiceUrl) -> str:
    # Query values belong to the application and may be secret.
    return f"{url.scheme}://{url.host}:{url.port}{url.path}"
