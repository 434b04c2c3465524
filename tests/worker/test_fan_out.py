"""The job that makes messages of events: each event once, in order, whatever happens to who reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import pytest

from casduo.events.messages import Message
from casduo.events.model import Event, Fault, PolicyViolation, SignedIn, Subject, TargetAccessed
from casduo.events.outbox import OUTBOX
from casduo.events.outbox_events import ChannelStopped, MessageDead
from casduo.events.outbox_model import message_in
from casduo.events.record import EventRecord, record_of
from casduo.events.stream import READERS, STREAM, EventStream
from casduo.services.index import Registry
from casduo.settings.webex import WebexSettings
from casduo.store import Store
from casduo.store.store import client_for
from casduo.webex.cards import Look
from casduo.worker.fan_out import FanOut
from casduo.worker.parts import Parts
from casduo.worker.process import Job
from tests.worker.conftest import RestartableRedis
from tests.worker.outboxing import REGISTRY, SETTINGS
from tests.worker.working import Site, eventually, working

TO = "room:r1"
WITHOUT_AUDIT = SETTINGS + "audit: {enabled: false}\n"


@pytest.fixture(autouse=True)
def files(site: Site) -> None:
    site.write(REGISTRY, WITHOUT_AUDIT)


def write(store: Store, *events: Event) -> None:
    stream, batch = EventStream(store), store.batch()
    for event in events:
        stream.add(batch, event)
    batch.run()


def signed_in(number: int) -> SignedIn:
    return SignedIn(Subject(principal=f"user{number}", service="library"))


def by_name(record: EventRecord, _webex: WebexSettings, _registry: Registry, _look: Look) -> Sequence[Message]:
    """Two messages of each event, one to each of two rooms."""
    return [Message(f"{record.about.principal}:{room}", f"room:{room}", "event", {}) for room in ("r1", "r2")]


def fan_out(lease: float = 20.0) -> Callable[[Parts], Job]:
    return lambda parts: FanOut(parts, by_name, lease, every=0.01)


def waiting(store: Store, to: str = TO) -> list[str]:

    return [message_in(flat[1]).id for _, flat in store.command("XRANGE", f"{OUTBOX}:to:{to}", "-", "+")]


def events_left(store: Store) -> int:
    return int(store.command("XLEN", STREAM))


def test_each_event_becomes_its_messages_in_its_order_and_leaves_the_stream(site: Site) -> None:
    write(site.store, *(signed_in(number) for number in range(1200)))
    with working(site, fan_out()):
        eventually(lambda: events_left(site.store) == 0)
    for room in ("r1", "r2"):
        assert waiting(site.store, f"room:{room}") == [f"user{number}:{room}" for number in range(1200)]


def test_of_several_workers_one_reads_and_another_goes_on_when_it_ends(site: Site) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(working(site, fan_out()))
        for number in range(300):
            write(site.store, signed_in(number))
        eventually(lambda: events_left(site.store) == 0)
    with working(site, fan_out()):
        write(site.store, signed_in(300))
        eventually(lambda: events_left(site.store) == 0)
    assert waiting(site.store) == [f"user{number}:r1" for number in range(301)]


def test_where_a_worker_died_another_goes_on_after_the_lease(site: Site) -> None:
    site.store.command("SET", "casduo:{events}:lease:outbox", "somebody who died", "PX", 300)
    write(site.store, signed_in(1))
    with working(site, fan_out()):
        eventually(lambda: waiting(site.store) == ["user1:r1"])


def test_whoever_lost_the_lease_meanwhile_changes_nothing(site: Site) -> None:
    begun, gate = threading.Event(), threading.Event()

    def slowly(record: EventRecord, webex: WebexSettings, registry: Registry, look: Look) -> Sequence[Message]:
        begun.set()
        gate.wait(30)
        return [Message("slow", TO, "event", {})]

    write(site.store, signed_in(1))
    with working(site, lambda parts: FanOut(parts, slowly, every=0.01)):
        assert begun.wait(30)
        site.store.command("DEL", "casduo:{events}:lease:outbox")
        with working(site, fan_out()):
            eventually(lambda: events_left(site.store) == 0)
            gate.set()
    assert waiting(site.store) == ["user1:r1"]


def test_a_restart_of_redis_loses_and_doubles_nothing(redis_server: RestartableRedis, site: Site) -> None:
    store = Store(client_for(redis_server.url, "", 5.0, 64, ""))
    redis_server.await_answer(store)
    restarted = Site(site.directory, redis_server.url, store)
    restarted.write(REGISTRY, WITHOUT_AUDIT)
    with working(restarted, fan_out()):
        write(store, *(signed_in(number) for number in range(600)))
        redis_server.end()
        redis_server.start()
        redis_server.await_answer(store)
        write(store, *(signed_in(number) for number in range(600, 700)))
        eventually(lambda: events_left(store) == 0)
    assert waiting(store) == [f"user{number}:r1" for number in range(700)]
    store.close()


def test_an_event_that_cannot_be_read_or_made_anything_of_keeps_no_other_waiting(site: Site) -> None:
    def picky(record: EventRecord, webex: WebexSettings, registry: Registry, look: Look) -> Sequence[Message]:
        if record.about.principal == "user1" or record.kind == "fault":
            raise RuntimeError("a secret that nobody may read")
        return by_name(record, webex, registry, look)

    site.store.command("XADD", STREAM, "*", "record", '{"version": 9}')
    write(site.store, signed_in(0), signed_in(1), Fault(Subject()), signed_in(2))
    with working(site, lambda parts: FanOut(parts, picky, every=0.01)) as worker:
        eventually(lambda: events_left(site.store) == 0)
        (fault,) = worker.named("fault")
    assert "secret" not in repr(fault)
    assert waiting(site.store) == ["user0:r1", "user2:r1"]


def test_what_could_not_be_sent_is_never_sent_word_of(site: Site) -> None:
    site.write(
        REGISTRY, WITHOUT_AUDIT.replace("room: r1", "room: r1, notify: {message.dead: space, webex.stopped: space}")
    )
    about = Subject()
    write(site.store, MessageDead(about, "m1", "room:r1", "event"), ChannelStopped(about), signed_in(1))
    with working(site, lambda parts: FanOut(parts, every=0.01)):
        eventually(lambda: events_left(site.store) == 0)
    assert len(waiting(site.store)) == 1


def test_by_default_the_settings_say_what_becomes_of_an_event(site: Site) -> None:
    about = Subject(principal="ada", service="library")
    write(site.store, TargetAccessed(about, host="OracleLinux_SystemB"), PolicyViolation(about))
    with working(site, lambda parts: FanOut(parts, every=0.01)):
        eventually(lambda: events_left(site.store) == 0)
    assert len(waiting(site.store)) == 1
    assert len(waiting(site.store, f"urgent:{TO}")) == 1


def test_events_stay_until_the_audit_trail_has_them_too(site: Site) -> None:
    site.write(REGISTRY, SETTINGS)
    write(site.store, signed_in(1))
    with working(site, fan_out()):
        eventually(lambda: waiting(site.store) == ["user1:r1"])
        assert events_left(site.store) == 1
    assert site.store.command("HLEN", READERS) == 1


def long_ago(store: Store, number: int, seconds: float) -> None:
    """Write an event as it stands there after so many seconds."""
    at = int((time.time() - seconds) * 1000)
    record = record_of(signed_in(number), at / 1000)
    store.command("XADD", STREAM, f"{at}-{number}", "record", record.to_json())


def test_where_webex_is_switched_on_what_was_written_long_before_is_not_told(site: Site) -> None:
    site.write(REGISTRY, SETTINGS)
    for number, age in enumerate((86_400, 3600, 660, 5)):
        long_ago(site.store, number, age)
    with working(site, fan_out()):
        eventually(lambda: site.store.command("HLEN", READERS) == 1)
        write(site.store, signed_in(9))
        eventually(lambda: bool(waiting(site.store)))
    assert waiting(site.store) == ["user9:r1"]
    # The audit trail has read nothing yet.
    assert events_left(site.store) == 5


def test_what_was_written_before_the_first_worker_of_all_began_is_told(site: Site) -> None:
    for number, age in enumerate((540, 5)):
        long_ago(site.store, number, age)
    with working(site, fan_out()):
        eventually(lambda: len(waiting(site.store)) == 2)


def test_a_reader_that_has_begun_reads_on_however_old_that_is(site: Site) -> None:
    long_ago(site.store, 0, 590)
    with working(site, lambda parts: FanOut(parts, by_name, every=0.01)):
        eventually(lambda: waiting(site.store) == ["user0:r1"])
    long_ago(site.store, 1, 589)
    site.store.command("XADD", STREAM, "*", "record", record_of(signed_in(2), 0.0).to_json())
    with working(site, fan_out()):
        eventually(lambda: len(waiting(site.store)) == 3)


def test_a_stream_that_is_empty_is_read_from_its_beginning_later(site: Site) -> None:
    with working(site, fan_out()):
        eventually(lambda: site.store.command("HGET", READERS, "outbox") == "0-0")
    long_ago(site.store, 0, 86_400)
    with working(site, fan_out()):
        eventually(lambda: waiting(site.store) == ["user0:r1"])
