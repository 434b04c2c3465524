"""The URL table: which endpoint answers which address below the server's path."""

from __future__ import annotations

from collections.abc import Mapping

from casduo.endpoints import browser, duo, probes, proxying, rest, saml
from casduo.endpoints import validation as validating
from casduo.endpoints.account import find_account_route
from casduo.endpoints.admin.routes import find_admin_route
from casduo.endpoints.base import Endpoint, Refusal, Route, Server
from casduo.endpoints.enroll import ENROLL_ROUTES, RETURN_ROUTES
from casduo.endpoints.health import HEALTH_ROUTES
from casduo.endpoints.language import LANGUAGE_ROUTES
from casduo.endpoints.metrics import METRICS_ROUTES
from casduo.endpoints.phone import refuse as refuse_phone
from casduo.endpoints.requests import find_request_route
from casduo.endpoints.validation import validation
from casduo.endpoints.webex import WEBEX_ROUTES


def _application(endpoint: Endpoint, refuse: Refusal, methods: tuple[str, ...] = ("GET", "POST")) -> Route:
    return Route(endpoint, methods, "application", refuse)


ROUTES: Mapping[str, Route] = {
    "/login": Route(browser.login),
    "/logout": Route(browser.logout, repeatable=False),
    "/logout/told": Route(browser.told, ("GET",)),
    "/login/step": Route(browser.step, ("GET",)),
    "/duo/callback": Route(duo.callback, ("GET",), repeatable=False),
    "/duo/push/status": Route(duo.push_status, ("GET",)),
    "/validate": _application(validating.validate, validating.refuse_cas1),
    "/serviceValidate": _application(validation("cas2", proxies=False), validating.refuse),
    "/proxyValidate": _application(validation("cas2", proxies=True), validating.refuse),
    "/p3/serviceValidate": _application(validation("cas3", proxies=False), validating.refuse),
    "/p3/proxyValidate": _application(validation("cas3", proxies=True), validating.refuse),
    "/proxy": _application(proxying.proxy, proxying.refuse),
    "/samlValidate": _application(saml.saml_validate, saml.refuse, ("POST",)),
    **RETURN_ROUTES,
    "/healthz": Route(probes.healthz, ("GET",), "probe"),
    "/readyz": Route(probes.readyz, ("GET",), "probe"),
    **HEALTH_ROUTES,
    **LANGUAGE_ROUTES,
}

REST_ROUTES: Mapping[str, Route] = {
    "/v1/tickets": _application(rest.tickets, rest.refuse, ("POST",)),
    "/v1/users": _application(rest.users, rest.refuse, ("POST",)),
}
_REST_TICKETS = "/v1/tickets"
_FAMILIES = ("requests", "approvals", "v1", "admin", "account")
"""First segments of addresses of which many lead to one place."""


def find_route(inner: str, server: Server) -> Route | None:
    """Return the route of an address, ``None`` where there is none, or none at this server.

    Addresses are exact. Some families have a segment of their own, such as ``/v1/tickets/{ticket}``: what is cut off
    here is the very text that its endpoint works with, so that nothing is let through by one reading of a path and
    answered by another.

    :param inner: the path below the server's, decoded once
    :param server: some addresses exist only where what answers them is switched on
    """
    found = ROUTES.get(inner)
    if found is None and server.enrollment is not None:
        found = ENROLL_ROUTES.get(inner)
    if found is None and server.webex is not None:
        found = WEBEX_ROUTES.get(inner)
    if found is None and server.admin is not None:
        found = find_admin_route(inner)
    if found is None and server.metrics is not None:
        found = METRICS_ROUTES.get(inner)
    if found is None:
        found = find_request_route(inner) or find_account_route(inner)
    if found is not None or server.rest is None:
        return found
    parent, _, segment = inner.rpartition("/")
    if segment and parent == _REST_TICKETS:
        return _application(rest.ticket(segment), rest.refuse, ("GET", "HEAD", "POST", "DELETE"))
    return REST_ROUTES.get(inner)


def route_name(inner: str, route: Route) -> str:
    """Return the name of a route for log and metrics: its address where it has one of its own, else that of its family.
    Of what stands in an address of a family nothing gets into it.

    :param inner: the path below the server's, to which ``route`` was found
    """
    for table in (ROUTES, ENROLL_ROUTES, WEBEX_ROUTES, METRICS_ROUTES, REST_ROUTES):
        if table.get(inner) is route:
            return inner
    if route.refuse is refuse_phone:
        return "phone"
    family = inner.split("/", 2)[1] if inner.startswith("/") else ""
    return f"/{family}/..." if family in _FAMILIES else "other"
