"""The jobs that send: order, failures, pauses, digests and dead letters, with a real Redis and a clock that is set."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from casduo.events.messages import Delivered, Message, NotDelivered
from casduo.events.outbox import OUTBOX
from casduo.events.record import EventRecord
from casduo.events.stream import STREAM
from casduo.simulators.clock import VirtualClock
from casduo.store import Store
from casduo.store.store import client_for
from casduo.worker.fan_out import FanOut
from casduo.worker.outbox import OutboxSender, OutboxTimes, UrgentOutboxSender
from tests.support.redis_servers import CountingRelay
from tests.worker.conftest import RestartableRedis
from tests.worker.outboxing import AT_ONCE, REGISTRY, ROOM, SETTINGS, OutboxStage, Outcome
from tests.worker.working import Site, eventually, working

HOUR = 3600.0
OTHER = "room:r2"


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that stands until it is moved."""
    return VirtualClock(1_800_000_000.0)


@pytest.fixture
def stage(site: Site, clock: VirtualClock) -> OutboxStage:
    return OutboxStage(site, clock)


@pytest.fixture
def four_workers(stage: OutboxStage) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(stage.working())
        yield


def told(stage: OutboxStage) -> list[EventRecord]:
    """The events in the stream."""
    return [EventRecord.from_json(flat[1]) for _, flat in stage.site.store.command("XRANGE", STREAM, "-", "+")]


def kinds(stage: OutboxStage) -> list[str]:
    return [record.kind for record in told(stage)]


@pytest.mark.usefixtures("four_workers")
def test_four_workers_keep_the_order_of_each_destination_and_send_each_message_once(stage: OutboxStage) -> None:
    rooms = [f"room:r{number}" for number in range(7)]
    for number in range(60):
        stage.put(*(stage.message(f"{number}-{room}", room) for room in rooms))
    stage.emptied()
    for room in rooms:
        assert stage.postman.ids_to(room) == [f"m{number}-{room}" for number in range(60)]
    assert set(stage.counted().values()) == {1}
    assert not stage.postman.together


@pytest.mark.usefixtures("four_workers")
def test_the_order_survives_failures(stage: OutboxStage) -> None:
    tried: Counter[str] = Counter()

    def answer(message: Message) -> Outcome:
        tried[message.id] += 1
        fails = hash(message.id) % 3
        return NotDelivered("retry", status=500) if tried[message.id] <= fails else Delivered()

    stage.postman.answer = answer
    for number in range(20):
        stage.put(stage.message(number), stage.message(f"o{number}", OTHER))
    for _ in range(60):
        stage.advance(300)
    assert stage.postman.ids_to(ROOM) == [f"m{number}" for number in range(20)]
    assert stage.postman.ids_to(OTHER) == [f"mo{number}" for number in range(20)]


def test_a_message_enqueued_twice_is_sent_once(stage: OutboxStage) -> None:
    with stage.working():
        for _ in range(3):
            stage.put(stage.message(1), stage.message(1))
            stage.emptied()
    assert stage.postman.ids == ["m1"]


def test_what_becomes_due_by_a_delivery_is_sent_after_it(stage: OutboxStage) -> None:
    withdraw, told_ada = stage.message("withdraw"), stage.message("told", "person:ada@example.edu", urgent=True)
    stage.postman.answer = lambda message: (
        Delivered(then=(withdraw, told_ada)) if message.id == "moutcome" else Delivered()
    )
    with stage.working():
        stage.put(stage.message("outcome"))
        stage.emptied()
    assert stage.postman.ids[0] == "moutcome"
    assert stage.counted() == {"moutcome": 1, "mwithdraw": 1, "mtold": 1}


def test_what_is_urgent_goes_out_while_everything_else_is_stuck(stage: OutboxStage) -> None:
    gate = threading.Event()

    def answer(message: Message) -> Outcome:
        if not message.urgent:
            gate.wait(30)
        return Delivered()

    stage.postman.answer = answer
    stage.put(*(stage.message(number, f"room:r{number % 50}") for number in range(5000)))
    with stage.working():
        eventually(lambda: len(stage.postman.asked) >= 4)
        stage.put(stage.message("u", urgent=True))
        eventually(lambda: "mu" in stage.postman.ids)
        assert stage.postman.ids == ["mu"]
        assert stage.status().waiting == 5000
        gate.set()


