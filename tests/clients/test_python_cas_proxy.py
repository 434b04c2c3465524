"""An application that asks others in people's names: proxying with the unmodified python-cas over TLS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from cas import CASClient, CASClientBase, CASError

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.server import SimulatorServer
from tests.clients.applications import Application, Entered, running
from tests.support.served import Served, serving
from tests.support.visitor import Visitor

ARCHIVE = "https://archive.example.edu/search?q=two words&q=Übung"

REGISTRY = """
services:
  - id: portal
    name: Portal
    url: https://localhost:*/portal/**
    attributes: [mail]
    proxy: {allow: true, callback: 'https://localhost:*/portal/pgt', private_addresses: true}
  - id: kiosk
    name: A portal that may ask one service
    url: https://localhost:*/kiosk/**
    proxy: {allow: true, callback: 'https://localhost:*/kiosk/pgt', private_addresses: true, targets: [archive]}
  - id: lenient
    name: A portal whose callback redirects
    url: https://lenient.example.edu/**
    proxy: {allow: true, callback: 'https://localhost:*/pgt', private_addresses: true, accept_status: [200, 302]}
  - id: strict
    name: A portal that has to say 200
    url: https://strict.example.edu/**
    proxy: {allow: true, callback: 'https://localhost:*/pgt', private_addresses: true}
  - id: public
    name: A portal that lives on no private network
    url: https://public.example.edu/**
    proxy: {allow: true, callback: 'https://localhost:*/pgt'}
  - id: library
    name: A service that is no proxy
    url: https://library.example.edu/**
  - id: archive
    name: Archive
    url: https://archive.example.edu/**
    attributes: [mail, groups]
  - id: staff
    name: Staff room
    url: https://staff.example.edu/**
    access: {groups: [staff]}
  - id: closed
    name: Old system
    url: https://closed.example.edu/**
    enabled: false
