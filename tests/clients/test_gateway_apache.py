"""A gateway behind Apache with the unmodified mod_auth_cas, as docs/remote-access.md sets it up: who gets through, and
that nobody does any more when the approved time is over.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from werkzeug.wrappers import Request, Response

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.server import SimulatorServer
from tests.clients.gateways import FORM, GATEWAY, REGISTRY, SSO, WAITING, Person, Place, block, heading, running_place
from tests.support.apache import Apache, Host, apache
from tests.support.site import Build
from tests.support.visitor import login_form
from tests.support.waiting import until

ENTRY = REGISTRY.partition("services:\n")[2].partition("\n\n")[0]
FREE = re.sub(r" +requires_approval:\n( {6}.*\n)+", "", ENTRY + "\n").replace("ward-1", "ward-3")
"""The same for a machine about which nobody is asked."""
CONFIGURATION = block("apache", "<VirtualHost")
# What a test cannot have as it stands there: names of machines and files, which the support of Apache has of its own.
ELSEWHERE = ("ServerName", "SSL", "CASLoginURL", "CASValidateURL", "CASCertificatePath", "CASCookiePath", "#", "<")
BACKEND = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass
class Gateway:
    """What is behind Apache: it believes the name in a header, and keeps what it was asked for."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        name = request.headers.get("X-Remote-User", "")
        self.asked.append((request.method, request.path, name))
        digest = hashlib.sha256(request.get_data()).hexdigest()
        return Response(f"Guacamole for {name}, {digest}")(environ, start_response)


@dataclass(frozen=True)
class Hospital:
    """All that runs."""

    place: Place
    httpd: Apache
    gateway: Gateway

    @property
    def ward(self) -> str:
        """The machine that somebody has to approve."""
        return f"{self.httpd.urls[0]}/ward-1/"

    @property
    def free(self) -> str:
        """The one that nobody has to."""
        return f"{self.httpd.urls[0]}/ward-3/"


def directives_of(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith(ELSEWHERE)]


def host_at(backend: str) -> Host:
    """Return what the document configures, for another address of the gateway, and once more for the other machine."""
    sections = re.compile(r"<Location (.*?)>\n(.*?)</Location>", re.DOTALL)
    text = BACKEND.sub(backend, CONFIGURATION)
    locations = {path: directives_of(body) for path, body in sections.findall(text)}
    locations |= {path: directives_of(body) for path, body in sections.findall(text.replace("ward-1", "ward-3"))}
    return Host(locations, directives_of(sections.sub("", text)))


@contextmanager
def running_hospital(build: Build, authority: CertificateAuthority) -> Iterator[Hospital]:
    registry = (REGISTRY + FREE).replace(GATEWAY, "https://localhost:*")
    gateway = Gateway()
    with running_place(build, authority, registry) as place, SimulatorServer(gateway, name="gateway") as server:
        host = host_at(f"http://127.0.0.1:{server.port}")
        with apache(place.cas.url, authority.issue(), [host], ["proxy", "proxy_http", "rewrite"]) as httpd:
            gateway.asked.clear()
            yield Hospital(place, httpd, gateway)


@pytest.fixture
def hospital(build: Build, authority: CertificateAuthority) -> Iterator[Hospital]:
    with running_hospital(build, authority) as found:
        yield found


@pytest.fixture
def ada(hospital: Hospital) -> Iterator[Person]:
    with hospital.place.person("ada") as found:
        yield found


@pytest.fixture
def grace(hospital: Hospital) -> Iterator[Person]:
    with hospital.place.person("grace") as found:
        yield found


def approved(hospital: Hospital, ada: Person, grace: Person) -> requests.Response:
    """Ask for access on the way to the ward, have it approved, and return what is there."""
    ada.asks_for_access(ada.enter(hospital.ward), "The disk is full")
    grace.approves()
    return ada.visit(hospital.ward)


def raw(hospital: Hospital, path: str, cookie: str = "") -> int:
    """Ask for a path that no browser would ask for as it is, and return the status."""
    host = urlsplit(hospital.httpd.urls[0])
    context = ssl.create_default_context(cafile=hospital.place.cas.ca)
    connection = http.client.HTTPSConnection("localhost", host.port, context=context, timeout=10)
    try:
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        return connection.getresponse().status
    finally:
        connection.close()


def session_of(person: Person, path: str) -> str:
    """Return the cookie of Apache's session for a path."""
    [cookie] = [cookie for cookie in person.http.cookies if cookie.path.startswith(path)]
    return f"{cookie.name}={cookie.value}"


def test_the_document_was_read() -> None:
    host = host_at("http://127.0.0.1:1")
    assert list(host.locations) == ["/ward-1/", "/ward-1/websocket-tunnel", "/ward-3/", "/ward-3/websocket-tunnel"]
    assert "Require cas-attribute gate:ward-3" in host.locations["/ward-3/"]
    assert host.directives[:3] == ["CASVersion 2", "CASSSOEnabled On", "CASTimeout 7200"]
    assert CONFIGURATION.count(SSO) == 2
    assert "requires_approval" in ENTRY
    assert "requires_approval" not in FREE


