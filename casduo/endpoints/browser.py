"""The addresses that people's browsers come to: signing in and signing out."""

from __future__ import annotations

from casduo.endpoints.base import Server
from casduo.errors import CookiesMissing, FlowError
from casduo.events.model import FlowRefused
from casduo.languages import find_language
from casduo.protocol.parameters import Parameters
from casduo.request import FLOW_COOKIE_LENGTH, SESSION_COOKIE, Request
from casduo.rules import DUO_ASKED, LoginRules
from casduo.signing import random_text
from casduo.tickets.ids import parse_session_id
from casduo.web import Reply
from casduo.webflow.actions.told import sign_out_of, signed_out_page
from casduo.webflow.effects import GoOn, Page
from casduo.webflow.scope import Scope

_NOTICES = {"FLOW_USED": "login.notice.used", "FLOW_FOREIGN": "login.notice.foreign"}
"""What is said about a key that is no good, by the error's code; the others are old, or as good as."""


def login(server: Server, request: Request) -> Reply:
    """``/login``: begins the login flow, or goes on with it where the form brings a key.

    ``locale`` names the language of its pages, as applications know it of Apereo's server; it is kept like one that was
    chosen in the foot of a page.
    """
    asked = find_language(request.parameters.get("locale", ""), server.web.languages)
    if not asked:
        return _login(server, request)
    request.language = asked
    reply = _login(server, request)
    server.web.keep_language(reply, asked)
    return reply


def _login(server: Server, request: Request) -> Reply:
    parameters = request.parameters
    if request.method == "POST":
        request.refuse_foreign_post()
        execution = parameters.get("execution", "")
        if execution:
            # While nobody is known the key is a signed one, and the form the one for name and password.
            event = "submit" if execution.startswith("s.") else "proceed"
            return resume(server, request, execution, event)
        if "password" in parameters:
            # A script, or a form from before an update: never sign in without a key, never lose the way.
            asked = asked_for(parameters, server.parts.rules)
            return _start(server, request, "login", asked, notice="login.notice.expired")
    return _start(server, request, "login", asked_for(parameters, server.parts.rules))


def step(server: Server, request: Request) -> Reply:
    """``/login/step``: the page with which a login waits. Asking for it changes nothing, unless what it waits for has
    come: then the login goes on.
    """
    execution = request.parameters.get("execution", "")
    flow_cookie = request.flow_cookie
    try:
        answer = server.executions.look("login", execution, request.inbound(flow_cookie))
    except (FlowError, CookiesMissing) as error:
        return begin_again(server, request, error)
    if isinstance(answer.effect, GoOn):
        return resume(server, request, execution, answer.effect.event)
    return server.web.send(request, answer, flow_cookie)


def logout(server: Server, request: Request) -> Reply:
    """``/logout``: by link as the protocol has it, by form from our own pages."""
    parameters = request.parameters
    # The SAML clients of .NET call the service TARGET here too.
    service = parameters.get("service", "") or parameters.get("TARGET", "")
    if not service and server.parts.rules.logout_legacy_url:
        # What CAS 2.0 called it, and what rubycas-client calls it.
        service = parameters.get("url", "") or parameters.get("destination", "")
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
        if token and session is not None and not submitted and parameters.flag("everywhere"):
            # A page of ours that is too old, or of the session before this one. To end one session and say that it is
            # done would pass for the end of all.
            return server.web.redirect(request, server.parts.rules.home_url)
        # Only where our own page was pressed; a link elsewhere ends no session but this one.
        scope.everywhere = submitted and parameters.flag("everywhere")
    return _start(server, request, "logout", scope, submitted=submitted)


def told(server: Server, request: Request) -> Reply:
    """``/logout/told``: the sign-out page once more, with the answers that have come in meanwhile."""
    parts = server.parts
    sign_out = sign_out_of(request.parameters.get("key", ""), parts.signing, request.now)
    if sign_out is None:
        return server.web.redirect(request, parts.rules.home_url)
    again_url = f"{parts.rules.logout_url}/told?key={request.parameters['key']}"
    lines = parts.answers.now(sign_out)
    return server.web.page(request, signed_out_page(lines, parts.services.current(), again_url=again_url))


def asked_for(parameters: Parameters, rules: LoginRules) -> Scope:
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
        duo_asked=bool(rules.duo_parameter) and parameters.get(rules.duo_parameter, "") == DUO_ASKED,
    )


def _start(
    server: Server, request: Request, flow: str, scope: Scope, *, notice: str = "", submitted: bool = False
) -> Reply:
    flow_cookie = request.flow_cookie or random_text(FLOW_COOKIE_LENGTH)
    inbound = request.inbound(flow_cookie, submitted=submitted)
    username = inbound.fields.get("username", "")[:256] if notice else ""
    answer = server.executions.start(flow, scope, inbound, notice=notice, username=username)
    return server.web.send(request, answer, flow_cookie)


def _go_on(
    server: Server, request: Request, flow: str, execution: str, event: str, *, submitted: bool = False
) -> Reply:
    flow_cookie = request.flow_cookie
    answer = server.executions.resume(flow, execution, event, request.inbound(flow_cookie, submitted=submitted))
    return server.web.send(request, answer, flow_cookie)


def resume(server: Server, request: Request, execution: str, event: str) -> Reply:
    """Go on with a login; where that cannot be, begin it again with a plain word about why."""
    try:
        return _go_on(server, request, "login", execution, event)
    except (FlowError, CookiesMissing) as error:
        return begin_again(server, request, error, from_duo=event == "return")


def begin_again(
    server: Server, request: Request, error: FlowError | CookiesMissing, *, from_duo: bool = False
) -> Reply:
    """Answer a key that is no good.

    :param from_duo: the browser came back from Duo's own page, where a sign-in form would be a surprise
    """
    rules = server.parts.rules
    server.parts.journal.write(FlowRefused(request.subject(), code=error.code))
    if isinstance(error, CookiesMissing):
        retry = rules.login_url(asked_for(request.parameters, rules))
        return server.web.page(request, Page("cookies_missing", {"retry_url": retry}, status=400))
    scope = Scope.from_json(error.again) if error.again else asked_for(request.parameters, rules)
    if from_duo:
        return server.web.page(request, Page("duo_restart", {"retry_url": rules.login_url(scope)}, status=400))
    return _start(server, request, "login", scope, notice=_NOTICES.get(error.code, "login.notice.expired"))
