"""Calls that get less time than the settings allow, and whether a request that failed ever left."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.outbound.http import HttpClient, HttpSettings, UpstreamUnreached
from casduo.simulators.certificates import CertificateAuthority
from tests.support.waiting import until

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
LONG = 60.0
"""What the settings allow: a test that has to wait for it does not end in time."""

Call = Callable[..., Any]


@pytest.fixture
def http(authority: CertificateAuthority) -> Iterator[HttpClient]:
    client = HttpClient("ucm", HttpSettings(LONG, LONG, LONG, extra_ca_file=str(authority.ca_file)))
    yield client
    client.close()


def failure_of(call: Callable[[], object]) -> UpstreamUnavailable:
    with pytest.raises(UpstreamUnavailable) as caught:
        call()
    assert caught.value.__context__ is None
    return caught.value


def serve_fine(peer: Any, connection: socket.socket) -> None:
    while peer.read_request(connection):
        connection.sendall(FINE)


def read_and_keep_silent(peer: Any, connection: socket.socket) -> None:
    peer.read_request(connection)
    connection.recv(1)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that one more is neither accepted nor refused."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
            waiting.append(one)
        yield listening.getsockname()[1]
        for one in waiting:
            one.close()


def test_a_call_in_time_is_as_any_other(make_peer: Any, http: HttpClient) -> None:
    peer = make_peer(serve_fine)
    assert [http.request("GET", peer.url, within=LONG).body for _ in range(3)] == [b"fine"] * 3
    assert peer.connections == 1


def test_silence_lasts_no_longer_than_is_left(make_peer: Any, http: HttpClient) -> None:
    failure = failure_of(lambda: http.request("GET", make_peer(read_and_keep_silent).url, within=0.1))
    assert (type(failure), failure.detail) == (UpstreamUnavailable, "timeout")


def test_a_body_that_stops_is_waited_for_no_longer_than_is_left(make_peer: Any, http: HttpClient) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.sendall(FINE[:-2])
        connection.recv(1)

    failure = failure_of(lambda: http.request("GET", make_peer(serve).url, within=0.1))
    assert (type(failure), failure.detail) == (UpstreamUnavailable, "timeout")


def test_a_body_that_drips_ends_when_nothing_is_left(make_peer: Any, authority: CertificateAuthority) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x")

    ticks = iter(range(1000))
    settings = HttpSettings(LONG, LONG, deadline=1000.0, max_body=10**9)
    # Each look at this clock costs a second.
    client = HttpClient("ucm", settings, monotonic=lambda: float(next(ticks)))
    assert failure_of(lambda: client.request("GET", make_peer(serve).url, within=8.0)).detail == "deadline"
    client.close()


def test_the_deadline_of_the_settings_stays_in_force(make_peer: Any) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x")

    ticks = iter(range(1000))
    client = HttpClient("ucm", HttpSettings(LONG, LONG, 5.0, 10**9), monotonic=lambda: float(next(ticks)))
    assert failure_of(lambda: client.request("GET", make_peer(serve).url, within=900.0)).detail == "deadline"
    client.close()


def test_connecting_and_waiting_share_what_is_left(make_peer: Any, http: HttpClient) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        # Handshake done, as the wrapped socket does it on its first read; then nothing.
        peer.read_request(connection)
        connection.recv(1)

    began = time.monotonic()
    failure_of(lambda: http.request("GET", make_peer(serve).url, within=0.3))
    # Generous for a busy machine; without the sharing it were LONG.
    assert time.monotonic() - began < LONG / 2


def test_a_call_without_time_is_not_made(make_peer: Any, http: HttpClient) -> None:
    peer = make_peer(serve_fine)
    for nothing in (0.0, -1.0):
        failure = failure_of(lambda nothing=nothing: http.request("GET", peer.url, within=nothing))
        assert (type(failure), failure.detail) == (UpstreamUnreached, "deadline")
    assert peer.connections == 0


def test_a_repetition_gets_what_the_first_try_left(make_peer: Any) -> None:
    peer = make_peer(lambda peer, connection: bool(peer.read_request(connection)))
    # Asked at the start of the call and of each try, and the second one finds nothing left.
    times = iter([0.0, 0.0, 10.0])
    client = HttpClient("ucm", HttpSettings(LONG, LONG, LONG), monotonic=lambda: next(times))
    failure = failure_of(lambda: client.request("GET", peer.url, repeatable=True, within=5.0))
    assert failure.detail == "deadline"
    until(lambda: len(peer.requests) == 1, "the first try is read")
    client.close()


def test_a_kept_connection_forgets_the_haste_of_the_call_before(make_peer: Any, http: HttpClient) -> None:
    slow = threading.Event()

    def serve(peer: Any, connection: socket.socket) -> None:
        while peer.read_request(connection):
            if len(peer.requests) == 2:
                slow.wait(0.3)
            connection.sendall(FINE)

    peer = make_peer(serve)
    http.request("GET", peer.url, within=0.2)
    assert http.request("GET", peer.url).body == b"fine"
    assert peer.connections == 1


# -- whether a request left ------------------------------------------------------------------------------------------


def test_a_request_for_a_closed_port_never_left(http: HttpClient, free_port: int) -> None:
    failure = failure_of(lambda: http.request("POST", f"https://localhost:{free_port}/", within=5.0))
    assert (type(failure), failure.detail) == (UpstreamUnreached, "refused")


def test_a_request_that_waits_for_a_connection_in_vain_never_left(http: HttpClient, full_port: int) -> None:
    failure = failure_of(lambda: http.request("POST", f"http://127.0.0.1:{full_port}/", within=0.1))
    assert (type(failure), failure.detail) == (UpstreamUnreached, "timeout")


def test_a_request_that_waits_for_a_handshake_in_vain_never_left(make_peer: Any, http: HttpClient) -> None:
    peer = make_peer(lambda _, connection: bool(connection.recv(65536) and connection.recv(1)))
    failure = failure_of(lambda: http.request("POST", f"https://localhost:{peer.port}/", within=0.1))
    assert (type(failure), failure.detail) == (UpstreamUnreached, "timeout")


def test_a_request_whose_answer_is_lost_may_have_arrived(
    make_peer: Any, http: HttpClient, authority: CertificateAuthority
) -> None:
    def hang_up(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)

    for handler, detail in ((hang_up, "reset"), (read_and_keep_silent, "timeout")):
        for leaf in (None, authority.issue()):
            peer = make_peer(handler, leaf)
            failure = failure_of(lambda peer=peer: http.request("POST", f"{peer.url}/", within=0.5))
            assert (type(failure), failure.detail) == (UpstreamUnavailable, detail)
            assert len(peer.requests) == 1


def test_a_kept_connection_that_breaks_may_have_carried_the_request(make_peer: Any, http: HttpClient) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.sendall(FINE)
        peer.read_request(connection)

    peer = make_peer(serve)
    http.request("POST", peer.url)
    failure = failure_of(lambda: http.request("POST", peer.url))
    assert (type(failure), failure.detail) == (UpstreamUnavailable, "reset")
    assert len(peer.requests) == 2
