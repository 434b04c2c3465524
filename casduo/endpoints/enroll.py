"""The addresses of the enrolment pages, and of the way back from pages elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from casduo.endpoints.base import Route, Server
from casduo.endpoints.enroll_signin import came_by_link, sign_in, signed_in
from casduo.endpoints.enroll_visit import Visit
from casduo.enrollment.events import EnrollmentRefused
from casduo.enrollment.pages import CODE, START, EnrollmentPages, left
from casduo.events.model import Fault
from casduo.mfa.duo.errors import DuoFailure
from casduo.request import Request
from casduo.web import Reply


def start(server: Server, request: Request) -> Reply:
    """``/enroll/``: how somebody stands, and what can be done. Signs them in first, where they are not."""
    visit, parameters = Visit(server, request), request.parameters
    if parameters.get("ticket"):
        return signed_in(visit, parameters)
    session = visit.session()
    if parameters.get("back"):
        return came_by_link(visit, session, parameters["back"])
    if session is None:
        return sign_in(visit)
    if session.code_is_out:
        return visit.to(CODE)
    subject = visit.subject(session)
    try:
        found, just_now = visit.enrollment.standing(session, subject)
    except DuoFailure as failure:
        server.parts.journal.write(Fault(subject, code=failure.code, detail=failure.message or failure.detail))
        return visit.problem("unavailable", session.asked, retry=True)
    if just_now:
        return visit.go_on(session)
    csrf = server.parts.csrf.make(session.fingerprint, request.now)
    return visit.show(visit.pages.standing(session, found, visit.onward(session.asked), csrf, request.now))


def code(server: Server, request: Request) -> Reply:
    """``/enroll/code``: the code that is out, by GET; a new one, by POST of a form of these pages."""
    visit = Visit(server, request)
    if request.method == "POST":
        request.refuse_foreign_post()
        return _give_code(visit)
    session = visit.session("poll")
    if session is None:
        return sign_in(visit)
    progress = visit.enrollment.progress(session, visit.subject(session), request.now)
    if progress.state == "done":
        return visit.go_on(session)
    if progress.state != "waiting" or session.code is None:
        return visit.to(START)
    return visit.show(visit.pages.code(session.code, progress, visit.onward(session.asked), request.now))


def status(server: Server, request: Request) -> Reply:
    """``/enroll/status``: the same for the page's script. However many ask, Duo is asked once in a while."""
    visit = Visit(server, request)
    session = visit.session("poll")
    if session is None:
        return server.web.news(200, {"state": "gone"})
    progress = visit.enrollment.progress(session, visit.subject(session), request.now)
    facts = {
        "state": progress.state,
        "confirming": progress.confirming,
        "trouble": progress.trouble,
        "seconds": left(session.code, request.now) if session.code is not None else 0,
    }
    return server.web.news(200, facts)


def slashless(server: Server, request: Request) -> Reply:
    """``/enroll``: as people type it."""
    return Visit(server, request).to(START)


def back(server: Server, request: Request) -> Reply:
    """``/enroll/back``: the way back from enrolment pages elsewhere, to the login for what was asked for first."""
    parts = server.parts
    link = parts.links.read(request.parameters.get("key", ""), request.now)
    if link is None:
        return server.web.redirect(request, parts.rules.home_url)
    pages = EnrollmentPages(parts.rules, 0)
    onward = pages.onward(link.asked, parts.services.current())
    if link.expired:
        return server.web.page(request, pages.problem("link_expired", onward))
    return server.web.redirect(request, onward.url or parts.rules.home_url)


def _give_code(visit: Visit) -> Reply:
    """Make a code, and lead to the page that shows it; or to the page that says why there is none."""
    request, enrollment = visit.request, visit.enrollment
    session = visit.session()
    if session is None:
        return visit.to(START)
    if not visit.server.parts.csrf.fits(request.parameters.get("csrf", ""), session.fingerprint, request.now):
        visit.server.parts.journal.write(EnrollmentRefused(visit.subject(session), reason="foreign"))
        return visit.to(START)
    if session.code_is_out:
        return visit.to(CODE)
    if request.now - session.authenticated_at > enrollment.terms.password_age:
        return sign_in(visit)
    session = visit.session("make")
    if session is None or not session.turn:
        # Pressed twice: the first press is at it.
        return visit.to(CODE)
    outcome = enrollment.give_code(session, visit.subject(session), request.now)
    if outcome == "confirm":
        return sign_in(visit)
    return visit.to(CODE if outcome == "made" else START)


ENROLL_ROUTES: Mapping[str, Route] = {
    "/enroll": Route(slashless, ("GET",)),
    "/enroll/": Route(start, ("GET",)),
    "/enroll/code": Route(code),
    "/enroll/status": Route(status, ("GET",)),
}
"""The pages; they exist where ``Server.enrollment`` does."""

RETURN_ROUTES: Mapping[str, Route] = {"/enroll/back": Route(back, ("GET",), repeatable=False)}
"""The way back from pages elsewhere; it exists always."""
