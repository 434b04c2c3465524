"""The proxy callback against applications that answer over real TLS, in every way that applications do."""

from __future__ import annotations

import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest

from casduo.outbound.addresses import Address
from casduo.outbound.pinned import PinnedClient
from casduo.protocol.callback import MAX_HOSTS, ProxyCallback, build_client
from casduo.protocol.errors import InvalidProxyCallback
from casduo.services.policies import ProxyRule
from casduo.simulators.certificates import CertificateAuthority, LeafFiles

NAME = "portal.example.edu"
PGT = "PGT-a1B2-4711"
IOU = "PGTIOU-0815"
SENT = f"pgtId={PGT}&pgtIou={IOU}"
NOW = 1_790_000_000.0


class Portal(ThreadingHTTPServer):
    """An application with a callback page. ``targets`` is what it was asked for; ``answer`` says what it does."""

    daemon_threads = True

    def __init__(self, leaf: LeafFiles) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf.cert, leaf.key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.targets: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = status(200)
        self.called = threading.Event()
        self.released = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that do not trust us leave during the handshake."""

    def close(self) -> None:
        self.released.set()
        self.shutdown()
        self._thread.join(5)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Portal

    def do_GET(self) -> None:
        self.server.targets.append(self.path)
        self.server.called.set()
        self.server.answer(self)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


def status(code: int, body: bytes = b"") -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Location", "https://elsewhere.example.edu/")
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def wait(handler: BaseHTTPRequestHandler) -> None:
    """Answer only when the test says so, as an application does whose only thread waits for its validation."""
    server: Any = handler.server
    server.released.wait(30)
    status(200)(handler)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def talk_nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 smtp.example.org " + handler.path.encode() + b"\r\n")


class Names:
    """A name server that knows every name, and who asked for which."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[Address]:
        self.asked.append(host)
        return [ip_address(address) for address in self.addresses]


@pytest.fixture
def make_portal() -> Iterator[Callable[[LeafFiles], Portal]]:
    made: list[Portal] = []

    def make(leaf: LeafFiles) -> Portal:
        made.append(Portal(leaf))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def portal(make_portal: Any, authority: CertificateAuthority) -> Portal:
    return make_portal(authority.issue([NAME], localhost=False))


@pytest.fixture
def names() -> Names:
    return Names("127.0.0.1")


@pytest.fixture
def make(authority: CertificateAuthority, names: Names) -> Callable[..., ProxyCallback]:
    def make_callback(concurrency: int = 4, *, deadline: float = 10.0, **settings: Any) -> ProxyCallback:
        client = PinnedClient(
            "proxy callback",
            connect_timeout=5.0,
            deadline=deadline,
            max_body=65536,
            extra_ca_file=str(authority.ca_file),
            resolve=names,
        )
        return ProxyCallback(client, concurrency, **settings)

    return make_callback


@pytest.fixture
def callback(make: Callable[..., ProxyCallback]) -> ProxyCallback:
    return make()


def rule(*patterns: str, **more: Any) -> ProxyRule:
    settings = {"callback": patterns or (f"https://{NAME}:*/**",), "private_addresses": True, **more}
    return ProxyRule.model_validate({"allow": True, **settings})


def why(callback: ProxyCallback, url: str, with_rule: ProxyRule | None = None) -> str:
    """Return why the callback failed, having looked for secrets in every word of it."""
    with pytest.raises(InvalidProxyCallback) as caught:
        callback.deliver(url, PGT, IOU, with_rule or rule())
    assert caught.value.code == "INVALID_PROXY_CALLBACK"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    told = "".join([str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)])
    for secret in ("4711", "0815", "lovelace"):
        assert secret not in told
    return caught.value.why


# -- what is sent ----------------------------------------------------------------------------------------------------


