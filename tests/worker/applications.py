"""An application on a real socket that takes sign-out messages as well or as badly as a test wants."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from casduo.middleware.logout import logout_message, session_index
from casduo.simulators.certificates import LeafFiles


@dataclass(frozen=True)
class Received:
    """A request as it came; ``ticket`` is the one that its message names."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    ticket: str


@dataclass
class Gauge:
    """How many requests are under way, and how many were at most."""

    now: int = 0
    most: int = 0

    def add(self, number: int) -> None:
        self.now += number
        self.most = max(self.most, self.now)


@dataclass
class Application:
    """What the path says happens:

    ``/status/404`` answers with 404, and with 302 to ``/elsewhere``; ``/hang`` answers once ``release`` is set;
    ``/cut`` hangs up, ``/flaky`` does so when it first hears of a ticket; everything else answers with 200.
    """

    url: str
    together: Gauge
    """Of all applications that share it."""
    lock: threading.Lock
    alone: Gauge = field(default_factory=Gauge)
    received: list[Received] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def tickets(self) -> list[str]:
        """The tickets it heard of, in the order in which it did."""
        with self.lock:
            return [request.ticket for request in self.received]

    def enter(self, request: Received) -> int:
        """Take note of a request, and return how often its ticket was named so far."""
        with self.lock:
            self.received.append(request)
            self.alone.add(1)
            self.together.add(1)
            return sum(other.ticket == request.ticket for other in self.received)

    def leave(self) -> None:
        with self.lock:
            self.alone.add(-1)
            self.together.add(-1)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # All connections of a test may come at once.
    request_queue_size = 256
    application: Application
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self.tls is not None:
            # The handshake is the handler's, or one client that is slow at it would keep all others waiting.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that give up, or do not trust us, are what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        message = logout_message(body)
        ticket = session_index(message) if message else ""
        application = self.server.application
        times = application.enter(Received(self.command, self.path, dict(self.headers), body, ticket))
        try:
            self._answer(application, times)
        finally:
            application.leave()

    do_GET = do_POST

    def _answer(self, application: Application, times: int) -> None:
        if self.path == "/cut" or (self.path == "/flaky" and times == 1):
            self.close_connection = True
            with suppress(OSError):
                # Without a farewell in TLS, as a process that dies does.
                socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
            return
        if self.path == "/hang":
            application.release.wait(60)
        _, _, status = self.path.partition("/status/")
        self.send_response(int(status or 200))
        if status == "302":
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: a test looks at what came, not at a log."""


_LOCK = threading.Lock()


@contextmanager
def application(together: Gauge, leaf: LeafFiles | None = None) -> Iterator[Application]:
    """Run an application on a port of its own, with TLS if there is a certificate."""
    server = _Server(("127.0.0.1", 0), _Handler)
    url = f"{'https' if leaf else 'http'}://localhost:{server.server_port}"
    server.application = Application(url, together, _LOCK)
    if leaf is not None:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(leaf.cert, leaf.key)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.application
    finally:
        server.application.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
