from __future__ import annotations

import logging
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509 import (
    CertificateBuilder,
    Name,
    NameAttribute,
    load_pem_x509_certificate,
    random_serial_number,
)
from cryptography.x509.oid import NameOID

from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.addresses import Address, Scope
from casduo.outbound.failures import UpstreamUntrusted
from casduo.outbound.pinned import AddressRefused, PinnedClient, resolve_name
from casduo.simulators.certificates import CertificateAuthority, LeafFiles

FINE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nfine"
SECRET = "PGT-a1B2-4711"

Client = Callable[..., PinnedClient]


class Names:
    """A name server: each call of it gives the next answer, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = [[ip_address(text) for text in answer] for answer in answers]
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[Address]:
        self.asked.append(host)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


@pytest.fixture
def client(authority: CertificateAuthority) -> Client:
    def make(**settings: Any) -> PinnedClient:
        limits = {"connect_timeout": 5.0, "deadline": 10.0, "max_body": 65536}
        return PinnedClient("callback", **{**limits, "extra_ca_file": str(authority.ca_file), **settings})

    return make


@pytest.fixture
def leaf(authority: CertificateAuthority) -> LeafFiles:
    return authority.issue(["portal.example.edu"], localhost=True)


@pytest.fixture
def listen() -> Iterator[Callable[..., socket.socket]]:
    """Sockets that listen and whose connections nobody accepts."""
    made: list[socket.socket] = []

    def make(address: str, port: int = 0, *, full: bool = False) -> socket.socket:
        made.append(socket.create_server((address, port), backlog=0 if full else 5))
        listening = made[-1]
        if full:
            # With one connection waiting to be accepted there is no room; the system lets the next ones wait.
            made.append(socket.create_connection(listening.getsockname()))
        return listening

    yield make
    for each in made:
        each.close()


def answering(answer: bytes) -> Callable[[Any, socket.socket], None]:
    def serve(peer: Any, connection: socket.socket) -> None:
        if peer.read_request(connection):
            connection.sendall(answer)

    return serve


serve_fine = answering(FINE)


def hold(connection: socket.socket) -> None:
    """Say nothing more, until the other side leaves."""
    while connection.recv(65536):
        pass


def drip(connection: socket.socket, byte: bytes = b"x") -> None:
    """Send a byte every hundredth of a second, for some seconds at most."""
    connection.settimeout(0.01)
    for _ in range(500):
        connection.sendall(byte)
        with suppress(TimeoutError):
            if not connection.recv(65536):
                return


def failure_of(call: Callable[[], object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        call()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def detail_of(call: Callable[[], object]) -> str:
    failure = failure_of(call)
    assert type(failure) is UpstreamUnavailable
    return failure.detail


# -- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 302, 404, 500])
def test_any_status_is_an_answer_and_redirects_are_not_followed(make_peer: Any, client: Client, status: int) -> None:
    head = f"HTTP/1.1 {status} Something\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    peer = make_peer(answering(head.encode()))
    answer = client().send("GET", peer.url, private=True, plain_http=True)
    assert answer.status == status
    assert 0 < answer.seconds < 10
    assert (peer.connections, len(peer.requests)) == (1, 1)


def test_the_request_is_sent_as_given_and_says_that_no_other_will_follow(
    make_peer: Any, client: Client, leaf: LeafFiles
) -> None:
    peer = make_peer(serve_fine, leaf)
    client().send("GET", f"{peer.url}/a%2Fb/%7e;v=1?x=%41+%e9&next=/a?b&\\|{{}}", private=True)
    lines = peer.requests[0].split("\r\n")
    assert lines[0] == "GET /a%2Fb/%7e;v=1?x=%41+%e9&next=/a?b&\\|{} HTTP/1.1"
    assert f"Host: localhost:{peer.port}" in lines
    assert "Connection: close" in lines
    assert "Accept-Encoding: identity" in lines
    assert not [line for line in lines if line.lower().startswith(("cookie", "authorization"))]


@pytest.mark.parametrize(
    ("rest", "sent"), [("", "/"), ("/", "/"), ("?a=b", "/?a=b"), ("//other.example.edu/", "//other.example.edu/")]
)
def test_the_target_begins_with_a_slash(make_peer: Any, client: Client, rest: str, sent: str) -> None:
    peer = make_peer(serve_fine)
    client().send("GET", peer.url + rest, private=True, plain_http=True)
    assert peer.requests[0].startswith(f"GET {sent} HTTP/1.1\r\n")


@pytest.mark.parametrize("secure", [True, False])
def test_a_body_is_sent_whole_with_its_headers(make_peer: Any, client: Client, leaf: LeafFiles, secure: bool) -> None:
    peer = make_peer(serve_fine, leaf if secure else None)
    body = b"logoutRequest=" + b"%3C" * 100_000
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client().send("POST", peer.url, body=body, headers=kind, private=True, plain_http=True).status == 200
    head, _, sent = peer.requests[0].partition("\r\n\r\n")
    assert "Content-Type: application/x-www-form-urlencoded" in head
    assert sent.encode() == body


def test_no_connection_is_kept(make_peer: Any, client: Client, leaf: LeafFiles) -> None:
    ended: list[bytes] = []

    def serve(peer: Any, connection: socket.socket) -> None:
        serve_fine(peer, connection)
        ended.append(connection.recv(1))

    peer, http = make_peer(serve, leaf), client()
    for _ in range(2):
        http.send("GET", peer.url, private=True)
    assert peer.connections == 2
    peer.close()
    assert ended == [b"", b""]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nfine", id="ended by closing"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n", id="http 1.0"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n", id="chunked"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + FINE, id="continued"),
        pytest.param(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Encoding: gzip\r\n\r\nfine", id="compressed"),
    ],
)
@pytest.mark.parametrize("secure", [True, False])
def test_a_body_may_end_in_any_way_of_http(
    make_peer: Any, client: Client, leaf: LeafFiles, answer: bytes, secure: bool
) -> None:
    peer = make_peer(answering(answer), leaf if secure else None)
    assert client().send("GET", peer.url, private=True, plain_http=True).status == 200


@pytest.mark.parametrize("framing", [b"", b"Content-Length: 9999999999\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_over_the_cap_is_not_read_to_its_end(
    make_peer: Any, client: Client, leaf: LeafFiles, framing: bytes
) -> None:
    left: list[bool] = []

    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
        try:
            while True:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            left.append(True)

    peer = make_peer(serve, leaf)
    assert client(max_body=100_000).send("GET", peer.url, private=True).status == 200
    peer.close()
    assert left == [True]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(FINE[:-1], id="body cut off"),
        pytest.param(b"HTTP/1.1 200 OK", id="status line cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="no headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="headers cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfi", id="chunk cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", id="chunk size nonsense"),
        pytest.param(b"220 smtp.example.org ready\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", id="too many headers"),
    ],
)
def test_what_is_not_http_is_unreadable(make_peer: Any, client: Client, answer: bytes) -> None:
    peer = make_peer(answering(answer))
    assert detail_of(lambda: client().send("GET", peer.url, private=True, plain_http=True)) == "unreadable"


@pytest.mark.usefixtures("netrc")
def test_the_environment_has_no_say(
    make_peer: Any,
    client: Client,
    authority: CertificateAuthority,
    free_port: int,
    monkeypatch: pytest.MonkeyPatch,
    leaf: LeafFiles,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://localhost:{free_port}")
        monkeypatch.setenv(name.lower(), f"http://localhost:{free_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
    peer = make_peer(serve_fine, leaf)
    client().send("GET", peer.url, private=True)
    assert "authorization" not in peer.requests[0].lower()
    without = client(extra_ca_file=None)
    assert isinstance(failure_of(lambda: without.send("GET", peer.url, private=True)), UpstreamUntrusted)


# -- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "portal.example.edu"])
def test_a_private_address_is_refused_before_anybody_is_connected_to(
    make_peer: Any, client: Client, leaf: LeafFiles, host: str
) -> None:
    peer = make_peer(serve_fine, leaf)
    http = client(resolve=Names(["127.0.0.1", "10.0.0.1"]))
    failure = failure_of(lambda: http.send("GET", f"https://{host}:{peer.port}/"))
    assert isinstance(failure, AddressRefused)
    assert (failure.code, failure.scope) == ("UPSTREAM_ADDRESS_REFUSED", Scope.PRIVATE)
    assert isinstance(failure, UpstreamMisconfigured)
    peer.close()
    assert peer.connections == 0


@pytest.mark.parametrize(
    "host",
    [
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::FFFF:7F00:1]",
        "[fd00::1]",
        "10.1.2.3",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104
        "[::]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
    ],
)
def test_an_address_in_the_url_is_judged_without_asking_anybody(client: Client, host: str) -> None:
    names = Names(["127.0.0.1"])
    failure = failure_of(lambda: client(resolve=names).send("GET", f"https://{host}/"))
    assert isinstance(failure, AddressRefused)
    assert names.asked == []


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1"])
def test_an_address_spelled_in_an_odd_way_is_refused_whatever_the_resolver_makes_of_it(
    client: Client, spelling: str
) -> None:
    failure = failure_of(lambda: client().send("GET", f"https://{spelling}/"))
    assert isinstance(failure, AddressRefused) or failure.detail == "dns"


def test_link_local_addresses_are_refused_even_where_private_ones_are_not(
    make_peer: Any, client: Client, leaf: LeafFiles
) -> None:
    failure = failure_of(lambda: client().send("GET", "https://169.254.169.254/", private=True))
    assert isinstance(failure, AddressRefused)
    assert failure.scope is Scope.SPECIAL
    peer, names = make_peer(serve_fine, leaf), Names(["169.254.169.254", "fe80::1", "127.0.0.1"])
    url = f"https://portal.example.edu:{peer.port}/"
    assert client(resolve=names).send("GET", url, private=True).status == 200


def test_a_name_that_changes_its_address_is_asked_once_and_reaches_the_address_that_was_checked(
    make_peer: Any, client: Client, leaf: LeafFiles, listen: Any
) -> None:
    peer = make_peer(serve_fine, leaf)
    trap = listen("127.0.0.2", peer.port)
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    assert client(resolve=names).send("GET", f"https://portal.example.edu:{peer.port}/", private=True).status == 200
    assert names.asked == ["portal.example.edu"]
    trap.settimeout(0)
    with pytest.raises(BlockingIOError):
        trap.accept()


def test_a_name_that_turns_private_is_refused_then(client: Client, make_peer: Any, leaf: LeafFiles) -> None:
    peer = make_peer(serve_fine, leaf)
    names = Names(["169.254.1.1"], ["127.0.0.1"])
    http = client(resolve=names)
    for scope in (Scope.SPECIAL, Scope.PRIVATE):
        failure = failure_of(lambda: http.send("GET", f"https://portal.example.edu:{peer.port}/"))
        assert isinstance(failure, AddressRefused)
        assert failure.scope is scope
    peer.close()
    assert peer.connections == 0


def test_the_next_address_is_tried_where_one_refuses_or_is_silent(
    make_peer: Any, client: Client, leaf: LeafFiles, listen: Any
) -> None:
    peer = make_peer(serve_fine, leaf)
    listen("127.0.0.3", peer.port, full=True)
    names = Names(["127.0.0.2", "127.0.0.3", "127.0.0.1"])
    http = client(resolve=names, connect_timeout=0.1)
    assert http.send("GET", f"https://portal.example.edu:{peer.port}/", private=True).status == 200
    assert len(peer.requests) == 1


def test_the_request_is_not_sent_to_another_address_once_one_has_it(
    make_peer: Any, client: Client, leaf: LeafFiles
) -> None:
    peer = make_peer(lambda peer, connection: bool(peer.read_request(connection)), leaf)
    http = client(resolve=Names(["127.0.0.1", "127.0.0.1"]))
    url = f"https://portal.example.edu:{peer.port}/"
    assert detail_of(lambda: http.send("POST", url, body=b"a=b", private=True)) == "reset"
    assert len(peer.requests) == 1


def test_the_systems_resolver_knows_this_machine_and_no_nonsense() -> None:
    assert {str(address) for address in resolve_name("localhost")} <= {"127.0.0.1", "::1"}
    assert resolve_name("127.0.0.1") == (ip_address("127.0.0.1"),)
    for host in ("nobody.invalid", "a..b", "a" * 64 + ".example", "."):
        with pytest.raises(OSError, match=r"\S"):
            resolve_name(host)


def test_addresses_of_ipv6_are_called_too(client: Client, leaf: LeafFiles) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
        received: list[bytes] = []

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                received.append(connection.recv(65536))
                connection.sendall(FINE)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        assert client().send("GET", f"http://[::1]:{port}/", private=True, plain_http=True).status == 200
        thread.join(5)
    assert f"\r\nHost: [::1]:{port}\r\n".encode() in received[0]


# -- trust -----------------------------------------------------------------------------------------------------------


def test_the_certificate_is_for_the_name_and_the_name_is_sent(
    make_peer: Any, client: Client, authority: CertificateAuthority
) -> None:
    peer = make_peer(serve_fine, authority.issue(["portal.example.edu"], localhost=False))
    announced: list[str | None] = []
    peer._tls.sni_callback = lambda _, name, __: announced.append(name)
    http = client(resolve=Names(["127.0.0.1"]))
    assert http.send("GET", f"https://Portal.Example.edu:{peer.port}/", private=True).status == 200
    assert announced == ["portal.example.edu"]
    assert f"Host: portal.example.edu:{peer.port}\r\n" in peer.requests[0]


def test_an_address_may_stand_in_the_certificate(make_peer: Any, client: Client, leaf: LeafFiles) -> None:
    peer = make_peer(serve_fine, leaf)
    assert client().send("GET", f"https://127.0.0.1:{peer.port}/", private=True).status == 200


def test_a_name_counts_only_where_names_of_servers_stand(
    make_peer: Any, client: Client, authority: CertificateAuthority, tmp_path: Path
) -> None:
    peer = make_peer(serve_fine, with_common_name_only(authority, tmp_path, "portal.example.edu"))
    http = client(resolve=Names(["127.0.0.1"]))
    failure = failure_of(lambda: http.send("GET", f"https://portal.example.edu:{peer.port}/", private=True))
    assert isinstance(failure, UpstreamUntrusted)


def with_common_name_only(authority: CertificateAuthority, directory: Path, name: str) -> LeafFiles:
    signer = load_pem_x509_certificate(authority.ca_file.read_bytes())
    signing_key: Any = load_pem_private_key((authority.ca_file.parent / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        CertificateBuilder(
            issuer_name=signer.subject,
            subject_name=Name([NameAttribute(NameOID.COMMON_NAME, name)]),
            public_key=key.public_key(),
            serial_number=random_serial_number(),
            not_valid_before=signer.not_valid_before_utc,
            not_valid_after=signer.not_valid_after_utc,
        )
    ).sign(signing_key, SHA256())
    leaf = LeafFiles(directory / "leaf.crt", directory / "leaf.key", authority.ca_file)
    leaf.cert.write_bytes(certificate.public_bytes(Encoding.PEM))
    leaf.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return leaf


def test_the_other_side_is_told_why_its_certificate_was_refused(
    make_peer: Any, client: Client, stranger: CertificateAuthority
) -> None:
    heard: list[str] = []

    def serve(peer: Any, connection: socket.socket) -> None:
        try:
            peer.read_request(connection)
        except ssl.SSLError as error:
            heard.append(str(error.reason))

    peer = make_peer(serve, stranger.issue())
    assert isinstance(failure_of(lambda: client().send("GET", peer.url, private=True)), UpstreamUntrusted)
    peer.close()
    assert heard == ["TLSV1_ALERT_UNKNOWN_CA"]


def test_an_international_name_is_used_in_its_ascii_form(
    make_peer: Any, client: Client, authority: CertificateAuthority
) -> None:
    name = "xn--mnchen-3ya.example.edu"
    peer, names = make_peer(serve_fine, authority.issue([name], localhost=False)), Names(["127.0.0.1"])
    assert client(resolve=names).send("GET", f"https://{name}:{peer.port}/", private=True).status == 200
    assert names.asked == [name]


@pytest.mark.parametrize(
    "leaf",
    [
        pytest.param(lambda _, stranger: stranger.issue(["portal.example.edu"]), id="another authority"),
        pytest.param(lambda ours, _: ours.issue(["other.example.edu"], localhost=False), id="another name"),
        pytest.param(lambda ours, _: ours.issue(), id="the address alone"),
        pytest.param(lambda ours, _: ours.issue(["portal.example.edu"], expired=True), id="expired"),
    ],
)
def test_a_certificate_that_does_not_verify_is_never_an_outage_and_gets_no_request(
    make_peer: Any, client: Client, authority: CertificateAuthority, stranger: CertificateAuthority, leaf: Any
) -> None:
    peer = make_peer(serve_fine, leaf(authority, stranger))
    http = client(resolve=Names(["127.0.0.1"]))
    failure = failure_of(lambda: http.send("GET", f"https://portal.example.edu:{peer.port}/", private=True))
    assert isinstance(failure, UpstreamUntrusted)
    assert not isinstance(failure, UpstreamUnavailable)
    peer.close()
    assert peer.requests == []


def test_plain_http_where_tls_is_expected_is_never_an_outage(make_peer: Any, client: Client) -> None:
    def serve(_: Any, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        hold(connection)

    peer = make_peer(serve)
    failure = failure_of(lambda: client().send("GET", f"https://localhost:{peer.port}", private=True))
    assert isinstance(failure, UpstreamUntrusted)


@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_a_file_of_authorities_that_cannot_be_read_is_refused_at_once(
    tmp_path: Path, client: Client, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    failure = failure_of(lambda: client(extra_ca_file=str(file)))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "ca_file")


# -- outages and the deadline ----------------------------------------------------------------------------------------


def test_a_closed_port_is_refused(client: Client, free_port: int) -> None:
    assert detail_of(lambda: client().send("GET", f"https://127.0.0.1:{free_port}/", private=True)) == "refused"


def test_a_name_that_does_not_resolve_is_dns(client: Client) -> None:
    assert detail_of(lambda: client().send("GET", "https://nobody.invalid/")) == "dns"
    assert detail_of(lambda: client(resolve=Names([])).send("GET", "https://nobody.example/")) == "dns"


def test_a_connection_that_does_not_come_about_is_a_timeout(client: Client, listen: Any) -> None:
    port = listen("127.0.0.1", full=True).getsockname()[1]
    http = client(connect_timeout=0.05)
    assert detail_of(lambda: http.send("GET", f"https://127.0.0.1:{port}/", private=True)) == "timeout"


def test_many_silent_addresses_do_not_outlast_the_deadline(client: Client, listen: Any) -> None:
    port = listen("127.0.0.1", full=True).getsockname()[1]
    http = client(resolve=Names(["127.0.0.1"] * 1000), connect_timeout=0.05, deadline=0.12)
    assert detail_of(lambda: http.send("GET", f"https://localhost:{port}/", private=True)) in ("timeout", "deadline")


def test_a_resolver_that_took_all_the_time_leaves_none_for_a_connection(client: Client, listen: Any) -> None:
    moments = iter([0.0, 11.0])
    http = client(monotonic=lambda: next(moments))
    assert detail_of(lambda: http.send("GET", "https://127.0.0.1:1/", private=True)) == "deadline"


def after_request(say: Callable[[socket.socket], None]) -> Callable[[Any, socket.socket], None]:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        say(connection)

    return serve


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    drip(connection)


def drip_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(connection)


def continue_for_ever(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("say", [hold, drip_head, drip_body, continue_for_ever])
@pytest.mark.parametrize("secure", [True, False])
def test_an_answer_that_does_not_end_ends_at_the_deadline(
    make_peer: Any, client: Client, leaf: LeafFiles, secure: bool, say: Callable[[socket.socket], None]
) -> None:
    peer = make_peer(after_request(say), leaf if secure else None)
    http = client(deadline=0.15)
    assert detail_of(lambda: http.send("GET", peer.url, private=True, plain_http=True)) == "deadline"


def drip_handshake(connection: socket.socket) -> None:
    # The head of a long record and of a ServerHello that fills it; what follows comes byte by byte.
    connection.sendall(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xf0\x03\x03")
    drip(connection, b"\0")


@pytest.mark.parametrize("say", [hold, drip_handshake])
def test_a_handshake_that_does_not_end_ends_at_the_deadline(
    make_peer: Any, client: Client, say: Callable[[socket.socket], None]
) -> None:
    peer = make_peer(lambda _, connection: say(connection))
    http = client(deadline=0.15)
    assert detail_of(lambda: http.send("GET", f"https://localhost:{peer.port}/", private=True)) == "deadline"


def test_a_request_that_is_not_taken_ends_at_the_deadline(client: Client, listen: Any) -> None:
    port = listen("127.0.0.1").getsockname()[1]
    http, url = client(deadline=0.15), f"http://127.0.0.1:{port}/"
    much = b"x" * 50_000_000
    assert detail_of(lambda: http.send("POST", url, body=much, private=True, plain_http=True)) == "deadline"


def test_a_connection_once_made_may_take_its_time_up_to_the_deadline(make_peer: Any, client: Client) -> None:
    pause, much = threading.Event(), b"x" * 20_000_000

    def serve(_: Any, connection: socket.socket) -> None:
        pause.wait(0.1)
        missing = len(much)
        while missing > 0:
            missing -= len(connection.recv(1_000_000))
        pause.wait(0.1)
        connection.sendall(FINE)
        hold(connection)

    peer = make_peer(serve)
    http = client(connect_timeout=0.05)
    assert http.send("POST", peer.url, body=much, private=True, plain_http=True).status == 200


@pytest.mark.parametrize("polite", [True, False])
@pytest.mark.parametrize("secure", [True, False])
def test_hanging_up_before_the_answer_is_a_reset(
    make_peer: Any, client: Client, leaf: LeafFiles, secure: bool, polite: bool
) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        if not polite:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    peer = make_peer(serve, leaf if secure else None)
    assert detail_of(lambda: client().send("GET", peer.url, private=True, plain_http=True)) == "reset"


def test_hanging_up_during_the_handshake_is_a_reset(make_peer: Any, client: Client) -> None:
    peer = make_peer(lambda _, connection: bool(connection.recv(1)))
    assert detail_of(lambda: client().send("GET", f"https://localhost:{peer.port}", private=True)) == "reset"


UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys, gevent
from casduo.errors import UpstreamUnavailable
from casduo.outbound.pinned import PinnedClient
http = PinnedClient("callback", connect_timeout=5.0, deadline=1.5, max_body=65536, extra_ca_file=sys.argv[1])
def ask(port):
    try:
        return str(http.send("GET", f"https://localhost:{port}/", private=True).status)
    except UpstreamUnavailable as error:
        return error.detail
asking = [gevent.spawn(ask, int(port)) for port in sys.argv[2:]]
gevent.joinall(asking)
print(*(each.value for each in asking))
"""