def test_what_is_urgent_overtakes_what_waits_for_the_same_space(site: Site) -> None:
    clock = VirtualClock(rate=50)
    stage = OutboxStage(site, clock, replace(AT_ONCE, per_space=10, per_token=50))
    stage.put(*(stage.message(number) for number in range(5000)))
    with stage.working():
        eventually(lambda: len(stage.postman.ids) >= 5)
        stage.put(stage.message("u", urgent=True))
        eventually(lambda: "mu" in stage.postman.ids)
    # It waits for two places in the line of the space at most; that is a fraction of a second, of ten that all take.
    assert [message.id for message in stage.postman.asked].index("mu") < 2500


def test_between_two_messages_to_a_space_and_between_any_two_there_is_the_time_that_settings_say(site: Site) -> None:
    clock = VirtualClock(rate=5)
    stage = OutboxStage(site, clock, replace(AT_ONCE, per_space=1, per_token=3))
    for number in range(6):
        stage.put(*(stage.message(f"{number}-{room}", f"room:r{room}") for room in range(4)))
    stage.put(*(stage.message(f"u{number}", "room:r0", urgent=True) for number in range(4)))
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(stage.working())
        stage.emptied()
    asked = [(moment, message.to) for moment, message in zip(stage.postman.moments, stage.postman.asked, strict=True)]
    # How late a thread gets to it varies.
    for room in range(4):
        moments = [moment for moment, to in asked if to == f"room:r{room}"]
        assert moments[-1] - moments[0] > 0.7 * (len(moments) - 1)
    assert asked[-1][0] - asked[0][0] > 0.8 * (len(asked) - 1) / 3


def test_a_throttled_channel_is_left_alone_by_all_workers_for_as_long_as_it_says(stage: OutboxStage) -> None:
    throttled = threading.Event()
    throttled.set()
    stage.postman.answer = lambda _message: (
        NotDelivered("pause", after=90, status=429) if throttled.is_set() else Delivered()
    )
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(stage.working())
        stage.put(stage.message(1))
        stage.settle()
        throttled.clear()
        stage.put(*(stage.message(number, f"room:r{number}", urgent=number % 2 == 0) for number in range(2, 12)))
        stage.settle()
        stage.advance(89)
        assert len(stage.postman.asked) == 1
        assert stage.status().paused_until == pytest.approx(stage.clock() + 1, abs=0.01)
        stage.advance(1.1)
        stage.emptied()
    assert set(stage.counted().values()) == {1}
    assert len(stage.postman.ids) == 11


def test_a_refused_token_stops_all_is_told_once_tried_each_minute_and_sending_goes_on_by_itself(
    stage: OutboxStage,
) -> None:
    refused = threading.Event()
    refused.set()
    stage.postman.answer = lambda _message: (
        NotDelivered("stop", status=401, detail="status 401") if refused.is_set() else Delivered()
    )

    def probed(times: int) -> bool:
        return len(stage.postman.asked) == times

    with ExitStack() as stack:
        workers = [stack.enter_context(stage.working()) for _ in range(4)]
        stage.put(*(stage.message(number, f"room:r{number}") for number in range(4)))
        stage.settle()
        first = len(stage.postman.asked)
        # Those that were under way at that moment.
        assert 1 <= first <= 4
        for minute in range(1, 11):
            stage.put(stage.message(f"later{minute}", f"room:l{minute}"))
            stage.settle()
            stage.advance(59.5)
            assert len(stage.postman.asked) == first + minute - 1
            stage.advance(0.6)
            eventually(partial(probed, first + minute))
            stage.settle()
        assert kinds(stage) == ["webex.stopped"]
        assert [len(worker.named("webex.stopped")) for worker in workers].count(1) == 1
        status = stage.status()
        assert (status.status, status.detail, status.waiting, status.dead) == (401, "status 401", 14, 0)
        assert status.stopped_since == pytest.approx(stage.clock() - 601, abs=1)
        refused.clear()
        stage.advance(60.1)
        stage.emptied()
    assert kinds(stage) == ["webex.stopped", "webex.resumed"]
    assert stage.status().stopped_since == 0
    assert set(stage.counted().values()) == {1}
    assert len(stage.postman.ids) == 14


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_is_refused_for_good_is_put_aside_and_the_next_one_goes_on(stage: OutboxStage, status: int) -> None:
    refused = NotDelivered("never", status=status, detail=f"status {status}, tracking id T1")
    stage.postman.answer = lambda message: refused if message.id == "m1" else Delivered()
    with stage.working() as worker:
        stage.put(*(stage.message(number, "person:ada@example.edu") for number in range(3)))
        stage.emptied()
        (dead,) = worker.named("message.dead")
    assert stage.postman.ids == ["m0", "m2"]
    (letter,) = stage.desk.letters(10)
    assert (letter.message.id, letter.reason, letter.status, letter.tries) == ("m1", "refused", status, 1)
    assert letter.message.body == {"text": "text 1"}
    assert kinds(stage) == ["message.dead"]
    assert told(stage)[0].facts == {
        "message": "m1",
        "to": "person:a***@example.edu",
        "task": "event",
        "reason": "refused",
        "status": status,
        "detail": f"status {status}, tracking id T1",
        "messages": 1,
    }
    assert dead.level == "error"


