"""The HTTP server under every simulator: a WSGI application on a real socket, with the faults a network can have."""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.transport import TransportFaults
from casduo.simulators.wire import (
    AFTER_SENT,
    Answer,
    Request,
    UnreadableRequest,
    WsgiApplication,
    call_application,
    environ_of,
    plain_answer,
    read_request,
)

_log = logging.getLogger("casduo.simulators")

_BACKLOG = 1024
_HANDSHAKE_TIMEOUT = 30.0
_JOIN_TIMEOUT = 5.0
_LINGER = 1.0


class SimulatorServer:
    """Serves a WSGI application over HTTP/1.1 with kept connections, one thread per connection, in this process.

    :param application: any WSGI application.
    :param certificate: speak TLS with it; None speaks plain HTTP.
    :param host: the name under which clients address the server. It is only told, never bound.
    :param port: TCP port; 0 takes a free one, which is then kept across stop and start.
    :param address: the address to bind.
    :param name: prefix of thread names.
    """

    def __init__(
        self,
        application: WsgiApplication,
        *,
        certificate: LeafFiles | None = None,
        host: str = "localhost",
        port: int = 0,
        address: str = "127.0.0.1",
        name: str = "simulator",
    ) -> None:
        self.host = host
        self.faults = TransportFaults()
        self._application = application
        self._address = address
        self._port = port
        self._name = name
        self._tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._listener: _Listener | None = None
        self._reserved: socket.socket | None = None
        self.use_certificate(certificate)

    @property
    def port(self) -> int:
        """The TCP port; 0 before the first start of a server that was to choose one."""
        return self._port

    @property
    def scheme(self) -> str:
        """``https`` or ``http``."""
        return "https" if self._tls else "http"

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def use_certificate(self, certificate: LeafFiles | None) -> None:
        """Show another certificate on connections made from now on; None speaks plain HTTP."""
        if certificate is None:
            self._tls = None
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.cert, certificate.key)
        self._tls = context

    def start(self) -> None:
        """Bind the port and answer.

        :raises OSError: the port is taken.
        :raises RuntimeError: already started.
        """
        if self._listener is not None:
            raise RuntimeError("already started")
        if self._reserved is None:
            self._reserve()
        self.listen_again()

    def stop(self) -> None:
        """Close the port and every connection, and wait for the threads to end. Harmless when not started."""
        self._close_listener()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        self.drop_connections()

    def stop_listening(self) -> None:
        """Refuse connections, as a machine whose service is down does, and drop those that exist.

        The port stays bound, so nobody else gets it before :meth:`listen_again`.
        """
        self._close_listener()
        if self._reserved is None:
            self._reserve()
        self.drop_connections()

    def listen_again(self) -> None:
        """Accept connections again on the same port."""
        if self._reserved is None or self._listener is not None:
            raise RuntimeError("the server is not in the state that stop_listening leaves")
        listening, self._reserved = self._reserved, None
        self._listener = _Listener(self, listening, f"{self._name}-accept")
        self._listener.start()

    def drop_connections(self) -> None:
        """Close every open connection, whatever it is doing, and wait for its thread."""
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            connection.drop()
        for connection in connections:
            connection.join(_JOIN_TIMEOUT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _reserve(self) -> None:
        """Bind without listening: the system refuses connections to such a port and gives it to nobody else."""
        reserved = socket.socket(socket.AF_INET6 if ":" in self._address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.bind((self._address, self._port))
        except OSError:
            reserved.close()
            raise
        self._port = reserved.getsockname()[1]
        self._reserved = reserved

    def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    def _accepted(self, raw: socket.socket, peer: str) -> None:
        try:
            connection = _Connection(self, raw, peer, self._tls, f"{self._name}-connection")
        except OSError:
            raw.close()
            return
        with self._lock:
            self._connections.add(connection)
        connection.start()

    def _ended(self, connection: _Connection) -> None:
        with self._lock:
            self._connections.discard(connection)

    def _answer(self, request: Request, peer: str) -> tuple[Answer, list[Callable[[], None]]]:
        environ = environ_of(request, scheme=self.scheme, server=(self.host, self.port), peer=peer)
        try:
            answer = call_application(self._application, environ)
        except Exception:
            _log.exception("%s: the simulator itself failed on %s %s", self._name, request.method, request.path)
            answer = plain_answer(500)
        return answer, environ[AFTER_SENT]


class _Listener(threading.Thread):
    """Accepts connections until it is closed."""

    def __init__(self, server: SimulatorServer, listening: socket.socket, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._server = server
        self._listening = listening
        listening.listen(_BACKLOG)
        listening.setblocking(False)
        # Closing a socket does not wake a thread that waits in accept; a byte on this pair does.
        self._wake, self._woken = socket.socketpair()

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    return
                with suppress(OSError):
                    raw, peer = self._listening.accept()
                    raw.setblocking(True)
                    self._server._accepted(raw, peer[0])

    def close(self) -> None:
        """Stop accepting and wait until no connection can be accepted any more."""
        self._wake.send(b"x")
        self.join(_JOIN_TIMEOUT)
        for each in (self._listening, self._wake, self._woken):
            each.close()


class _Connection(threading.Thread):
    """One accepted connection: requests in, answers out, until either side has had enough."""

    def __init__(
        self, server: SimulatorServer, raw: socket.socket, peer: str, tls: ssl.SSLContext | None, name: str
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._server = server
        self._peer = peer
        self._dropped = threading.Event()
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = raw if tls is None else tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)

    def drop(self) -> None:
        """End the connection from another thread."""
        self._dropped.set()
        with suppress(OSError):
            # The plain method: SSLSocket's own forgets its TLS state under the feet of the thread that reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def run(self) -> None:
        try:
            if self._server.faults.silent_connections:
                self._dropped.wait()
            else:
                # Peers that leave, speak no TLS or distrust the certificate are everyday life for a simulator.
                with suppress(OSError, ValueError):
                    self._handshake()
                    self._serve()
        finally:
            self._socket.close()
            self._server._ended(self)

    def _handshake(self) -> None:
        if isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(_HANDSHAKE_TIMEOUT)
            self._socket.do_handshake()
            self._socket.settimeout(None)

    def _serve(self) -> None:
        with self._socket.makefile("rb") as stream:
            while not self._dropped.is_set():
                try:
                    request = read_request(stream, lambda: self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"))
                except UnreadableRequest as error:
                    self._socket.sendall(plain_answer(error.status).serialise(head_only=False, keep_alive=False))
                    self._linger()
                    return
                if request is None or not self._respond(request):
                    return

    def _respond(self, request: Request) -> bool:
        """Answer one request. Returns whether the connection lives on."""
        treatment = self._server.faults.treatment(request.path)
        if treatment.silent:
            self._dropped.wait()
            return False
        if treatment.delay and self._dropped.wait(treatment.delay):
            return False
        if treatment.reset:
            # Lingering for no time at all makes the close an abort: the peer gets a reset instead of an end.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        answer, after_sent = self._server._answer(request, self._peer)
        block = answer.serialise(head_only=request.method == "HEAD", keep_alive=request.keep_alive)
        if treatment.cut_after is not None:
            self._socket.sendall(block[: treatment.cut_after])
            return False
        if self._peer_left():
            return False
        self._socket.sendall(block)
        for action in after_sent:
            action()
        return request.keep_alive

    def _linger(self) -> None:
        """Read what is still coming before closing; a reset would take the answer away from the peer."""
        self._socket.settimeout(_LINGER)
        socket.socket.shutdown(self._socket, socket.SHUT_WR)
        while self._socket.recv(65536):
            pass

    def _peer_left(self) -> bool:
        """Whether the peer closed its side; a first write to such a connection would still seem to succeed."""
        try:
            # The plain method again: SSLSocket refuses flags, and a look at the raw bytes is all that is needed.
            return socket.socket.recv(self._socket, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
