"""``python -m tests.security.slow_clients``: many connections that take their time, at a real server, and what honest
people notice meanwhile.

For each kind of slowness a number of connections is opened to a ``casduo serve`` on this machine and kept for some
seconds, while one browser after the other asks for the sign-in page. Bounded in number and time.
"""

from __future__ import annotations

import argparse
import os
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median

from tests.support.served import Served, serving_alone

_HEAD = b"Host: localhost\r\n"
_PATIENCE = 5.0
"""Seconds after which an honest browser has given up."""


def slow_head(step: int) -> bytes:
    """The first line, then a byte now and then that never ends the head."""
    return b"GET /cas/login HTTP/1.1\r\n" + _HEAD + b"X: " if step == 0 else b"a"


def slow_body(step: int) -> bytes:
    """A form whose length is told and that never comes whole."""
    head = b"POST /cas/login HTTP/1.1\r\n" + _HEAD
    head += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n"
    return head if step == 0 else b"a"


def slow_reader(step: int) -> bytes:
    """Forty requests at once, of whose answers nothing is read."""
    return (b"GET /cas/static/casduo.css HTTP/1.1\r\n" + _HEAD + b"\r\n") * 40 if step == 0 else b""


def idle(step: int) -> bytes:
    """Nothing at all."""
    return b""


KINDS: tuple[Callable[[int], bytes], ...] = (idle, slow_head, slow_body, slow_reader)


def hold(served: Served, kind: Callable[[int], bytes], connections: int, seconds: int) -> tuple[int, list[float], int]:
    """Keep connections of a kind for some seconds, and look in as an honest browser.

    :return: how many connections were still held at the end, the seconds of each honest answer, and how many got none
    """
    took: list[float] = []
    failed = 0
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(served.address, timeout=5)) for _ in range(connections)]
        for step in range(seconds):
            began = time.monotonic()
            for one in list(held):
                one.settimeout(0.5)
                try:
                    one.sendall(kind(step))
                except OSError:
                    held.remove(one)
            for _ in range(3):
                answered = _look_in(served)
                if answered is None:
                    failed += 1
                else:
                    took.append(answered)
            time.sleep(max(0.0, 1.0 - (time.monotonic() - began)))
        left = sum(not _ended(one) for one in held)
    return left, took, failed


def _look_in(served: Served) -> float | None:
    began = time.monotonic()
    with suppress(OSError), socket.create_connection(served.address, timeout=_PATIENCE) as connection:
        connection.sendall(b"GET /cas/login HTTP/1.1\r\n" + _HEAD + b"Connection: close\r\n\r\n")
        if connection.recv(12) == b"HTTP/1.1 200":
            return time.monotonic() - began
    return None


def _ended(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return connection.recv(65536) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def main() -> None:
    """Go through the kinds at one server after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.slow_clients")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--server", choices=["granian", "gunicorn"])
    parser.add_argument("kinds", nargs="*", choices=[*(kind.__name__ for kind in KINDS), []])
    asked = parser.parse_args()
    for name in [asked.server] if asked.server else ("granian", "gunicorn"):
        os.environ["CASDUO_SERVER__SERVER"] = name
        for kind in [kind for kind in KINDS if not asked.kinds or kind.__name__ in asked.kinds]:
            with tempfile.TemporaryDirectory() as folder, serving_alone(Path(folder)) as served:
                left, took, failed = hold(served, kind, asked.connections, asked.seconds)
            slowest = max(took, default=0.0)
            print(
                f"{name}, {asked.connections} x {kind.__name__}: {left} still held after {asked.seconds} s; honest:"
                f" {len(took)} answered, {median(took or [0.0]) * 1000:.0f} ms in the middle, {slowest:.1f} s at most,"
                f" {failed} not within {_PATIENCE:.0f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
