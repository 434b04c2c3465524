"""The whole way in a real browser: an application that demands Duo, no device, the link, the phone, the application.

Once by Duo's own page and once by the built-in one, with scripts and without.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.server import SimulatorServer
from tests.support.served import Served, serving_alone
from tests.support.site import PASSWORDS

REGISTRY = """
services:
  - id: payroll
    name: Payroll
    url: https://localhost:*/payroll/**
    requires_duo: {{prompt: {prompt}}}
  - id: wiki
    name: Wiki
    url: https://localhost:*/wiki/**
    requires_duo: {{prompt: {prompt}}}
    enrollment_url: {origin}/handbook
"""


@dataclass
class Applications:
    """Payroll and the wiki, which note the tickets they are given, and a handbook that leads back."""

    tickets: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        if "ticket" in query:
            self.tickets.append(query["ticket"])
        start_response("200 OK", [("Content-Type", "text/html")])
        back = f'<a href="{query["return"]}">I am done</a>' if "return" in query else ""
        return [f"<!doctype html><title>{environ['PATH_INFO']}</title>{back}".encode()]


@dataclass
class Scene:
    """Everything that is running, and a person in front of it."""

    cas: Served
    duo: DuoSimulator
    origin: str
    applications: Applications
    context: BrowserContext
    page: Page
    scripts: bool
    prompt: str

    def open(self, path: str) -> None:
        """Ask for an application as its own sign-in link does."""
        self.page.goto(f"{self.cas.url}login?service={quote(self.origin + path, safe='')}")

    def sign_in(self, username: str) -> None:
        self.page.fill("#username", username)
        self.page.fill("#password", PASSWORDS[username])
        self.page.get_by_role("button", name="Sign in").click()

    def sees(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=15_000)

    def scan(self) -> None:
        """Take the link beside the picture, in another tab that plays the phone, and press the button there."""
        link = self.page.get_by_role("link", name="Open Duo Mobile here").get_attribute("href")
        assert link is not None
        phone = self.context.new_page()
        phone.goto(link)
        phone.get_by_role("button", name="Activate").click()
        expect(phone.get_by_role("heading", level=1)).to_have_text("This phone is ready")
        phone.close()

    def approve(self, username: str) -> None:
        """Approve the push that comes next, on the phone's page. Without a script a press of ours sends it."""
        if self.prompt == "push" and not self.scripts:
            self.page.locator("#send").click()
        phone = self.context.new_page()
        phone.goto(f"{self.duo.base_url}/phone/{username}")
        button = phone.get_by_role("button", name="Approve")
        for _ in range(120):
            if button.count():
                break
            phone.wait_for_timeout(250)
            phone.reload()
        button.click()
        # The tab stays open: closing one in the middle of a navigation can wait for ever.
        expect(button).to_have_count(0)

    def is_in(self, path: str) -> None:
        """Wait until an application has a ticket, and see that Duo stands behind it."""
        self.page.wait_for_url(f"{self.origin}{path}?ticket=ST-*", timeout=20_000)
        service, ticket = quote(self.origin + path, safe=""), self.applications.tickets[-1]
        answer = self.page.request.get(f"{self.cas.url}p3/serviceValidate?service={service}&ticket={ticket}").text()
        assert "<cas:user>grace</cas:user>" in answer
        assert "<cas:authnContextClass>mfa-duo</cas:authnContextClass>" in answer


@pytest.fixture(scope="module")
def duo(authority: CertificateAuthority) -> Iterator[DuoSimulator]:
    with DuoSimulator(authority.issue()) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def applications() -> Applications:
    return Applications()


@pytest.fixture(scope="module")
def origin(applications: Applications, authority: CertificateAuthority) -> Iterator[str]:
    with SimulatorServer(applications, certificate=authority.issue(), name="applications") as server:
        yield server.url


@pytest.fixture(scope="module", params=["universal", "push"])
def prompt(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def cas(
    tmp_path_factory: pytest.TempPathFactory,
    authority: CertificateAuthority,
    duo: DuoSimulator,
    origin: str,
    prompt: str,
) -> Iterator[Served]:
    web, api = duo.add_application(), duo.add_application("authapi")
    settings = (
        f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file},\n"
        f"  universal: {{client_id: {web.integration_key}, client_secret: {web.secret_key}}},\n"
        f"  auth_api: {{integration_key: {api.integration_key}, secret_key: {api.secret_key}}}}}\n"
        "enrollment: {access: {groups: [staff], reason: Staff only.}}\n"
    )
    registry = REGISTRY.format(prompt=prompt, origin=origin)
    directory = tmp_path_factory.mktemp("cas")
    with serving_alone(directory, tls=authority.issue(), registry=registry, settings=settings, worker=True) as found:
        yield found


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def scene(
    request: pytest.FixtureRequest,
    chromium: Browser,
    cas: Served,
    duo: DuoSimulator,
    origin: str,
    applications: Applications,
    prompt: str,
) -> Iterator[Scene]:
    duo.remove_user("grace")
    applications.tickets.clear()
    context = chromium.new_context(ignore_https_errors=True, java_script_enabled=request.param)
    yield Scene(cas, duo, origin, applications, context, context.new_page(), request.param, prompt)
    context.close()


def test_from_no_device_to_the_application_first_asked_for(scene: Scene) -> None:
    page = scene.page
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    scene.open("/payroll/slips")
    scene.sign_in("grace")
    scene.sees("One more step for Payroll")
    page.get_by_role("link", name="Set up a device").click()
    scene.sees("Set up your device")
    expect(page.get_by_text("Payroll asks you to confirm")).to_be_visible()
    page.get_by_role("button", name="Show the code").click()
    scene.sees("Scan this code with Duo Mobile")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    scene.scan()
    # From here on nobody touches the page: it goes on to Payroll by itself, which asks the new phone.
    page.wait_for_url(lambda url: "/enroll/" not in url, timeout=20_000)
    scene.approve("grace")
    scene.is_in("/payroll/slips")
    assert [text for text in complaints if "Content Security Policy" in text] == []


def test_who_is_not_eligible_reads_why(scene: Scene) -> None:
    scene.open("/payroll/slips")
    scene.sign_in("ada")
    scene.sees("One more step for Payroll")
    scene.page.get_by_role("link", name="Set up a device").click()
    scene.sees("You may not use Your devices")
    expect(scene.page.get_by_text("Staff only.")).to_be_visible()


def test_from_pages_elsewhere_and_back(scene: Scene) -> None:
    scene.open("/wiki/start")
    scene.sign_in("grace")
    scene.sees("One more step for Wiki")
    scene.page.get_by_role("link", name="Set up a device").click()
    scene.page.wait_for_url(f"{scene.origin}/handbook?return=*")
    scene.duo.add_user("grace")
    scene.page.get_by_role("link", name="I am done").click()
    scene.approve("grace")
    scene.is_in("/wiki/start")
