"""What the middleware needs to know of a request, read once out of ``environ``. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from casduo.middleware.tickets import is_proxy_ticket
from casduo.middleware.urls import Address, Check, origin_of, take_check, take_ticket

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_BROWSERS_SAY: Final = (
    "HTTP_SEC_FETCH_MODE",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_SEC_FETCH_DEST",
    "HTTP_UPGRADE_INSECURE_REQUESTS",
    "HTTP_ORIGIN",
)
"""Headers that browsers send and programs have no reason to."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the middleware sees it.

    :param method: in capitals.
    :param path: ``PATH_INFO``.
    :param address: where it was sent.
    :param ticket: the service or proxy ticket in its query, or ``None``.
    :param service: its address without that ticket: what the ticket was bought for.
    :param check: our own parameter in its query, that finds out about cookies, or ``None``.
    :param navigation: a person is to see the answer as a page and nothing is lost if that is a redirect.
    :param json: a refusal is better read by a program.
    :param prefetch: nobody has asked for it yet.
    :param own: it comes from a page of this very origin, or was typed.
    :param by_proxy: a program brings a proxy ticket and means this very request by it. A browser that brings one may
        have been sent with somebody else's, so there it counts no more than a service ticket does.
    """

    method: str
    path: str
    address: Address
    ticket: str | None
    service: str
    check: Check | None
    navigation: bool
    json: bool
    prefetch: bool
    own: bool
    by_proxy: bool


def read_request(environ: WSGIEnvironment, address: Address) -> Request:
    """Read a request sent to ``address``."""
    method = str(environ["REQUEST_METHOD"]).upper()
    service_query, ticket = take_ticket(address.query, proxied=address.proxied)
    prefetch = _is_prefetch(environ)
    by_proxy = method != "HEAD" and not prefetch and _is_from_proxy(environ, ticket)
    return Request(
        method=method,
        path=environ.get("PATH_INFO", ""),
        address=address,
        ticket=ticket,
        service=address.with_query(service_query),
        check=take_check(address.query)[1],
        navigation=method in ("GET", "HEAD") and not prefetch and not by_proxy and _is_navigation(environ),
        json="text/html" not in environ.get("HTTP_ACCEPT", ""),
        prefetch=prefetch,
        own=_is_own(environ, address.origin),
        by_proxy=by_proxy,
    )


def _is_prefetch(environ: WSGIEnvironment) -> bool:
    hints = (environ.get(name, "").lower() for name in ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ"))
    return any("prefetch" in hint or "prerender" in hint for hint in hints)


def _is_from_proxy(environ: WSGIEnvironment, ticket: str | None) -> bool:
    return ticket is not None and is_proxy_ticket(ticket) and not any(name in environ for name in _BROWSERS_SAY)


def _is_navigation(environ: WSGIEnvironment) -> bool:
    if environ.get("HTTP_X_REQUESTED_WITH", "").lower() == "xmlhttprequest":
        return False
    if mode := environ.get("HTTP_SEC_FETCH_MODE"):
        return bool(mode == "navigate")
    # Old browsers and command-line clients: a request for a page accepts HTML, or anything.
    accept = environ.get("HTTP_ACCEPT", "")
    return not accept or "text/html" in accept or accept.startswith("*/*")


def _is_own(environ: WSGIEnvironment, origin: str) -> bool:
    if site := environ.get("HTTP_SEC_FETCH_SITE"):
        return site in ("same-origin", "none")
    if claimed := environ.get("HTTP_ORIGIN"):
        return bool(claimed == origin)
    referrer = environ.get("HTTP_REFERER", "")
    try:
        return bool(referrer) and origin_of(referrer) == origin
    except ValueError:
        return False