def test_the_ticket_is_delivered_with_one_request_and_no_probe(callback: ProxyCallback, portal: Portal) -> None:
    callback.deliver(f"{portal.url}/pgt", PGT, IOU, rule())
    assert portal.targets == [f"/pgt?{SENT}"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("", f"/?{SENT}"),
        ("/", f"/?{SENT}"),
        ("/?", f"/?{SENT}"),
        ("?a=b", f"/?a=b&{SENT}"),
        ("/pgt?a=b", f"/pgt?a=b&{SENT}"),
        ("/pgt?a=b&", f"/pgt?a=b&{SENT}"),
        ("/pgt?a=b&a=&&c", f"/pgt?a=b&a=&&c&{SENT}"),
        ("/pgt?next=/a?", f"/pgt?next=/a?&{SENT}"),
        ("/pgt?ticket=keep;me&SAMLart=too", f"/pgt?ticket=keep;me&SAMLart=too&{SENT}"),
        ("/%7Eada/a%2fb;v=1/%C3%BC", f"/%7Eada/a%2fb;v=1/%C3%BC?{SENT}"),
        ("/pgt?x=%e9+%41%&y=a'b", f"/pgt?x=%e9+%41%&y=a'b&{SENT}"),
        ("/a b?c=d e", f"/a%20b?c=d%20e&{SENT}"),
        ("/zoë?c=ü", f"/zo%C3%AB?c=%C3%BC&{SENT}"),
    ],
)
def test_what_the_url_holds_is_kept_byte_for_byte(
    callback: ProxyCallback, portal: Portal, given: str, sent: str
) -> None:
    callback.deliver(portal.url + given, PGT, IOU, rule())
    assert portal.targets == [sent]


def test_the_host_that_was_matched_is_the_one_that_is_called(
    callback: ProxyCallback, names: Names, make_portal: Any, authority: CertificateAuthority
) -> None:
    ascii_name = "xn--mnchen-3ya.example.edu"
    portal = make_portal(authority.issue([ascii_name], localhost=False))
    only = rule(f"https://münchen.example.edu:{portal.server_port}/**")
    for host in ("münchen.example.edu", "MÜNCHEN.example.edu", ascii_name.upper()):
        callback.deliver(f"HTTPS://{host}:{portal.server_port:05}/pgt", PGT, IOU, only)
    assert set(names.asked) == {ascii_name}
    assert portal.targets == [f"/pgt?{SENT}"] * 3


@pytest.mark.parametrize("ticket", ["", "PGT-1&pgtIou=x", "PGT-1#", "PGT 1", "PGT-ü"])
def test_what_is_no_ticket_is_not_sent(callback: ProxyCallback, portal: Portal, ticket: str) -> None:
    with pytest.raises(ValueError, match="encoding"):
        callback.deliver(portal.url, ticket, IOU, rule())
    with pytest.raises(ValueError, match="encoding"):
        callback.deliver(portal.url, PGT, ticket, rule())
    assert portal.targets == []


# -- what the registry allows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://portal.example.edu/pgt?s=4711", "the callback is not https"),
        ("https://portal.example.edu/pgt?s=4711#part", "the callback has a fragment"),
        ("https://portal.example.edu/pgt#", "the callback has a fragment"),
        ("https://ada:lovelace@portal.example.edu/pgt", "the callback is no URL that can be used: userinfo"),
        ("https://evil.example@portal.example.edu/pgt", "the callback is no URL that can be used: userinfo"),
        ("https://portal.example.edu\\@evil.example/pgt", "the callback is no URL that can be used: backslash"),
        ("https:portal.example.edu/pgt?s=4711", "the callback is no URL that can be used: no_host"),
        ("portal.example.edu/pgt?s=4711", "the callback is no URL that can be used: no_scheme"),
        ("ftp://portal.example.edu/pgt", "the callback is no URL that can be used: scheme"),
        ("https://portal.example.edu/pgt/../admin", "the callback is no URL that can be used: dot_segment"),
        ("https://portal.example.edu/pgt\r\nX: 4711", "the callback is no URL that can be used: control"),
        ("https://evil.example/pgt?4711", "no callback pattern of the service fits (evil.example)"),
        (
            "https://portal.example.edu.evil.example/pgt",
            "no callback pattern of the service fits (portal.example.edu.evi",
        ),
        ("https://portal.example.edu/other?s=4711", "no callback pattern of the service fits (portal.example.edu)"),
        ("https://portal.example.edu/PGT", "no callback pattern of the service fits (portal.example.edu)"),
        ("https://portal.example.edu:8443/pgt", "no callback pattern of the service fits (portal.example.edu)"),
        ("https://[::1]/pgt", "no callback pattern of the service fits ([::1])"),
        ("https://portal.example.edu/pgt?pgtId=PGT-4711", "the callback has a pgtId or pgtIou already"),
        ("https://portal.example.edu/pgt?a&pgt%49ou=4711", "the callback has a pgtId or pgtIou already"),
    ],
)
def test_what_the_registry_does_not_mean_is_not_even_resolved(
    callback: ProxyCallback, names: Names, url: str, reason: str
) -> None:
    assert why(callback, url, rule("https://portal.example.edu/pgt")).startswith(reason)
    assert names.asked == []


