"""The list of the administration pages, and what every request to one of them goes through.

An endpoint is only called for somebody who may: with a role that is enough, let in by the entry of these pages (Duo as
fresh as the settings want it, networks), and, for a POST, by a form that was made for this very session and sent from
our own pages. So no page can forget any of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import parse_qsl, urlencode

from casduo.admin.roles import allows
from casduo.endpoints.admin.applications import failures, sign_outs
from casduo.endpoints.admin.approvals import approval, approvals
from casduo.endpoints.admin.audit import audit
from casduo.endpoints.admin.flows import flow, flows
from casduo.endpoints.admin.health import health
from casduo.endpoints.admin.outbox import outbox
from casduo.endpoints.admin.overview import overview
from casduo.endpoints.admin.services import SERVICE_PAGES
from casduo.endpoints.admin.sessions import end_sessions, sessions
from casduo.endpoints.admin.visit import AdminPage, AdminVisit
from casduo.endpoints.base import Endpoint, Route, Server
from casduo.request import Request
from casduo.services.builtin import ADMIN
from casduo.tickets.model import LiveSession
from casduo.web import Reply
from casduo.webflow.effects import Form, Page
from casduo.webflow.scope import Scope

PAGES: Final[tuple[AdminPage, ...]] = (
    AdminPage("/admin/", overview, "admin.nav.overview"),
    *SERVICE_PAGES,
    AdminPage("/admin/sessions", sessions, "admin.nav.sessions"),
    AdminPage("/admin/sessions/end", end_sessions, post="change"),
    AdminPage("/admin/approvals", approvals, "admin.nav.approvals"),
    AdminPage("/admin/approvals/{}", approval, post="change"),
    AdminPage("/admin/outbox", outbox, "admin.nav.outbox", post="change"),
    AdminPage("/admin/signouts", sign_outs, "admin.nav.signouts"),
    AdminPage("/admin/failures", failures, "admin.nav.failures"),
    AdminPage("/admin/health", health, "admin.nav.health"),
    AdminPage("/admin/flows", flows, "admin.nav.flows"),
    AdminPage("/admin/flows/{}", flow),
    AdminPage("/admin/audit", audit, "admin.nav.audit"),
)
"""Every page, in the order of the navigation. A page is one row."""

_SEGMENT = r"([A-Za-z0-9._~-]{1,128})"
_NOT_TYPED = frozenset({"csrf", "ticket"})
_MOST_SHOWN = 60_000
"""Characters of what was typed that are handed back; more cannot be sent."""


def find_admin_route(inner: str) -> Route | None:
    """Return the route of an administration page, ``None`` for any other address.

    :param inner: the path below the server's
    """
    if inner == "/admin":
        return Route(_with_slash, ("GET",))
    for page, pattern in _PATTERNS:
        found = pattern.fullmatch(inner)
        if found is not None:
            methods = tuple(name for name, taken in (("GET", page.get), ("POST", page.post)) if taken)
            return Route(_answer(page, found.groups()), methods)
    return None


_PATTERNS = tuple((page, re.compile(re.escape(page.path).replace(r"\{\}", _SEGMENT))) for page in PAGES)


def _with_slash(server: Server, request: Request) -> Reply:
    return server.web.redirect(request, f"{server.parts.rules.admin_url}/")


def _answer(page: AdminPage, segments: tuple[str, ...]) -> Endpoint:
    def endpoint(server: Server, request: Request) -> Reply:
        visit = AdminVisit(server, request, ADMIN, _address(request), page, PAGES)
        if request.method == "POST":
            request.refuse_foreign_post()
        stopped = visit.arrival() or _stopped(visit)
        if stopped is not None:
            return stopped
        reply: Reply = page.endpoint(visit, *segments)
        if request.method == "GET" and reply.status == 200:
            visit.viewed()
        return reply

    return endpoint


def _stopped(visit: AdminVisit) -> Reply | None:
    """Return the answer to somebody who may not go on, or not yet; ``None`` for whoever may."""
    visit.live = session = visit.session()
    posted = visit.request.method == "POST"
    if session is None:
        return _again(visit, "session", None) if posted else visit.sign_in()
    rules = visit.server.parts.rules
    visit.role = rules.admin.role_of(session.ticket.principal_id, session.ticket.attributes)
    if not allows(visit.role, "change" if posted and visit.row.post == "change" else "view"):
        visit.refused("role")
        return _denied(visit, "no_role" if visit.role is None else "only_view")
    ours = posted and visit.is_ours(session)
    if not visit.admits(session):
        if not posted:
            return visit.sign_in()
        visit.refused("fresh")
        return _again(visit, "fresh", session if ours else None)
    if visit.tools.with_duo and not visit.confirmed(session):
        # Duo has let the person pass without a factor, which other applications may take for an answer.
        visit.refused("bypass")
        return _denied(visit, "bypass")
    if posted and not ours:
        visit.refused("form")
        return _again(visit, "form", None)
    return None


def _denied(visit: AdminVisit, why: Literal["no_role", "only_view", "bypass"]) -> Reply:
    """Say that somebody who is signed in may not do this."""
    rules = visit.server.parts.rules
    back = f"{rules.admin_url}/" if why == "only_view" else rules.home_url
    return visit.show(Page("admin/denied", {"person": visit.person, "why": why, "back_url": back}, status=403))


def _again(visit: AdminVisit, why: str, session: LiveSession | None) -> Reply:
    """Say why nothing was changed, with everything that was typed.

    :param why: ``session`` (it has ended), ``fresh`` (Duo or the password was too long ago), ``form`` (it was made for
        another session)
    :param session: of the form, where sending it once more is enough
    """
    typed = {name: value for name, value in visit.request.parameters.items() if name not in _NOT_TYPED}
    rules = visit.server.parts.rules
    form = None
    if session is not None:
        form = Form(visit.request.path, tuple(typed.items()), csrf=visit.token(session))
    page = f"{visit.request.origin}{rules.admin_url}/"
    data = {
        "why": why,
        "with_duo": visit.tools.with_duo,
        "sign_in_url": rules.login_url(Scope(service=page)),
        "page_url": visit.request.path,
        "typed": () if form is not None else _shown(typed),
        "form": form,
    }
    return visit.show(Page("admin/again", data, status=403, form=form))


def _shown(typed: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    left, shown = _MOST_SHOWN, []
    for name, value in typed.items():
        shown.append({"name": name, "value": value[:left]})
        left = max(0, left - len(value))
    return tuple(shown)


def _address(request: Request) -> str:
    """Return where a login brings somebody back to: the page with its query, but without the ticket of an arrival."""
    query = request.environ.get("QUERY_STRING", "") if request.method == "GET" else ""
    kept = [(name, value) for name, value in parse_qsl(query) if name != "ticket"]
    return request.path + (f"?{urlencode(kept)}" if kept else "")
