"""Breakers that share one record in Redis, on Valkey and Redis 7.0: what one caller learns, all know at once."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from casduo.errors import UpstreamBusy, UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound import Breaker, BreakerOpen, BreakerState
from casduo.store import Store
from casduo.store.breakers import RedisBreakerMemory, breaker_key
from casduo.store.store import client_for
from tests.support.redis_servers import CountingRelay, start_debian_redis

NAME = "duo auth api"
KEY = breaker_key(NAME)
PAUSE = 10.0
DEADLINE = 30.0
PATIENCE = 30.0


class Cancelled(BaseException):
    """What a greenlet that is killed raises."""


class Hours:
    """Lets time pass: for the nodes by their clock, for Redis by moving what it has noted into the past."""

    def __init__(self, store: Store) -> None:
        self.now = 1_790_000_000.0
        self._store = store

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.move_records(-seconds)

    def move_records(self, seconds: float) -> None:
        for name, unit in (("opened", 1000), ("closed", 1000), ("probe", 1_000_000)):
            if self._store.command("HEXISTS", KEY, name):
                self._store.command("HINCRBY", KEY, name, int(seconds * unit))


@pytest.fixture
def hours(any_store: Store) -> Hours:
    return Hours(any_store)


Node = Callable[[], Breaker]


@pytest.fixture
def node(any_redis_url: str, any_store: Store, hours: Hours) -> Iterator[Node]:
    """Makes breakers as they are in processes of their own: they have nothing in common but Redis."""
    with contextlib.ExitStack() as stack:

        def make() -> Breaker:
            own = Store(client_for(any_redis_url, "", 5.0, 64, ""))
            stack.callback(own.close)
            return breaker_on(own, hours)

        yield make


def breaker_on(store: Store, clock: Callable[[], float], memory: RedisBreakerMemory | None = None) -> Breaker:
    memory = memory or RedisBreakerMemory(store)
    return Breaker(NAME, 3, PAUSE, clock, probe_deadline=DEADLINE, memory=memory)


def hang() -> None:
    raise UpstreamUnavailable("duo", "timeout")


def hang_up() -> None:
    raise UpstreamUnavailable("duo", "refused")


def fail(breaker: Breaker, how: Callable[[], None] = hang_up) -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        breaker.call(how)
    assert not isinstance(caught.value, BreakerOpen)


def refused(breaker: Breaker) -> bool:
    """Whether a call is refused without anybody being asked."""
    asked: list[int] = []
    try:
        breaker.call(lambda: asked.append(1))
    except BreakerOpen:
        return not asked
    return False


# Opening


def test_an_outage_costs_one_time_out_in_all(node: Node) -> None:
    first, second, third = node(), node(), node()
    fail(first, hang)
    assert [refused(breaker) for breaker in (first, second, third)] == [True] * 3


def test_other_failures_are_counted_over_all_processes(node: Node) -> None:
    first, second = node(), node()
    fail(first)
    fail(second)
    assert second.call(lambda: "still asked") == "still asked"
    fail(first)
    fail(second)
    fail(first)
    assert refused(first)
    assert refused(second)


def test_a_success_anywhere_starts_the_count_again(node: Node) -> None:
    first, second, third = node(), node(), node()
    for _ in range(3):
        fail(first)
        fail(second)
        third.call(lambda: None)
    assert not refused(first)


def test_a_refusal_is_proof_of_life(node: Node) -> None:
    def refuse() -> None:
        raise UpstreamMisconfigured("duo", "keys")

    first, second = node(), node()
    for _ in range(3):
        fail(first)
        fail(first)
        with pytest.raises(UpstreamMisconfigured):
            second.call(refuse)
    assert not refused(first)


def test_breakers_of_other_names_are_left_alone(any_store: Store, hours: Hours) -> None:
    memory = RedisBreakerMemory(any_store)
    fail(breaker_on(any_store, hours, memory), hang)
    assert not refused(Breaker("duo prompt", clock=hours, memory=memory))


def test_what_it_says_to_health_pages(node: Node, hours: Hours) -> None:
    first, second = node(), node()
    assert second.state(hours.now) is BreakerState.CLOSED
    fail(first)
    assert second.state(hours.now) is BreakerState.CLOSED
    fail(first, hang)
    assert second.state(hours.now) is BreakerState.OPEN
    hours.pass_by(PAUSE)
    assert second.state(hours.now) is BreakerState.HALF_OPEN
    assert first.allow(hours.now)
    assert second.state(hours.now) is BreakerState.HALF_OPEN
    first.success()
    assert second.state(hours.now) is BreakerState.CLOSED


# The probe


def test_of_fifty_callers_exactly_one_probes_and_its_success_lets_all_in(node: Node, hours: Hours) -> None:
    breakers = [node() for _ in range(5)]
    fail(breakers[0], hang)
    hours.pass_by(PAUSE)
    everybody = threading.Barrier(50)
    others_refused = threading.Semaphore(0)

    def probe() -> str:
        for _ in range(49):
            assert others_refused.acquire(timeout=PATIENCE)
        return "probed"

    def caller(number: int) -> str:
        everybody.wait(PATIENCE)
        try:
            return breakers[number % 5].call(probe)
        except BreakerOpen:
            others_refused.release()
            return "refused"

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(caller, range(50)))
    assert sorted(results) == ["probed"] + ["refused"] * 49
    assert [breaker.call(lambda: "in") for breaker in breakers] == ["in"] * 5


CALLERS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from casduo.outbound import Breaker
from casduo.store import Store
from casduo.store.breakers import RedisBreakerMemory
from casduo.store.store import client_for

store = Store(client_for(sys.argv[1], "", 5.0, 16, ""))
breaker = Breaker(sys.argv[2], 3, 10.0, probe_deadline=30.0, memory=RedisBreakerMemory(store))
store.ping()
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(12) as pool:
    print(sum(pool.map(lambda _: breaker.allow(0.0), range(12))), flush=True)
"""