def test_one_that_always_fails_is_put_aside_after_twenty_tries(stage: OutboxStage) -> None:
    stage.postman.answer = lambda message: NotDelivered("retry", status=500) if message.id == "m0" else Delivered()
    with stage.working():
        stage.put(stage.message(0), stage.message(1))
        stage.settle()
        for _ in range(25):
            stage.advance(300)
        stage.emptied()
    assert [message.id for message in stage.postman.asked] == ["m0"] * 20 + ["m1"]
    (letter,) = stage.desk.letters(10)
    assert (letter.message.id, letter.reason, letter.tries, letter.status) == ("m0", "tries", 20, 500)


def test_nothing_dies_of_an_outage_before_its_time(stage: OutboxStage) -> None:
    away = threading.Event()
    away.set()
    stage.postman.answer = lambda _message: NotDelivered("retry") if away.is_set() else Delivered()
    with stage.working():
        stage.put(stage.message(0))
        for number in range(1, 60):
            stage.put(stage.message(number))
            stage.advance(300)
        assert stage.status().waiting == 60
        assert len(stage.postman.asked) >= 40
        away.clear()
        stage.advance(300)
        stage.emptied()
    assert stage.postman.ids == [f"m{number}" for number in range(60)]
    assert stage.status().dead == 0


def test_what_is_too_old_or_whose_time_is_over_is_put_aside_and_not_sent(stage: OutboxStage) -> None:
    stage.put(
        replace(stage.message("old"), created=stage.clock() - 25 * HOUR),
        replace(stage.message("over"), expires=stage.clock() - 1),
        replace(stage.message("long"), created=stage.clock() - 25 * HOUR, expires=stage.clock() + HOUR),
        stage.message("new"),
    )
    with stage.working():
        stage.emptied()
    assert stage.postman.ids == ["mlong", "mnew"]
    assert [(letter.message.id, letter.reason) for letter in stage.desk.letters(10)] == [
        ("mold", "age"),
        ("mover", "expired"),
    ]


@pytest.mark.parametrize("urgent", [False, True])
def test_thousands_that_are_too_old_keep_a_new_one_waiting_for_seconds_only(site: Site, urgent: bool) -> None:
    clock = VirtualClock(1_800_000_000.0, rate=1)
    stage = OutboxStage(site, clock, replace(AT_ONCE, per_space=1, per_token=5))
    for portion in range(4):
        old = (stage.message(500 * portion + number, urgent=urgent) for number in range(500))
        stage.put(*(replace(message, created=stage.clock() - 25 * HOUR) for message in old))
    stage.put(replace(stage.message("over", urgent=urgent), expires=stage.clock() - 1))
    stage.put(stage.message("new", urgent=urgent))
    began = stage.clock()
    with stage.working() as worker:
        stage.emptied()
        dead = worker.named("message.dead")
    assert stage.postman.ids == ["mnew"]
    assert stage.postman.moments[0] - began < 15
    assert stage.status().dead == 2001
    letters = stage.desk.letters(3000)
    assert [letter.reason for letter in letters].count("age") == 2000
    assert {letter.tries for letter in letters} == {0}
    assert kinds(stage) == ["message.dead"] * 3
    assert sum(record.facts["messages"] for record in told(stage)) == 2001
    assert len(dead) == 3


def test_only_those_are_put_aside_together_that_are_of_no_use_for_the_same_reason(stage: OutboxStage) -> None:
    stage.put(
        replace(stage.message("old"), created=stage.clock() - 25 * HOUR),
        stage.message("new"),
        replace(stage.message("old2"), created=stage.clock() - 25 * HOUR),
        replace(stage.message("over"), expires=stage.clock() - 1),
        stage.message("new2"),
    )
    with stage.working():
        stage.emptied()
    assert stage.postman.ids == ["mnew", "mnew2"]
    assert [record.facts["messages"] for record in told(stage)] == [2, 1]


