"""One request to pages of the server's own: whose it is, whether they may be there, and how it is answered.

These pages look at the single sign-on session itself. A ticket is only how a login sends somebody here; it is taken out
of the address and never used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from casduo.endpoints.base import Server
from casduo.events.model import RequestRefused
from casduo.protocol.entitlement import EntitlementRules, check_access, check_duo, decide_duo
from casduo.protocol.errors import ProtocolError
from casduo.request import SESSION_COOKIE, Request
from casduo.services.freshness import good_enough
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.tickets.ids import parse_session_id
from casduo.tickets.model import LiveSession
from casduo.web import Reply
from casduo.webflow.effects import Page
from casduo.webflow.scope import Scope


@dataclass(slots=True)
class Visit:
    """One request, and what answers it.

    :param service: id of the entry that the page belongs to
    :param address: the page as a path of this server
    """

    server: Server
    request: Request
    service: str
    address: str
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = self.server.parts.services.current()

    # -- whose it is -------------------------------------------------------------------------------------------------

    def session(self) -> LiveSession | None:
        """Return the live single sign-on session of this browser."""
        presented = parse_session_id(self.request.cookies.get(SESSION_COOKIE, ""))
        found = self.server.parts.tickets.find_session(presented) if presented is not None else None
        return LiveSession(presented, found) if presented is not None and found is not None else None

    def admits(self, session: LiveSession) -> bool:
        """Whether the entry of these pages lets the person in now: by its rules of access, with a session that is fresh
        enough for it, and with Duo as lately as it wants it.
        """
        entry, request = self.registry.by_id(self.service), self.request
        if entry is None or not entry.enabled or not _fresh(entry, session, request.now):
            return False
        try:
            check_access(entry, session.ticket, request.address, request.now, self._entitlement)
            check_duo(entry, session.ticket, request.address, request.now, self._entitlement, fresh=True)
        except ProtocolError:
            return False
        return True

    def confirmed(self, session: LiveSession) -> bool:
        """Whether Duo has said yes as lately as the entry of these pages wants it, where it does; to have been let pass
        without is not enough.
        """
        entry, ticket, request = self.registry.by_id(self.service), session.ticket, self.request
        if entry is None:
            return False
        strength, address = ticket.strength, request.address
        return not decide_duo(entry, ticket.attributes, address, strength, request.now, self._entitlement).owed

    @property
    def _entitlement(self) -> EntitlementRules:
        rules = self.server.parts.rules
        return EntitlementRules(rules.group_attributes, rules.duo)

    # -- how it is answered ------------------------------------------------------------------------------------------

    def show(self, page: Page) -> Reply:
        """Show a page."""
        return self.server.web.page(self.request, page)

    def to(self, address: str) -> Reply:
        """Send the browser to an address of this server."""
        return self.server.web.redirect(self.request, address)

    def sign_in(self) -> Reply:
        """Send the browser to the login for this page, which asks for what is missing, or says why it cannot be."""
        rules = self.server.parts.rules
        if self.registry.by_id(self.service) is None:
            # The entry is gone, and what hung on it is still there for who is signed in.
            return self.to(rules.home_url)
        return self.to(rules.login_url(Scope(service=f"{self.request.origin}{self.address}")))

    def arrival(self) -> Reply | None:
        """Take the ticket of a login out of the address; ``None`` where there is none.

        Who comes back from it without a session has a browser that keeps no cookies, and would go round for ever.
        """
        if self.request.method != "GET" or not self.request.parameters.get("ticket", ""):
            return None
        if SESSION_COOKIE not in self.request.cookies:
            return self.show(Page("cookies_missing", {"retry_url": self.address}, status=400))
        return self.to(self.address)

    def nothing(self) -> Reply:
        """Say that there is no such page: for what does not exist and for what is not theirs, which look the same."""
        self.server.parts.journal.write(
            RequestRefused(self.request.subject(service=self.service), code="NOT_FOUND", path=self.address)
        )
        return self.show(Page("not_found", status=404))

    def token(self, session: LiveSession) -> str:
        """Return what the forms of these pages carry."""
        return self.server.parts.csrf.make(session.id.fingerprint, self.request.now)

    def is_ours(self, session: LiveSession) -> bool:
        """Whether the form that was sent is one of these pages, made for this session.

        :raises ForeignOrigin: another site sent it
        """
        self.request.refuse_foreign_post()
        token = self.request.parameters.get("csrf", "")
        return self.server.parts.csrf.fits(token, session.id.fingerprint, self.request.now)


def _fresh(entry: RegisteredService, session: LiveSession, now: float) -> bool:
    # Without single sign-on each page would ask for the password anew, and no form of these could ever be sent.
    return not entry.single_sign_on or good_enough(entry, session.ticket, now)
