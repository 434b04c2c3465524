"""One request to the enrolment pages: whose it is, what belongs to it, and how it is answered.

Everything that matters stays in Redis. The browser holds two cookies, both for these pages alone: the id of its session
here and, before there is one, a signed note about the sign-in under way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from casduo.endpoints.base import Server
from casduo.enrollment.events import EnrollmentRefused
from casduo.enrollment.model import EnrollSession
from casduo.enrollment.pages import START, EnrollmentPages, Onward, Problem
from casduo.enrollment.service import Enrollment
from casduo.enrollment.sessions import Turn
from casduo.events.model import Subject
from casduo.request import Request
from casduo.services.builtin import ENROLL
from casduo.signing import Purpose, TokenInvalid
from casduo.web import Reply
from casduo.webflow.effects import Page

SESSION = "casduo-enroll"
"""The cookie with the id of a session of these pages. A bearer value."""
NOTE = "casduo-enroll-begin"
"""The cookie with the note about a sign-in under way."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sign-in under way. ``state`` stands in the address that its ticket comes in, ``link`` names the link by which
    the person came.
    """

    state: str
    link: str


@dataclass(slots=True)
class Visit:
    """One request, and what answers it."""

    server: Server
    request: Request
    enrollment: Enrollment = field(init=False)
    pages: EnrollmentPages = field(init=False)

    def __post_init__(self) -> None:
        enrollment = self.server.enrollment
        assert enrollment is not None
        self.enrollment = enrollment
        self.pages = EnrollmentPages(self.server.parts.rules, enrollment.terms.code_lifetime // 60)

    # -- whose it is -------------------------------------------------------------------------------------------------

    @property
    def cookie(self) -> str:
        """The id of a session as the browser sent it."""
        return self.request.cookies.get(SESSION, "")

    def session(self, turn: Turn = "") -> EnrollSession | None:
        """Return the live session of this browser; see :meth:`EnrollSessions.find`."""
        return self.enrollment.sessions.find(self.cookie, self.request.now, turn)

    def note(self) -> Note | None:
        """Return the note of a sign-in under way, ``None`` for none that is ours and young enough."""
        parts, text = self.server.parts, self.request.cookies.get(NOTE, "")
        try:
            value = parts.signing.loads(Purpose.ENROLL, text, parts.links.lifetime, self.request.now)
        except TokenInvalid:
            return None
        match value:
            case [str(state), str(link)]:
                return Note(state, link)
        return None

    def service(self, note: Note) -> str:
        """Return what these pages are called at a sign-in: the same address there and when the ticket is validated."""
        return f"{self.request.origin}{self.address(START)}?state={note.state}"

    def subject(self, session: EnrollSession | None = None) -> Subject:
        """Return whom and what events of this request are about."""
        return self.request.subject(session.principal if session is not None else "", ENROLL)

    def onward(self, asked: Mapping[str, Any]) -> Onward:
        """Return where somebody goes on to who came for ``asked``."""
        return self.pages.onward(asked, self.server.parts.services.current())

    # -- how it is answered ------------------------------------------------------------------------------------------

    def address(self, page: str) -> str:
        """Return the address of one of these pages as a path of this server."""
        return f"{self.server.web.site.base}{page}"

    def to(self, page: str) -> Reply:
        """Send the browser to one of these pages."""
        return self.server.web.redirect(self.request, self.address(page))

    def show(self, page: Page) -> Reply:
        """Show a page."""
        return self.server.web.page(self.request, page)

    def problem(self, reason: Problem, asked: Mapping[str, Any], *, retry: bool = False) -> Reply:
        """Show what stands in the way.

        :param retry: whether the start page may well work the next time
        """
        retry_url = self.address(START) if retry else None
        return self.show(self.pages.problem(reason, self.onward(asked), retry_url=retry_url))

    def link_refused(self, reason: Problem, asked: Mapping[str, Any]) -> Reply:
        """Show that a link is good for nothing any more, and where there is a new one."""
        self.server.parts.journal.write(EnrollmentRefused(self.subject(), reason=reason))
        return self.problem(reason, asked)

    def go_on(self, session: EnrollSession) -> Reply:
        """Send somebody who is registered to what they came for, or show that it is done."""
        url = self.onward(session.asked).url
        return self.server.web.redirect(self.request, url) if url is not None else self.to(START)

    def set_cookie(self, reply: Reply, name: str, value: str, lifetime: float) -> None:
        """Set a cookie for these pages alone, or take it away: an empty value.

        :param lifetime: seconds
        """
        secure = "; Secure" if self.server.web.secure else ""
        age = int(lifetime) if value else 0
        # Both values are made of letters, digits and -_. only, so there is nothing to be quoted.
        cookie = f"{name}={value}; Max-Age={age}; Path={self.address('/enroll')}; HttpOnly; SameSite=Lax{secure}"
        reply.headers.append(("Set-Cookie", cookie))
