"""The URL table, and for each address the few lines between a request and the part that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from casduo.errors import BadRequest, CookiesMissing, FlowError, UpstreamError
from casduo.events.model import FlowRefused, TicketValidated, ValidationRefused
from casduo.parts import Parts
from casduo.protocol import responses
from casduo.protocol.errors import InvalidRequest, ProtocolError
from casduo.protocol.parameters import Parameters
from casduo.protocol.validation import Format, ValidatedTicket, read_format, read_request
from casduo.request import FLOW_COOKIE, SESSION_COOKIE, Request
from casduo.signing import random_text
from casduo.tickets.ids import parse_session_id
from casduo.web import Reply, Web
from casduo.webflow.effects import Page
from casduo.webflow.execution import Executions
from casduo.webflow.scope import Scope


@dataclass(frozen=True, slots=True)
class Server:
    """What endpoints work with."""

    web: Web
    parts: Parts
    executions: Executions
    validation: ValidationSettings


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """``cas2_attributes``: whether the CAS 2.0 paths tell attributes too; many clients of them expect it."""

    cas2_attributes: bool = True


Endpoint = Callable[[Server, Request], Reply]
Audience = Literal["person", "xml", "text", "probe"]


@dataclass(frozen=True, slots=True)
class Route:
    """One address. ``audience`` says in which language faults are answered: pages for people, XML for applications."""

    endpoint: Endpoint
    methods: tuple[str, ...] = ("GET", "POST")
    audience: Audience = "person"


def login(server: Server, request: Request) -> Reply:
    """``/login``: begins the login flow, or goes on with it where the form brings a key."""
    parameters = request.parameters
    if request.method == "POST":
        request.refuse_foreign_post()
        execution = parameters.get("execution", "")
        if execution:
            # While nobody is known the key is a signed one, and the form the one for name and password.
            event = "submit" if execution.startswith("s.") else "proceed"
            return _resume(server, request, execution, event)
        if "password" in parameters:
            # A script, or a form from before an update: never sign in without a key, never lose the way.
            return _start(server, request, "login", asked_for(parameters), notice="login.notice.expired")
    return _start(server, request, "login", asked_for(parameters))


def duo_callback(server: Server, request: Request) -> Reply:
    """``/duo/callback``: the way back from Duo. The service comes from the waiting flow, never from this URL."""
    return _resume(server, request, request.parameters.get("state", ""), "return")


def logout(server: Server, request: Request) -> Reply:
    """``/logout``: by link as the protocol has it, by form from our own pages."""
    parameters = request.parameters
    service = parameters.get("service", "")
    if not service and server.parts.rules.logout_legacy_url:
        service = parameters.get("url", "")
    scope = Scope(service=service)
    submitted = False
    if request.method == "POST":
        request.refuse_foreign_post()
        execution = parameters.get("execution", "")
        if execution:
            try:
                return _go_on(server, request, "logout", execution, "submit", submitted=True)
            except (FlowError, CookiesMissing):
                return _start(server, request, "logout", scope)
        session = parse_session_id(request.cookies.get(SESSION_COOKIE, ""))
        token = parameters.get("csrf", "")
        submitted = session is not None and server.parts.csrf.fits(token, session.fingerprint, request.now)
    return _start(server, request, "logout", scope, submitted=submitted)


def validate(server: Server, request: Request) -> Reply:
    """``/validate``: CAS 1.0."""
    try:
        validated = _validated(server, request)
    except (ProtocolError, BadRequest) as error:
        _note_refusal(server, request, error)
        return server.web.machine(responses.cas1_failure(), responses.TEXT_TYPE)
    return server.web.machine(responses.cas1_success(validated.released.user), responses.TEXT_TYPE)


def service_validate(server: Server, request: Request) -> Reply:
    """``/serviceValidate``: CAS 2.0."""
    return _service_validate(server, request, with_attributes=server.validation.cas2_attributes)


def p3_service_validate(server: Server, request: Request) -> Reply:
    """``/p3/serviceValidate``: CAS 3.0."""
    return _service_validate(server, request, with_attributes=True)


def healthz(server: Server, request: Request) -> Reply:
    """``/healthz``: this process answers."""
    return server.web.plain(200, "ok\n")


def readyz(server: Server, request: Request) -> Reply:
    """``/readyz``: this process can sign people in, as far as it depends on Redis."""
    try:
        server.parts.store.ping()
    except UpstreamError:
        return server.web.plain(503, "redis\n")
    return server.web.plain(200, "ok\n")


ROUTES: Mapping[str, Route] = {
    "/login": Route(login),
    "/logout": Route(logout),
    "/duo/callback": Route(duo_callback, ("GET",)),
    "/validate": Route(validate, audience="text"),
    "/serviceValidate": Route(service_validate, audience="xml"),
    "/p3/serviceValidate": Route(p3_service_validate, audience="xml"),
    "/healthz": Route(healthz, ("GET",), "probe"),
    "/readyz": Route(readyz, ("GET",), "probe"),
}

_NOTICES = {"FLOW_USED": "login.notice.used", "FLOW_FOREIGN": "login.notice.foreign"}
"""What is said about a key that is no good, by the error's code; the others are old, or as good as."""