def test_greenlets_share_a_client_and_the_deadline_holds_for_them(
    make_peer: Any, authority: CertificateAuthority, leaf: LeafFiles
) -> None:
    fine = make_peer(serve_fine, leaf)
    slow = [make_peer(lambda _, connection: drip_handshake(connection)), make_peer(after_request(drip_body), leaf)]
    ports = [str(peer.port) for peer in (*slow, fine)]
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT, str(authority.ca_file), *ports],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["deadline", "deadline", "200"], done.stderr


def test_threads_share_a_client(make_peer: Any, client: Client, leaf: LeafFiles) -> None:
    peer, http = make_peer(serve_fine, leaf), client()
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(http.send("GET", peer.url, private=True).status))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert statuses == [200] * 8


# -- our own mistakes, and secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///a",
        "https:portal.example.edu",
        "ftp://localhost/",
        "//localhost/",
        "https://ada@localhost/",
        "https://ada:lovelace@localhost/",
        "https://localhost/#part",
        "https://localhost#",
        "https://localhost:0/",
        "https://localhost:65536/",
        "https://localhost:/",
        "https://localhost:443a/",
        "https://local host/",
        "https://localhost/a b",
        "https://localhost/a\r\nHost: other",
        "https://localhost/a\n",
        "https://localhost\\@other/",
        "https://local%68ost/",
        "https://münchen.example.edu/",
        "https://localho\u017ft/",
        "https://localhost/ü",
        "https://[::1%25lo]/",
        "https://[127.0.0.1]/",
        "https://[cafe.bad]/",
        "https://[::1/",
        "https://::1/",
        "https://.localhost:1/",
    ],
)
def test_a_url_that_is_not_plain_and_whole_is_our_mistake(client: Client, listen: Any, url: str) -> None:
    port = listen("127.0.0.1").getsockname()[1]
    http = client(resolve=Names(["127.0.0.1"]))
    failure = failure_of(lambda: http.send("GET", url.replace(":1/", f":{port}/"), private=True, plain_http=True))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "request")


