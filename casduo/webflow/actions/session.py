"""Actions about the single sign-on session: finding it, what asking for it quietly means, opening and raising it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from casduo.events.journal import Journal
from casduo.events.model import SignedIn, SignedOut
from casduo.mfa.trust import TrustedBrowsers
from casduo.rules import LoginRules
from casduo.services.freshness import good_enough
from casduo.services.urls import location
from casduo.tickets.ids import parse_session_id
from casduo.tickets.model import LiveSession, TicketGrantingTicket
from casduo.tickets.registry import Closing, TicketRegistry
from casduo.webflow.context import Context
from casduo.webflow.effects import Redirect


def ticket_granting_ticket_check(context: Context, tickets: TicketRegistry) -> Literal["notExists", "invalid", "valid"]:
    """Look up the session that the browser's TGC names."""
    if not context.inbound.session_cookie:
        return "notExists"
    presented = parse_session_id(context.inbound.session_cookie)
    if presented is not None:
        found = tickets.find_session(presented)
        if found is not None:
            context.session = LiveSession(presented, found)
            return "valid"
    context.set_cookie = ""
    return "invalid"


def renew_required(context: Context) -> bool:
    """Whether a live session is not enough: a new password is asked for, or the service wants no single sign-on, no
    remembered session, or a fresher one.
    """
    session, entry = context.session, context.service
    assert session is not None
    return context.scope.renew or (entry is not None and not good_enough(entry, session.ticket, context.inbound.now))


def use(context: Context) -> Literal["success"]:
    """Go on as the person of the live session."""
    session = context.session
    assert session is not None
    scope = context.scope
    scope.principal_id = session.ticket.principal_id
    scope.attributes = {name: list(values) for name, values in session.ticket.attributes.items()}
    scope.handler = session.ticket.handler
    scope.authenticated_at = session.ticket.authenticated_at
    scope.ask_before = session.ticket.ask_before
    scope.remembered = session.ticket.remembered
    scope.session = session.id.fingerprint
    scope.fresh = False
    context.strength = session.ticket.strength
    return "success"


def gateway_requested(context: Context) -> bool:
    """Whether the application asked not to prompt. Ignored without a service, and when ``renew`` asks for the contrary
    (CAS protocol 2.1.1).
    """
    return context.scope.gateway and not context.scope.renew and context.service is not None


def to_login(context: Context, rules: LoginRules) -> Redirect:
    """Send the browser to the login anew; with the session that now exists it asks for no password."""
    return Redirect(rules.login_url(replace(context.scope, renew=False)))


def after_cancel(context: Context, rules: LoginRules) -> Redirect:
    """Send who gives up back to the sign-in page, or to the page of the signed in."""
    return Redirect(rules.home_url if context.scope.session else rules.login_url(context.scope))


def without_ticket(context: Context) -> Redirect:
    """Send the browser back as it came: no ticket, the URL otherwise untouched."""
    return Redirect(location(context.scope.service))


def create(
    context: Context, tickets: TicketRegistry, rules: LoginRules, journal: Journal
) -> Literal["created", "upgraded", "kept", "ended"]:
    """Open the session of a verified password, or add to a live one what a second factor has just proved; the live one
    may have been opened earlier in this very login. A login that waited while all sessions of its person were ended is
    over with them.

    A password always makes a new session under a new id (session fixation), and the one it replaces ends. The writes
    join the request's batch, so that they share a round trip with the ticket that usually follows.
    """
    scope, inbound = context.scope, context.inbound
    if scope.fresh and not scope.session:
        waited = scope.authenticated_at < inbound.now
        if waited and tickets.all_ended_since(scope.principal_id, scope.authenticated_at, inbound.now):
            context.notice = "login.notice.signed_out"
            return "ended"
        closing = _close_replaced(context, tickets, journal)
        context.opened = context.session = tickets.open_session(context.batch, _ticket_of(context), inbound.now)
        if closing is not None and closing.visits and not closing.telling:
            tickets.inherit(context.batch, context.opened.id, closing)
        context.set_cookie = str(context.opened.id)
        context.cookie_lifetime = int(rules.remembered_lifetime) if scope.remembered else None
        scope.session = context.opened.id.fingerprint
        journal.write(SignedIn(context.subject, handler=scope.handler), context.batch)
        return "created"
    presented = _presented(context)
    if presented is not None and scope.strength_raised:
        tickets.raise_strength(context.batch, presented.id, context.strength)
        scope.strength_raised = False
        return "upgraded"
    return "kept"


def create_early(
    context: Context, tickets: TicketRegistry, rules: LoginRules, journal: Journal
) -> Literal["created", "upgraded", "kept", "ended"]:
    """As :func:`create`, while a second factor is still asked for: in a browser other applications work meanwhile."""
    return "kept" if context.on_phone else create(context, tickets, rules, journal)


def _close_replaced(context: Context, tickets: TicketRegistry, journal: Journal) -> Closing | None:
    """End the session that the browser had before; its services are told if it was somebody else's."""
    replaced = parse_session_id(context.inbound.session_cookie)
    if replaced is None or context.stale_cookie:
        return None
    person = context.scope.principal_id
    closing = tickets.close_session(context.batch, replaced.name, "other_user", context.inbound.now, instead=person)
    context.batch.run()
    if closing.closed:
        other = closing.principal_id != person
        tickets.unindex(context.batch, closing.principal_id, replaced.name)
        subject = replace(context.subject, principal=closing.principal_id, service="")
        journal.write(SignedOut(subject, cause="other_user" if other else "renewed"), context.batch)
    return closing


def end_all(
    context: Context, tickets: TicketRegistry, trusted: TrustedBrowsers, rules: LoginRules, journal: Journal
) -> Literal["success"]:
    """End what lives of this person, trust in browsers included: somebody reported that a sign-in was not theirs
    (design section 3, row 11).
    """
    context.set_cookie = ""
    trusted.forget_all(context.scope.principal_id)
    if rules.duo_end_sessions_on_fraud:
        ended = tickets.close_sessions_of(context.scope.principal_id, "fraud", context.inbound.now)
        if ended:
            # Mostly the worker has ended them already, and said so.
            journal.write(SignedOut(context.subject, cause="fraud", sessions=ended), context.batch)
    return "success"


def warnings_waiting(context: Context) -> bool:
    """Whether the directory has something to say about the password, and has not said it in this run."""
    return context.scope.fresh and bool(context.scope.warnings) and not context.scope.warned


def _presented(context: Context) -> LiveSession | None:
    """The session that the browser presents, provided that it is the one this run goes on with."""
    presented = parse_session_id(context.inbound.session_cookie)
    if presented is None or presented.fingerprint != context.scope.session:
        return None
    if context.session is None:
        context.session = LiveSession(presented, _ticket_of(context))
    return context.session


def current(context: Context) -> LiveSession | None:
    """The session a ticket may be granted on: the one just opened, or the presented one this run began with."""
    return context.opened or _presented(context)


def _ticket_of(context: Context) -> TicketGrantingTicket:
    scope = context.scope
    return TicketGrantingTicket(
        principal_id=scope.principal_id,
        attributes=context.attributes,
        handler=scope.handler,
        authenticated_at=scope.authenticated_at,
        strength=context.strength,
        ask_before=scope.ask_before,
        address=context.inbound.address,
        agent=context.inbound.agent,
        remembered=scope.remembered,
    )
