"""Pinned requests: outages by their names, and the deadline that nothing outlasts."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.outbound.pinned.peers import FINE, Client, Names, after_request, detail_of, hold, serve_fine


def drip(connection: socket.socket, byte: bytes = b"x") -> None:
    """Send a byte every hundredth of a second, for some seconds at most."""
    connection.settimeout(0.01)
    for _ in range(500):
        connection.sendall(byte)
        with suppress(TimeoutError):
            if not connection.recv(65536):
                return


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
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
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
