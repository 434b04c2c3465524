"""The addresses at which applications validate tickets: CAS 1.0, 2.0 and 3.0 (CAS protocol 2.4 to 2.6)."""

from __future__ import annotations

from contextlib import suppress

from casduo.endpoints.base import Endpoint, Server
from casduo.errors import BadRequest
from casduo.events.model import Subject, TicketValidated, ValidationRefused
from casduo.protocol import responses
from casduo.protocol.errors import InvalidRequest, NotApproved, ProtocolError
from casduo.protocol.failures import Attempt, noted
from casduo.protocol.validation import (
    Format,
    ValidatedTicket,
    ValidationRequest,
    format_asked,
    read_format,
    read_request,
)
from casduo.request import Request
from casduo.services.model import Protocol
from casduo.web import Reply

_SPOKEN = {
    "/validate": "cas1",
    "/serviceValidate": "cas2",
    "/proxyValidate": "cas2",
    "/samlValidate": "saml1",
    "/proxy": "proxy",
}
"""Protocols by address; all others, our own pages among them, speak CAS 3.0."""


def validate(server: Server, request: Request) -> Reply:
    """``/validate``: CAS 1.0."""
    try:
        asked = read_request(request.parameters, server.parts.services.current(), "cas1")
        validated = validated_ticket(server, request, asked)
    except (ProtocolError, BadRequest) as error:
        return refuse_cas1(server, request, _refused(server, request, error))
    return server.web.machine(responses.cas1_success(validated.released.user), responses.TEXT_TYPE)


def refuse_cas1(server: Server, request: Request, failure: ProtocolError) -> Reply:
    """Tell a failure as CAS 1.0 does, which knows only one."""
    return server.web.machine(responses.cas1_failure(), responses.TEXT_TYPE)


def validation(protocol: Protocol, *, proxies: bool) -> Endpoint:
    """Return the endpoint that validates by ``protocol``, ``cas2`` or ``cas3``.

    :param proxies: whether it takes proxy tickets too
    """

    def endpoint(server: Server, request: Request) -> Reply:
        try:
            wanted = read_format(request.parameters)
            registry = server.parts.services.current()
            asked = read_request(request.parameters, registry, protocol, proxies_accepted=proxies)
            validated = validated_ticket(server, request, asked)
        except (ProtocolError, BadRequest) as error:
            return refuse(server, request, _refused(server, request, error))
        with_attributes = protocol == "cas3" or server.validation.cas2_attributes
        if wanted is Format.JSON:
            body = responses.json_success(validated, with_attributes=with_attributes)
            return server.web.machine(body, responses.JSON_TYPE)
        return server.web.machine(responses.xml_success(validated, with_attributes=with_attributes), responses.XML_TYPE)

    return endpoint


def refuse(server: Server, request: Request, failure: ProtocolError) -> Reply:
    """Tell a failure in the format that was asked for, as far as that can be made out."""
    if format_of(request) is Format.JSON:
        return server.web.machine(responses.json_failure(failure), responses.JSON_TYPE)
    return server.web.machine(responses.xml_failure(failure), responses.XML_TYPE)


def format_of(request: Request) -> Format:
    """Return the format that a request asks for, also one that cannot be read as a whole."""
    try:
        return read_format(request.parameters)
    except ProtocolError:
        return Format.XML
    except BadRequest:
        return format_asked(request.environ.get("QUERY_STRING", ""))


def validated_ticket(server: Server, request: Request, asked: ValidationRequest) -> ValidatedTicket:
    """Validate a ticket and take note of it.

    :raises ProtocolError: the failure to answer with
    """
    parts = server.parts
    validated = parts.validator.validate(asked, parts.services.current(), request.now)
    subject = request.subject(validated.session.principal_id, validated.service.id)
    parts.journal.write(TicketValidated(subject, ticket=asked.ticket.masked, protocol=asked.protocol))
    return validated


def note_failure(
    server: Server, request: Request, error: ProtocolError | BadRequest, service: str, ticket: str
) -> ProtocolError:
    """Take note of a failed validation, for the log and for the owner of the service, and return it as the application
    is told.

    :param service: as it was asked for, empty for none or where it cannot be read
    :param ticket: the same
    """
    failure = _failure(error)
    endpoint = request.path.removeprefix(server.web.site.base)
    attempt = Attempt(request.now, endpoint, service, ticket, request.address, request.reference)
    refusal = noted(failure, attempt, server.parts.services.current())
    server.parts.failures.note(refusal)
    return note_refusal(server, request, failure, refusal.service_id)


def note_refusal(
    server: Server, request: Request, error: ProtocolError | BadRequest, service_id: str = ""
) -> ProtocolError:
    """Take note of a refusal and return it as the application is told."""
    failure = _failure(error)
    subject = request.subject(service=service_id)
    if isinstance(failure, NotApproved):
        subject = request.subject(failure.principal, failure.service)
        note_violation(server, subject, failure, request.now)
    spoken = _SPOKEN.get(request.path.removeprefix(server.web.site.base), "cas3")
    server.parts.journal.write(ValidationRefused(subject, code=failure.code, why=failure.why, protocol=spoken))
    return failure


def note_violation(server: Server, subject: Subject, failure: NotApproved, now: float) -> None:
    """Take note, once for each request, that somebody uses a service outside the time that was approved."""
    parts = server.parts
    violation = parts.approvals.warn_outside(subject, failure.standing, parts.rules.approvals.zone, now)
    if violation is not None:
        parts.journal.note(violation)


def _failure(error: ProtocolError | BadRequest) -> ProtocolError:
    return error if isinstance(error, ProtocolError) else InvalidRequest(error.reason)


def _refused(server: Server, request: Request, error: ProtocolError | BadRequest) -> ProtocolError:
    service = ticket = ""
    with suppress(BadRequest):
        service, ticket = request.parameters.get("service", ""), request.parameters.get("ticket", "")
    return note_failure(server, request, error, service, ticket)
