"""The addresses of people who ask for access: the list of their requests, and a page for each that follows it."""

from __future__ import annotations

import re
from collections.abc import Callable

from casduo.approvals.model import ApprovalRequest
from casduo.approvals.pages import ask_again_after, stage_of
from casduo.approvals.telling import cancelled_event
from casduo.endpoints.approval_visit import ApprovalVisit, is_of
from casduo.endpoints.approvals import approval, approvals
from casduo.endpoints.base import Endpoint, Route, Server
from casduo.request import Request
from casduo.services.builtin import REQUESTS
from casduo.tickets.model import LiveSession
from casduo.web import Reply

_ADDRESS = re.compile(r"/(requests|approvals)/([A-Za-z0-9]{8,64})(/status|/cancel)?")
_GONE = {"stage": "gone", "again": 0}


def requests(server: Server, request: Request) -> Reply:
    """``/requests``: the list of one's own requests."""
    visit = ApprovalVisit(server, request, REQUESTS, server.parts.rules.requests_url)
    arrival = visit.arrival()
    if arrival is not None:
        return arrival
    session = visit.session()
    if session is None:
        return visit.sign_in()
    return visit.show(visit.pages.requests(server.parts.approvals.of_person(session.ticket.principal_id), request.now))


def show(server: Server, request: Request, request_id: str) -> Reply:
    """``/requests/ID``: the page of one request. Nobody sees it but who made it."""
    visit = _visit(server, request, request_id)
    arrival = visit.arrival()
    if arrival is not None:
        return arrival
    session = visit.session()
    if session is None:
        return visit.sign_in()
    asked = _own(server, session, request_id)
    if asked is None:
        return visit.nothing()
    still = bool(request.parameters.get("still", ""))
    page = visit.pages.request(asked, visit.registry, visit.token(session), request.now, still=still)
    return visit.show(page)


def status(server: Server, request: Request, request_id: str) -> Reply:
    """``/requests/ID/status``: the same for the page's script. Asking keeps no session alive."""
    visit = _visit(server, request, request_id)
    session = visit.session()
    asked = _own(server, session, request_id) if session is not None else None
    if asked is None:
        return server.web.news(200, _GONE)
    facts = {"stage": stage_of(asked, request.now), "again": ask_again_after(asked, request.now)}
    return server.web.news(200, facts)


def cancel(server: Server, request: Request, request_id: str) -> Reply:
    """``/requests/ID/cancel``: who made a request wants it no longer. One that was decided meanwhile stays decided."""
    visit = _visit(server, request, request_id)
    session = visit.session()
    if session is None:
        return visit.sign_in()
    if not visit.is_ours(session):
        return visit.to(visit.address)
    asked = _own(server, session, request_id)
    if asked is None:
        return visit.nothing()
    event = cancelled_event(asked, reference=request.reference, address=request.address)
    if server.parts.approvals.cancel(asked.id, event, request.now).first:
        server.parts.journal.note(event)
    return visit.to(visit.address)


def slashless(server: Server, request: Request) -> Reply:
    """An address with a slash at its end, as people type it."""
    return server.web.redirect(request, request.path.rstrip("/"))


def find_request_route(inner: str) -> Route | None:
    """Return the route of an address of these pages and of those who decide, ``None`` for any other.

    :param inner: the path below the server's
    """
    if inner in _LISTS:
        return _LISTS[inner]
    found = _ADDRESS.fullmatch(inner)
    if found is None:
        return None
    area, request_id, rest = found.groups()
    if area == "approvals":
        return Route(_of(approval, request_id)) if rest is None else None
    match rest:
        case None:
            return Route(_of(show, request_id), ("GET",))
        case "/status":
            return Route(_of(status, request_id), ("GET",))
    return Route(_of(cancel, request_id), ("POST",))


_LISTS = {
    "/requests": Route(requests, ("GET",)),
    "/requests/": Route(slashless, ("GET",)),
    "/approvals": Route(approvals, ("GET",)),
    "/approvals/": Route(slashless, ("GET",)),
}


def _visit(server: Server, request: Request, request_id: str) -> ApprovalVisit:
    return ApprovalVisit(server, request, REQUESTS, f"{server.parts.rules.requests_url}/{request_id}")


def _own(server: Server, session: LiveSession, request_id: str) -> ApprovalRequest | None:
    """Return a request if it is that of the session's person."""
    asked = server.parts.approvals.get(request_id)
    return asked if asked is not None and is_of(asked, session) else None


def _of(endpoint: Callable[[Server, Request, str], Reply], request_id: str) -> Endpoint:
    return lambda server, request: endpoint(server, request, request_id)
