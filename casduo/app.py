"""The WSGI application: dispatches to the URL table and answers whatever goes wrong in the caller's language."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from time import perf_counter
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from casduo.cause import caused_by
from casduo.endpoints.base import Route, Server
from casduo.endpoints.browser import asked_for, logout
from casduo.endpoints.enroll import ENROLL_ROUTES
from casduo.endpoints.language import way_back
from casduo.endpoints.phone import phone_route
from casduo.enrollment.pages import START
from casduo.errors import BadRequest, CasduoError, CookiesMissing, ForeignOrigin, UpstreamBusy, UpstreamError
from casduo.events.model import Fault, RequestRefused
from casduo.meter import meter
from casduo.protocol.errors import InternalError, InvalidRequest
from casduo.protocol.parameters import MAX_BYTES
from casduo.request import ReadBody, Request, new_reference, read_at_leisure
from casduo.requestlog import RequestLog
from casduo.routes import find_route, route_name
from casduo.rules import LoginRules
from casduo.web import Reply, StartResponse
from casduo.webflow.effects import Page

Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_BEARER = re.compile(r"[A-Za-z0-9]{16,}([A-Za-z0-9]{4})")
"""The part of a ticket that nobody can guess has 24 characters or more."""
_LONGEST_PATH = 200
"""Characters of a path in the log; addresses of ours are far shorter."""
_UNWRITTEN = RequestLog()


class Application:
    """casduo as a WSGI application.

    :param server: what endpoints work with
    :param origin: our own origin, ``https://sso.example.edu``
    :param change_password_url: where ``/.well-known/change-password`` leads, empty for nowhere
    :param requests: what the log is told of requests
    :param read_body: what reads bodies
    """

    def __init__(
        self,
        server: Server,
        origin: str,
        change_password_url: str = "",
        requests: RequestLog = _UNWRITTEN,
        read_body: ReadBody = read_at_leisure,
    ) -> None:
        self.server = server
        self._meter = meter()
        self._requests = requests
        self._read_body = read_body
        self._origin = origin
        self._base = server.web.site.base
        self._change_password_url = change_password_url

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        began = perf_counter()
        self._meter.request_began()
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        request = Request(
            environ, path, self._origin, self.server.parts.clock(), new_reference(), read_body=self._read_body
        )
        status = 500
        in_hand = self.server.draining.in_hand
        in_hand.add(request.reference)
        try:
            with caused_by(self._requests.cause_of(request)):
                reply = self._respond(request)
                status = reply.status
                reply.headers.append(("X-Request-ID", request.reference))
                if self.server.draining.closing or request.broken_off:
                    # RFC 9112, 9.6: whoever is told does not send another request into a connection that is about to
                    # end.
                    reply.headers.append(("Connection", "close"))
                self._requests.note(request, reply, perf_counter() - began)
        finally:
            in_hand.discard(request.reference)
            self._meter.request_ended(request.route, status, perf_counter() - began)
        return reply(environ, start_response)

    def _respond(self, request: Request) -> Reply:
        base, path = self._base, request.path
        inside = path.startswith(base + "/") or path == base
        inner = path[len(base) :] if inside else ""
        route = (find_route(inner, self.server) if inside else None) or phone_route(self.server, request)
        request.way_back = partial(way_back, self.server, request, route)
        if route is None:
            return self._unrouted(request, inner) if inside else self._outside(request)
        request.route = route_name(inner, route)
        if request.method not in route.methods:
            return self._other_method(request, route)
        if request.prefetched:
            # Nothing is made or used up on a guess; with 204 the browser asks again when it is meant.
            return self.server.web.plain(204)
        try:
            return route.endpoint(self.server, request)
        except Exception as error:
            return self._failed(request, route, error)

    def _outside(self, request: Request) -> Reply:
        if request.path == "/" and request.method in ("GET", "HEAD"):
            return self.server.web.redirect(request, f"{self._base}/login")
        if request.path == "/.well-known/change-password" and self._change_password_url:
            return self.server.web.redirect(request, self._change_password_url)
        return self._refused(request, "not_found", 404)

    def _unrouted(self, request: Request, inner: str) -> Reply:
        if inner.startswith("/static/") and request.method in ("GET", "HEAD"):
            found = self.server.web.static(inner[8:], request.environ.get("HTTP_IF_NONE_MATCH", ""))
            if found is not None:
                request.route = "static"
                return found
        if inner in ("", "/") and request.method in ("GET", "HEAD"):
            return self.server.web.redirect(request, f"{self._base}/login")
        return self._outside(request)

    def _refused(self, request: Request, view: str, status: int) -> Reply:
        """A page for what is not there; the log has its reference, for somebody may ask what it was about."""
        self.server.parts.journal.write(
            RequestRefused(request.subject(), code=view.upper(), path=_masked(request.path))
        )
        return self.server.web.page(request, Page(view, status=status))

    def _other_method(self, request: Request, route: Route) -> Reply:
        allowed = ", ".join(dict.fromkeys(("HEAD", *route.methods)) if "GET" in route.methods else route.methods)
        if request.method == "HEAD" and "GET" in route.methods:
            # HEAD makes and uses up nothing: it says that the address exists.
            return self.server.web.plain(200)
        if route.audience != "person":
            return self.server.web.plain(405, "method not allowed\n", [("Allow", allowed)])
        response = self._refused(request, "method_not_allowed", 405)
        response.headers.append(("Allow", allowed))
        return response

    def _failed(self, request: Request, route: Route, error: Exception) -> Reply:
        expected = isinstance(error, BadRequest | CookiesMissing | ForeignOrigin)
        kind = RequestRefused if expected else Fault
        self.server.parts.journal.write(
            kind(
                request.subject(),
                code=error.code if isinstance(error, CasduoError) else "UNEXPECTED",
                detail=_told(error) if isinstance(error, CasduoError) else _where(error),
                path=_masked(request.path),
            )
        )
        web = self.server.web
        if route.refuse is not None:
            return route.refuse(self.server, request, InvalidRequest() if expected else InternalError())
        if route.audience == "probe":
            return web.plain(500, "error\n")
        page = _page_for(error, self._retry_url(request, route))
        try:
            return web.page(request, page)
        except Exception as broken:
            # No file can be opened, for one: texts and dates of a language are read when they are needed first.
            self.server.parts.journal.write(
                Fault(request.subject(), code="UNEXPECTED", detail=_where(broken), path=_masked(request.path))
            )
            return web.bare(page.status, request.reference)

    def _retry_url(self, request: Request, route: Route) -> str:
        """Where the same can be tried again, with the application it was for."""
        rules = self.server.parts.rules
        if route.endpoint is logout:
            return rules.logout_url
        if route in ENROLL_ROUTES.values():
            return f"{rules.base}{START}"
        if request.method == "GET" and request.path.startswith(_own_pages(rules)):
            return request.path
        try:
            return rules.login_url(asked_for(request.parameters, rules))
        except BadRequest:
            return rules.home_url


def _own_pages(rules: LoginRules) -> tuple[str, ...]:
    return rules.requests_url, rules.approvals_url, rules.account_url, rules.admin_url


def behind_proxies(application: Wsgi, hops: int) -> Wsgi:
    """Let the last ``hops`` proxies in front tell the browser's address and nothing else: ours is a setting.

    :param hops: proxies that append to ``X-Forwarded-For``; 0 leaves the header unread
    """
    return ProxyFix(application, x_for=hops, x_proto=0, x_host=0, x_port=0, x_prefix=0) if hops else application


def _page_for(error: Exception, retry_url: str) -> Page:
    match error:
        case BadRequest(reason="too_long"):
            return Page("too_large", {"most": MAX_BYTES // 1024}, status=413)
        case BadRequest(reason="too_slow"):
            # RFC 9110, 15.5.9. Whoever gets a 408 may send the same again: nothing was done.
            return Page("bad_request", status=408)
        case BadRequest():
            return Page("bad_request", status=400)
        case CookiesMissing():
            return Page("cookies_missing", {"retry_url": retry_url}, status=400)
        case ForeignOrigin():
            return Page("bad_request", status=403)
        case UpstreamBusy():
            return Page("too_many", {"seconds": 5}, status=503, wait=5)
        case UpstreamError():
            return Page("store_unavailable", {"retry_url": retry_url}, status=503, wait=10)
    return Page("error", status=500)


def _masked(path: str) -> str:
    """Return a path for the log. The REST protocol has tickets in it, and who mistypes an address has them anywhere."""
    return _BEARER.sub(r"…\1", path)[:_LONGEST_PATH]


def _told(error: CasduoError) -> str:
    return str(error)


def _where(error: Exception) -> str:
    """Name class and place, not the message: an unexpected error's text may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(
        f"{frame.name}:{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames)
    )
    return f"{type(error).__name__} in {places}"
