"""One connection to Redis: sends commands together and reads an answer for each, with two system calls.

The client library makes connections: addresses, TLS, passwords, Sentinel. What it does for each command and each answer
costs more than Redis itself, and its socket asks the kernel before each call whether it may make it: twice as many
system calls, and in a server of many threads as many turns that a request has to wait for.
"""

from __future__ import annotations

import _socket
import socket
import ssl
import struct
from collections.abc import Sequence
from typing import Any

from hiredis import Reader, pack_command
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.sentinel import SentinelManagedConnection

_MOST_AT_A_TIME = 65536
_INCOMPLETE = object()


class Wire:
    """A connection of the library's pool that is connected, for one caller at a time.

    :param connection: as the pool gave it; :attr:`connection` is what it takes back
    """

    __slots__ = ("_ends", "_reader", "_socket", "connection")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._socket = connection._sock
        # A Redis that is loading is as good as none. Whom Sentinel called master and is none any more has to be left:
        # the next connection leads to the new one.
        managed = isinstance(connection, SentinelManagedConnection)
        self._ends = (RedisConnectionError, ReadOnlyError) if managed else (RedisConnectionError,)
        self._reader = Reader(
            protocolError=InvalidResponse,
            replyError=connection._parser.parse_error,
            encoding=connection.encoder.encoding,
            errors=connection.encoder.encoding_errors,
            notEnoughData=_INCOMPLETE,
        )
        # TLS reads as often as it needs to, and sockets of gevent wait elsewhere: they keep to their own time.
        if isinstance(self._socket, _socket.socket) and not isinstance(self._socket, ssl.SSLSocket):
            _let_kernel_keep_time(self._socket)

    def exchange(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Send ``commands`` and return an answer or an error for each. A connection that failed is of no more use.

        :raises RedisConnectionError: the connection has ended, or leads to a Redis that cannot be used
        :raises RedisTimeoutError: no answer in time
        """
        try:
            self._socket.sendall(b"".join([pack_command(words) for words in commands]))
            return self._read(len(commands))
        except (TimeoutError, BlockingIOError):
            raise RedisTimeoutError("no answer in time") from None
        except OSError as error:
            raise RedisConnectionError("the connection has ended") from error

    def _read(self, count: int) -> list[Any]:
        reader, answers = self._reader, []
        while True:
            while (answer := reader.gets()) is not _INCOMPLETE:
                if isinstance(answer, self._ends):
                    raise answer if isinstance(answer, RedisConnectionError) else RedisConnectionError(str(answer))
                answers.append(answer)
                if len(answers) == count:
                    return answers
            data = self._socket.recv(_MOST_AT_A_TIME)
            if not data:
                raise RedisConnectionError("the connection has ended")
            reader.feed(data)


def _let_kernel_keep_time(opened: _socket.socket) -> None:
    """Have the kernel end calls that take too long, with ``BlockingIOError``, rather than ask it before each call."""
    patience = opened.gettimeout()
    if patience:
        seconds = int(patience)
        # A time of nothing would be none at all.
        interval = struct.pack("ll", seconds, max(1, int((patience - seconds) * 1_000_000)))
        opened.settimeout(None)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, interval)
