"""Listening sockets: who waits in one is never thrown out, whoever takes from it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from casduo.serving.listeners import let_go, listen, open_listener, refuse_newcomers


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with open_listener("127.0.0.1", 0) as found:
        listen(found)
        yield found


def knock(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), timeout=0.3)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere newcomers are let in until the end")
def test_who_waits_is_answered_and_who_comes_is_not_let_in(listener: socket.socket) -> None:
    with knock(listener) as client:
        refuse_newcomers(listener)
        with pytest.raises(TimeoutError):
            knock(listener)
        client.sendall(b"question")
        served, _ = listener.accept()
        with served:
            assert served.recv(100) == b"question"
            served.sendall(b"answer")
            assert client.recv(100) == b"answer"


def test_one_lets_go_and_the_other_goes_on(listener: socket.socket) -> None:
    address = listener.getsockname()
    with listener.dup() as other, knock(listener) as client:
        let_go(other)
        with pytest.raises(BlockingIOError):
            other.accept()
        served, _ = listener.accept()
        served.close()
        assert client.recv(1) == b""
        listener.close()
        with socket.socket() as late, pytest.raises(ConnectionRefusedError):
            late.connect(address)


def test_an_address_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        open_listener(*taken.getsockname())


def test_no_part_of_a_page_waits_for_the_one_before_it_to_be_acknowledged(listener: socket.socket) -> None:
    with knock(listener):
        served, _ = listener.accept()
        with served:
            assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
