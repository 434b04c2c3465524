"""Signing people in at the enrolment pages as any application does: to the login, and back with a service ticket.

A ticket has to come with the note that its sign-in began with, so nobody is led in here as somebody else. What opens a
session is always a new id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casduo.endpoints.enroll_visit import NOTE, SESSION, Note, Visit
from casduo.endpoints.validation import note_failure, validated_ticket
from casduo.enrollment.model import EnrollSession
from casduo.enrollment.pages import START, requested
from casduo.enrollment.sessions import Errand, new_session
from casduo.errors import BadRequest
from casduo.protocol.errors import InternalError, ProtocolError
from casduo.protocol.parameters import Parameters
from casduo.protocol.validation import ValidatedTicket, read_request
from casduo.request import SESSION_COOKIE
from casduo.signing import Purpose, equal, random_text
from casduo.tickets.ids import parse_session_id, parse_ticket_id
from casduo.web import Reply
from casduo.webflow.effects import Page
from casduo.webflow.scope import Scope


def sign_in(visit: Visit, link: str = "") -> Reply:
    """Send the browser to the login, with a note of what it is about.

    :param link: name of the link that the person came by just now
    """
    parts, request = visit.server.parts, visit.request
    known = visit.note() or Note(random_text(22), "")
    note = Note(known.state, link or known.link)
    reply = visit.server.web.redirect(request, parts.rules.login_url(Scope(service=visit.service(note))))
    value = parts.signing.dumps(Purpose.ENROLL, [note.state, note.link], request.now)
    visit.set_cookie(reply, NOTE, value, parts.links.lifetime)
    return reply


def signed_in(visit: Visit, parameters: Parameters) -> Reply:
    """Take the ticket that the login gave, and open a session. The ticket leaves the address."""
    note = visit.note()
    if note is None or not equal(parameters.get("state", ""), note.state):
        if visit.session() is not None:
            return visit.to(START)
        if note is not None:
            return sign_in(visit)
        return visit.show(Page("cookies_missing", {"retry_url": visit.address(START)}, status=400))
    ticket = parameters["ticket"]
    validated = _validated(visit, visit.service(note), ticket)
    if not isinstance(validated, ProtocolError):
        return _open(visit, note, ticket, validated.session.principal_id)
    if visit.session() is not None:
        return visit.to(START)
    if isinstance(validated, InternalError):
        return visit.show(Page("store_unavailable", {"retry_url": visit.address(START)}, status=503, wait=10))
    return visit.problem("sign_in", {}, retry=True)


def came_by_link(visit: Visit, session: EnrollSession | None, token: str) -> Reply:
    """Take a link of ours: good for one session, and for as long as it says.

    :param token: as the browser sent it
    """
    link = visit.server.parts.links.read(token, visit.request.now)
    if link is None:
        return visit.show(Page("bad_request", status=400))
    if link.expired:
        return visit.link_refused("link_expired", link.asked)
    arrived = visit.enrollment.sessions.arrive(link, session)
    if arrived.used:
        return visit.link_refused("link_used", link.asked)
    if session is None:
        return sign_in(visit, link.name)
    if session.link != link.name:
        # A code that is out belongs to the account that it was made in.
        application = session.application if session.code_is_out else _application(visit, link.asked)
        visit.enrollment.sessions.attach(session, arrived, application)
    return visit.to(START)


def _validated(visit: Visit, service: str, ticket: str) -> ValidatedTicket | ProtocolError:
    """Validate a ticket by the same calls as ``/p3/serviceValidate``."""
    server, request = visit.server, visit.request
    try:
        registry = server.parts.services.current()
        asked = read_request(Parameters({"service": service, "ticket": ticket}), registry, "cas3")
        return validated_ticket(server, request, asked)
    except (ProtocolError, BadRequest) as error:
        return note_failure(server, request, error, service, ticket)


def _open(visit: Visit, note: Note, ticket: str, principal: str) -> Reply:
    """Open a session for ``principal``, on the single sign-on session that the ticket came from."""
    sessions = visit.enrollment.sessions
    granted, presented = parse_ticket_id(ticket), parse_session_id(visit.request.cookies.get(SESSION_COOKIE, ""))
    if granted is None or presented is None or presented.tag != granted.tag:
        # The ticket says who it is, and the cookie beside it on which session. They belong together.
        return visit.problem("sign_in", {}, retry=True)
    session = new_session(presented)
    errand = sessions.leave(visit.cookie, principal)
    arrived = sessions.arrived(note.link, session) if note.link else Errand()
    if arrived.asked and not arrived.used:
        errand = arrived
    if not sessions.open(session, presented, principal, errand, application=_application(visit, errand.asked)):
        return visit.problem("sign_in", {}, retry=True)
    reply = visit.link_refused("link_used", arrived.asked) if arrived.used else visit.to(START)
    visit.set_cookie(reply, SESSION, session, sessions.lifetime)
    visit.set_cookie(reply, NOTE, "", 0)
    return reply


def _application(visit: Visit, asked: Mapping[str, Any]) -> str:
    """Return the name of the Duo application that is going to be asked at what somebody came for."""
    found = requested(asked, visit.server.parts.services.current())
    rule = found[0].duo_rule if found is not None else None
    return (rule.application if rule is not None else None) or ""
