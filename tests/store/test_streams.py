"""The queue for several workers: each entry is taken by one of them, held, taken over from who is gone, and done."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.store import Store
from casduo.store.store import client_for
from casduo.store.streams import Entry, StreamQueue, append
from tests.support.redis_servers import CountingRelay

QUEUE = "casduo:{test}:queue"
SOON = 0.01
"""Seconds: how long a read waits where there is nothing to wait for."""
LONG = 60.0


def queue(store: Store, worker: str = "ada") -> StreamQueue:
    return StreamQueue(store, QUEUE, worker)


def put(store: Store, *numbers: int, most: int = 1000) -> list[str]:
    batch = store.batch()
    replies = [append(batch, QUEUE, {"number": number, "text": "ä b"}, most) for number in numbers]
    batch.run()
    return [reply.value for reply in replies]


def length(store: Store) -> int:
    batch = store.batch()
    reply = queue(store).length(batch)
    batch.run()
    return int(reply.value)


def numbers(entries: list[Entry]) -> list[int]:
    return [int(entry.fields["number"]) for entry in entries]


def workers(store: Store) -> set[str]:
    rows = store.command("XINFO", "CONSUMERS", QUEUE, "workers")
    return {dict(zip(row[::2], row[1::2], strict=True))["name"] for row in rows}


def test_entries_are_read_as_they_were_put_in_their_order(any_store: Store) -> None:
    names = put(any_store, 1, 2, 3)
    entries = queue(any_store).read(10, SOON)
    assert [entry.id for entry in entries] == names
    assert [dict(entry.fields) for entry in entries] == [{"number": str(n), "text": "ä b"} for n in (1, 2, 3)]


def test_what_was_put_before_anybody_ever_read_is_not_lost(any_store: Store) -> None:
    put(any_store, 1)
    assert numbers(queue(any_store).read(10, SOON)) == [1]
    put(any_store, 2)
    assert numbers(queue(any_store, "grace").read(10, SOON)) == [2]


def test_no_more_are_read_than_asked_for(any_store: Store) -> None:
    put(any_store, 1, 2, 3)
    ada = queue(any_store)
    assert [numbers(ada.read(2, SOON)), numbers(ada.read(2, SOON)), ada.read(2, SOON)] == [[1, 2], [3], []]


def test_a_read_waits_for_the_first_entry(any_store: Store) -> None:
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(queue(any_store).read, 10, 3.0)
        deadline = time.monotonic() + 10
        while not any_store.command("EXISTS", QUEUE):
            assert time.monotonic() < deadline
        started = time.monotonic()
        put(any_store, 1)
        assert numbers(reading.result(10)) == [1]
        assert time.monotonic() - started < 2


def test_an_entry_is_read_by_one_worker_only(any_store: Store) -> None:
    put(any_store, *range(300))
    gate = threading.Barrier(6)

    def work(name: str) -> list[int]:
        mine, read = queue(any_store, name), []
        gate.wait()
        while found := mine.read(7, SOON):
            read += numbers(found)
        return read

    with ThreadPoolExecutor(6) as pool:
        read = [number for part in pool.map(work, "abcdef") for number in part]
    assert Counter(read) == Counter(range(300))


def test_what_is_done_is_off_the_queue(any_store: Store) -> None:
    put(any_store, 1, 2)
    ada = queue(any_store)
    first, second = ada.read(10, SOON)
    ada.done(first.id)
    assert length(any_store) == 1
    assert [entry.id for entry in queue(any_store, "grace").claim(10, 0)] == [second.id]
    ada.done(second.id)
    ada.done(second.id)
    assert (length(any_store), ada.claim(10, 0)) == (0, [])


def test_what_is_held_is_not_taken_over(any_store: Store) -> None:
    put(any_store, 1)
    ada, grace = queue(any_store), queue(any_store, "grace")
    held = ada.read(10, SOON)
    assert grace.read(10, SOON) == []
    assert grace.claim(10, LONG) == []
    ada.hold([entry.id for entry in held])
    assert grace.claim(10, LONG) == []


def test_what_nobody_has_been_heard_of_about_is_taken_over_once(any_store: Store) -> None:
    put(any_store, 1, 2)
    ada, grace, linus = (queue(any_store, name) for name in ("ada", "grace", "linus"))
    read = ada.read(10, SOON)
    wait_until_idle(any_store, 0.05)
    assert grace.claim(10, 0.05) == read
    assert linus.claim(10, 0.05) == []


def test_a_sign_of_life_counts_from_when_it_is_given(any_store: Store) -> None:
    put(any_store, 1)
    ada, grace = queue(any_store), queue(any_store, "grace")
    read = ada.read(10, SOON)
    wait_until_idle(any_store, 0.3)
    ada.hold([entry.id for entry in read])
    assert grace.claim(10, 0.3) == []


def test_a_sign_of_life_about_what_is_done_brings_nothing_back(any_store: Store) -> None:
    put(any_store, 1)
    ada = queue(any_store)
    (entry,) = ada.read(10, SOON)
    ada.done(entry.id)
    ada.hold([entry.id])
    assert (ada.claim(10, 0), ada.read(10, SOON), length(any_store)) == ([], [], 0)


def test_claiming_goes_through_everything_that_is_held(any_store: Store) -> None:
    put(any_store, *range(100))
    ada, grace = queue(any_store), queue(any_store, "grace")
    everything = [entry.id for entry in ada.read(100, SOON)]
    wait_until_idle(any_store, 0.5)
    ada.hold(everything[:95])
    claimed: list[Entry] = []
    # The first part that Redis looks at holds nothing to take over.
    for _ in range(20):
        claimed += grace.claim(2, 0.5)
    assert numbers(claimed) == [95, 96, 97, 98, 99]


def test_who_leaves_gives_back_at_once_and_is_forgotten(any_store: Store) -> None:
    put(any_store, 1, 2)
    ada, grace = queue(any_store), queue(any_store, "grace")
    first, second = ada.read(10, SOON)
    ada.done(first.id)
    assert ada.leave() == 1
    assert "ada" not in workers(any_store)
    assert grace.claim(10, LONG) == [second]


def test_who_leaves_a_queue_that_is_not_there_has_nothing_to_give_back(any_store: Store) -> None:
    assert queue(any_store).leave() == 0


def test_who_still_holds_something_is_not_forgotten_when_others_leave(any_store: Store) -> None:
    put(any_store, 1)
    ada, grace = queue(any_store), queue(any_store, "grace")
    held = ada.read(10, SOON)
    grace.read(10, SOON)
    assert grace.leave() == 0
    assert workers(any_store) == {"ada"}
    assert grace.claim(10, 0) == held


def test_the_oldest_go_when_nobody_works(any_store: Store) -> None:
    put(any_store, *range(1000), most=100)
    left = numbers(queue(any_store).read(1000, SOON))
    assert left[-1] == 999
    # "About": Redis cuts off whole blocks.
    assert 100 <= len(left) <= 300


def test_whoever_empties_redis_does_not_end_the_queue(any_store: Store) -> None:
    ada = queue(any_store)
    put(any_store, 1)
    ada.read(10, SOON)
    any_store.command("FLUSHALL")
    any_store.command("SCRIPT", "FLUSH")
    assert ada.claim(10, 0) == []
    put(any_store, 2)
    assert numbers(ada.read(10, SOON)) == [2]


def test_a_lost_connection_is_the_same_error_as_everywhere(relay: CountingRelay, store: Store) -> None:
    cut_off = Store(client_for(relay.url, "", 2.0, 4, ""))
    ada = queue(cut_off)
    put(store, 1)
    relay.cut()
    with pytest.raises(UpstreamUnavailable):
        ada.read(10, SOON)
    relay.mend()
    assert numbers(ada.read(10, SOON)) == [1]
    cut_off.close()


def test_fields_are_not_in_what_errors_would_show() -> None:
    assert "s3cret" not in repr(Entry("1-0", {"id": "s3cret"}))


def wait_until_idle(store: Store, seconds: float) -> None:
    """Wait until Redis has not heard for so long of anything that is held."""
    deadline = time.monotonic() + 10
    while any(row[2] < seconds * 1000 for row in store.command("XPENDING", QUEUE, "workers", "-", "+", 1000)):
        assert time.monotonic() < deadline
        time.sleep(0.005)
