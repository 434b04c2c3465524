"""The load driver: many keep-alive HTTP/1.1 connections to one loopback address, served by one thread.

A *flow* is a generator that yields complete requests as bytes and is sent the answers, so that a login reads from top
to bottom while sixteen of them are under way. The driver does as little as possible for each answer; the run reports
how busy it was (``Measurement.driver_load``), so that a figure the driver limited can be told from one the subject did.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol

GRACE_SECONDS = 10.0
"""How long flows that are under way at the deadline may take to finish before they count as failed."""


class UnexpectedAnswer(Exception):
    """The subject answered something else than the flow needs; the flow is counted as failed."""


class Answer:
    """One HTTP answer. Headers are searched only when somebody asks, most flows need none or one."""

    __slots__ = ("_head", "body", "status")

    def __init__(self, head: bytes, body: bytes) -> None:
        self._head = head
        self.body = body
        self.status = int(head[9:12])

    def header(self, name: str) -> str:
        """Return the first header of that name, or an empty text."""
        found = self._values(name)
        return found[0] if found else ""

    def cookies(self) -> dict[str, str]:
        """Return the cookies this answer sets; a removed cookie comes with an empty value."""
        jar: dict[str, str] = {}
        for line in self._values("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            removed = "max-age=0" in line.lower()
            jar[name.strip()] = "" if removed else value.strip()
        return jar

    def _values(self, name: str) -> list[str]:
        wanted = name.lower()
        values = []
        for line in self._head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == wanted:
                values.append(value.strip())
        return values


Flow = Generator[bytes, Answer, None]

FlowSource = Callable[[], Flow | None]
"""Makes the next flow; None means that there is nothing left to do."""


class Driver(Protocol):
    """Whatever can run flows against a subject."""

    connections: int

    def run(self, new_flow: FlowSource, seconds: float) -> Measurement:
        """Run flows until ``seconds`` have passed or there are no more, and return what was measured."""


@dataclass(slots=True)
class Measurement:
    """What one timed run gave.

    ``seconds`` is wall-clock time, ``cpu_seconds`` processor time of the subject with its Redis and database, 0 where
    that cannot be told. ``latencies`` are whole flows in seconds.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    driver_load: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Finished flows per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    @property
    def cpu_rate(self) -> float:
        """Finished flows per second of processor time: what a busy machine's other work hardly touches."""
        return len(self.latencies) / self.cpu_seconds if self.cpu_seconds else 0.0


def _body_length(head: bytes) -> int | None:
    """Return the length the head announces; None means chunked."""
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    if at >= 0:
        end = lowered.find(b"\r\n", at + 2)
        return int(lowered[at + 17 : end if end >= 0 else None])
    return None if b"\r\ntransfer-encoding: chunked" in lowered else 0


def _unchunk(data: bytes) -> bytes | None:
    """Return the body of a complete chunked message, None while it is incomplete."""
    body, at = bytearray(), 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(data[at:end].split(b";")[0], 16)
        start = end + 2
        if len(data) < start + size + 2:
            return None
        if size == 0:
            return bytes(body)
        body += data[start : start + size]
        at = start + size + 2


def parse_answer(data: bytes) -> Answer | None:
    """Return the answer in ``data``, or None while bytes are missing.

    There is never more than one answer in ``data``: no connection has two requests under way.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, rest = data[:end], data[end + 4 :]
    length = _body_length(head)
    if length is None:
        body = _unchunk(rest)
        return None if body is None else Answer(head, body)
    return Answer(head, rest) if len(rest) >= length else None


class _Connection:
    """One virtual user: a socket and the flow it is in."""

    __slots__ = ("_address", "_buffer", "_flow", "_sent", "_socket", "began")

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._buffer = b""
        self._sent = b""
        self.began = 0.0
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._address, timeout=GRACE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self._socket.fileno()

    def begin(self, flow: Flow) -> None:
        """Start a flow by sending its first request."""
        self._flow = flow
        self.began = time.perf_counter()
        self._send(next(flow))

    def _send(self, request: bytes) -> None:
        self._sent = request
        self._socket.sendall(request)

    def read(self) -> bool:
        """Take what the server sent; return whether the flow is finished. Raises ``UnexpectedAnswer``."""
        received = self._socket.recv(262_144)
        if not received:
            raise UnexpectedAnswer("the server closed the connection")
        data = self._buffer + received if self._buffer else received
        answer = parse_answer(data)
        if answer is None:
            self._buffer = data
            return False
        self._buffer = b""
        try:
            request = self._flow.send(answer)
        except StopIteration:
            return True
        self._send(request)
        return False

    def reopen(self) -> None:
        """Start over with a fresh connection, after a failure."""
        self._buffer = b""
        self._socket.close()
        self._connect()

    def close(self) -> None:
        self._socket.close()


class SocketDriver:
    """Runs flows over ``connections`` keep-alive connections to ``address``, which has to be a loopback address.

    ``cpu_clock`` tells the processor time, in seconds, that the subject has used so far.
    """

    def __init__(self, address: tuple[str, int], connections: int, cpu_clock: Callable[[], float]) -> None:
        if not address[0].startswith("127."):
            raise ValueError("the driver talks to the loopback interface only")
        self._address = address
        self.connections = connections
        self._cpu_clock = cpu_clock

    def run(self, new_flow: FlowSource, seconds: float) -> Measurement:
        """Run flows for ``seconds`` and measure them. No flow starts after that; those under way may finish."""
        used = self._cpu_clock()
        measurement = _Run(self._address, new_flow, seconds).measure(self.connections)
        measurement.cpu_seconds = self._cpu_clock() - used
        return measurement


class _Run:
    """One timed run: which connections are open, and what was measured so far."""

    def __init__(self, address: tuple[str, int], new_flow: FlowSource, seconds: float) -> None:
        self._address = address
        self._new_flow = new_flow
        self._seconds = seconds
        self._deadline = 0.0
        self._poll = select.poll()
        self._users: dict[int, _Connection] = {}
        self._measurement = Measurement()

    def measure(self, connections: int) -> Measurement:
        result = self._measurement
        idle = [_Connection(self._address) for _ in range(connections)]
        busy, begin = time.process_time(), time.perf_counter()
        self._deadline = begin + self._seconds
        for user in idle:
            self._register(user)
            self._proceed(user)
        while self._users and time.perf_counter() < self._deadline + GRACE_SECONDS:
            for number, _event in self._poll.poll(1000):
                self._serve(self._users[number])
        result.seconds = time.perf_counter() - begin
        result.driver_load = (time.process_time() - busy) / result.seconds
        for user in self._users.values():
            result.failures.append("no answer in time")
            user.close()
        return result

    def _serve(self, user: _Connection) -> None:
        try:
            if user.read():
                self._measurement.latencies.append(time.perf_counter() - user.began)
                self._proceed(user)
        except (UnexpectedAnswer, OSError) as error:
            self._measurement.failures.append(str(error))
            self._forget(user)
            user.reopen()
            self._register(user)
            self._proceed(user)

    def _proceed(self, user: _Connection) -> None:
        """Begin the next flow on this connection, or close it when time is up or nothing is left."""
        flow = self._new_flow() if time.perf_counter() < self._deadline else None
        if flow is None:
            self._forget(user)
            user.close()
        else:
            user.begin(flow)

    def _register(self, user: _Connection) -> None:
        self._users[user.fileno()] = user
        self._poll.register(user.fileno(), select.POLLIN)

    def _forget(self, user: _Connection) -> None:
        del self._users[user.fileno()]
        self._poll.unregister(user.fileno())
