"""A server with the enrolment pages, the simulated Duo, and people who come to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from webtest.response import TestResponse

from casduo.enrollment.sessions import EnrollSessions
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from tests.support.site import BASE, ORIGIN, Browser, Build, Site, has_ticket, heading, query

PAYROLL = "https://payroll.example.edu/slips?month=5"
CLINIC = "https://clinic.example.edu/"
REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
  - id: payroll
    name: Payroll
    url: https://payroll.example.edu/**
    requires_duo: true
  - id: clinic
    name: Clinic
    url: https://clinic.example.edu/**
    requires_duo: {application: clinic}
  - id: wiki
    name: Wiki
    url: https://wiki.example.edu/**
    requires_duo: true
    enrollment_url: https://kb.example.edu/duo?article=7
"""


@dataclass
class Desk:
    """A server and its Duo. Grace is unknown to Duo; ada has a phone; alan passes unasked; linus is locked out."""

    site: Site
    duo: DuoSimulator
    clock: VirtualClock

    def browser(self) -> Enroller:
        return Enroller(self)

    @property
    def sessions(self) -> EnrollSessions:
        enrollment = self.site.composed.application.server.enrollment
        assert enrollment is not None
        return enrollment.sessions

    def advance(self, seconds: float) -> None:
        """Let time pass, at the server and at Duo."""
        self.site.clock.advance(seconds)
        self.clock.advance(seconds)

    def events(self, name: str) -> list[str]:
        """Return way, reason or outcome of the events of a name, in their order."""
        return [getattr(event, "way", "") or getattr(event, "reason", "") for event in self.site.journal.named(name)]

    def asked(self, path: str) -> int:
        """Return how often Duo was asked for something."""
        return len(self.duo.requests(path))


class Enroller(Browser):
    """A browser that goes where it is sent, as long as that is this server."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.site)
        self.desk = desk

    def go(self, path: str) -> TestResponse:
        return self.settle(self.get(path))

    def settle(self, answer: TestResponse) -> TestResponse:
        """Follow redirects within the server."""
        for _ in range(12):
            location = answer.headers.get("Location", "")
            if answer.status_int not in (302, 303):
                return answer
            if location.startswith("/"):
                location = ORIGIN + location
            if not location.startswith(f"{BASE}/"):
                return answer
            answer = self.get(location)
        raise AssertionError("goes round in circles")

    def enter(self, username: str = "grace", path: str = "/enroll/") -> TestResponse:
        """Come to the pages and sign in where that is asked for."""
        return self.sign_in_where_asked(self.go(path), username)

    def sign_in_where_asked(self, answer: TestResponse, username: str = "grace") -> TestResponse:
        if answer.content_type == "text/html" and "login" in answer.forms:
            answer = self.settle(self.fill(answer, username))
        return answer

    def ticket_url(self, username: str = "grace") -> str:
        """Come as far as the address with the ticket, and return it."""
        answer = self.get(ORIGIN + self.get("/enroll/").headers["Location"])
        if answer.content_type == "text/html":
            answer = self.fill(answer, username)
        assert has_ticket(answer)
        return str(answer.headers["Location"])

    def press(self, page: TestResponse, **fields: str) -> TestResponse:
        """Send the page's one form that makes a code."""
        (form,) = [form for form in page.forms.values() if str(form.action).endswith("/enroll/code")]
        for name, value in fields.items():
            form[name] = value
        return self.settle(form.submit(status="*"))

    def code_page(self, username: str = "grace", path: str = "/enroll/") -> TestResponse:
        """Come to the page with a code."""
        return self.press(self.enter(username, path))

    def status(self) -> dict[str, object]:
        found: dict[str, object] = self.get("/enroll/status").json
        return found

    def refused(self, service: str = PAYROLL, username: str = "grace") -> TestResponse:
        """Sign in to an application that demands Duo, without a device; return the page that says so."""
        page = self.sign_in_where_asked(self.go("/login" + query(service=service)), username)
        assert page.status_int == 403, heading(page)
        return page

    def enrolment_link(self, service: str = PAYROLL, username: str = "grace") -> str:
        """Return the link of that page."""
        page = self.refused(service, username)
        link = page.html.select_one("a.button.primary")["href"]
        return str(link).removeprefix("/cas")

    @property
    def own_session(self) -> str:
        """The id of the session at the enrolment pages, empty for none."""
        return str(self.app.cookies.get("casduo-enroll", "")).strip('"')


def code_of(page: TestResponse) -> str:
    """Return the code that a page shows as text."""
    assert "enroll.js" in page.text, heading(page)
    return str(page.html.select_one(".code").text)


def service_of(login_url: str) -> str:
    return parse_qs(urlsplit(login_url).query)["service"][0]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(float(int(time.time())))


@pytest.fixture
def duo(authority: CertificateAuthority, clock: VirtualClock) -> Iterator[DuoSimulator]:
    """Duo by a clock that the test moves; signatures go by the machine's."""
    with DuoSimulator(authority.issue(), clock, wall_clock=time.time) as simulator:
        simulator.add_user("ada")
        simulator.add_user("alan", "bypass")
        simulator.add_user("linus", "locked out")
        yield simulator


MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(build: Build, duo: DuoSimulator, clock: VirtualClock) -> MakeDesk:
    def make(*, admin: bool = False, auth_api: bool = True, enrollment: str = "", **options: str) -> Desk:
        web = duo.add_application(redirect_uris=[f"{BASE}/duo/callback"])
        api = duo.add_application("authapi") if auth_api else web
        keys = duo.add_application("admin")
        admin_api = f"  admin_api: {{integration_key: {keys.integration_key}, secret_key: {keys.secret_key}}},"
        lines = [
            f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file}, breaker: {{failures: 9, pause: 10s}},",
            f"  universal: {{client_id: {web.integration_key}, client_secret: {web.secret_key}}},",
            f"  auth_api: {{integration_key: {api.integration_key}, secret_key: {api.secret_key}}},",
            *([admin_api] if admin else []),
            "  applications: {clinic: {}}}",
            f"enrollment: {{{enrollment}}}",
        ]
        settings = "\n".join(lines) + "\n"
        return Desk(build(**{"settings": settings, "registry": REGISTRY, **options}), duo, clock)

    return make


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk()