def test_what_becomes_due_by_a_burial_is_sent(stage: OutboxStage) -> None:
    untold = stage.message("untold", urgent=True)
    stage.postman.following = lambda message: (untold,) if message.task == "told" else ()
    stage.postman.answer = lambda message: (
        NotDelivered("never", status=404) if message.id == "mrefused" else Delivered()
    )
    ada = "person:ada@example.edu"
    old = replace(stage.message("old", ada, task="told"), created=stage.clock() - 25 * HOUR)
    stage.put(old, stage.message("refused", ada), stage.message("well", ada))
    with stage.working():
        stage.emptied()
    assert sorted(stage.postman.ids) == ["muntold", "mwell"]
    assert stage.status().dead == 2


def test_where_nobody_knows_what_a_burial_leads_to_it_comes_about_all_the_same(stage: OutboxStage) -> None:
    def following(message: Message) -> tuple[Message, ...]:
        raise RuntimeError("a secret that nobody may read")

    stage.postman.following = following
    stage.put(replace(stage.message("old"), created=stage.clock() - 25 * HOUR), stage.message("new"))
    with stage.working() as worker:
        stage.emptied()
        (fault,) = worker.named("fault")
    assert "secret" not in repr(fault)
    assert stage.postman.ids == ["mnew"]


def test_a_dead_letter_that_is_sent_again_keeps_its_id_and_is_sent_once(stage: OutboxStage) -> None:
    away = threading.Event()
    away.set()
    stage.postman.answer = lambda _message: NotDelivered("never", status=404) if away.is_set() else Delivered()
    with stage.working():
        stage.put(stage.message(1), replace(stage.message(2), expires=stage.clock() + 60))
        stage.emptied()
        away.clear()
        stage.advance(48 * HOUR)
        letters = stage.desk.letters(10)
        assert len(stage.desk.retry(letters, "root", stage.clock())) == 2
        assert stage.desk.retry(letters, "root", stage.clock()) == []
        stage.put(stage.message(1))
        stage.emptied()
    assert stage.postman.ids == ["m1", "m2"]
    assert stage.desk.letters(10) == []
    assert kinds(stage) == ["message.dead"] * 2 + ["message.redriven"] * 2


def test_a_discarded_letter_is_gone_and_its_message_is_not_enqueued_again(stage: OutboxStage) -> None:
    stage.postman.answer = lambda _message: NotDelivered("never", status=404)
    with stage.working():
        stage.put(stage.message(1))
        stage.emptied()
        letters = stage.desk.letters(10)
        assert [event.by for event in stage.desk.discard(letters, "root", stage.clock())] == ["root"]
        assert stage.desk.discard(letters, "root", stage.clock()) == []
        assert stage.desk.retry(letters, "root", stage.clock()) == []
        stage.put(stage.message(1))
        stage.settle()
    assert len(stage.postman.asked) == 1
    assert stage.status().dead == 0
    assert kinds(stage) == ["message.dead", "message.discarded"]


def digesting(site: Site, clock: VirtualClock, above: int = 20) -> OutboxStage:
    return OutboxStage(site, clock, replace(AT_ONCE, digest_above=above))


def test_many_that_wait_become_one_that_counts_them_and_the_others_keep_their_order(
    site: Site, clock: VirtualClock
) -> None:
    stage = digesting(site, clock)
    for number in range(50):
        stage.put(stage.message(f"s{number}", task="signin"))
        if number % 10 == 5:
            stage.put(stage.message(f"t{number}"))
    with stage.working():
        stage.emptied()
    assert [(message.id, message.task) for message in stage.postman.delivered] == [
        ("ms0", "digest"),
        *((f"mt{number}", "event") for number in (5, 15, 25, 35, 45)),
    ]
    assert stage.postman.delivered[0].body["count"] == 50
    stage.put(*(stage.message(f"s{number}", task="signin") for number in range(50)))
    assert stage.status().waiting == 0


def test_few_that_wait_are_sent_one_by_one_and_so_is_what_is_urgent(site: Site, clock: VirtualClock) -> None:
    stage = digesting(site, clock)
    stage.put(*(stage.message(f"s{number}", task="signin") for number in range(20)))
    stage.put(*(stage.message(f"u{number}", task="signin", urgent=True) for number in range(30)))
    with stage.working():
        stage.emptied()
    assert {message.task for message in stage.postman.delivered} == {"signin"}
    assert len(stage.postman.delivered) == 50


def test_thousands_are_counted_in_full(site: Site, clock: VirtualClock) -> None:
    stage = digesting(site, clock)
    stage.put(*(stage.message(number, task="signin") for number in range(2_500)))
    with stage.working():
        stage.emptied()
    assert [message.body["count"] for message in stage.postman.delivered] == [1000, 1000, 500]


