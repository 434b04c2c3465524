"""One request to the administration pages by somebody who may make it, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from casduo.admin.events import AdminChanged, AdminRefused, AdminViewed
from casduo.admin.roles import Role, allows
from casduo.admin.tools import AdminTools
from casduo.endpoints.visit import Visit
from casduo.events.model import Subject
from casduo.store import Batch
from casduo.tickets.model import LiveSession
from casduo.web import Reply
from casduo.webflow.effects import Form, Page

_NAME = "displayName"


@dataclass(frozen=True, slots=True)
class AdminPage:
    """One row of the list of pages.

    :param path: below the server's; ``{}`` stands for a segment, which the endpoint is given as text
    :param endpoint: called with the visit and the segments
    :param title: id of the text in the navigation; empty for a page that is not in it
    :param post: what a POST to it is: ``change`` (needs the role ``change``), ``ask`` (changes nothing; for questions
        that are too long for an address), or empty where there is none. CSRF token, Origin and fresh Duo are looked at
        before the endpoint is called, for both
    :param get: whether it can be opened; otherwise it only takes what is posted
    """

    path: str
    endpoint: AdminEndpoint
    title: str = ""
    post: Literal["", "change", "ask"] = ""
    get: bool = True


@dataclass(slots=True)
class AdminVisit(Visit):
    """One request, and what answers it.

    :param row: the page that was asked for
    :param pages: all pages, for the navigation
    """

    row: AdminPage
    pages: tuple[AdminPage, ...] = field(repr=False)
    role: Role | None = field(default=None, init=False)
    live: LiveSession | None = field(default=None, init=False)
    object: str = field(default="", init=False)
    """What the page shows or was searched for, for the audit trail. Endpoints set it."""

    @property
    def tools(self) -> AdminTools:
        """What these pages work with."""
        assert self.server.admin is not None
        return self.server.admin

    @property
    def person(self) -> str:
        """The administrator, by the name that they sign in with."""
        return self.live.ticket.principal_id if self.live is not None else ""

    @property
    def may_change(self) -> bool:
        """Whether they may change things, so that pages show the forms for it."""
        return allows(self.role, "change")

    def url(self, path: str) -> str:
        """Return the address of a page, ``/admin/sessions``, as a path of this host."""
        return self.server.parts.rules.base + path

    def form(self, path: str, *hidden: tuple[str, str]) -> Form:
        """Return a form that posts to a page."""
        assert self.live is not None
        return Form(self.url(path), hidden, csrf=self.token(self.live))

    def page(self, view: str, data: Mapping[str, Any], *, status: int = 200, form: Form | None = None) -> Reply:
        """Show a view of ``views/admin/`` in the frame of these pages."""
        return self.show(Page(f"admin/{view}", {**data, "frame": self._frame()}, status=status, form=form))

    def changed(self, action: str, what: str, reason: str = "", batch: Batch | None = None) -> None:
        """Write down a change that was made.

        :param action: a fixed word, such as ``session.ended``
        :param what: to whom or what it was done
        :param batch: the writes of the change, if it is made in Redis, for the event to travel along
        """
        event = AdminChanged(self.about(), self.row.path, action, what, reason, self.role or "")
        self.server.parts.journal.write(event, batch)

    def viewed(self) -> None:
        """Write down that the page was shown."""
        event = AdminViewed(self.about(), self.row.path, self.object, self.role or "")
        self.server.parts.journal.write(event)

    def refused(self, reason: Literal["role", "form", "fresh", "bypass"]) -> None:
        """Write down that the page or the change was refused."""
        self.server.parts.journal.write(AdminRefused(self.about(), self.row.path, reason))

    def about(self) -> Subject:
        """Return whom and what events of this visit are about."""
        strength = self.live.ticket.strength.level if self.live is not None else ""
        request = self.request
        return Subject(request.reference, request.address, self.person, self.service, strength)

    def _frame(self) -> Mapping[str, Any]:
        listed = [page for page in self.pages if page.title]
        inner = self.request.path.removeprefix(self.server.parts.rules.base)
        here = max((page.path for page in listed if inner.startswith(page.path)), key=len, default="")
        names = self.live.ticket.attributes.get(_NAME, ()) if self.live is not None else ()
        return {
            "navigation": [
                {"url": self.url(page.path), "title": page.title, "current": page.path == here} for page in listed
            ],
            "person": next(iter(names), self.person),
            "may_change": self.may_change,
            "home_url": self.server.parts.rules.home_url,
        }


AdminEndpoint = Callable[..., Reply]
"""Called with the visit, and with the segments of the address that the row leaves open."""