def _service_validate(server: Server, request: Request, *, with_attributes: bool) -> Reply:
    wanted = Format.XML
    try:
        wanted = read_format(request.parameters)
        validated = _validated(server, request)
    except (ProtocolError, BadRequest) as error:
        failure = _note_refusal(server, request, error)
        if wanted is Format.JSON:
            return server.web.machine(responses.json_failure(failure), responses.JSON_TYPE)
        return server.web.machine(responses.xml_failure(failure), responses.XML_TYPE)
    if wanted is Format.JSON:
        body = responses.json_success(validated, with_attributes=with_attributes)
        return server.web.machine(body, responses.JSON_TYPE)
    return server.web.machine(responses.xml_success(validated, with_attributes=with_attributes), responses.XML_TYPE)


def _validated(server: Server, request: Request) -> ValidatedTicket:
    parts = server.parts
    registry = parts.services.current()
    asked = read_request(request.parameters, registry)
    validated = parts.validator.validate(asked, registry, request.now)
    parts.journal.write(
        TicketValidated(
            request.subject(validated.session.principal_id, validated.service.id),
            ticket=asked.ticket.masked,
        )
    )
    return validated


def _note_refusal(server: Server, request: Request, error: ProtocolError | BadRequest) -> ProtocolError:
    failure = error if isinstance(error, ProtocolError) else InvalidRequest(error.reason)
    server.parts.journal.write(ValidationRefused(request.subject(), code=failure.code, why=failure.why))
    return failure


def asked_for(parameters: Parameters) -> Scope:
    """Return what a login is asked for, as far as query or form say it."""
    service, ticket_name = parameters.get("service", ""), "ticket"
    if not service.strip():
        service, ticket_name = parameters.get("TARGET", ""), "SAMLart"
    if not service.strip():
        service, ticket_name = "", "ticket"
    method = parameters.get("method", "GET").upper()
    return Scope(
        service=service,
        ticket_name=ticket_name,
        renew=parameters.flag("renew"),
        gateway=parameters.flag("gateway"),
        method=method if method in ("POST", "HEADER") else "GET",
    )


def _start(
    server: Server, request: Request, flow: str, scope: Scope, *, notice: str = "", submitted: bool = False
) -> Reply:
    flow_cookie = request.cookies.get(FLOW_COOKIE, "") or random_text(24)
    inbound = request.inbound(flow_cookie, submitted=submitted)
    username = inbound.fields.get("username", "")[:256] if notice else ""
    answer = server.executions.start(flow, scope, inbound, notice=notice, username=username)
    return server.web.send(request, answer, flow_cookie)


def _go_on(
    server: Server, request: Request, flow: str, execution: str, event: str, *, submitted: bool = False
) -> Reply:
    flow_cookie = request.cookies.get(FLOW_COOKIE, "")
    answer = server.executions.resume(flow, execution, event, request.inbound(flow_cookie, submitted=submitted))
    return server.web.send(request, answer, flow_cookie)


def _resume(server: Server, request: Request, execution: str, event: str) -> Reply:
    """Go on with a login; where that cannot be, begin it again with a plain word about why."""
    try:
        return _go_on(server, request, "login", execution, event)
    except CookiesMissing as error:
        server.parts.journal.write(FlowRefused(request.subject(), code=error.code))
        retry = server.parts.rules.login_url(asked_for(request.parameters))
        return server.web.page(request, Page("cookies_missing", {"retry_url": retry}, status=400))
    except FlowError as error:
        server.parts.journal.write(FlowRefused(request.subject(), code=error.code))
        scope = Scope.from_json(error.again) if error.again else asked_for(request.parameters)
        if event == "return":
            retry = server.parts.rules.login_url(scope)
            return server.web.page(request, Page("duo_restart", {"retry_url": retry}, status=400))
        return _start(server, request, "login", scope, notice=_NOTICES.get(error.code, "login.notice.expired"))