def test_a_digest_that_may_have_arrived_is_sent_again_as_it_was(site: Site, clock: VirtualClock) -> None:
    stage = digesting(site, clock)
    answers = iter([NotDelivered("retry", ambiguous=True, status=504)])
    stage.postman.answer = lambda _message: next(answers, Delivered())
    stage.put(*(stage.message(number, task="signin") for number in range(30)))
    with stage.working():
        stage.settle()
        stage.put(*(stage.message(number, task="signin") for number in range(30, 60)))
        stage.advance(9.9)
        assert len(stage.postman.asked) == 1
        stage.advance(0.2)
        stage.emptied()
    assert [message.body["count"] for message in stage.postman.asked] == [30, 30, 30]
    assert [message.id for message in stage.postman.asked] == ["m0", "m0", "m30"]


def test_of_a_digest_that_is_refused_each_message_becomes_a_letter(site: Site, clock: VirtualClock) -> None:
    stage = digesting(site, clock)
    answers = iter([NotDelivered("never", status=404)])
    stage.postman.answer = lambda _message: next(answers, Delivered())
    stage.put(*(stage.message(number, task="signin") for number in range(30)))
    with stage.working():
        stage.emptied()
        assert stage.status().dead == 30
        assert told(stage)[0].facts["messages"] == 30
        stage.desk.retry(stage.desk.letters(100), "root", stage.clock())
        stage.emptied()
    assert sum(message.body.get("count", 1) for message in stage.postman.delivered) == 30


def test_what_nobody_expected_keeps_neither_the_destination_nor_the_others_from_going_on(stage: OutboxStage) -> None:
    def answer(message: Message) -> Outcome:
        if message.id == "m0":
            raise RuntimeError("a secret that nobody may read")
        return Delivered()

    stage.postman.answer = answer
    with stage.working() as worker:
        stage.put(stage.message(0), stage.message(1), stage.message("o", OTHER))
        for _ in range(25):
            stage.advance(300)
        stage.emptied()
        faults = worker.named("fault")
    assert stage.postman.ids == ["mo", "m1"]
    assert len(faults) == 20
    assert "secret" not in repr(faults)
    assert [letter.reason for letter in stage.desk.letters(10)] == ["tries"]


def test_a_restart_of_redis_loses_nothing_and_doubles_nothing(
    redis_server: RestartableRedis, site: Site, clock: VirtualClock
) -> None:
    store = Store(client_for(redis_server.url, "", 5.0, 64, ""))
    redis_server.await_answer(store)
    stage = OutboxStage(Site(site.directory, redis_server.url, store), clock)
    reached, gate = threading.Event(), threading.Event()

    def answer(message: Message) -> Outcome:
        if message.id == "m20":
            reached.set()
            gate.wait(30)
        return Delivered()

    stage.postman.answer = answer
    stage.put(*(stage.message(number) for number in range(40)))
    with stage.working():
        assert reached.wait(30)
        redis_server.end()
        gate.set()
        redis_server.start()
        redis_server.await_answer(store)
        stage.put(*(stage.message(number) for number in range(40, 50)))
        stage.emptied()
    store.close()
    assert stage.postman.ids == [f"m{number}" for number in range(50)]


def test_a_worker_that_ends_gives_back_what_it_has_not_begun(stage: OutboxStage) -> None:
    waiting = replace(AT_ONCE, per_token=0.01)
    stage.terms = waiting
    stage.put(*(stage.message(number, f"room:r{number}") for number in range(3)))
    with stage.working():
        eventually(lambda: len(stage.postman.ids) == 1)
    stage.terms = AT_ONCE
    stage.site.store.command("HDEL", f"{OUTBOX}:channel", "next")
    stage.clock.advance(500)
    with stage.working():
        stage.emptied()
    assert sorted(stage.postman.ids) == ["m0", "m1", "m2"]
    assert {message.id for message in stage.postman.asked} == {"m0", "m1", "m2"}


def test_an_empty_outbox_costs_next_to_nothing(tmp_path: Path, store: Store, relay: CountingRelay) -> None:
    listened = Site(tmp_path, relay.url, store)
    listened.write(REGISTRY, SETTINGS)
    with working(listened, FanOut, UrgentOutboxSender, OutboxSender, OutboxTimes):
        eventually(lambda: relay.round_trips >= 10)
        relay.reset()
        began = time.monotonic()
        eventually(lambda: relay.round_trips >= 20)
        assert time.monotonic() - began > 2
