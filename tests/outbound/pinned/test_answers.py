"""Pinned requests and their answers: sent as given, read up to the cap, untouched by the environment."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from casduo.outbound.failures import UpstreamUntrusted
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.outbound.pinned.peers import FINE, Client, answering, detail_of, failure_of, serve_fine


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