def test_processes_share_one_probe(any_redis_url: str, node: Node, hours: Hours) -> None:
    fail(node(), hang)
    hours.pass_by(PAUSE)
    command = [sys.executable, "-c", CALLERS, any_redis_url, NAME]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    allowed = [int(process.communicate(timeout=PATIENCE)[0]) for process in processes]
    assert sorted(allowed) == [0, 0, 0, 1]


def test_a_good_probe_closes_it_for_all(node: Node, hours: Hours) -> None:
    first, second = node(), node()
    fail(first, hang)
    hours.pass_by(PAUSE)
    assert second.call(lambda: "back") == "back"
    assert not refused(first)
    # Nothing is left of the outage: the count begins anew.
    fail(first)
    fail(second)
    assert not refused(first)


def test_a_failed_probe_starts_another_pause_for_all(node: Node, hours: Hours) -> None:
    first, second = node(), node()
    fail(first, hang)
    hours.pass_by(PAUSE)
    fail(second)
    hours.pass_by(PAUSE - 0.5)
    assert refused(first)
    hours.pass_by(0.5)
    assert not refused(first)


def test_a_probe_whose_process_died_does_not_block_for_ever(node: Node, hours: Hours) -> None:
    first, second = node(), node()
    fail(first, hang)
    hours.pass_by(PAUSE)
    assert first.allow(hours.now)
    hours.pass_by(DEADLINE - 0.5)
    assert refused(second)
    hours.pass_by(0.5)
    assert not refused(second)


def test_a_cancelled_probe_lets_anybody_probe_at_once(node: Node, hours: Hours) -> None:
    def cancelled() -> None:
        raise Cancelled

    first, second = node(), node()
    fail(first, hang)
    hours.pass_by(PAUSE)
    with pytest.raises(Cancelled):
        first.call(cancelled)
    assert second.call(lambda: "probed") == "probed"


