"""Administrators at a server without Duo, their forms, and what they look at; shared by tests of the pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from webtest.response import TestResponse

from casduo.endpoints.admin.routes import PAGES
from casduo.endpoints.admin.visit import AdminPage
from casduo.mfa.strength import Strength
from casduo.tickets.ids import parse_session_id
from casduo.tickets.model import LiveSession, TicketGrantingTicket
from tests.support.site import Browser, Site, build_site
from tests.web.asking import REGISTRY, signed_in

ADMINS = """
admin: {change: {users: [Ada]}, view: {groups: [staff]}, without_duo: true}
"""
"""Ada may change things, Grace may look, and Linus and Alan may do neither."""
SERVICES = f"""{REGISTRY}
  - id: payroll
    name: Payroll
    url: https://payroll.example.edu/**
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Site]:
    """The server of a whole file of tests."""
    directory = tmp_path_factory.mktemp("admin")
    site = build_site(directory, valkey_url, float(int(time.time())), registry=SERVICES, settings=ADMINS)
    yield site
    site.composed.close()


@pytest.fixture
def site(shared: Site) -> Iterator[Site]:
    """That server, without anything in its Redis or its journal; nor is anything left there for others."""
    shared.composed.parts.store.command("FLUSHALL")
    shared.journal.events.clear()
    yield shared
    shared.composed.parts.store.command("FLUSHALL")


_KNOWN = {"/admin/flows": "login", "/admin/services/entry": "payroll", "/admin/services/history": "1"}
"""What stands in the addresses of pages about something that is there."""


def opened() -> list[AdminPage]:
    """The pages that can be looked at."""
    return [page for page in PAGES if page.get]


def address(page: AdminPage, segment: str = "k3Jq9sLxA0vB7dQe") -> str:
    """Return the address of a page below the server's."""
    known = next((name for path, name in _KNOWN.items() if page.path.startswith(path)), segment)
    return page.path.replace("{}", known)


def changing() -> list[AdminPage]:
    """The pages that take changes."""
    return [page for page in PAGES if page.post == "change"]


def token(site: Site, browser: Browser) -> str:
    """Return what the forms of a browser's session carry."""
    session = parse_session_id(browser.session)
    assert session is not None
    return site.composed.parts.csrf.make(session.fingerprint, site.clock())


def post(site: Site, browser: Browser, path: str, **fields: str) -> TestResponse:
    """Send a form of the pages as our own page does, and stay with the answer."""
    return browser.post(path, {"csrf": token(site, browser), **fields})


def session_of(site: Site, username: str, services: tuple[str, ...] = (), **changes: Any) -> LiveSession:
    """Open a session, with tickets that services have validated."""
    tickets, now = site.composed.parts.tickets, site.clock()
    facts: dict[str, Any] = {"address": "198.51.100.9", "agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
    facts |= {"strength": Strength.duo("duo_push", now), "used_at": now} | changes
    batch = site.composed.parts.store.batch()
    session = tickets.open_session(batch, TicketGrantingTicket(username, {}, "users_file", now, **facts), now)
    grantings = [
        tickets.grant_service_ticket(batch, session.id, f"https://{name}.example.edu/", name, primary=False, now=now)
        for name in services
    ]
    batch.run()
    for granting in grantings:
        assert tickets.take(granting.id) is not None
    return session


def lives(site: Site, session: LiveSession) -> bool:
    """Whether a session has not ended."""
    return site.composed.parts.tickets.find_session(session.id) is not None


def admin(site: Site, username: str = "ada") -> Browser:
    """Return a browser in which somebody has just signed in."""
    return signed_in(site, username)
