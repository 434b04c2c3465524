"""A connection on which every step is over by one moment, in the clear or with TLS."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

_CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class Limit:
    """The moment at which a call ends, whatever state it is in."""

    until: float
    monotonic: Callable[[], float]

    def left(self) -> float:
        """Return the seconds that remain.

        :raises TimeoutError: none.
        """
        seconds = self.until - self.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


class Stream:
    """As much of a connected socket as http.client needs. A step may take what is left of the call, and no longer."""

    def __init__(self, connection: socket.socket, limit: Limit) -> None:
        self._connection = connection
        self._limit = limit
        self.ended = False
        """Whether the other side has been found to have nothing more to say."""

    def receive(self, size: int) -> bytes:
        """Return what has come, up to ``size`` bytes; nothing at the end.

        :raises TimeoutError: nothing has come in time.
        """
        self._connection.settimeout(self._limit.left())
        return self._connection.recv(size)

    def sendall(self, data: bytes) -> None:
        """Send all of ``data``.

        :raises TimeoutError: it was not taken in time.
        """
        self._connection.settimeout(self._limit.left())
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a file to read from."""
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Do nothing: http.client closes before the body is read; the connection belongs to ``send``."""


class _Incoming(io.RawIOBase):
    """A stream as a file to read from."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.receive(len(buffer))
        self._stream.ended = not data
        buffer[: len(data)] = data
        return len(data)


class TlsStream(Stream):
    """TLS over a connection, with the bytes carried by hand.

    A socket of the ssl module would do but for the deadline: under gevent its time-out starts anew with every byte of
    a handshake or record.

    :param host: the name or address that the certificate must be for; a name is also sent (SNI, RFC 6066).
    :raises ssl.SSLError: the certificate does not verify, or there is no TLS.
    """

    def __init__(self, connection: socket.socket, limit: Limit, context: ssl.SSLContext, host: str) -> None:
        super().__init__(connection, limit)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._carry(self._tls.do_handshake)

    def receive(self, size: int) -> bytes:
        """See :meth:`Stream.receive`."""
        try:
            return self._carry(lambda: self._tls.read(size))
        except ssl.SSLEOFError:
            # Many servers close without saying so in TLS; whether the answer was whole, HTTP tells.
            return b""

    def sendall(self, data: bytes) -> None:
        """See :meth:`Stream.sendall`."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._carry(partial(self._tls.write, rest)) :]

    def _carry(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                if received := super().receive(_CHUNK):
                    self._incoming.write(received)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                # The alert that tells the other side why.
                with suppress(OSError):
                    self._flush()
                raise
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if waiting := self._outgoing.read():
            super().sendall(waiting)