def test_giving_back_a_lease_that_ran_out_takes_none_from_another(node: Node, hours: Hours) -> None:
    first, second, third = node(), node(), node()
    fail(first, hang)
    hours.pass_by(PAUSE)
    assert first.allow(hours.now)
    hours.pass_by(DEADLINE)
    assert second.allow(hours.now)
    first.release()
    assert refused(third)


# Late news


def test_late_news_does_not_lengthen_the_pause(node: Node, hours: Hours) -> None:
    first, second = node(), node()

    def hangs_meanwhile() -> None:
        fail(second, hang)
        hours.pass_by(PAUSE - 1)
        hang()

    fail(first, hangs_meanwhile)
    hours.pass_by(1)
    assert not refused(second)


def test_late_news_during_a_probe_does_not_pass_for_the_probes(node: Node, hours: Hours) -> None:
    first, second, third = node(), node(), node()

    def hangs_meanwhile() -> None:
        fail(second, hang)
        hours.pass_by(PAUSE)
        assert second.allow(hours.now)
        hang()

    fail(first, hangs_meanwhile)
    assert third.state(hours.now) is BreakerState.HALF_OPEN
    assert refused(third)
    second.success()
    assert not refused(third)


def test_late_news_does_not_open_a_breaker_that_a_probe_has_closed(node: Node, hours: Hours) -> None:
    first, second = node(), node()

    def hangs_through_the_outage() -> None:
        fail(second, hang)
        hours.pass_by(PAUSE)
        second.call(lambda: None)
        hours.pass_by(1)
        hang()

    fail(first, hangs_through_the_outage)
    assert not refused(second)
    fail(first, hang)
    assert refused(second)


def test_an_observed_call_that_is_answered_closes_it_for_all(node: Node) -> None:
    first, second, third = node(), node(), node()
    fail(first, hang)
    assert second.observe(lambda: "answered") == "answered"
    assert not refused(third)


def test_an_answer_that_comes_while_others_give_up_closes_it_for_all(node: Node) -> None:
    first, second = node(), node()

    def takes_its_time() -> str:
        fail(first, hang)
        assert refused(second)
        return "answered"

    assert first.call(takes_its_time) == "answered"
    assert not refused(second)


# Clocks


def test_nodes_whose_clocks_differ_agree(any_store: Store, hours: Hours) -> None:
    fast = breaker_on(any_store, lambda: hours.now + 3600)
    slow = breaker_on(any_store, lambda: hours.now - 3600)
    fail(fast, hang)
    assert refused(slow)
    assert slow.state(hours.now - 3600) is BreakerState.OPEN
    hours.pass_by(PAUSE - 0.5)
    assert (refused(slow), refused(fast)) == (True, True)
    hours.pass_by(0.5)
    assert slow.call(lambda: "probed") == "probed"
    assert not refused(fast)


def test_a_redis_whose_clock_was_set_back_does_not_keep_it_open(node: Node, hours: Hours) -> None:
    breaker = node()
    fail(breaker, hang)
    hours.move_records(3600)
    assert breaker.state(hours.now) is BreakerState.HALF_OPEN
    assert not refused(breaker)


# What it costs, and what it leaves


@pytest.fixture
def far(relay: CountingRelay, store: Store) -> Iterator[Store]:
    """The store across a relay that counts round trips."""
    found = Store(client_for(relay.url, "", 5.0, 4, ""))
    found.ping()
    yield found
    found.close()


def trips(relay: CountingRelay, step: Callable[[], object]) -> int:
    relay.reset()
    with contextlib.suppress(UpstreamError):
        step()
    return relay.round_trips


