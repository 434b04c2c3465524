"""Pinned requests: which addresses are called, in which order, and which are refused."""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_address
from typing import Any

import pytest

from casduo.errors import UpstreamMisconfigured
from casduo.outbound.addresses import Scope
from casduo.outbound.pinned import AddressRefused, resolve_name
from casduo.simulators.certificates import LeafFiles
from tests.outbound.pinned.peers import FINE, Client, Names, detail_of, failure_of, serve_fine


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
