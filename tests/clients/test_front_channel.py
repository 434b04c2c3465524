"""Front-channel sign-out in a real browser: the sign-out page tells the application, and then goes on.

The application reads the message as java-cas-client does: Base64, then zlib with its header, then the ticket's name.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.server import SimulatorServer
from tests.support.served import Served, serving_alone
from tests.support.site import PASSWORDS

REGISTRY = """
services:
  - id: wiki
    name: Wiki
    url: https://localhost:*/wiki/**
    logout: {type: front_channel}
  - id: notes
    name: Notes
    url: https://localhost:*/notes/**
    logout: {type: none}
"""


@dataclass
class Applications:
    """Two applications in one server: they take a ticket, and the wiki notes what it is told."""

    tickets: list[str] = field(default_factory=list)
    told: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        kind = "text/html"
        if "logoutRequest" in query:
            self.told.append(query)
            kind = "application/javascript"
        elif "ticket" in query:
            self.tickets.append(query["ticket"])
        start_response("200 OK", [("Content-Type", kind), ("X-Frame-Options", "SAMEORIGIN")])
        return [f"<title>{environ['PATH_INFO']}</title>".encode()]


@pytest.fixture
def applications() -> Applications:
    return Applications()


@pytest.fixture
def origin(applications: Applications, authority: CertificateAuthority) -> Iterator[str]:
    with SimulatorServer(applications, certificate=authority.issue(), name="applications") as server:
        yield server.url


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Served]:
    directory, tls = tmp_path_factory.mktemp("cas"), authority.issue()
    with serving_alone(directory, tls=tls, registry=REGISTRY, worker=True) as found:
        yield found


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(ignore_https_errors=True, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def open_wiki(page: Page, cas: Served, origin: str) -> None:
    page.goto(f"{cas.url}login?service={origin}/wiki/start")
    page.fill("#username", "ada")
    page.fill("#password", PASSWORDS["ada"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{origin}/wiki/start?ticket=*")


def validate(page: Page, cas: Served, origin: str, ticket: str) -> None:
    answer = page.request.get(f"{cas.url}serviceValidate?service={origin}/wiki/start&ticket={ticket}")
    assert "authenticationSuccess" in answer.text()


def session_index(told: dict[str, str]) -> str:
    message = zlib.decompress(base64.b64decode(told["logoutRequest"])).decode()
    found = re.search(r"<samlp:SessionIndex>(.+)</samlp:SessionIndex>", message)
    assert found is not None
    return found[1]


def test_the_browser_tells_the_application_on_the_sign_out_page(
    page: Page, cas: Served, origin: str, applications: Applications
) -> None:
    open_wiki(page, cas, origin)
    (ticket,) = applications.tickets
    validate(page, cas, origin, ticket)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{cas.url}logout", wait_until="networkidle")
    (told,) = applications.told
    assert session_index(told) == ticket
    assert told["callback"]
    expect(page.get_by_role("row", name="Wiki")).to_contain_text("Signed out by this page")
    assert [complaint for complaint in complaints if "Content Security Policy" in complaint] == []


def test_it_is_told_before_the_browser_goes_on_to_another_application(
    page: Page, cas: Served, origin: str, applications: Applications
) -> None:
    open_wiki(page, cas, origin)
    (ticket,) = applications.tickets
    validate(page, cas, origin, ticket)
    page.goto(f"{cas.url}logout?service={origin}/notes/bye")
    page.wait_for_url(f"{origin}/notes/bye", timeout=10_000)
    assert [session_index(told) for told in applications.told] == [ticket]