def test_round_trips(store: Store, relay: CountingRelay, far: Store) -> None:
    def full() -> None:
        raise UpstreamBusy("duo")

    hours = Hours(store)
    breaker, other = breaker_on(far, hours), breaker_on(store, hours)
    assert trips(relay, lambda: breaker.call(lambda: None)) == 1
    assert trips(relay, lambda: breaker.call(full)) == 1
    assert trips(relay, lambda: breaker.state(hours.now)) == 1
    assert trips(relay, lambda: breaker.call(hang_up)) == 2
    # A failure is on record: the success has to wipe it out.
    assert trips(relay, lambda: breaker.call(lambda: None)) == 2
    assert trips(relay, lambda: breaker.call(lambda: None)) == 1
    fail(other, hang)
    assert trips(relay, lambda: breaker.call(lambda: None)) == 1
    hours.pass_by(PAUSE)
    assert trips(relay, lambda: breaker.call(lambda: None)) == 2
    assert trips(relay, lambda: breaker.call(lambda: None)) == 1


def test_records_expire_by_themselves_and_name_nobody(any_store: Store, node: Node, hours: Hours) -> None:
    def left() -> int:
        assert any_store.command("KEYS", "*") == [KEY]
        return int(any_store.command("PTTL", KEY))

    breaker = node()
    assert "duo" not in KEY.removeprefix("casduo")
    breaker.call(lambda: None)
    assert any_store.command("KEYS", "*") == []
    fail(breaker)
    assert 3_600_000 < left() <= 3_640_000
    fail(breaker, hang)
    assert 3_600_000 < left() <= 3_640_000
    hours.pass_by(PAUSE)
    assert breaker.allow(hours.now)
    assert 3_600_000 < left() <= 3_640_000
    breaker.success()
    assert 0 < left() <= DEADLINE * 1000


def test_scripts_that_redis_has_forgotten_are_told_anew(any_store: Store, node: Node, hours: Hours) -> None:
    first, second = node(), node()
    first.call(lambda: None)
    any_store.command("SCRIPT", "FLUSH")
    fail(first, hang)
    any_store.command("SCRIPT", "FLUSH")
    assert refused(second)
    hours.pass_by(PAUSE)
    any_store.command("SCRIPT", "FLUSH")
    assert second.call(lambda: "back") == "back"
    assert not refused(first)


# Without Redis


def test_a_redis_that_stops_in_the_middle_costs_nobody_a_call(tmp_path: Path) -> None:
    process, url = start_debian_redis(tmp_path)
    store = Store(client_for(url, "", 5.0, 4, ""))
    hours = Hours(store)
    breaker = breaker_on(store, hours)

    def stops_redis() -> str:
        process.kill()
        process.wait()
        return "answered"

    fail(breaker)
    assert breaker.call(stops_redis) == "answered"
    assert breaker.call(lambda: "answered") == "answered"
    # By itself it still knows what an outage is, and recovers from it.
    fail(breaker, hang)
    assert refused(breaker)
    assert breaker.state(hours.now) is BreakerState.OPEN
    hours.now += PAUSE
    assert [breaker.allow(hours.now), breaker.allow(hours.now)] == [True, False]
    breaker.release()
    assert breaker.call(lambda: "back") == "back"
    assert not refused(breaker)
    # A new Redis that knows nothing: from now on it decides.
    process, _ = start_debian_redis(tmp_path)
    fail(breaker, hang)
    hours.now += 1.0
    assert not refused(breaker)
    fail(breaker, hang)
    assert refused(breaker_on(store, hours))
    store.close()
    process.kill()
    process.wait()


def test_what_redis_said_last_is_kept_in_mind(store: Store, relay: CountingRelay, far: Store) -> None:
    hours = Hours(store)
    breaker, other = breaker_on(far, hours), breaker_on(store, hours)
    fail(other, hang)
    assert refused(breaker)
    relay.cut()
    hours.now += 4.0
    assert refused(breaker)
    hours.now += PAUSE - 4.0
    assert not refused(breaker)


