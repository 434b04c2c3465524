"""The lock of a phone, on both servers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from casduo.phone.locks import DeviceLocks
from casduo.store import Script, Store, Value
from casduo.store.store import client_for

DEVICE, OTHER = "SEP001122334455", "SEP00AABBCCDDEE"


@pytest.fixture
def locks(any_store: Store) -> DeviceLocks:
    return DeviceLocks(any_store)


def test_of_many_one_gets_it(locks: DeviceLocks) -> None:
    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(lambda _: locks.take(DEVICE), range(20)))
    assert sum(1 for token in tokens if token) == 1


def test_each_phone_has_its_own(locks: DeviceLocks) -> None:
    assert locks.take(DEVICE)
    assert locks.take(OTHER)


def test_once_freed_it_can_be_taken_again(locks: DeviceLocks) -> None:
    token = locks.take(DEVICE)
    assert locks.free(DEVICE, token)
    assert not locks.free(DEVICE, token)
    assert locks.take(DEVICE)


def test_nobody_frees_the_lock_of_another(locks: DeviceLocks) -> None:
    late = locks.take(DEVICE)
    assert locks.free(DEVICE, late)
    assert locks.take(DEVICE)
    assert not locks.free(DEVICE, late)
    assert not locks.free(DEVICE, "")
    assert locks.take(DEVICE) == ""


def test_it_frees_itself(locks: DeviceLocks, any_store: Store) -> None:
    locks.take(DEVICE)
    (key,) = any_store.command("KEYS", "*")
    assert 29_000 < any_store.command("PTTL", key) <= 30_000


class Repeating(Store):
    """A store whose connection breaks before each answer, so that everything is sent twice."""

    def call(self, script: Script, keys: Sequence[str], arguments: Sequence[Value] = ()) -> Any:
        super().call(script, keys, arguments)
        return super().call(script, keys, arguments)


def test_who_asked_twice_because_the_answer_got_lost_has_it(locks: DeviceLocks, any_redis_url: str) -> None:
    repeating = Repeating(client_for(any_redis_url, "", 5.0, 4, ""))
    assert DeviceLocks(repeating).take(DEVICE)
    assert not locks.take(DEVICE)
    repeating.close()