"""
VERSIONS = pytest.mark.parametrize("version", [2, 3])


class Callback:
    """Takes proxy-granting tickets at whatever address, and answers with one status."""

    def __init__(self, status: str) -> None:
        self.calls: list[str] = []
        self._status = status

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        self.calls.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        start_response(self._status, [("Location", "https://localhost:1/")])
        return []


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, authority: CertificateAuthority) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("cas")
    settings = f"outbound: {{ca_file: '{authority.ca_file}'}}\n"
    with serving(directory, valkey_url, tls=authority.issue(), registry=REGISTRY, settings=settings) as found:
        yield found


@pytest.fixture
def ada(cas: Served) -> Iterator[Visitor]:
    """Ada, who has signed in at the server."""
    with Visitor(cas.ca) as visitor:
        visitor.submit(visitor.step(f"{cas.url}login"))
        yield visitor


@pytest.fixture
def portal(cas: Served, authority: CertificateAuthority) -> Iterator[Application]:
    application = Application("portal", cas, proxy=True)
    with running(authority.issue(), application):
        yield application


@pytest.fixture
def entered(ada: Visitor, portal: Application) -> Entered:
    """Ada as the portal knows her, proxy-granting ticket included."""
    assert ada.visit(portal.url).json()["user"] == "ada"
    return portal.entered[0]


def client_of(
    cas: Served, service: str, version: int = 3, *, proxied: bool = False, **options: object
) -> CASClientBase:
    client = CASClient(
        version=version, service_url=service, server_url=cas.url, verify_ssl_certificate=cas.ca, **options
    )
    if proxied:
        client.url_suffix = client.url_suffix.replace("serviceValidate", "proxyValidate")
    return client


def refusal_of(cas: Served, entered: Entered, target: str) -> str:
    """Return the code of the refusal of a proxy ticket, which the client does not read."""
    answer = requests.get(client_of(cas, target).get_proxy_url(entered.pgt), verify=cas.ca, timeout=10)
    assert answer.status_code == 200
    found = re.search(r'<cas:proxyFailure code="([A-Z_]+)">[^<]*\S[^<]*</cas:proxyFailure>', answer.text)
    assert found is not None, answer.text
    return found[1]


@VERSIONS
def test_the_proxy_granting_ticket_is_there_before_the_answer_that_names_it(
    cas: Served, authority: CertificateAuthority, ada: Visitor, version: int
) -> None:
    portal = Application("portal", cas, version=version, proxy=True)
    with running(authority.issue(), portal):
        assert ada.visit(portal.url).json()["attributes"]["mail"] == "ada@example.edu"
    (entered,) = portal.entered
    assert re.fullmatch(r"PGT-[A-Za-z0-9-]{1,60}", entered.pgt)


@VERSIONS
def test_a_proxy_ticket_speaks_for_the_person(cas: Served, portal: Application, entered: Entered, version: int) -> None:
    archive = client_of(cas, ARCHIVE, version, proxied=True)
    answer = archive.get_verification_response(portal.buy(entered, ARCHIVE))
    user, attributes, iou = archive.verify_response(answer)
    assert (user, iou) == ("ada", None)
    assert (attributes["mail"], attributes["groups"]) == ("ada@example.edu", "students")
    assert attributes["isFromNewLogin"] == "false"
    # Whom it came through the client does not tell; it stands in what it reads.
    assert re.findall(rb"<cas:proxy>(.*?)</cas:proxy>", answer) == [portal.callback.encode()]


def test_a_proxy_ticket_looks_like_one(portal: Application, entered: Entered) -> None:
    first, second = portal.buy(entered, ARCHIVE), portal.buy(entered, ARCHIVE)
    assert first != second
    for ticket in (first, second):
        assert re.fullmatch(r"PT-[A-Za-z0-9-]{20,29}", ticket)


@VERSIONS
def test_a_proxy_ticket_is_good_once(cas: Served, portal: Application, entered: Entered, version: int) -> None:
    archive = client_of(cas, ARCHIVE, version, proxied=True)
    ticket = portal.buy(entered, ARCHIVE)
    assert archive.verify_ticket(ticket)[0] == "ada"
    assert archive.verify_ticket(ticket)[0] is None


@pytest.mark.parametrize("version", [1, 2, 3, "CAS_2_SAML_1_0"])
def test_who_takes_no_proxies_gets_nothing_for_a_proxy_ticket(
    cas: Served, portal: Application, entered: Entered, version: object
) -> None:
    """The address at which a service validates says whether it lets proxies in, so that default keeps them out."""
    ticket = portal.buy(entered, ARCHIVE)
    client = client_of(cas, ARCHIVE, version)
    client.session.trust_env = False
    client.session.verify = cas.ca
    assert client.verify_ticket(ticket)[0] is None
    assert client_of(cas, ARCHIVE, proxied=True).verify_ticket(ticket)[0] is None


def test_a_proxy_ticket_is_good_for_the_service_it_was_bought_for(
    cas: Served, portal: Application, entered: Entered
) -> None:
    ticket = portal.buy(entered, ARCHIVE)
    assert client_of(cas, "https://staff.example.edu/", proxied=True).verify_ticket(ticket)[0] is None
    assert client_of(cas, ARCHIVE, proxied=True).verify_ticket(ticket)[0] is None


@VERSIONS
def test_who_takes_proxies_takes_people_too(cas: Served, ada: Visitor, version: int) -> None:
    archive = client_of(cas, ARCHIVE, version, proxied=True)
    answer = archive.get_verification_response(ada.ticket(cas.url, ARCHIVE))
    assert archive.verify_response(answer)[0] == "ada"
    assert b"proxies" not in answer


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("https://elsewhere.example.edu/", "UNAUTHORIZED_SERVICE"),
        ("https://closed.example.edu/", "UNAUTHORIZED_SERVICE"),
        ("https://staff.example.edu/", "UNAUTHORIZED_SERVICE"),
        ("no address", "INVALID_REQUEST"),
        ("", "INVALID_REQUEST"),
    ],
)
def test_the_client_cannot_read_why_a_proxy_ticket_is_refused(
    cas: Served, portal: Application, entered: Entered, target: str, code: str
) -> None:
    """A limit of the client: it looks for the refusal of a validation, and takes any other for a fault of HTTP."""
    assert refusal_of(cas, entered, target) == code
    with pytest.raises(CASError) as caught:
        client_of(cas, target).get_proxy_ticket(entered.pgt)
    assert caught.value.args == ("Bad http code 200",)


@pytest.mark.parametrize("pgt", ["PGT-1", "PGT-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa", "ST-1", ""])
def test_a_forged_proxy_granting_ticket_buys_nothing(cas: Served, pgt: str) -> None:
    with pytest.raises(CASError, match="Bad http code 200"):
        client_of(cas, ARCHIVE).get_proxy_ticket(pgt)


def test_neither_an_iou_nor_a_proxy_ticket_buys_anything(cas: Served, portal: Application, entered: Entered) -> None:
    (iou,) = portal.ious
    for ticket in (iou, portal.buy(entered, ARCHIVE), entered.ticket):
        with pytest.raises(CASError, match="Bad http code 200"):
            client_of(cas, ARCHIVE).get_proxy_ticket(ticket)


def test_a_portal_may_be_confined_to_some_services(cas: Served, authority: CertificateAuthority, ada: Visitor) -> None:
    kiosk = Application("kiosk", cas, proxy=True)
    with running(authority.issue(), kiosk):
        ada.visit(kiosk.url)
        (entered,) = kiosk.entered
        assert client_of(cas, ARCHIVE, proxied=True).verify_ticket(kiosk.buy(entered, ARCHIVE))[0] == "ada"
        assert refusal_of(cas, entered, "https://library.example.edu/") == "UNAUTHORIZED_SERVICE"


def test_after_the_sign_out_neither_ticket_is_worth_anything(
    cas: Served, ada: Visitor, portal: Application, entered: Entered
) -> None:
    ticket = portal.buy(entered, ARCHIVE)
    ada.step(f"{cas.url}logout")
    assert client_of(cas, ARCHIVE, proxied=True).verify_ticket(ticket)[0] is None
    assert refusal_of(cas, entered, ARCHIVE) == "INVALID_TICKET"
    with pytest.raises(CASError):
        portal.buy(entered, ARCHIVE)


def answer_to(cas: Served, ada: Visitor, service: str, callback: str, version: int = 3) -> bytes:
    """Validate one of Ada's tickets with a callback and return the answer, which has to be a failure to the client."""
    client = client_of(cas, service, version, proxy_callback=callback)
    ticket = ada.ticket(cas.url, service)
    answer = bytes(client.get_verification_response(ticket))
    assert client.verify_response(answer)[0] is None
    assert client_of(cas, service).verify_ticket(ticket)[0] is None
    return answer