def test_after_approval_the_gateway_is_told_who_it_is(hospital: Hospital, ada: Person, grace: Person) -> None:
    form = ada.enter(hospital.ward)
    assert heading(form) == FORM.format("Ward console 1")
    assert heading(ada.asks_for_access(form, "The disk is full")) == WAITING
    assert login_form(ada.visit(f"{hospital.httpd.urls[0]}/ward-1/api/session")) is None
    assert hospital.gateway.asked == []
    grace.approves()
    assert ada.visit(hospital.ward).text.startswith("Guacamole for ada,")
    # The ticket is Apache's, and the gateway never sees one.
    assert hospital.gateway.asked == [("GET", "/ward-1/", "ada")]
    [accessed] = hospital.place.site.journal.named("target.accessed")
    assert (accessed.host, accessed.principal) == ("ward-1", "ada")


def test_a_name_that_the_visitor_invents_does_not_arrive(hospital: Hospital, ada: Person) -> None:
    ada.enter(hospital.free)
    for header in ("X-Remote-User", "x-remote-user", "X_Remote_User"):
        assert ada.step(hospital.free, headers={header: "root"}).text.startswith("Guacamole for ada,")


def test_the_session_of_one_machine_is_none_at_another(hospital: Hospital, ada: Person) -> None:
    ada.enter(hospital.free)
    cookie = session_of(ada, "/ward-3")
    assert raw(hospital, "/ward-3/", cookie) == 200
    assert raw(hospital, "/ward-1/", cookie) == 403
    assert heading(ada.visit(hospital.ward)) == FORM.format("Ward console 1")


@pytest.mark.parametrize(
    "path",
    [
        "/ward-3/websocket-tunnel?token=1",
        "/ward-3/websocket-tunnel;x=1",
        "/ward-3/websocket%2dtunnel",
        "/ward-3/..;/ward-1/",
        "/ward-3/..%3b/ward-1/",
        "/ward-3/%2e%2e/ward-1/",
        "/ward-3;x/../ward-1/",
    ],
)
def test_no_spelling_leads_elsewhere(hospital: Hospital, ada: Person, path: str) -> None:
    ada.enter(hospital.free)
    hospital.gateway.asked.clear()
    assert raw(hospital, path, session_of(ada, "/ward-3")) == 403
    assert hospital.gateway.asked == []


def test_what_is_typed_arrives_as_it_was_sent(hospital: Hospital, ada: Person) -> None:
    ada.enter(hospital.free)
    sent = {
        "application/octet-stream": b"4.sync,13.1790000000000;5.mouse,1.0,1.0,1.0;" * 200,
        "text/plain": bytes(range(256)) * 300,
        "application/x-www-form-urlencoded": b"username=&password=%20+%26",
    }
    for kind, data in sent.items():
        answer = ada.http.post(f"{hospital.free}tunnel?write:1", data, headers={"Content-Type": kind}, timeout=10)
        assert answer.text == f"Guacamole for ada, {hashlib.sha256(data).hexdigest()}"


def test_when_the_time_is_over_apache_is_told_and_nothing_gets_through(
    hospital: Hospital, ada: Person, grace: Person
) -> None:
    with hospital.place.worker():
        approved(hospital, ada, grace)
        ada.visit(hospital.free)
        [asked] = hospital.place.site.composed.parts.approvals.recent()
        hospital.place.site.clock.now = asked.end - 1
        assert ada.step(f"{hospital.ward}tunnel?read:1:0").status_code == 200
        hospital.place.site.clock.now = asked.end
        until(lambda: ada.step(f"{hospital.ward}tunnel?read:1:0").status_code == 302, "Apache knows nobody any more")
        hospital.gateway.asked.clear()
        # What the page sends by itself is led away, and where to gets it no ticket.
        typed = ada.http.post(f"{hospital.ward}tunnel?write:1", b"3.key,2.65,1.1;", allow_redirects=False, timeout=10)
        assert typed.status_code == 302
        assert typed.headers["Location"].startswith(f"{hospital.place.cas.url}login?")
        assert heading(ada.visit(hospital.ward)) == FORM.format("Ward console 1")
        assert hospital.gateway.asked == []
        # What else the same person is signed in to goes on.
        assert ada.step(hospital.free).status_code == 200
        assert heading(ada.visit(f"{hospital.place.cas.url}login")) == "You are signed in"


def test_who_signs_out_is_out_of_the_gateway_too(hospital: Hospital, ada: Person, grace: Person) -> None:
    with hospital.place.worker():
        approved(hospital, ada, grace)
        ada.visit(f"{hospital.place.cas.url}logout")
        until(lambda: ada.step(hospital.ward).status_code == 302, "Apache knows nobody any more")
        assert login_form(ada.visit(hospital.ward)) is not None
