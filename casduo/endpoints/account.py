"""The addresses of people's own pages: their sessions, trusted browsers, sign-ins of late, and how they stand with Duo.

Whatever is named in a form is looked for among what belongs to the person of the session; another's is simply not
there.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from casduo.account.events import SignInDisowned, TrustForgotten
from casduo.account.history import KEPT
from casduo.account.pages import ALL, AccountPages, Result, limited, shown_name
from casduo.account.signins import ListedSignIn, listed
from casduo.agents import agent_words
from casduo.endpoints.base import Endpoint, Route, Server
from casduo.endpoints.visit import Visit
from casduo.errors import UpstreamUnavailable
from casduo.events.model import Event, Fault, SignedOut, Subject
from casduo.mfa.duo.errors import DuoFailure
from casduo.mfa.duo.gateway import Preauth
from casduo.request import Request
from casduo.services.builtin import ACCOUNT
from casduo.tickets.model import LiveSession
from casduo.web import Reply

_SIGN_IN = re.compile(r"/account/sign-ins/([0-9a-f]{16}x{0,40})")


def overview(server: Server, request: Request) -> Reply:
    """``/account/``: where somebody is signed in, and what else is theirs."""
    visit = _visit(server, request)
    session = _admitted(visit)
    if isinstance(session, Reply):
        return session
    parts, person, now = server.parts, session.ticket.principal_id, request.now
    page = _pages(visit).overview(
        session.id.fingerprint,
        parts.tickets.known_sessions_of(person),
        parts.trusted.of(person, now),
        _sign_ins(visit, session),
        parts.approvals.of_person(person, 3),
        visit.token(session),
        now,
        _result(request),
    )
    return visit.show(page)


def sessions(server: Server, request: Request) -> Reply:
    """``/account/sessions/end``: asks before all other sessions end, by GET; ends them, or one of them, by POST."""
    visit = _visit(server, request, "sessions/end")
    session = _admitted(visit)
    if isinstance(session, Reply):
        return session
    parts, person, now = server.parts, session.ticket.principal_id, request.now
    if request.method != "POST":
        others = len(parts.tickets.known_sessions_of(person)) - 1
        if others < 1:
            return visit.to(_back(visit, "gone"))
        return visit.show(_pages(visit).confirm("sessions", others, visit.token(session)))
    if not visit.is_ours(session):
        return visit.to(_back(visit, "stale"))
    named = request.parameters.get("session", "")
    if named == ALL:
        ended = parts.tickets.close_sessions_of(person, "user", now, but=session.id)
        if ended:
            _tell(visit, SignedOut(_subject(visit, session), cause="user", sessions=ended))
        return visit.to(_back(visit, "sessions" if ended else "gone"))
    return visit.to(_back(visit, "session" if _end(visit, session, named) else "gone"))


def browsers(server: Server, request: Request) -> Reply:
    """``/account/browsers/forget``: asks before all trusted browsers are forgotten, by GET; does it, or forgets one of
    them, by POST.
    """
    visit = _visit(server, request, "browsers/forget")
    session = _admitted(visit)
    if isinstance(session, Reply):
        return session
    parts, person = server.parts, session.ticket.principal_id
    if request.method != "POST":
        number = len(parts.trusted.of(person, request.now))
        if not number:
            return visit.to(_back(visit, "gone"))
        return visit.show(_pages(visit).confirm("browsers", number, visit.token(session)))
    if not visit.is_ours(session):
        return visit.to(_back(visit, "stale"))
    named = request.parameters.get("browser", "")
    if named == ALL:
        forgotten = parts.trusted.forget_all(person)
    else:
        known = (one.name for one in parts.trusted.of(person, request.now) if shown_name(one.name) == named)
        forgotten = sum(parts.trusted.forget(person, name) for name in known)
    if not forgotten:
        return visit.to(_back(visit, "gone"))
    _tell(visit, TrustForgotten(_subject(visit, session), browsers=forgotten))
    return visit.to(_back(visit, "browsers" if named == ALL else "browser"))


def sign_ins(server: Server, request: Request) -> Reply:
    """``/account/sign-ins``: the sign-ins of late with one's name, failed ones among them."""
    visit = _visit(server, request, "sign-ins")
    session = _admitted(visit)
    if isinstance(session, Reply):
        return session
    return visit.show(_pages(visit).sign_ins(_sign_ins(visit, session), _result(request)))


def sign_in(server: Server, request: Request, name: str) -> Reply:
    """``/account/sign-ins/NAME``: what is going to happen if this was somebody else, by GET, or what has; it does by
    POST.

    Everything else that is signed in ends, and trust in browsers with it; this session stays, and the person is told to
    change the password. Where the password was not even right nothing has to end, and it is only written down.
    """
    visit = _visit(server, request, f"sign-ins/{name}")
    session = _admitted(visit)
    if isinstance(session, Reply):
        return session
    pages, lines = _pages(visit), _sign_ins(visit, session)
    line = next((line for line in lines if line.name == name), None)
    if line is None:
        return visit.to(_back(visit, "gone", "sign-ins"))
    if request.method != "POST":
        return visit.show(pages.disown(line, visit.token(session)))
    if not visit.is_ours(session):
        return visit.to(_back(visit, "stale", "sign-ins"))
    if not line.disowned:
        if limited(lines, request.now):
            return visit.show(pages.disown(line, "", too_many=True))
        _disown(visit, session, line)
    return visit.to(visit.address)