@VERSIONS
def test_a_service_that_is_no_proxy_gets_neither_ticket_nor_user(cas: Served, ada: Visitor, version: int) -> None:
    answer = answer_to(cas, ada, "https://library.example.edu/", "https://library.example.edu/pgt", version)
    assert b'code="UNAUTHORIZED_SERVICE_PROXY"' in answer


@pytest.mark.parametrize(
    "callback",
    [
        "https://evil.example.edu/pgt",
        "https://localhost:1/pgt",
        "http://localhost:1/pgt",
        "https://localhost:1/other",
        "https://localhost:1/pgt?pgtId=PGT-1",
        "ftp://localhost/pgt",
        "pgt",
    ],
)
def test_a_callback_that_cannot_be_called_is_a_failure(cas: Served, ada: Visitor, callback: str) -> None:
    assert b'code="INVALID_PROXY_CALLBACK"' in answer_to(cas, ada, "https://strict.example.edu/", callback)


@pytest.mark.parametrize(
    ("service", "status", "taken"),
    [
        ("strict", "200 OK", True),
        ("strict", "302 Found", False),
        ("strict", "404 Not Found", False),
        ("strict", "500 Internal Server Error", False),
        ("lenient", "302 Found", True),
    ],
)
def test_the_status_of_the_callback_decides(
    cas: Served, authority: CertificateAuthority, ada: Visitor, service: str, status: str, taken: bool
) -> None:
    callback = Callback(status)
    address = f"https://{service}.example.edu/"
    with SimulatorServer(callback, certificate=authority.issue()) as server:
        client = client_of(cas, address, proxy_callback=f"{server.url}/pgt")
        user, _, iou = client.verify_ticket(ada.ticket(cas.url, address))
    assert (user, iou is not None) == (("ada", True) if taken else (None, False))
    (call,) = callback.calls
    assert re.fullmatch(r"GET /pgt\?pgtId=PGT-[A-Za-z0-9-]+&pgtIou=PGTIOU-[A-Za-z0-9-]+", call)


def test_a_private_address_is_not_called_unless_the_registry_says_so(
    cas: Served, authority: CertificateAuthority, ada: Visitor
) -> None:
    callback = Callback("200 OK")
    with SimulatorServer(callback, certificate=authority.issue()) as server:
        answer = answer_to(cas, ada, "https://public.example.edu/", f"{server.url}/pgt")
    assert b'code="INVALID_PROXY_CALLBACK"' in answer
    assert callback.calls == []


def test_a_callback_with_a_certificate_that_nobody_trusts_learns_nothing(
    cas: Served, foreign_leaf: LeafFiles, ada: Visitor
) -> None:
    callback = Callback("200 OK")
    with SimulatorServer(callback, certificate=foreign_leaf) as server:
        answer = answer_to(cas, ada, "https://strict.example.edu/", f"{server.url}/pgt")
    assert b'code="INVALID_PROXY_CALLBACK"' in answer
    assert callback.calls == []


def test_nobody_is_called_by_a_ticket_that_is_not_good(
    cas: Served, authority: CertificateAuthority, ada: Visitor
) -> None:
    callback = Callback("200 OK")
    with SimulatorServer(callback, certificate=authority.issue()) as server:
        client = client_of(cas, "https://strict.example.edu/", proxy_callback=f"{server.url}/pgt")
        assert client.verify_ticket("ST-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa") == (None, {}, None)
        assert client.verify_ticket(ada.ticket(cas.url, ARCHIVE)) == (None, {}, None)
    assert callback.calls == []
