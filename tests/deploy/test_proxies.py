"""nginx and HAProxy as ``deploy/`` has them, in front of two nodes: logins, addresses, retries, and what logs hold."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from cas import CASClient
from requests.adapters import HTTPAdapter

from casduo.routes import ROUTES
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.store.embedded import EmbeddedValkey
from tests.clients.gateways import Person
from tests.support.ports import free_ports
from tests.support.proxies import Node, Proxy, haproxy, nginx, running_nodes
from tests.support.served import Served
from tests.support.site import REGISTRY
from tests.support.visitor import ticket_in
from tests.support.waiting import until

PAYROLL = "https://payroll.example.edu/slips?month=11"
BROWSER = "127.0.0.9"
"""Where people sit: another address than the proxy's, from which the nodes are asked."""
KINDS = {"nginx": nginx, "haproxy": haproxy}


class FromElsewhere(HTTPAdapter):
    """Connects from the address where people sit."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, source_address=(BROWSER, 0))


class Somebody(Person):
    """Somebody with a browser, who has arrived where an application is."""

    def step(self, address: str, **options: object) -> requests.Response:
        if ".example.edu/" in address.partition("?")[0]:
            arrived = requests.Response()
            arrived.url, arrived.status_code = address, 200
            return arrived
        return super().step(address, **options)


@dataclass(frozen=True)
class Place:
    """A proxy, the nodes behind it, and Duo."""

    proxy: Proxy
    nodes: list[Node]
    cas: Served
    duo: DuoSimulator

    @contextmanager
    def person(self, username: str = "ada") -> Iterator[Person]:
        with Somebody(username, self.cas, self.duo) as found:
            found.http.mount("https://localhost", FromElsewhere())
            yield found

    def login(self, service: str = PAYROLL) -> str:
        return f"{self.cas.url}login?service={requests.utils.quote(service, safe='')}"

    def client(self, service: str = PAYROLL) -> Any:
        return CASClient(version=3, service_url=service, server_url=self.cas.url, verify_ssl_certificate=self.cas.ca)

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = "".join(node.log.read_text(encoding="utf-8") for node in self.nodes).splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in found if line["event"] == name]


@pytest.fixture(scope="module", params=KINDS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority
) -> Iterator[Place]:
    directory, leaf = tmp_path_factory.mktemp("place"), authority.issue()
    ports = free_ports(2)
    with (
        EmbeddedValkey(directory / "valkey") as valkey,
        KINDS[request.param](leaf, ports) as proxy,
        DuoSimulator(leaf) as duo,
    ):
        duo.add_user("ada")
        url = f"https://localhost:{proxy.port}/cas"
        keys = duo.add_application(redirect_uris=[f"{url}/duo/callback"])
        settings = (
            f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file},\n"
            f"  universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}}}}\n"
        )
        with running_nodes(directory, ports, valkey.url, url, REGISTRY, settings) as nodes:
            cas = Served(f"{url}/", ("127.0.0.1", proxy.port), str(authority.ca_file), nodes[0].log)
            ready = f"{url}/readyz"
            until(lambda: requests.get(ready, verify=cas.ca, timeout=10).ok, "the proxy finds a node that is ready")
            yield Place(proxy, nodes, cas, duo)


def test_a_login_with_duo_and_its_validation_go_over_both_nodes(place: Place) -> None:
    with place.person() as ada:
        arrived = ada.enter(place.login())
    user, attributes, _ = place.client().verify_ticket(ticket_in(arrived.url))
    assert user == "ada"
    assert attributes["authnContextClass"] == "mfa-duo"


def test_a_ticket_is_good_once_through_the_proxy(place: Place) -> None:
    with place.person() as ada:
        ticket = ticket_in(ada.enter(place.login()).url)
    assert place.client().verify_ticket(ticket)[0] == "ada"
    assert place.client().verify_ticket(ticket)[0] is None


def test_events_name_the_address_of_the_browser_whatever_it_claims(place: Place) -> None:
    before = len(place.events("signin.ok"))
    with place.person("grace") as grace:
        grace.http.headers["X-Forwarded-For"] = "203.0.113.66, 198.51.100.7"
        grace.http.headers["Forwarded"] = "for=203.0.113.66"
        grace.enter(place.login("https://library.example.edu/catalogue"))
    until(lambda: len(place.events("signin.ok")) > before, "the sign-in is in the log")
    assert {event["address"] for event in place.events("signin.ok")} == {BROWSER}


def test_a_header_with_underscores_is_not_the_proxys(place: Place) -> None:
    """An application cannot tell X_Forwarded_For from X-Forwarded-For; what becomes of one, others show."""
    for name, language in (("Accept-Language", "de"), ("Accept_Language", "en")):
        page = requests.get(place.login(), headers={name: "de"}, verify=place.cas.ca, timeout=10)
        assert f'<html lang="{language}"' in page.text, name
    origin = place.cas.url.removesuffix("/cas/")
    requests.get(f"{origin}/cas/under", headers={"X_Forwarded_For": "203.0.113.66"}, verify=place.cas.ca, timeout=10)

    def seen() -> list[str]:
        return [event["address"] for event in place.events("request.refused") if event["path"] == "/cas/under"]

    until(lambda: bool(seen()), "the request is in the log")
    assert seen() == ["127.0.0.1"]


def test_of_two_header_lines_the_last_one_counts(place: Place) -> None:
    """As proxies send it that add a line of their own beside the one of the client; asked of a node itself."""
    with closing(socket.create_connection(("127.0.0.1", place.nodes[1].port), 10)) as node:
        node.sendall(
            b"GET /cas/not-there HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.66\r\n"
            b"X-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n"
        )
        while node.recv(65536):
            pass
    found = [event["address"] for event in place.events("request.refused") if event["path"] == "/cas/not-there"]
    assert found == ["198.51.100.7"]


def test_an_address_of_eight_thousand_bytes_comes_through_and_back(place: Place) -> None:
    service = "https://library.example.edu/?" + "q=" + "ä" * 1150
    with place.person("grace") as grace:
        answer = grace.enter(place.login("https://library.example.edu/"))
        answer = grace.visit(place.login(service))
    assert len(answer.url) > 6900


def test_what_nobody_needs_to_send_is_refused_before_the_nodes(place: Place) -> None:
    sent = requests.post(place.login(), data=b"x" * 70_000, verify=place.cas.ca, timeout=10)
    assert sent.status_code == 413


@pytest.mark.parametrize("path", ["/cas/healthz/detail", "/cas/metrics", "/other"])
def test_what_is_for_monitoring_is_not_there_from_outside(place: Place, path: str) -> None:
    origin = place.cas.url.removesuffix("/cas/")
    assert requests.get(f"{origin}{path}", verify=place.cas.ca, timeout=10).status_code == 404


def test_pages_are_kept_by_nobody_and_headers_of_casduo_arrive(place: Place) -> None:
    answer = requests.get(place.login(), verify=place.cas.ca, timeout=10)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_slow_clients_do_not_reach_a_node(place: Place) -> None:
    """Half a form waits at the proxy; the nodes answer others meanwhile, and have heard of no request."""
    context = ssl.create_default_context(cafile=place.cas.ca)
    with (
        closing(socket.create_connection(("127.0.0.1", place.proxy.port), 10)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as slow,
    ):
        slow.sendall(
            b"POST /cas/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 1000\r\n\r\nusername=ada"
        )
        assert requests.get(f"{place.cas.url}healthz", verify=place.cas.ca, timeout=10).ok
        slow.settimeout(0.2)
        with pytest.raises(TimeoutError):
            slow.recv(1)


def test_logs_hold_no_query_and_no_ticket(place: Place) -> None:
    with place.person() as ada:
        ticket = ticket_in(ada.enter(place.login()).url)
    place.client().verify_ticket(ticket)
    tgt = "TGT-abcd-" + "n" * 30
    requests.get(f"{place.cas.url}v1/tickets/{tgt}?token=hidden", verify=place.cas.ca, timeout=10)
    until(lambda: "/v1/tickets/..." in place.proxy.written, "the last request is in the log")
    written = place.proxy.written
    assert "/cas/p3/serviceValidate" in written
    assert BROWSER in written
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert {"time", "address", "status", "node"} <= {key for line in lines for key in line}
    for secret in ("ST-", "ticket=", "service=", "month=11", "payroll", tgt, "hidden", "state=", "?"):
        assert secret not in written, secret


def test_logins_and_validations_go_on_when_a_node_is_killed(place: Place) -> None:
    """The last test of each proxy: one node is gone afterwards."""
    with place.person() as ada:
        ada.enter(place.login())
        tickets = [ticket_in(ada.visit(place.login()).url) for _ in range(4)]
        place.nodes[0].kill()
        assert [place.client().verify_ticket(ticket)[0] for ticket in tickets] == ["ada"] * 4
        for _ in range(4):
            ticket = ticket_in(ada.visit(place.login()).url)
            assert place.client().verify_ticket(ticket)[0] == "ada"
    with place.person("grace") as grace:
        assert ticket_in(grace.enter(place.login("https://library.example.edu/")).url)
    for secret in ("ticket=", "ST-", "service="):
        assert secret not in place.proxy.written, secret


# -- retries, with nodes that hang up ----------------------------------------------------------------------------------


class HangsUp:
    """Stands where a node should be: takes a request, and closes the connection without an answer. ``asked`` is what
    came, probes left out.
    """

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        # A connection of our own wakes the thread, which waits for one.
        self._ending = True
        with closing(socket.create_connection(self._listener.getsockname(), 5)):
            self._thread.join(5)
        self._listener.close()

    _ending = False

    def _run(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._ending:
                connection.close()
                return
            with connection:
                head = connection.recv(65536).decode("latin-1")
                if head.startswith("GET /cas/readyz"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                elif head:
                    self.asked.append(head.partition(" HTTP/")[0])


@pytest.mark.parametrize("kind", KINDS)
def test_what_reached_a_node_is_not_asked_of_another(kind: str, authority: CertificateAuthority) -> None:
    leaf, ports, ca = authority.issue(), free_ports(2), str(authority.ca_file)
    nodes = [HangsUp(port) for port in ports]

    def asked(method: str, path: str, body: bytes | None = None) -> int:
        before = sum(len(node.asked) for node in nodes)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        url = f"https://localhost:{proxy.port}/cas/{path}"
        answer = requests.request(method, url, data=body, headers=kind, verify=ca, timeout=10)
        assert answer.status_code in (502, 504)
        return sum(len(node.asked) for node in nodes) - before

    try:
        with KINDS[kind](leaf, ports, forgiving=True) as proxy:
            until(
                lambda: requests.get(f"https://localhost:{proxy.port}/", verify=ca, timeout=10).status_code == 502,
                "the nodes are taken for well",
            )
            for path in ("serviceValidate", "p3/serviceValidate", "proxyValidate", "validate", "proxy"):
                assert asked("GET", f"{path}?ticket=ST-1") == 1
            assert asked("POST", "login", b"a=b") == 1
            assert asked("POST", "samlValidate", b"<a/>") == 1
            assert "ticket" not in proxy.written
    finally:
        for node in nodes:
            node.close()


class Holds:
    """Stands where a node should be: says of itself what it is told to, and keeps whoever else asks waiting."""

    def __init__(self, port: int) -> None:
        self.status = 200
        self.held = threading.Event()
        self.freed = threading.Event()
        holder = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not self.path.startswith("/cas/readyz"):
                    holder.held.set()
                    holder.freed.wait()
                if not holder.status:
                    # Not a word, as of one that stands still.
                    holder.freed.wait()
                self.send_response(200 if holder.freed.is_set() else holder.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.freed.set()
        self.server.shutdown()
        self.server.server_close()


class Held(NamedTuple):
    """A node, what it has in hand, and who is before it."""

    node: Holds
    asked: Future[requests.Response]
    proxy: Proxy


@pytest.fixture
def held(authority: CertificateAuthority) -> Iterator[Held]:
    """A node behind HAProxy that has a request in hand."""
    ports, ca = free_ports(2), str(authority.ca_file)
    node = Holds(ports[0])
    with haproxy(authority.issue(), ports) as proxy, ThreadPoolExecutor(1) as pool:
        ready = f"https://localhost:{proxy.port}/cas/readyz"
        until(lambda: "sso2 is DOWN" in proxy.written, "HAProxy knows which of the two is there")
        assert requests.get(ready, verify=ca, timeout=20).ok
        address = f"https://localhost:{proxy.port}/cas/login"
        asked = pool.submit(requests.get, address, verify=ca, timeout=50)
        assert node.held.wait(20)
        try:
            yield Held(node, asked, proxy)
        finally:
            node.close()


def test_a_node_that_is_about_to_end_gets_nobody_and_finishes_what_it_has(held: Held) -> None:
    node, asked, proxy = held
    node.status = 404
    until(lambda: "sso1 is stopping" in proxy.written, "HAProxy has noticed")
    assert not asked.done()
    node.freed.set()
    assert asked.result(20).status_code == 200


def test_whoever_waits_for_a_node_that_stands_still_is_freed(held: Held) -> None:
    """It is not the 60 seconds of ``timeout server`` that they wait."""
    node, asked, _ = held
    node.status = 0
    assert asked.result(40).status_code in (502, 503)


def test_what_programs_send_in_the_clear_is_refused_and_not_led_on(place: Place) -> None:
    """A client with a wrong address is noticed at once. People, who type no scheme, are led to https."""
    plain = f"http://127.0.0.1:{place.proxy.plain}"
    programs = [path for path, route in ROUTES.items() if route.audience == "application"]
    for path in [*programs, "/v1/tickets", "/v1/tickets/TGT-1", "/webex/webhook"]:
        answer = requests.get(f"{plain}/cas{path}?ticket=ST-1", allow_redirects=False, timeout=10)
        assert (answer.status_code, answer.headers.get("Location")) == (403, None), path
    for path in ("/", "/cas/login?service=https%3A%2F%2Fpayroll.example.edu%2F", "/cas/account/", "/cas/proxyish"):
        answer = requests.get(plain + path, allow_redirects=False, timeout=10)
        assert answer.status_code == 301
        assert answer.headers["Location"].startswith("https://")
        assert answer.headers["Location"].endswith(path)


def test_the_files_know_every_address_that_uses_something_up() -> None:
    """A validation that is added to the server is added to nginx's list of what is asked once."""
    from tests.support.proxies import DEPLOY

    once = {path for path, route in ROUTES.items() if route.audience == "application"}
    text = (Path(DEPLOY) / "nginx" / "casduo.conf").read_text(encoding="utf-8")
    listed = text.partition("location ~ ^/cas/(")[2].partition(")")[0].split("|")
    assert {f"/{path}" for path in listed} == once
