"""Real Redis servers for tests: Valkey from the wheel, Redis 7.0 from Debian, and a relay that counts round trips."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.redis_fleet import redis_server


def start_debian_redis(directory: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start Debian's redis-server on a unix socket. Fails with a sentence when it is not installed."""
    path = directory / "redis.sock"
    process = subprocess.Popen(
        [
            redis_server(),
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--dir",
            str(directory),
            "--save",
            "",
            "--appendonly",
            "no",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with redis.Redis(unix_socket_path=str(path), retry=Retry(NoBackoff(), 0)) as client:
                client.ping()
            return process, f"unix://{path}"
        except redis.RedisError:
            time.sleep(0.01)
    process.kill()
    raise RuntimeError("redis-server did not come up")


_ANNOUNCED = re.compile(rb'"rejected":|SETINFO')
"""Stands in what a process says of itself, or a connection of its client, and in no question."""


class CountingRelay:
    """Stands between a client and a server on unix sockets and counts round trips: each time the server's answer
    follows bytes of the client. What processes say of themselves every few seconds is nobody's round trip and left
    out. ``cut`` ends connections and refuses new ones, ``mend`` takes that back.
    ``delay`` is for how many seconds each answer is kept back.
    """

    def __init__(self, directory: Path, server: str) -> None:
        self._server = server.removeprefix("unix://")
        path = directory / "relay.sock"
        self.url = f"unix://{path}"
        self.round_trips = 0
        self.delay = 0.0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._cut = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._threads: list[threading.Thread] = []
        self._spawn(self._accept)

    def reset(self) -> None:
        with self._lock:
            self.round_trips = 0

    def cut(self) -> None:
        self._cut = True
        with self._lock:
            sockets, self._open = self._open, set()
        for item in sockets:
            _shut(item)

    def mend(self) -> None:
        self._cut = False

    def close(self) -> None:
        _shut(self._listener)
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, target, *args) -> None:  # type: ignore[no-untyped-def]
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                self._listener.close()
                return
            if self._cut:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            with self._lock:
                self._open |= {client, server}
            asked = threading.Event()
            self._spawn(self._pump, client, server, asked, True)
            self._spawn(self._pump, server, client, asked, False)

    def _pump(self, source: socket.socket, target: socket.socket, asked: threading.Event, from_client: bool) -> None:
        try:
            while data := source.recv(65536):
                if from_client:
                    if not _ANNOUNCED.search(data):
                        asked.set()
                elif asked.is_set():
                    asked.clear()
                    with self._lock:
                        self.round_trips += 1
                if self.delay and not from_client:
                    time.sleep(self.delay)
                target.sendall(data)
        except OSError:
            pass
        finally:
            for item in (source, target):
                _shut(item)
                with self._lock:
                    self._open.discard(item)
            if from_client:
                source.close()
                target.close()


def _shut(item: socket.socket) -> None:
    with contextlib.suppress(OSError):
        item.shutdown(socket.SHUT_RDWR)