def test_a_service_without_patterns_has_no_callback(callback: ProxyCallback, names: Names) -> None:
    assert why(callback, f"https://{NAME}/", ProxyRule(private_addresses=True)).startswith("no callback pattern")
    assert names.asked == []


def test_one_of_several_patterns_is_enough(callback: ProxyCallback, portal: Portal) -> None:
    several = rule("https://other.example.edu/**", f"regex:https://portal\\.example\\.edu:{portal.server_port}/pg[st]")
    callback.deliver(f"{portal.url}/pgt", PGT, IOU, several)
    assert portal.targets == [f"/pgt?{SENT}"]


def test_a_private_address_is_called_only_where_the_registry_says_so(
    callback: ProxyCallback, portal: Portal, names: Names
) -> None:
    assert why(callback, portal.url, rule(private_addresses=False)) == f"address refused: private ({NAME})"
    names.addresses = ("169.254.169.254", "ff02::1")
    assert why(callback, portal.url) == f"address refused: special ({NAME})"
    assert portal.targets == []
    assert names.asked == [NAME, NAME]


# -- what the application answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [201, 202, 301, 302, 304, 404, 500, 503])
def test_only_200_counts_and_redirects_are_not_followed(callback: ProxyCallback, portal: Portal, code: int) -> None:
    portal.answer = status(code)
    assert why(callback, f"{portal.url}/pgt?s=4711") == f"status {code} ({NAME})"
    assert len(portal.targets) == 1
    if code < 400:
        callback.deliver(portal.url, PGT, IOU, rule(accept_status=(200, code)))


def test_a_long_page_is_not_read_to_its_end(callback: ProxyCallback, portal: Portal) -> None:
    portal.answer = status(200, b"x" * 5_000_000)
    callback.deliver(portal.url, PGT, IOU, rule())
    assert len(portal.targets) == 1


@pytest.mark.parametrize(
    "issue",
    [
        pytest.param(lambda _, foreign: foreign, id="another authority"),
        pytest.param(lambda ours, _: ours.issue(["other.example.edu"], localhost=False), id="another name"),
        pytest.param(lambda ours, _: ours.issue([NAME], expired=True), id="expired"),
    ],
)
def test_a_host_whose_certificate_is_not_good_gets_no_ticket(
    callback: ProxyCallback, make_portal: Any, authority: CertificateAuthority, foreign_leaf: LeafFiles, issue: Any
) -> None:
    portal = make_portal(issue(authority, foreign_leaf))
    assert why(callback, portal.url).startswith("the certificate of the callback host is not trusted")
    assert portal.targets == []


def test_an_application_that_cannot_answer_meanwhile_is_told_what_to_look_for(make: Any, portal: Portal) -> None:
    portal.answer = wait
    assert why(make(deadline=0.25), portal.url) == (
        "the callback did not answer within 0.25 seconds; a single-threaded application cannot answer while it waits "
        f"for this validation ({NAME})"
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (hang_up, "the callback host hung up without an answer"),
        (talk_nonsense, "the answer of the callback cannot be read"),
    ],
)
def test_what_is_no_answer_is_told_in_words(callback: ProxyCallback, portal: Portal, answer: Any, reason: str) -> None:
    portal.answer = answer
    assert why(callback, f"{portal.url}/pgt?s=4711") == f"{reason} ({NAME})"


