"""What the other side of a pinned client says and where names lead, and what became of a call."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from casduo.errors import UpstreamError, UpstreamUnavailable
from casduo.outbound.addresses import Address
from casduo.outbound.pinned import PinnedClient

FINE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nfine"

Client = Callable[..., PinnedClient]


class Names:
    """A name server: each call of it gives the next answer, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = [[ip_address(text) for text in answer] for answer in answers]
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[Address]:
        self.asked.append(host)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


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


def after_request(say: Callable[[socket.socket], None]) -> Callable[[Any, socket.socket], None]:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        say(connection)

    return serve