def test_failures_that_redis_has_counted_are_kept_in_mind(store: Store, relay: CountingRelay, far: Store) -> None:
    hours = Hours(store)
    breaker, other = breaker_on(far, hours), breaker_on(store, hours)
    fail(other)
    fail(other)
    assert breaker.allow(hours.now)
    relay.cut()
    fail(breaker)
    assert refused(breaker)
    relay.mend()
    store.command("FLUSHALL")
    hours.now += 1.0
    assert breaker.allow(hours.now)
    relay.cut()
    fail(breaker)
    assert not refused(breaker)


def test_a_probe_of_redis_that_reports_to_nobody_counts_in_its_own_process(
    store: Store, relay: CountingRelay, far: Store
) -> None:
    def cut_and_hang_up() -> None:
        relay.cut()
        hang_up()

    hours = Hours(store)
    breaker, other = breaker_on(far, hours), breaker_on(store, hours)
    fail(other, hang)
    hours.pass_by(PAUSE)
    fail(breaker, cut_and_hang_up)
    hours.now += PAUSE - 1.0
    assert refused(breaker)
    # All others wait until the lease has run out, and no longer.
    relay.mend()
    hours.pass_by(DEADLINE)
    assert other.call(lambda: "back") == "back"
    assert not refused(breaker)


def test_redis_decides_once_it_answers_again(store: Store, relay: CountingRelay, far: Store) -> None:
    hours = Hours(store)
    breaker, other = breaker_on(far, hours), breaker_on(store, hours)
    relay.cut()
    fail(breaker, hang)
    assert refused(breaker)
    assert not refused(other)
    relay.mend()
    # Left alone for a moment, then asked.
    assert refused(breaker)
    hours.now += 1.0
    assert breaker.call(lambda: "asked") == "asked"
    relay.cut()
    breaker.call(lambda: None)
    fail(other, hang)
    relay.mend()
    assert not refused(breaker)
    hours.now += 1.0
    assert refused(breaker)


def test_a_redis_that_has_forgotten_everything_decides_too(any_store: Store, node: Node) -> None:
    breaker = node()
    fail(breaker, hang)
    any_store.command("FLUSHALL")
    assert not refused(breaker)


def test_a_redis_that_does_not_answer_is_asked_once_and_then_left_alone(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "silent.sock"))
    listener.listen(16)
    store = Store(client_for(f"unix://{tmp_path}/silent.sock", "", 0.2, 2, ""))
    breaker = breaker_on(store, lambda: 1000.0)
    began = time.monotonic()
    assert [breaker.call(lambda: "asked") for _ in range(50)] == ["asked"] * 50
    assert time.monotonic() - began < 5.0
    store.close()
    listener.close()


def test_that_redis_is_away_is_logged_once_and_without_its_words(
    store: Store, relay: CountingRelay, far: Store
) -> None:
    hours = Hours(store)
    breaker = breaker_on(far, hours)
    with capture_logs() as lines:
        for _ in range(2):
            relay.cut()
            for _ in range(3):
                fail(breaker, hang_up)
                breaker.success()
                hours.now += 1.0
            relay.mend()
            breaker.call(lambda: None)
    expected = {"event": "breakers.apart", "log_level": "warning", "detail": "ConnectionError"}
    assert lines == [expected, expected]


@pytest.mark.parametrize(
    "spoil",
    [
        ("SET", KEY, "a text"),
        ("RPUSH", KEY, "a list"),
        ("HSET", KEY, "opened", "yesterday"),
        ("HSET", KEY, "failures", "many", "closed", "x"),
    ],
)
def test_a_record_that_nobody_can_read_costs_nobody_a_call(
    any_store: Store, node: Node, hours: Hours, spoil: tuple[str, ...]
) -> None:
    any_store.command(*spoil)
    breaker = node()
    assert breaker.call(lambda: "asked") == "asked"
    hours.now += 1.0
    assert breaker.state(hours.now) is BreakerState.CLOSED
    hours.now += 1.0
    fail(breaker)
    hours.now += 1.0
    assert breaker.call(lambda: "asked") == "asked"
