"""What docs/remote-access.md configures, run: its registry at a server with Duo and a clock that can be set, and people
who sign in, ask for access and decide, all of it over real sockets.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag

from casduo.settings import load_settings
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.server import SimulatorServer
from casduo.worker.approvals import ApprovalDeadlines
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs
from casduo.worker.signouts import SignOuts
from tests.support.ports import free_port
from tests.support.served import Served
from tests.support.site import Build, Site
from tests.support.visitor import Visitor, login_form
from tests.support.waiting import PATIENCE

DOCUMENT = (Path(__file__).parents[2] / "docs" / "remote-access.md").read_text(encoding="utf-8")
SSO = "https://sso.example.edu/cas"
GATEWAY = "https://gateway.example.edu"
"""How the document calls the server and the gateway."""
FORM = "Ask for access to {}"
WAITING = "Waiting for a decision"


def block(language: str, holding: str) -> str:
    """Return the one block of the document in a language that holds some text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    [found] = [text for text in blocks if holding in text]
    return str(found)


REGISTRY = block("yaml", "id: ward-1\n")
ONE_FOR_ALL = block("yaml", "id: gateway\n")
"""What else it says of one entry for all machines."""


class Person(Visitor):
    """Somebody with a browser, who agrees to whatever Duo asks.

    :param gateway: what its addresses begin with where nobody is to be visited there: to come to one is to arrive.
    """

    def __init__(self, username: str, cas: Served, duo: DuoSimulator, gateway: str = "") -> None:
        super().__init__(cas.ca)
        self.username = username
        self._cas = cas
        self._duo = duo
        self._gateway = gateway

    def step(self, address: str, **options: object) -> requests.Response:
        if address.startswith(self._duo.base_url):
            address = self._duo.visit_prompt(address)
        if self._gateway and address.startswith(self._gateway):
            arrived = requests.Response()
            arrived.url, arrived.status_code = address, 200
            return arrived
        return super().step(address, **options)

    def enter(self, address: str) -> requests.Response:
        """Go to an address, and sign in on the way if that is asked for."""
        page = self.visit(address)
        return page if login_form(page) is None else self.sign_in(page, self.username)

    def fill(self, page: requests.Response, button: str = "", **typed: str) -> requests.Response:
        """Fill in the form of a page that sends something, press a button (``name=value``), and go on."""
        form = _form(page)
        inputs = [field for field in form.find_all(["input", "textarea", "select"]) if field.get("name")]
        fields = {str(field["name"]): str(field.get("value", "")) for field in inputs} | typed
        if button:
            name, _, value = button.partition("=")
            fields[name] = value
        action = urljoin(page.url, str(form.get("action") or ""))
        answer = self.http.post(action, fields, allow_redirects=False, timeout=10)
        self.path = [answer.url]
        return self._walk(answer)

    def asks_for_access(self, page: requests.Response, reason: str) -> requests.Response:
        """Ask for the time that the form proposes, look it through, and send it."""
        return self.fill(self.fill(page, reason=reason), "send=send")

    def approves(self) -> None:
        """Open the page of those who decide, and approve what waits there."""
        page = self.enter(f"{self._cas.url}approvals")
        [link] = BeautifulSoup(page.text, "html.parser").select("main a[href*='/approvals/']")
        self.fill(self.visit(urljoin(page.url, str(link["href"]))), "decision=approved")


def heading(page: requests.Response) -> str:
    """Return what a page is about."""
    found = BeautifulSoup(page.text, "html.parser").find("h1")
    return " ".join(found.get_text().split()) if found else ""


def _form(page: requests.Response) -> Tag:
    forms = BeautifulSoup(page.text, "html.parser").select("main form[method=post]")
    assert forms, page.text
    return forms[0]


@dataclass(frozen=True)
class Place:
    """The server, and Duo, by whose side it is."""

    site: Site
    cas: Served
    duo: DuoSimulator

    def person(self, username: str, gateway: str = "") -> Person:
        """Somebody with empty pockets."""
        return Person(username, self.cas, self.duo, gateway)

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A worker, by the clock of the server."""
        stopping = threading.Event()
        parts = build_parts(load_settings(self.site.settings_file, {}), stopping, self.site.clock)
        jobs = (SignOuts, partial(ApprovalDeadlines, every=0.1))
        running = threading.Thread(target=run_jobs, args=(parts, jobs))
        running.start()
        try:
            yield
        finally:
            stopping.set()
            running.join(PATIENCE)
        assert not running.is_alive()


@contextmanager
def running_place(build: Build, authority: CertificateAuthority, registry: str = REGISTRY) -> Iterator[Place]:
    """Run the server over TLS; ada and grace have a phone at Duo."""
    leaf, port = authority.issue(), free_port()
    base = f"https://localhost:{port}/cas"
    with DuoSimulator(leaf) as duo:
        for username in ("ada", "grace"):
            duo.add_user(username)
        keys = duo.add_application(redirect_uris=[f"{base}/duo/callback"])
        settings = (
            f"outbound: {{ca_file: '{authority.ca_file}'}}\n"
            f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file},\n"
            f"  universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}}}}\n"
        )
        site = build(registry=registry, settings=settings, url=base)
        with SimulatorServer(site.composed.wsgi, certificate=leaf, port=port, name="casduo"):
            cas = Served(f"{base}/", ("127.0.0.1", port), str(authority.ca_file), site.settings_file)
            yield Place(site, cas, duo)
