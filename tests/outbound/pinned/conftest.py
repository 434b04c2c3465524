"""Pinned clients, a certificate for the other side, and sockets at which nobody answers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casduo.outbound.pinned import PinnedClient
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.outbound.pinned.peers import Client


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
