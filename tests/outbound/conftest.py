"""A peer on a real socket that says exactly what a test wants it to say, byte by byte."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles

Handler = Callable[[socket.socket], None]


class Peer:
    """Runs ``handler`` with each connection, in a thread; counts connections and keeps the requests it read."""

    def __init__(self, handler: Handler, leaf: LeafFiles | None = None) -> None:
        self._handler = handler
        self._tls: ssl.SSLContext | None = None
        if leaf is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(leaf.cert, leaf.key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closing = False
        self.connections = 0
        self.requests: list[str] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def read_request(self, connection: socket.socket) -> str:
        """Read one request with its body; empty when the client left."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return ""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line[16:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")]
        while lengths and len(body) < int(lengths[0]):
            body += connection.recv(65536)
        self.requests.append((head + b"\r\n\r\n" + body).decode("latin-1"))
        return self.requests[-1]

    def close(self) -> None:
        self._closing = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._open:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        self._acceptor.join(5)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._handler(connection)


class MakePeer(Protocol):
    def __call__(self, handler: Callable[[Peer, socket.socket], None], leaf: LeafFiles | None = None) -> Peer: ...


@pytest.fixture
def make_peer() -> Iterator[MakePeer]:
    peers: list[Peer] = []

    def make(handler: Callable[[Peer, socket.socket], None], leaf: LeafFiles | None = None) -> Peer:
        peer = Peer(lambda connection: handler(peer, connection), leaf)
        peers.append(peer)
        return peer

    yield make
    for peer in peers:
        peer.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """An authority that nobody trusts."""
    return CertificateAuthority.create(tmp_path_factory.mktemp("stranger"), "a stranger")


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that refuses connections: bound, so nobody else gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A .netrc that would give a password for localhost."""
    file = tmp_path / "netrc"
    file.write_text("machine localhost login ada password lovelace\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
