"""What tests of weaknesses share: a registry, people with sessions, crafted addresses, and what an answer tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from webtest.response import TestResponse

from casduo.tickets.ids import TicketId
from casduo.tickets.model import TicketGrantingTicket
from tests.support.portal import Portal
from tests.support.raw import Answer
from tests.support.site import PAYROLL, Browser, Site
from tests.support.wires import LAX, Wire

NOW = 1_790_000_000.0
ARCHIVE = "https://archive.example.edu/"
SHUTTLE = "https://shuttle.example.edu/"
TELLER = "https://teller.example.edu/"

_REGISTRY = """
services:
  - {{id: library, name: Library, url: "https://library.example.edu/**", attributes: [mail]}}
  - {{id: archive, name: Archive, url: "https://archive.example.edu/**"}}
  - id: teller
    name: Told more
    url: "https://teller.example.edu/**"
    attributes: [mail, displayName, note]
  - id: portal
    name: Portal
    url: "https://portal.example.edu/**"
    proxy: {{allow: true, callback: "{callback}/**", private_addresses: true}}
  - id: shuttle
    name: A proxy to the library only, whose callback must be public
    url: "https://shuttle.example.edu/**"
    proxy: {{allow: true, callback: "{callback}", targets: [library]}}
  - {{id: staff, name: Staff, url: "https://staff.example.edu/**", access: {{groups: [staff]}}}}
  - {{id: admin, name: Administration, url: "https://app.example.edu/admin/**", access: {{groups: [staff]}}}}
  - {{id: app, name: Application, url: "https://app.example.edu/**"}}
  - {{id: local, name: Local, url: "http://localhost:8000/**"}}
  - {{id: closed, name: Closed, url: "https://closed.example.edu/**", enabled: false}}
"""

CRAFTED = [
    "https://evil.example.com/",
    "https://library.example.edu.evil.com/",
    "https://evil.example.com/https://library.example.edu/",
    "https://evil.example.com/?https://library.example.edu/",
    "https://evil.example.com/#https://library.example.edu/",
    "https://library.example.edu@evil.example.com/",
    "https://library.example.edu:x@evil.example.com/",
    "https://a@b@library.example.edu@evil.example.com/",
    "https://evil.example.com\\@library.example.edu/",
    "https://evil.example.com\\library.example.edu/",
    "https://library.example.edu\\.evil.example.com/",
    "https://library.example.edu%00.evil.example.com/",
    "https://library.example.edu%2f.evil.example.com/",
    "https://library.example.edu%252f.evil.example.com/",
    "https://library\u3002example\u3002edu.evil.example.com/",
    "https://library.example.edu/..;/..;/evil",
    "https://library.example.edu/%2e%2e/evil",
    "https:evil.example.com",
    "http:www.evil.example.com",
    "https:/evil.example.com",
    "https:///evil.example.com",
    "//evil.example.com/",
    "/\\evil.example.com/",
    "\\\\evil.example.com/",
    "\thttps://evil.example.com/",
    "https://evil.example.com\r\nLocation: https://evil.example.com/",
    "javascript://library.example.edu/%0aalert(1)",
    "data:text/html,evil",
    "https://localhost:8000/",
    "http://localhost:9000/",
    "http://127.0.0.1:8000/",
    "http://localhost:8000@evil.example.com/",
    "http://library.example.edu/",
    "https://library.example.edu:8443/",
]
"""Addresses that no registered pattern means, though some part of a careless server could think so."""


def registry_beside(portal: Portal) -> str:
    """The registry of the shared server, for a portal with this callback page."""
    return _REGISTRY.format(callback=portal.callback)


def signed_in(site: Site, name: str = "ada") -> Browser:
    """A browser whose person has signed in, without an application."""
    browser = site.browser()
    browser.sign_in(name, "")
    assert browser.session
    return browser


def opened(site: Site, principal: str, attributes: Mapping[str, tuple[str, ...]] | None = None, **more: Any) -> Browser:
    """A browser with the session of somebody whom no users file would hold; ``more`` are fields of the session."""
    browser = site.browser()
    browser.app.set_cookie("TGC-casduo", str(session_of(site, principal, attributes, **more)))
    return browser


def session_of(
    site: Site, principal: str, attributes: Mapping[str, tuple[str, ...]] | None = None, **more: Any
) -> TicketId:
    """Open a session, beside every form, and return its id."""
    session = TicketGrantingTicket(principal, attributes or {}, "users_file", site.clock(), **more)
    parts = site.composed.parts
    batch = parts.store.batch()
    live = parts.tickets.open_session(batch, session, site.clock())
    batch.run()
    return live.id


def accepted(answer: TestResponse) -> bool:
    """Whether an application takes an answer for a success."""
    return answer.text.startswith("yes\n") or "authenticationSuccess" in answer.text


def good(site: Site, asked: Mapping[str, str]) -> bool:
    """Whether a ticket is still good: it is used up by asking."""
    return LAX.accepts(LAX.ask(site, asked))


def names(answer: Answer, name: str = "ada") -> bool:
    """Whether an answer tells an application of this person; ids of answers may hold any letters."""
    return re.search(rf'[>"\n]{name}[<"\n]', answer.body.decode()) is not None


def tells_nobody(wire: Wire, answer: Answer) -> bool:
    """Whether an answer is a refusal, for everybody who reads it."""
    return not wire.accepts(answer) and not names(answer)


def prompt_of(site: Site, name: str = "ada", service: str = PAYROLL) -> tuple[Browser, str]:
    """A browser that has given its password and is sent to Duo, and where exactly."""
    browser = site.browser()
    return browser, browser.sign_in(name, service).headers["Location"]
