"""Ports for programs that have to be told one before they start."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import ExitStack

# Above those that programs have by habit and below those that the system gives to whoever asks for any: between this
# look and the program's start nobody comes by one of them, not the tests that run in another process either.
_FIRST, _END = 12_000, 32_000
# Each of the processes that run tests has a part of its own: else one might take what another's program is about to.
_PARTS = 8
_PART = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PARTS
_WIDTH = (_END - _FIRST) // _PARTS


def free_port() -> int:
    """Return a port of the loopback interface that nobody has."""
    return free_ports(1)[0]


def free_ports(count: int) -> tuple[int, ...]:
    """Return so many of them, in a row."""
    while True:
        first = _FIRST + _PART * _WIDTH + secrets.randbelow(_WIDTH - count)
        ports = tuple(range(first, first + count))
        with ExitStack() as probes:
            if all(_binds(probes.enter_context(socket.socket()), port) for port in ports):
                return ports


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
