"""Calls that go through a web proxy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from casduo.errors import UpstreamError
from casduo.outbound.failures import UpstreamUntrusted
from casduo.outbound.http import HttpClient, HttpSettings, UpstreamUnreached
from casduo.simulators.certificates import CertificateAuthority

FINE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nfine"


def client(proxy: str, **settings: Any) -> HttpClient:
    return HttpClient("duo", HttpSettings(5.0, 5.0, 10.0, proxy=proxy, **settings))


def failure_of(call: Callable[[], object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        call()
    return caught.value


def serve_fine(peer: Any, connection: socket.socket) -> None:
    while peer.read_request(connection):
        connection.sendall(FINE)


def splice(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def tunnel(peer: Any, connection: socket.socket) -> None:
    """A CONNECT proxy."""
    target = peer.read_request(connection).split(" ")[1]
    with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as there:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=splice, args=(there, connection))
        back.start()
        splice(connection, there)
        back.join(5)


def test_a_proxy_is_used_and_the_upstream_still_verified(
    make_peer: Any, authority: CertificateAuthority, stranger: CertificateAuthority
) -> None:
    proxy = make_peer(tunnel)
    ours, theirs = make_peer(serve_fine, authority.issue()), make_peer(serve_fine, stranger.issue())
    http = client(f"http://ada:lovelace@localhost:{proxy.port}", extra_ca_file=str(authority.ca_file))
    assert http.request("GET", ours.url).body == b"fine"
    assert proxy.requests[0].startswith(f"CONNECT localhost:{ours.port} ")
    assert "proxy-authorization: basic YWRhOmxvdmVsYWNl".lower() in proxy.requests[0].lower()
    assert "proxy-authorization" not in ours.requests[0].lower()
    assert isinstance(failure_of(lambda: http.request("GET", theirs.url)), UpstreamUntrusted)
    http.close()


def test_what_is_sent_in_the_clear_is_given_to_the_proxy_whole(make_peer: Any) -> None:
    proxy = make_peer(serve_fine)
    http = client(f"http://ada:love%40lace@localhost:{proxy.port}")
    assert http.request("GET", "http://duo.example/ping?a=1").body == b"fine"
    http.close()
    assert proxy.requests[0].startswith("GET http://duo.example/ping?a=1 HTTP/1.1\r\n")
    assert "basic YWRhOmxvdmVAbGFjZQ==".lower() in proxy.requests[0].lower()


@pytest.mark.parametrize("refusal", [None, b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"])
def test_a_proxy_that_is_down_or_refuses_is_named(make_peer: Any, free_port: int, refusal: bytes | None) -> None:
    def refuse(peer: Any, connection: socket.socket) -> None:
        if peer.read_request(connection):
            connection.sendall(refusal or b"")

    port = free_port if refusal is None else make_peer(refuse).port
    http = client(f"http://ada:lovelace@localhost:{port}")
    failure = failure_of(lambda: http.request("GET", "https://localhost:1/"))
    assert failure.detail == "proxy"
    # What was to be sent never left: whoever must not do it twice may try again.
    assert isinstance(failure, UpstreamUnreached)
    assert "lovelace" not in str(failure)


@pytest.mark.parametrize("url", ["https://localhost:{port}/", "http://duo.example/"])
def test_what_has_left_through_a_proxy_may_have_arrived(
    make_peer: Any, authority: CertificateAuthority, url: str
) -> None:
    def hang_up(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)

    ours = make_peer(hang_up, authority.issue())
    proxy = make_peer(tunnel if url.startswith("https") else hang_up)
    http = client(f"http://localhost:{proxy.port}", extra_ca_file=str(authority.ca_file))
    failure = failure_of(lambda: http.request("POST", url.format(port=ours.port), body="once"))
    http.close()
    assert failure.detail == "reset"
    assert not isinstance(failure, UpstreamUnreached)
