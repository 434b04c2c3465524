"""A portal and a library behind the middleware, at a casduo as people run it: the two halves understand each other."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup

from casduo.middleware import CasMiddleware, ProxyRefused
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.server import SimulatorServer
from tests.support.served import Served, serving_alone
from tests.support.site import PASSWORDS

SECRET = "a-key-for-tests-that-is-long-enough-0123"
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
Asked = list[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True)
class Town:
    """The sign-in server with the two applications; ``asked`` is who came to the library, and through whom."""

    sso: Served
    portal: str
    asked: Asked

    def browser(self) -> requests.Session:
        browser = requests.Session()
        browser.verify, browser.trust_env = self.sso.ca, False
        browser.headers.update(PAGE)
        return browser

    def sign_in(self, browser: requests.Session, username: str) -> requests.Response:
        page = browser.get(f"{self.portal}/", timeout=20)
        return submit(browser, page, username=username, password=PASSWORDS[username])

    def sign_out(self, browser: requests.Session) -> None:
        page = browser.get(f"{self.sso.url}logout", headers={"Sec-Fetch-Site": "none"}, timeout=20)
        assert "Library" in page.text, "the session that began with a proxy ticket is to be ended as well"


def submit(browser: requests.Session, page: requests.Response, **typed: str) -> requests.Response:
    """Send the form of a page, as a browser does."""
    form = BeautifulSoup(page.text, "html5lib").find("form", method="post")
    assert form is not None, page.text
    fields = {field["name"]: field.get("value", "") for field in form.find_all("input") if field.get("name")}
    parts = urlsplit(page.url)
    headers = {"Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": "same-origin"}
    return browser.post(urljoin(page.url, form.get("action", "")), data=fields | typed, headers=headers, timeout=20)


def library(asked: Asked) -> Callable[..., list[bytes]]:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append((environ["REMOTE_USER"], environ["casduo.session"].proxies))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"books of {environ['REMOTE_USER']}".encode()]

    return app


def portal(target: str, ca: str) -> Callable[..., list[bytes]]:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            ticket = environ["casduo.proxy"].proxy_ticket(target)
        except ProxyRefused as error:
            return [error.refusal.encode()]
        return [requests.get(target, params={"ticket": ticket}, verify=ca, timeout=20).content]

    return app


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    directory = tmp_path_factory.mktemp("town")
    leaf = CertificateAuthority.create(directory / "ca", "tests").issue()
    asked: Asked = []
    apps: dict[str, Any] = {}
    with ExitStack() as running:
        servers = {
            name: SimulatorServer(
                lambda environ, start_response, name=name: apps[name](environ, start_response),
                certificate=leaf,
                name=name,
            )
            for name in ("portal", "library")
        }
        for server in servers.values():
            server.start()
            running.callback(server.stop)
        callback = f"{servers['portal'].url}/cas/pgt"
        registry = f"""
        services:
          - id: portal
            name: Portal
            url: {servers["portal"].url}/**
            proxy: {{allow: true, callback: '{callback}', private_addresses: true, targets: [library]}}
          - id: library
            name: Library
            url: {servers["library"].url}/**
        """
        settings = f"outbound: {{ca_file: '{leaf.ca}'}}\n"
        sso = running.enter_context(
            serving_alone(directory, tls=leaf, registry=registry, settings=settings, worker=True)
        )
        common: dict[str, Any] = {"cas_url": sso.url.rstrip("/"), "ca_file": str(leaf.ca), "secret_key": SECRET}
        apps["portal"] = CasMiddleware(
            portal(f"{servers['library'].url}/loans", str(leaf.ca)),
            service_url=servers["portal"].url,
            session="memory",
            proxy_callback="/cas/pgt",
            **common,
        )
        apps["library"] = CasMiddleware(
            library(asked), service_url=servers["library"].url, allowed_proxies=[callback], **common
        )
        yield Town(sso, servers["portal"].url, asked)


def test_the_portal_asks_the_library_until_the_person_signs_out(town: Town) -> None:
    town.asked.clear()
    with town.browser() as browser:
        assert town.sign_in(browser, "ada").text == "books of ada"
        assert browser.get(f"{town.portal}/", timeout=20).text == "books of ada"
        assert town.asked == [("ada", (f"{town.portal}/cas/pgt",))] * 2
        town.sign_out(browser)
        deadline = time.monotonic() + 30
        # Until the message has come, the session is there and worth nothing.
        while (answer := browser.get(f"{town.portal}/", allow_redirects=False, timeout=20)).status_code == 200:
            assert answer.text == "INVALID_TICKET"
            assert time.monotonic() < deadline, "nobody told the portal"
            time.sleep(0.02)
        assert answer.headers["Location"].startswith(town.sso.url)
        assert len(town.asked) == 2


def test_nothing_confidential_stands_in_the_servers_log(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with town.browser() as browser:
        town.sign_in(browser, "grace")
        town.sign_out(browser)
    written = town.sso.log.read_text() + "\n".join(record.getMessage() for record in caplog.records)
    assert "proxy-granting ticket received" in written
    assert re.findall(r"(?:PGT|PGTIOU|PT|ST)-[A-Za-z0-9]{4}-[A-Za-z0-9]{20,}", written) == []
