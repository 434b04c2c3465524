"""The stream of events: written with the change, read once by each reader, trimmed when all are done."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import structlog

from casduo.errors import UpstreamUnavailable
from casduo.events.model import Event, SignedIn, Subject
from casduo.events.record import record_of
from casduo.events.stream import READERS, STREAM, EventReader, EventStream, ReaderName, stream_length
from casduo.store import Store
from casduo.store.store import client_for
from tests.support.redis_servers import CountingRelay
from tests.support.steered import Gate

BOTH: tuple[ReaderName, ...] = ("audit", "outbox")


def signed_in(name: str) -> SignedIn:
    return SignedIn(Subject(principal=name))


def add(store: Store, *names: str) -> None:
    batch = store.batch()
    for name in names:
        EventStream(store).add(batch, signed_in(name))
    batch.run()


def reader(store: Store, name: ReaderName = "audit", worker: str = "a-worker") -> EventReader:
    found = EventReader(store, name, BOTH, worker)
    assert found.lead(10)
    return found


def people(found: EventReader, most: int = 100) -> list[str]:
    return [entry.record.about.principal for entry in found.read(most) if entry.record is not None]


def length(store: Store) -> int:
    batch = store.batch()
    reply = stream_length(batch)
    batch.run()
    return int(reply.value)


# --- writing ---------------------------------------------------------------------------------------------------------


def test_an_event_travels_with_the_change_it_tells_of(relay: CountingRelay, store: Store) -> None:
    counted = Store(client_for(relay.url, "", 5.0, 4, ""))
    counted.ping()
    relay.reset()
    batch = counted.batch()
    batch.command("SET", "casduo:test", "1")
    EventStream(counted, lambda: 1_800_000_000.0).add(batch, signed_in("ada"))
    batch.run()
    assert relay.round_trips == 1
    counted.close()
    (entry,) = reader(store).read(10)
    assert entry.record is not None
    assert (entry.record.kind, entry.record.at, entry.record.about.principal) == ("signin.ok", 1_800_000_000.0, "ada")


@pytest.mark.parametrize(("exists", "written"), [(True, 1), (False, 0)])
def test_an_event_of_a_change_that_does_not_come_about_is_not_written(
    any_store: Store, exists: bool, written: int
) -> None:
    if exists:
        any_store.command("SET", "casduo:{events}:change", "1")
    batch = any_store.batch()
    EventStream(any_store).add(batch, signed_in("ada"), when="casduo:{events}:change")
    batch.run()
    assert length(any_store) == written


def test_what_many_processes_see_is_written_once(any_store: Store) -> None:
    for _ in range(3):
        batch = any_store.batch()
        EventStream(any_store).once(batch, signed_in("ada"), "one-name")
        batch.run()
    assert length(any_store) == 1


def test_events_without_a_change_are_written_in_their_order_a_moment_later(store: Store) -> None:
    stream = EventStream(store)
    names = [f"person-{number}" for number in range(1200)]
    for name in names:
        stream.later(signed_in(name))
    assert length(store) == 0
    assert stream.flush()
    assert people(reader(store), 2000) == names


def test_the_thread_writes_by_itself_and_what_is_left_at_the_end(store: Store) -> None:
    stream = EventStream(store)
    stream.start()
    stream.later(signed_in("ada"))
    eventually = threading.Event()
    for _ in range(200):
        if length(store) == 1 or eventually.wait(0.02):
            break
    assert length(store) == 1
    stream.later(signed_in("grace"))
    stream.stop()
    assert people(reader(store)) == ["ada", "grace"]


def test_while_redis_is_away_events_wait_in_memory(tmp_path: Path, store: Store, relay: CountingRelay) -> None:
    away = Store(client_for(relay.url, "", 1.0, 4, ""))
    stream = EventStream(away)
    relay.cut()
    stream.later(signed_in("ada"))
    assert not stream.flush()
    stream.later(signed_in("grace"))
    relay.mend()
    assert stream.flush()
    assert people(reader(store)) == ["ada", "grace"]
    away.close()


def test_an_event_whose_answer_was_lost_is_sent_again_as_it_was(tmp_path: Path, valkey_url: str, store: Store) -> None:
    gate = Gate(tmp_path, valkey_url, b"ada", "answer")
    lossy = Store(client_for(gate.url, "", 0.5, 4, ""))
    lossy.ping()
    stream = EventStream(lossy)
    stream.later(signed_in("ada"))
    assert not stream.flush()
    gate.let_go()
    assert stream.flush()
    # Redis had done it. Readers know by its name that it is the same one.
    first, second = reader(store).read(10)
    assert first.record == second.record
    lossy.close()
    gate.close()


def test_of_too_many_the_oldest_go_and_that_is_told(store: Store) -> None:
    stream = EventStream(store)
    for number in range(50_002):
        stream.later(signed_in(f"person-{number}"))
    with structlog.testing.capture_logs() as told:
        assert stream.flush()
    assert length(store) == 50_000
    assert people(reader(store), 1) == ["person-2"]
    assert told == [{"event": "events.not_kept", "events": 2, "log_level": "error"}]


def test_an_event_that_nobody_can_write_down_ends_nothing(store: Store) -> None:
    stream = EventStream(store)
    stream.later(signed_in("ada"))
    stream.later(SignedIn(Subject(principal="grace"), handler=object()))  # type: ignore[arg-type]
    stream.later(signed_in("linus"))
    with structlog.testing.capture_logs() as told:
        assert stream.flush()
    assert people(reader(store)) == ["ada", "linus"]
    assert told == [{"event": "events.not_kept", "events": 1, "log_level": "error"}]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_reader_is_given_what_it_is_not_done_with(any_store: Store) -> None:
    add(any_store, "ada", "grace", "linus")
    audit = reader(any_store)
    assert people(audit, 2) == ["ada", "grace"]
    assert people(audit, 2) == ["ada", "grace"]
    assert audit.advance(audit.read(2)[-1].id)
    assert people(audit) == ["linus"]


def test_an_event_stays_until_every_reader_is_done_with_it(any_store: Store) -> None:
    add(any_store, "ada", "grace", "linus")
    audit, outbox = reader(any_store), reader(any_store, "outbox")
    entries = audit.read(10)
    assert audit.advance(entries[2].id)
    # The other one has not begun.
    assert length(any_store) == 3
    assert outbox.advance(entries[0].id)
    assert length(any_store) == 2
    assert outbox.advance(entries[2].id)
    assert length(any_store) == 0


def test_one_worker_reads_at_a_time(store: Store) -> None:
    add(store, "ada", "grace")
    first = reader(store, worker="first")
    second = EventReader(store, "audit", BOTH, "second")
    assert not second.lead(10)
    entry = first.read(1)[0].id
    first.leave()
    assert second.lead(10)
    assert not first.advance(entry)
    assert store.command("HGET", READERS, "audit") is None
    assert people(second) == ["ada", "grace"]
    assert second.advance(entry)
    assert people(second) == ["grace"]


def test_readers_do_not_stand_in_each_others_way(store: Store) -> None:
    assert reader(store, worker="first")
    assert reader(store, "outbox", worker="second")


def test_what_cannot_be_read_is_given_as_that(store: Store) -> None:
    store.command("XADD", STREAM, "*", "record", "{")
    store.command("XADD", STREAM, "*", "other", "x")
    add(store, "ada")
    assert [entry.record is None for entry in reader(store).read(10)] == [True, True, False]


def test_a_redis_that_is_away_is_an_error_for_readers(tmp_path: Path) -> None:
    away = Store(client_for(f"unix://{tmp_path}/nobody.sock", "", 0.2, 2, ""))
    with pytest.raises(UpstreamUnavailable):
        EventReader(away, "audit", BOTH, "a-worker").read(1)


def test_every_class_of_event_can_be_told_of_without_facts() -> None:
    assert Event(Subject()).kind == "event"


# --- where a reader begins -------------------------------------------------------------------------------------------


def test_a_reader_that_was_switched_on_late_begins_with_what_comes_then(store: Store) -> None:
    store.command("XADD", STREAM, "1000-1", "record", record_of(signed_in("ada"), 1.0).to_json())
    add(store, "grace")
    late = reader(store, "outbox")
    late.begin(600)
    assert people(late) == []
    add(store, "linus")
    late.begin(600)
    assert people(late) == ["linus"]
    assert people(reader(store)) == ["ada", "grace", "linus"]


def test_a_reader_that_begins_with_the_first_event_still_does_when_that_is_old(store: Store) -> None:
    add(store, "ada")
    first = reader(store, "outbox")
    first.begin(600)
    first.begin(-1)
    assert people(first) == ["ada"]


def test_whoever_does_not_lead_settles_nothing(store: Store) -> None:
    store.command("XADD", STREAM, "1000-1", "record", record_of(signed_in("ada"), 1.0).to_json())
    reader(store, "outbox")
    EventReader(store, "outbox", BOTH, "another").begin(600)
    assert not store.command("EXISTS", READERS)