def test_a_host_that_is_not_there_is_told_in_words(callback: ProxyCallback, names: Names) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"https://{NAME}:{bound.getsockname()[1]}/"
        assert why(callback, url) == f"the callback host refused the connection ({NAME})"
    names.addresses = ()
    assert why(callback, url) == f"the name of the callback host does not resolve ({NAME})"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes no connection: one fills its queue, the system lets the next ones wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        place = listening.getsockname()
        with socket.create_connection(place):
            yield place[1]


def test_a_host_that_does_not_take_connections_is_told_in_words(silent_port: int, names: Names) -> None:
    client = PinnedClient("proxy callback", connect_timeout=0.05, deadline=5.0, max_body=0, resolve=names)
    told = why(ProxyCallback(client, 1), f"https://{NAME}:{silent_port}/")
    assert told == f"no connection to the callback host within 0.05 seconds ({NAME})"


def test_the_limits_are_those_of_the_contract(authority: CertificateAuthority) -> None:
    client = build_client(str(authority.ca_file))
    assert (client.connect_timeout, client.deadline) == (3.0, 8.0)


# -- that others do not suffer ---------------------------------------------------------------------------------------


def test_no_more_callbacks_are_under_way_than_allowed(make: Any, portal: Portal) -> None:
    portal.answer = wait
    callback = make(concurrency=1)
    delivered: list[bool] = []

    def deliver() -> None:
        callback.deliver(f"{portal.url}/ada", PGT, IOU, rule())
        delivered.append(True)

    first = threading.Thread(target=deliver)
    first.start()
    assert portal.called.wait(5)
    assert why(callback, f"{portal.url}/grace") == "too many callbacks under way"
    portal.released.set()
    first.join(5)
    assert delivered == [True]
    callback.deliver(f"{portal.url}/grace", PGT, IOU, rule())
    assert portal.targets == [f"/ada?{SENT}", f"/grace?{SENT}"]


def test_a_host_that_is_down_is_left_alone_for_a_moment_and_others_are_not(
    make: Any, portal: Portal, make_portal: Any, authority: CertificateAuthority
) -> None:
    now = [NOW]
    callback = make(failures=2, pause=10.0, clock=lambda: now[0])
    portal.answer = hang_up
    for _ in range(2):
        assert "hung up" in why(callback, f"{portal.url}/pgt")
    portal.answer = status(200)
    assert why(callback, f"{portal.url}/pgt").startswith("the callback host failed several times in a row")
    assert len(portal.targets) == 2

    other = make_portal(authority.issue([NAME], localhost=False))
    callback.deliver(other.url, PGT, IOU, rule())
    now[0] += 10.0
    callback.deliver(f"{portal.url}/pgt", PGT, IOU, rule())
    assert len(portal.targets) == 3


def test_an_answer_that_does_not_please_us_is_no_outage(make: Any, portal: Portal) -> None:
    callback = make(failures=1)
    for code in (404, 500, 302):
        portal.answer = status(code)
        assert why(callback, portal.url) == f"status {code} ({NAME})"
    assert why(callback, portal.url, rule(private_addresses=False)).startswith("address refused")
    portal.answer = status(200)
    callback.deliver(portal.url, PGT, IOU, rule())


def test_of_many_hosts_those_used_last_are_remembered(make: Any, names: Names) -> None:
    names.addresses = ()
    callback, everywhere = make(failures=1, clock=lambda: NOW), rule("https://*.example.edu/")
    hosts = [f"https://portal-{number}.example.edu/" for number in range(MAX_HOSTS + 1)]
    for host in hosts:
        assert "does not resolve" in why(callback, host, everywhere)
    assert "several times in a row" in why(callback, hosts[1], everywhere)
    assert "does not resolve" in why(callback, hosts[0], everywhere)
    # The one that was just used stayed; the one after it made room.
    assert "several times in a row" in why(callback, hosts[1], everywhere)
    assert "does not resolve" in why(callback, hosts[2], everywhere)
