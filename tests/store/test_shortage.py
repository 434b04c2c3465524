"""A process with fewer connections to Redis than requests at once: they wait in line, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.store import Store
from casduo.store.store import client_for
from tests.support.redis_servers import CountingRelay


@pytest.fixture
def slow(relay: CountingRelay) -> Iterator[CountingRelay]:
    """A way to Redis on which each answer takes its time."""
    relay.delay = 0.1
    yield relay
    relay.delay = 0.0


def test_who_finds_no_connection_waits_for_one(slow: CountingRelay) -> None:
    store = Store(client_for(slow.url, "", 30.0, 2, ""))
    store.ping()
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda number: store.command("ECHO", number), range(24))) == [str(n) for n in range(24)]
    store.close()


def test_who_finds_none_within_the_time_out_is_told(slow: CountingRelay) -> None:
    store = Store(client_for(slow.url, "", 0.5, 1, ""))
    store.ping()

    def ask(_: int) -> str:
        try:
            store.ping()
        except UpstreamUnavailable as error:
            return error.detail
        return ""

    with ThreadPoolExecutor(30) as pool:
        found = list(pool.map(ask, range(30)))
    assert "" in found
    assert "MaxConnectionsError" in found
    assert set(found) <= {"", "MaxConnectionsError"}
    # It is over as soon as nobody asks.
    store.ping()
    store.close()


def test_a_connection_that_breaks_makes_room_for_whoever_waits(slow: CountingRelay, store: Store) -> None:
    one = Store(client_for(slow.url, "", 30.0, 1, ""))
    one.ping()
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(one.command, "ECHO", number) for number in range(4)]
        store.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert [answer.result() for answer in answers] == ["0", "1", "2", "3"]
    one.close()
