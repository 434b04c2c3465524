"""One connection to Redis: what ends it, and that the kernel keeps its time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.sentinel import SentinelManagedConnection

from casduo.store.wire import Wire

PING = [("PING",)]
READ_ONLY = b"-READONLY You can't write against a read only replica.\r\n"


class _Managed(SentinelManagedConnection):
    """A connection that Sentinel led to, without Sentinel."""

    def __init__(self, like: SimpleNamespace) -> None:
        self.__dict__.update(like.__dict__)

    def __del__(self) -> None:
        """Nothing was opened."""


@pytest.fixture
def ends() -> Iterator[tuple[Any, socket.socket]]:
    """Return a connection as the pool gives it, and the end of it that Redis has."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0.05)
    library = redis.connection.Connection(decode_responses=True)  # type: ignore[no-untyped-call]
    with ours, theirs:
        yield SimpleNamespace(_sock=ours, _parser=library._parser, encoder=library.encoder), theirs


def test_answers_come_one_for_each_command_whatever_the_pieces_they_travel_in(ends: Any) -> None:
    connection, theirs = ends
    theirs.sendall(b"+OK\r\n-ERR no\r\n$2\r\nhi\r\n")
    first, second, third = Wire(connection).exchange([("A",), ("B", 1), ("C", 1.5)])
    assert (first, third) == ("OK", "hi")
    assert isinstance(second, ResponseError)
    assert theirs.recv(1000) == b"*1\r\n$1\r\nA\r\n*2\r\n$1\r\nB\r\n$1\r\n1\r\n*2\r\n$1\r\nC\r\n$3\r\n1.5\r\n"


def test_no_answer_in_time(ends: Any) -> None:
    connection, _ = ends
    with pytest.raises(RedisTimeoutError):
        Wire(connection).exchange(PING)


def test_what_cannot_be_sent_in_time(ends: Any) -> None:
    connection, _ = ends
    with pytest.raises(RedisTimeoutError):
        Wire(connection).exchange([("SET", "k", "x" * 5_000_000)])


def test_a_connection_that_was_closed(ends: Any) -> None:
    connection, theirs = ends
    wire = Wire(connection)
    theirs.close()
    with pytest.raises(RedisConnectionError):
        wire.exchange(PING)


def test_a_redis_that_is_loading_is_as_good_as_none(ends: Any) -> None:
    connection, theirs = ends
    theirs.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")
    with pytest.raises(RedisConnectionError):
        Wire(connection).exchange(PING)


def test_a_replica_refuses_writes_and_keeps_its_connection(ends: Any) -> None:
    connection, theirs = ends
    theirs.sendall(READ_ONLY)
    (answer,) = Wire(connection).exchange(PING)
    assert isinstance(answer, ResponseError)


def test_a_master_that_is_none_any_more_is_left(ends: Any) -> None:
    connection, theirs = ends
    theirs.sendall(READ_ONLY)
    with pytest.raises(RedisConnectionError):
        Wire(_Managed(connection)).exchange(PING)
