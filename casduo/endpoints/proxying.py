"""The address at which applications ask for proxy tickets (CAS protocol 2.7)."""

from __future__ import annotations

from casduo.endpoints.base import Server
from casduo.endpoints.validation import format_of, note_refusal
from casduo.errors import BadRequest
from casduo.events.model import ProxyTicketGranted
from casduo.protocol import responses
from casduo.protocol.errors import ProtocolError
from casduo.protocol.proxy import read_proxy_request
from casduo.protocol.validation import Format, read_format
from casduo.request import Request
from casduo.web import Reply


def proxy(server: Server, request: Request) -> Reply:
    """``/proxy``: a proxy ticket for a proxy-granting ticket."""
    parts = server.parts
    try:
        wanted = read_format(request.parameters)
        registry = parts.services.current()
        granted = parts.proxying.grant(read_proxy_request(request.parameters, registry), registry, request.now)
    except (ProtocolError, BadRequest) as error:
        return refuse(server, request, note_refusal(server, request, error))
    subject = request.subject(granted.principal_id, granted.target.id)
    parts.journal.write(ProxyTicketGranted(subject, ticket=granted.ticket.masked, proxy=granted.owner.id))
    ticket = str(granted.ticket)
    if wanted is Format.JSON:
        return server.web.machine(responses.proxy_success_json(ticket), responses.JSON_TYPE)
    return server.web.machine(responses.proxy_success_xml(ticket), responses.XML_TYPE)


def refuse(server: Server, request: Request, failure: ProtocolError) -> Reply:
    """Tell a failure in the format that was asked for, as far as that can be made out."""
    if format_of(request) is Format.JSON:
        return server.web.machine(responses.proxy_failure_json(failure), responses.JSON_TYPE)
    return server.web.machine(responses.proxy_failure_xml(failure), responses.XML_TYPE)
