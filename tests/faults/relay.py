"""A relay in front of a real server, which a test tells to misbehave: it refuses, hangs, cuts, crawls and lies.

It knows where a request ends and where its answer does. So it always misbehaves at the same place, whatever the
network makes of it, and a lie has the shape that the liar wants it to have.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from casduo.simulators.certificates import LeafFiles

_CRAWL = 0.1
"""Seconds between the bytes of an answer that crawls."""
_FLOOD = b"\0" * 65536
_NO_ANSWER = (0x42, 0x50)
_MORE_FOLLOWS = (0x64, 0x73, 0x79)
"""Operations of LDAP (RFC 4511, 4.2 to 4.13): requests that nobody answers, and answers that are not the last."""

Wire = Callable[[socket.socket], bytes]
"""Reads one whole message; empty when the peer has left."""


@dataclass(frozen=True)
class Protocol:
    """How a request and its answer are told from what follows them."""

    read_request: Wire
    read_answer: Wire
    answers: Callable[[bytes], bool]


class Exchange:
    """One request, and what becomes of it. ``near`` is whoever asked, ``held`` ends when the relay changes."""

    def __init__(
        self, near: socket.socket, far: socket.socket, request: bytes, protocol: Protocol, held: threading.Event
    ) -> None:
        self.near, self.request, self.held = near, request, held
        self._far, self._protocol = far, protocol

    def answer(self) -> bytes:
        """Have the server do what was asked. Returns its answer, whole."""
        self._far.sendall(self.request)
        return self._protocol.read_answer(self._far) if self._protocol.answers(self.request) else b""


Treatment = Callable[[Exchange], None]
"""What becomes of a request. Whoever wants the connection to end after it raises ``ConnectionError``."""
Greeting = Callable[[socket.socket, threading.Event], None]
"""What a new connection meets, before TLS; likewise."""


def honest(exchange: Exchange) -> None:
    """Let everything through."""
    exchange.near.sendall(exchange.answer())


def hang(exchange: Exchange) -> None:
    """The server has done what it was asked; the answer does not come."""
    exchange.answer()
    exchange.held.wait()
    raise ConnectionAbortedError


def half(exchange: Exchange) -> None:
    """The first half of the answer comes, and then nothing."""
    answer = exchange.answer()
    exchange.near.sendall(answer[: len(answer) // 2])
    exchange.held.wait()
    raise ConnectionAbortedError


def cut(exchange: Exchange) -> None:
    """The connection ends in the middle of the answer."""
    answer = exchange.answer()
    exchange.near.sendall(answer[: len(answer) // 2])
    raise ConnectionAbortedError


def lose(exchange: Exchange) -> None:
    """The server has done what it was asked, and the connection ends without a word of that."""
    exchange.answer()
    raise ConnectionAbortedError


def crawl(exchange: Exchange) -> None:
    """The answer comes byte by byte."""
    for octet in exchange.answer():
        exchange.near.sendall(bytes([octet]))
        if exchange.held.wait(_CRAWL):
            raise ConnectionAbortedError


def flood(start: bytes) -> Treatment:
    """An answer that begins like one and has no end."""

    def treat(exchange: Exchange) -> None:
        exchange.near.sendall(start)
        while not exchange.held.is_set():
            exchange.near.sendall(_FLOOD)
        raise ConnectionAbortedError

    return treat


def says(words: bytes | Callable[[Exchange], bytes]) -> Treatment:
    """Something else than the server says."""

    def treat(exchange: Exchange) -> None:
        exchange.near.sendall(words if isinstance(words, bytes) else words(exchange))

    return treat


def _abort(near: socket.socket, _held: threading.Event) -> None:
    # Lingering for no time at all makes the close a reset.
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError


def _wait(_near: socket.socket, held: threading.Event) -> None:
    held.wait()
    raise ConnectionAbortedError


def _break_record(near: socket.socket, _held: threading.Event) -> None:
    near.recv(65536)
    # The header of a TLS record of 512 bytes, a handshake, and eight of them.
    near.sendall(b"\x16\x03\x03\x02\x00" + b"\x02\x00\x01\xfc\x03\x03\x00\x00")
    raise ConnectionAbortedError


def _speak_plainly(near: socket.socket, _held: threading.Event) -> None:
    near.recv(65536)
    near.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    raise ConnectionAbortedError


@dataclass(frozen=True)
class Fault:
    """A way to misbehave. ``certificate`` is shown instead of the right one."""

    name: str
    treat: Treatment = honest
    greet: Greeting | None = None
    listens: bool = True
    certificate: LeafFiles | None = None

    def __str__(self) -> str:
        return self.name


HEALTHY = Fault("healthy")
REFUSED = Fault("refuses connections", listens=False)
RESET = Fault("resets connections", greet=_abort)
SILENT = Fault("accepts and is silent", greet=_wait)
HUNG = Fault("hangs after the request", hang)
HALF = Fault("hangs after half an answer", half)
CUT = Fault("cuts an answer off", cut)
LOST = Fault("loses the answer", lose)
SLOW = Fault("answers byte by byte", crawl)
BROKEN_TLS = Fault("breaks off in a TLS record", greet=_break_record)
NO_TLS = Fault("speaks no TLS", greet=_speak_plainly)
OUTAGES = (REFUSED, RESET, SILENT, HUNG, HALF, CUT, LOST, SLOW, BROKEN_TLS, NO_TLS)
"""What can become of any protocol."""


class Relay:
    """A relay to a port of this machine. It speaks TLS with whoever asks.

    :param far: the server's port, another one may be set at any time
    :param protocol: what is spoken, :data:`LDAP` or :data:`HTTP`
    :param leaf: the certificate that it shows
    :param secure: whether the server speaks TLS as well
    """

    def __init__(self, far: int, protocol: Protocol, leaf: LeafFiles, *, secure: bool = True) -> None:
        self.far = far
        self._protocol, self._leaf, self._secure = protocol, leaf, secure
        self._fault, self._tls = HEALTHY, _context(leaf)
        self.met = 0
        """How many requests have met the fault that there is now."""
        self._held = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._place = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._place.getsockname()[1])
        self._listen()

    def become(self, fault: Fault) -> None:
        """Misbehave from now on, on the connections that there are too."""
        with self._lock:
            held, self._held = self._held, threading.Event()
            before, self._fault, self.met = self._fault, fault, 0
            self._tls = _context(fault.certificate or self._leaf)
            kept = set(self._open)
            if before.listens and not fault.listens:
                self._place.shutdown(socket.SHUT_RDWR)
                self._place.close()
                # Bound and not listening, the port refuses, and nobody else gets it.
                self._place = socket.socket()
                self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._place.bind(("127.0.0.1", self.port))
        held.set()
        if fault.greet is not None or fault.certificate is not None or not fault.listens:
            # Whoever is connected stays so for all other faults, and meets them with the next request.
            _hang_up(kept)
        if fault.listens and not before.listens:
            self._place.listen(128)
            self._listen()

    def mend(self) -> None:
        """Behave."""
        self.become(HEALTHY)

    def close(self) -> None:
        """End it."""
        with self._lock:
            self._fault = REFUSED
            kept = set(self._open)
        self._held.set()
        with suppress(OSError):
            self._place.shutdown(socket.SHUT_RDWR)
        self._place.close()
        _hang_up(kept)

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._place,), daemon=True).start()

    def _accept(self, place: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = place.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError, ValueError), near:
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                held, greet, tls = self._held, self._fault.greet, self._tls
            if greet is not None:
                greet(near, held)
            with tls.wrap_socket(near, server_side=True) as inside, self._reach() as far:
                with self._lock:
                    if held is not self._held:
                        raise ConnectionAbortedError("it began before the fault that there is now")
                    self._open.add(inside)
                try:
                    while request := self._protocol.read_request(inside):
                        self.met += 1
                        self._fault.treat(Exchange(inside, far, request, self._protocol, self._held))
                finally:
                    with self._lock:
                        self._open.discard(inside)

    def _reach(self) -> socket.socket:
        far = socket.create_connection(("127.0.0.1", self.far))
        if not self._secure:
            return far
        return ssl._create_unverified_context().wrap_socket(far, server_hostname="localhost")  # noqa: S323


@dataclass(frozen=True)
class Relays:
    """Two servers of one kind, each behind a relay."""

    relays: tuple[Relay, Relay]

    def become(self, fault: Fault) -> None:
        """Let both of them do that from now on."""
        for relay in self.relays:
            relay.become(fault)

    def mend(self) -> None:
        """Let everything through again."""
        for relay in self.relays:
            relay.mend()


def _context(leaf: LeafFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.cert, leaf.key)
    return context


def _hang_up(connections: set[socket.socket]) -> None:
    for each in connections:
        with suppress(OSError):
            # The plain method: TLS has state that the thread which reads is using.
            socket.socket.shutdown(each, socket.SHUT_RDWR)


def _exactly(source: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = source.recv(count - len(found))
        if not more:
            raise ConnectionAbortedError
        found += more
    return found


def read_ldap(source: socket.socket) -> bytes:
    """Read one message of LDAP: a sequence, its length in one octet or in up to four (X.690, 8.1.3)."""
    first = source.recv(1)
    if not first:
        return b""
    head = first + _exactly(source, 1)
    length = head[1]
    if length & 0x80:
        octets = _exactly(source, length & 0x7F)
        head, length = head + octets, int.from_bytes(octets, "big")
    return head + _exactly(source, length)


def operation_of(message: bytes) -> tuple[int, int]:
    """Return the id of a message of LDAP and the tag of its operation."""
    start = 2 if message[1] < 0x80 else 2 + (message[1] & 0x7F)
    end = start + 2 + message[start + 1]
    return int.from_bytes(message[start + 2 : end], "big"), message[end]


def _read_ldap_answer(source: socket.socket) -> bytes:
    found = b""
    while True:
        message = read_ldap(source)
        found += message
        if not message or operation_of(message)[1] not in _MORE_FOLLOWS:
            return found


def read_http(source: socket.socket) -> bytes:
    """Read one request or answer of HTTP, which says how long it is."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        octet = source.recv(1)
        if not octet:
            return b""
        head += octet
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return head + (_exactly(source, int(length[1])) if length else b"")


LDAP = Protocol(read_ldap, _read_ldap_answer, lambda request: operation_of(request)[1] not in _NO_ANSWER)
HTTP = Protocol(read_http, read_http, lambda _request: True)
