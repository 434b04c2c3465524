"""Writes that nobody waits for: gathered, bounded, sent in one round trip, and never anybody's trouble."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.store import Batch, Store
from casduo.store.later import LaterWrites, Write
from casduo.store.store import client_for
from tests.support.redis_servers import CountingRelay

PATIENCE = 10.0


def push(value: int | str) -> Write:
    return lambda batch: _push(batch, value)


def _push(batch: Batch, value: int | str) -> None:
    batch.command("RPUSH", "written", value)


def written(store: Store) -> list[str]:
    found: list[str] = store.command("LRANGE", "written", 0, -1)
    return found


@pytest.fixture
def later(store: Store) -> LaterWrites:
    return LaterWrites(store)


def test_nothing_is_sent_before_the_flush_and_then_everything_in_order(store: Store, later: LaterWrites) -> None:
    for number in range(5):
        later.add(push(number))
    assert written(store) == []

    later.flush()
    later.flush()

    assert written(store) == ["0", "1", "2", "3", "4"]


def test_what_has_gathered_travels_in_one_round_trip(relay: CountingRelay, store: Store) -> None:
    far = Store(client_for(relay.url, "", 5.0, 4, ""))
    later = LaterWrites(far)
    far.ping()
    relay.reset()

    for number in range(100):
        later.add(push(number))
    later.flush()

    assert (len(written(store)), relay.round_trips) == (100, 1)
    far.close()


def test_a_flush_with_nothing_to_send_sends_nothing(relay: CountingRelay) -> None:
    far = Store(client_for(relay.url, "", 5.0, 4, ""))
    LaterWrites(far).flush()
    assert relay.round_trips == 0
    far.close()


def test_of_a_flood_the_newest_are_sent(store: Store) -> None:
    later = LaterWrites(store, most=3)

    for number in range(10):
        later.add(push(number))
    later.flush()

    assert written(store) == ["7", "8", "9"]


def test_writes_under_one_key_are_one_write_the_last_in_the_first_place(store: Store, later: LaterWrites) -> None:
    later.add(push("first of a"), "a")
    later.add(push("b"), "b")
    later.add(push("last of a"), "a")
    later.flush()
    assert written(store) == ["last of a", "b"]

    later.add(push("a again"), "a")
    later.flush()
    assert written(store) == ["last of a", "b", "a again"]


def test_writes_under_one_key_push_no_others_out(store: Store) -> None:
    later = LaterWrites(store, most=2)
    later.add(push("other"))

    for number in range(100):
        later.add(push(number), "flood")
    later.flush()

    assert written(store) == ["other", "99"]


def broken(batch: Batch) -> None:
    raise IndexError("a mistake in a write")


def unsendable(batch: Batch) -> None:
    batch.command("SET", "x", object())  # type: ignore[arg-type]


def refused(batch: Batch) -> None:
    batch.command("INCR", "written")


def test_a_write_that_fails_keeps_no_other_from_being_sent(store: Store, later: LaterWrites) -> None:
    later.add(push("before"))
    later.add(broken)
    later.add(refused)
    later.add(push("after"))

    later.flush()

    assert written(store) == ["before", "after"]


def test_nobody_hears_of_what_could_not_be_sent(store: Store, later: LaterWrites) -> None:
    later.add(unsendable)
    later.flush()
    later.add(push("next"))
    later.flush()
    assert written(store) == ["next"]


def test_a_redis_that_is_away_costs_what_had_gathered_and_no_more(relay: CountingRelay, store: Store) -> None:
    far = Store(client_for(relay.url, "", 5.0, 4, ""))
    later = LaterWrites(far)
    relay.cut()
    later.add(push("lost"))
    later.flush()
    relay.mend()

    later.add(push("sent"))
    later.flush()

    assert written(store) == ["sent"]
    far.close()


def announcing(event: threading.Event) -> Write:
    """Return a write that says when it is asked for its commands."""

    def write(batch: Batch) -> None:
        _push(batch, "announced")
        event.set()

    return write


def test_started_it_sends_by_itself_even_after_a_mistake(store: Store, later: LaterWrites) -> None:
    asked, again = threading.Event(), threading.Event()
    later.start()
    later.start()
    later.add(broken)
    later.add(announcing(asked))
    assert asked.wait(PATIENCE)

    later.add(unsendable)
    later.add(announcing(again))
    assert again.wait(PATIENCE)
    later.stop()

    assert [thread for thread in threading.enumerate() if thread.name == "later-writes"] == []


def test_stopping_sends_what_is_left(store: Store, later: LaterWrites) -> None:
    later.start()
    for number in range(10):
        later.add(push(number))

    later.stop()
    later.stop()

    assert sorted(written(store)) == [str(number) for number in range(10)]


def test_it_can_be_stopped_without_ever_having_been_started(store: Store, later: LaterWrites) -> None:
    later.add(push("left"))
    later.stop()
    assert written(store) == ["left"]


def test_threads_add_and_flush_at_once_and_nothing_is_lost_or_sent_twice(store: Store, later: LaterWrites) -> None:
    def work(worker: int) -> None:
        for number in range(50):
            later.add(push(f"{worker}:{number}"))
            if number % 10 == worker % 10:
                later.flush()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    later.flush()

    assert sorted(written(store)) == sorted(f"{worker}:{number}" for worker in range(8) for number in range(50))