def test_http_is_not_spoken_unless_allowed(make_peer: Any, client: Client) -> None:
    peer = make_peer(serve_fine)
    failure = failure_of(lambda: client().send("GET", peer.url, private=True))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "request")
    peer.close()
    assert peer.connections == 0


def test_a_header_that_would_be_two_is_our_mistake(make_peer: Any, client: Client) -> None:
    peer, header = make_peer(serve_fine), {"Content-Type": f"text/plain\r\nX-Ticket: {SECRET}"}
    failure = failure_of(lambda: client().send("GET", peer.url, headers=header, private=True, plain_http=True))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "request")


def quoting(peer: Any, connection: socket.socket) -> None:
    connection.sendall(peer.read_request(connection).encode())


@pytest.mark.parametrize(
    "case", ["refused", "dns", "untrusted", "unreadable", "reset", "deadline", "address", "malformed"]
)
def test_no_failure_and_no_log_line_quotes_the_query(
    case: str,
    make_peer: Any,
    client: Client,
    free_port: int,
    leaf: LeafFiles,
    stranger: CertificateAuthority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    base = {
        "refused": lambda: f"https://127.0.0.1:{free_port}",
        "dns": lambda: "https://nobody.invalid",
        "untrusted": lambda: make_peer(serve_fine, stranger.issue()).url,
        "unreadable": lambda: make_peer(quoting, leaf).url,
        "reset": lambda: make_peer(lambda peer, connection: bool(peer.read_request(connection)), leaf).url,
        "deadline": lambda: make_peer(after_request(hold), leaf).url,
        "address": lambda: "https://169.254.169.254",
        "malformed": lambda: "https://localhost/ ",
    }[case]()
    with caplog.at_level(logging.DEBUG):
        failure = failure_of(lambda: client(deadline=0.5).send("GET", f"{base}/?pgtId={SECRET}", private=True))
    told = [str(failure), repr(failure), caplog.text, *traceback.format_exception(failure)]
    assert not [text for text in told if "4711" in text]
