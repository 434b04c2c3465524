"""The URL table: which endpoint answers which address below the server's path."""

from __future__ import annotations

from collections.abc import Mapping

from casduo.endpoints import browser, probes, proxying, rest, saml
from casduo.endpoints import validation as validating
from casduo.endpoints.base import Endpoint, Refusal, Route
from casduo.endpoints.validation import validation


def _application(endpoint: Endpoint, refuse: Refusal, methods: tuple[str, ...] = ("GET", "POST")) -> Route:
    return Route(endpoint, methods, "application", refuse)


ROUTES: Mapping[str, Route] = {
    "/login": Route(browser.login),
    "/logout": Route(browser.logout),
    "/logout/told": Route(browser.told, ("GET",)),
    "/duo/callback": Route(browser.duo_callback, ("GET",)),
    "/validate": _application(validating.validate, validating.refuse_cas1),
    "/serviceValidate": _application(validation("cas2", proxies=False), validating.refuse),
    "/proxyValidate": _application(validation("cas2", proxies=True), validating.refuse),
    "/p3/serviceValidate": _application(validation("cas3", proxies=False), validating.refuse),
    "/p3/proxyValidate": _application(validation("cas3", proxies=True), validating.refuse),
    "/proxy": _application(proxying.proxy, proxying.refuse),
    "/samlValidate": _application(saml.saml_validate, saml.refuse, ("POST",)),
    "/healthz": Route(probes.healthz, ("GET",), "probe"),
    "/readyz": Route(probes.readyz, ("GET",), "probe"),
}

REST_ROUTES: Mapping[str, Route] = {
    "/v1/tickets": _application(rest.tickets, rest.refuse, ("POST",)),
    "/v1/users": _application(rest.users, rest.refuse, ("POST",)),
}
_REST_TICKETS = "/v1/tickets"


def find_route(inner: str, *, rest_enabled: bool) -> Route | None:
    """Return the route of an address, ``None`` where there is none.

    Addresses are exact. One family has a last segment of its own, ``/v1/tickets/{ticket}``: what is cut off here is the
    very text that its endpoint works with, so that nothing is let through by one reading of a path and answered by
    another.

    :param inner: the path below the server's, decoded once
    :param rest_enabled: whether the addresses of the REST protocol exist
    """
    found = ROUTES.get(inner)
    if found is not None or not rest_enabled:
        return found
    parent, _, segment = inner.rpartition("/")
    if segment and parent == _REST_TICKETS:
        return _application(rest.ticket(segment), rest.refuse, ("GET", "HEAD", "POST", "DELETE"))
    return REST_ROUTES.get(inner)