def duo(server: Server, request: Request) -> Reply:
    """``/account/duo``: how somebody stands with Duo, which is asked each time."""
    visit = _visit(server, request, "duo")
    session = _admitted(visit)
    if isinstance(session, Reply):
        return session
    if not server.parts.duo.names:
        return visit.nothing()
    known = server.parts.tickets.known_sessions_of(session.ticket.principal_id)
    page = _pages(visit).second_factor(_preauth(visit, session), session.ticket, known, _sign_ins(visit, session))
    return visit.show(page)


def slashless(server: Server, request: Request) -> Reply:
    """``/account``: as people type it."""
    return server.web.redirect(request, server.parts.rules.account_url)


def find_account_route(inner: str) -> Route | None:
    """Return the route of an address of these pages, ``None`` for any other.

    :param inner: the path below the server's
    """
    if inner in ACCOUNT_ROUTES:
        return ACCOUNT_ROUTES[inner]
    found = _SIGN_IN.fullmatch(inner)
    return Route(_of(found[1])) if found is not None else None


ACCOUNT_ROUTES = {
    "/account": Route(slashless, ("GET",)),
    "/account/": Route(overview, ("GET",)),
    "/account/sessions/end": Route(sessions),
    "/account/browsers/forget": Route(browsers),
    "/account/sign-ins": Route(sign_ins, ("GET",)),
    "/account/duo": Route(duo, ("GET",)),
}
"""Every page that has one address; those about one sign-in are beside, below ``/account/sign-ins/``."""


def _of(name: str) -> Endpoint:
    return lambda server, request: sign_in(server, request, name)


def _visit(server: Server, request: Request, below: str = "") -> Visit:
    return Visit(server, request, ACCOUNT, f"{server.parts.rules.account_url}{below}")


def _admitted(visit: Visit) -> LiveSession | Reply:
    """Return the session of somebody who may be on these pages now, or else what brings them there."""
    arrival = visit.arrival()
    if arrival is not None:
        return arrival
    session = visit.session()
    return session if session is not None and visit.admits(session) else visit.sign_in()


def _pages(visit: Visit) -> AccountPages:
    parts = visit.server.parts
    return AccountPages(parts.rules, visit.registry, bool(parts.duo.names))


def _sign_ins(visit: Visit, session: LiveSession) -> list[ListedSignIn]:
    return listed(visit.server.parts.history.of(session.ticket.principal_id), visit.request.now - KEPT)


def _end(visit: Visit, session: LiveSession, named: str) -> bool:
    """End one of the other sessions of the person, by what it goes by on the page."""
    parts, person, now = visit.server.parts, session.ticket.principal_id, visit.request.now
    others = (name for name, _ in parts.tickets.sessions_of(person) if name.fingerprint != session.id.fingerprint)
    found = next((name for name in others if shown_name(name.fingerprint) == named), None)
    if found is None:
        return False
    batch = parts.store.batch()
    closing = parts.tickets.close_session(batch, found, "user", now)
    batch.run()
    # Not before: on a cluster the index lies apart, and what could not be ended has to be found again.
    parts.tickets.unindex(batch, person, found)
    with suppress(UpstreamUnavailable):
        batch.run()
    if closing.closed:
        _tell(visit, SignedOut(_subject(visit, session), cause="user"))
    return closing.closed


def _disown(visit: Visit, session: LiveSession, line: ListedSignIn) -> None:
    """Do what has to be done about a sign-in that was somebody else's. Done twice it does no more harm than once, and
    only the first is told of.
    """
    parts, person, now = visit.server.parts, session.ticket.principal_id, visit.request.now
    ended = forgotten = 0
    if not line.told.guessed:
        # First: nobody comes back without Duo in between.
        forgotten = parts.trusted.forget_all(person)
        ended = parts.tickets.close_sessions_of(person, "fraud", now, but=session.id)
    if not parts.history.disown(person, line.name, now):
        return
    subject = _subject(visit, session)
    disowned = SignInDisowned(
        subject,
        outcome=line.told.outcome,
        when=datetime.fromtimestamp(int(line.last), UTC).isoformat(),
        origin=line.told.address,
        guessed=line.told.guessed,
        sessions=ended,
        browsers=forgotten,
    )
    _tell(visit, *([SignedOut(subject, cause="fraud", sessions=ended)] if ended else []), disowned)


def _preauth(visit: Visit, session: LiveSession) -> Preauth | None:
    parts = visit.server.parts
    try:
        return parts.duo.main.preauth(session.ticket.principal_id, visit.request.address)
    except DuoFailure as failure:
        detail = failure.message or failure.detail
        parts.journal.write(Fault(_subject(visit, session), code=failure.code, detail=detail))
        return None


def _tell(visit: Visit, *events: Event) -> None:
    """Write events down before the page says that what they tell of has happened."""
    batch = visit.server.parts.store.batch()
    for event in events:
        visit.server.parts.journal.write(event, batch)
    batch.run()


def _subject(visit: Visit, session: LiveSession) -> Subject:
    request = visit.request
    subject = request.subject(session.ticket.principal_id, ACCOUNT)
    agent = agent_words(str(request.environ.get("HTTP_USER_AGENT", "")))
    return replace(subject, strength=session.ticket.strength.level, agent=agent)


def _back(visit: Visit, result: Result, below: str = "") -> str:
    return f"{visit.server.parts.rules.account_url}{below}?done={result}"


def _result(request: Request) -> str:
    told = request.parameters.get("done", "")
    return told if told in get_args(Result) else ""
