"""The addresses of the REST protocol: ``/v1/tickets``, ``/v1/tickets/{ticket}`` and ``/v1/users``.

Who calls is asked before anything else of a request is looked at; what cannot be a ticket of ours is not looked up.
"""

from __future__ import annotations

from collections.abc import Callable

from casduo.endpoints.base import Endpoint, Server
from casduo.endpoints.validation import note_violation
from casduo.errors import BadRequest, ForeignOrigin, UpstreamError
from casduo.events.model import Fault, RestAnswered, RestClientRefused, ServiceRefused
from casduo.protocol.errors import InvalidRequest, NotApproved, ProtocolError
from casduo.protocol.responses import JSON_TYPE
from casduo.protocol.rest import bodies
from casduo.protocol.rest.call import RestCall
from casduo.protocol.rest.errors import (
    BadForm,
    NoSuchTicket,
    NotAForm,
    PersonAsked,
    RestError,
    ServiceForbidden,
    Throttled,
    TooLong,
    Unavailable,
    UnknownClient,
)
from casduo.protocol.rest.forms import RestForm, read_form
from casduo.protocol.rest.sessions import RestProtocol
from casduo.request import Request
from casduo.tickets.ids import TicketId, TicketKind, parse_ticket_id
from casduo.web import Reply

_MOST_AGENT = 200

_Work = Callable[[Server, RestProtocol, Request, RestCall], Reply]


def _endpoint(call_name: str, work: _Work, ticket: TicketId | None = None) -> Endpoint:
    """Return an endpoint that does ``work`` for programs that may ask for it, and tells refusals as the protocol does.

    :param call_name: what the log calls it, without its method
    """

    def endpoint(server: Server, request: Request) -> Reply:
        protocol = server.rest
        assert protocol is not None
        name = f"{request.method} {call_name}"
        try:
            client = protocol.admit(request.environ.get("HTTP_AUTHORIZATION", ""), request.address, request.now)
        except (UnknownClient, Throttled) as error:
            server.parts.journal.write(RestClientRefused(request.subject(), call=name, why=error.why))
            return _refusal(server, error)
        except UpstreamError as error:
            return _refusal(server, _fault(server, request, error))
        agent = str(request.environ.get("HTTP_USER_AGENT", ""))[:_MOST_AGENT]
        call = RestCall(client, request.now, request.address, agent, request.reference)
        failure = None
        try:
            reply = work(server, protocol, request, call)
        except (RestError, BadRequest, ForeignOrigin, UpstreamError) as error:
            failure = _failure(server, request, call, error)
            reply = _refusal(server, failure)
        server.parts.journal.write(
            RestAnswered(
                call.subject,
                client=client.name,
                call=name,
                status=reply.status,
                ticket=ticket.masked if ticket is not None else "",
                code=failure.code if failure is not None else "",
                why=failure.why if failure is not None else "",
            )
        )
        return reply

    return endpoint


def _sign_in(server: Server, protocol: RestProtocol, request: Request, call: RestCall) -> Reply:
    ticket = protocol.sign_in(call, _form(request))
    url = f"{request.origin}{server.web.site.base}/v1/tickets/{ticket}"
    if bodies.wants_page(request.environ.get("HTTP_ACCEPT", "")):
        reply = server.web.machine(bodies.session_page(url), bodies.HTML_TYPE)
        reply.status = 201
        reply.headers.append(("Location", url))
        return reply
    return server.web.plain(201, str(ticket), [("Location", url)])


def _who(server: Server, protocol: RestProtocol, request: Request, call: RestCall) -> Reply:
    return server.web.machine(bodies.person_json(protocol.who(call, _form(request))), JSON_TYPE)


tickets = _endpoint("/v1/tickets", _sign_in)
"""``/v1/tickets``: a password for a session."""

users = _endpoint("/v1/users", _who)
"""``/v1/users``: a password for what is known of its person."""


def ticket(segment: str) -> Endpoint:
    """Return the endpoint of one ticket, ``/v1/tickets/{ticket}``.

    :param segment: the last segment of the path, as the URL table matched it
    """
    found = parse_ticket_id(segment)

    def work(server: Server, protocol: RestProtocol, request: Request, call: RestCall) -> Reply:
        if request.method == "DELETE":
            if found is not None:
                protocol.sign_out(call, found)
            return server.web.plain(200, str(found) if found is not None else "")
        if found is None:
            raise NoSuchTicket()
        if request.method == "POST":
            if found.kind is not TicketKind.TICKET_GRANTING:
                raise NoSuchTicket()
            return server.web.plain(200, str(protocol.grant(call, found, _form(request))))
        if not protocol.is_alive(found):
            raise NoSuchTicket()
        return server.web.plain(200, str(found))

    return _endpoint("/v1/tickets/{ticket}", work, found)


def refuse(server: Server, request: Request, failure: ProtocolError) -> Reply:
    """Tell a fault that nobody foresaw."""
    return server.web.plain(400 if isinstance(failure, InvalidRequest) else 500, "error\n")


def _form(request: Request) -> RestForm:
    # No page of ours or of anybody else has business here.
    request.refuse_foreign_post()
    return read_form(request.parameters, request.query_parameters)


def _failure(
    server: Server, request: Request, call: RestCall, error: RestError | BadRequest | ForeignOrigin | UpstreamError
) -> RestError:
    """Return a failure as the program is told it, and take note of what the answer does not tell."""
    match error:
        case ServiceForbidden():
            if isinstance(error.__cause__, NotApproved):
                note_violation(server, call.subject, error.__cause__, call.now)
            server.parts.journal.write(ServiceRefused(call.subject, reason=error.why, host=error.host))
            return error
        case RestError():
            return error
        case BadRequest(reason="content_type"):
            return NotAForm()
        case BadRequest(reason="too_long"):
            return TooLong()
        case BadRequest():
            return BadForm(error.reason)
        case ForeignOrigin():
            return BadForm("foreign origin", text="the REST protocol is not for pages")
    return _fault(server, request, error)


def _fault(server: Server, request: Request, error: UpstreamError) -> RestError:
    server.parts.journal.write(Fault(request.subject(), code=error.code, detail=str(error)))
    return Unavailable(error.upstream)


def _refusal(server: Server, failure: RestError) -> Reply:
    extra = []
    if isinstance(failure, UnknownClient):
        # Only here: a program can so tell "not you" from "not this person" (RFC 9110, section 11.6.1; RFC 6750, 3).
        extra.append(("WWW-Authenticate", 'Bearer realm="casduo"'))
    if failure.wait:
        extra.append(("Retry-After", str(failure.wait)))
    if isinstance(failure, PersonAsked):
        # No refusal, and the one answer of these that holds more than a line for people.
        reply = server.web.machine(bodies.asked_json(failure), JSON_TYPE)
        reply.status = failure.status
        reply.headers += extra
        return reply
    return server.web.plain(failure.status, f"{failure.text}\n", extra)
