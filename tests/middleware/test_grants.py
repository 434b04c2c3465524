"""Every store of grants keeps the same promises: once, not for long, and never more than it can hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from casduo.middleware import GrantStore, MemoryGrants
from casduo.middleware.errors import StoreUnavailable
from casduo.middleware.grants import GRANT_MAX_AGE
from casduo.middleware.session_redis import RedisGrants, connect

NOW = 1_800_000_000.0
MakeStore = Callable[[int], GrantStore]


@pytest.fixture
def client(redis_socket: Path) -> Iterator[Any]:
    with connect(f"unix://{redis_socket}", 2.0) as client:
        client.flushall()
        yield client


@pytest.fixture(params=["memory", "redis"])
def make_store(request: pytest.FixtureRequest, client: Any) -> MakeStore:
    if request.param == "memory":
        return MemoryGrants
    return lambda capacity: RedisGrants(client, "p", capacity)


def test_a_ticket_is_taken_once(make_store: MakeStore) -> None:
    store = make_store(10)
    store.put("PGTIOU-1", "PGT-1", NOW)
    assert store.take("PGTIOU-1", NOW + 1) == "PGT-1"
    assert store.take("PGTIOU-1", NOW + 1) is None


def test_an_unknown_iou_stands_for_nothing(make_store: MakeStore) -> None:
    assert make_store(10).take("PGTIOU-1", NOW) is None


def test_the_first_ticket_of_an_iou_is_the_one(make_store: MakeStore) -> None:
    store = make_store(10)
    store.put("PGTIOU-1", "PGT-ada", NOW)
    store.put("PGTIOU-1", "PGT-eve", NOW)
    assert store.take("PGTIOU-1", NOW) == "PGT-ada"
    assert store.take("PGTIOU-1", NOW) is None


def test_the_oldest_makes_room(make_store: MakeStore) -> None:
    store = make_store(10)
    for number in range(25):
        store.put(f"PGTIOU-{number}", f"PGT-{number}", NOW + number / 100)
    kept = [number for number in range(25) if store.take(f"PGTIOU-{number}", NOW + 1) is not None]
    assert kept == list(range(15, 25))


def test_what_was_taken_makes_no_trouble_later(make_store: MakeStore) -> None:
    store = make_store(3)
    for number in range(10):
        store.put(f"PGTIOU-{number}", f"PGT-{number}", NOW)
        assert store.take(f"PGTIOU-{number}", NOW) == f"PGT-{number}"


def test_of_many_takers_one_gets_it(make_store: MakeStore) -> None:
    store, barrier, taken = make_store(10), threading.Barrier(8), []
    store.put("PGTIOU-1", "PGT-1", NOW)

    def take() -> None:
        barrier.wait()
        taken.append(store.take("PGTIOU-1", NOW))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken, key=str) == [None] * 7 + ["PGT-1"]


def test_in_memory_a_ticket_is_kept_for_a_minute() -> None:
    store = MemoryGrants()
    for number in range(2):
        store.put(f"PGTIOU-{number}", "PGT-1", NOW)
    assert store.take("PGTIOU-0", NOW + GRANT_MAX_AGE - 1) == "PGT-1"
    assert store.take("PGTIOU-1", NOW + GRANT_MAX_AGE) is None


def test_in_memory_old_ones_are_cleared_away() -> None:
    store = MemoryGrants()
    for number in range(100):
        store.put(f"PGTIOU-{number}", "PGT-1", NOW + number)
    assert len(store._kept) == GRANT_MAX_AGE


def test_in_redis_every_key_expires_and_none_names_an_iou(client: Any) -> None:
    store = RedisGrants(client, "p", 5)
    for number in range(12):
        store.put(f"PGTIOU-{number}", f"PGT-{number}", NOW)
    keys = list(client.scan_iter())
    assert len(keys) == 6
    assert [client.ttl(key) for key in keys] == [GRANT_MAX_AGE] * 6
    assert client.llen("p:grants") == 5
    assert not any(b"PGTIOU" in key for key in keys)


def test_redis_away_is_said_without_its_address() -> None:
    with connect("redis://:a-password@127.0.0.1:1/0", 0.2) as client:
        store = RedisGrants(client, "p")
        with pytest.raises(StoreUnavailable) as caught:
            store.put("PGTIOU-1", "PGT-1", NOW)
    assert str(caught.value) == "ConnectionError"
    assert caught.value.__cause__ is None
