from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.errors import UpstreamBusy, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound import Breaker, BreakerOpen, BreakerState
from casduo.outbound.breaker import LocalBreakerMemory, timed_out


class Cancelled(BaseException):
    """What a greenlet that is killed raises: not an Exception."""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("duo", failures=3, pause=10.0, clock=clock, probe_deadline=30.0)


def fail() -> None:
    raise UpstreamUnavailable("duo", "timeout")


def hang_up() -> None:
    raise UpstreamUnavailable("duo", "refused")


def refuse() -> None:
    raise UpstreamMisconfigured("duo", "keys")


def break_open(breaker: Breaker) -> None:
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            breaker.call(fail)


def test_a_result_is_handed_through(breaker: Breaker) -> None:
    assert breaker.call(lambda: "yes") == "yes"


def test_failures_in_a_row_open_it(breaker: Breaker, clock: Clock) -> None:
    assert breaker.state(clock.now) is BreakerState.CLOSED
    break_open(breaker)
    assert breaker.state(clock.now) is BreakerState.OPEN


def test_while_open_nobody_is_asked(breaker: Breaker) -> None:
    break_open(breaker)
    asked: list[int] = []
    with pytest.raises(BreakerOpen) as caught:
        breaker.call(lambda: asked.append(1))
    assert asked == []
    assert isinstance(caught.value, UpstreamUnavailable)
    assert caught.value.detail == "breaker_open"


def test_a_success_in_between_starts_the_count_again(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        with pytest.raises(UpstreamUnavailable):
            breaker.call(fail)
        with pytest.raises(UpstreamUnavailable):
            breaker.call(fail)
        breaker.call(lambda: None)
    assert breaker.state(clock.now) is BreakerState.CLOSED


def test_after_the_pause_one_probe_at_a_time_is_let_through(breaker: Breaker, clock: Clock) -> None:
    break_open(breaker)
    clock.now += 10.0
    assert breaker.state(clock.now) is BreakerState.HALF_OPEN
    assert [breaker.allow(clock.now) for _ in range(3)] == [True, False, False]


def test_a_good_probe_closes_it(breaker: Breaker, clock: Clock) -> None:
    break_open(breaker)
    clock.now += 10.0
    breaker.call(lambda: None)
    assert breaker.state(clock.now) is BreakerState.CLOSED


def test_a_failed_probe_starts_another_pause(breaker: Breaker, clock: Clock) -> None:
    break_open(breaker)
    clock.now += 10.0
    with pytest.raises(UpstreamUnavailable):
        breaker.call(fail)
    assert not breaker.allow(clock.now + 9.9)
    assert breaker.allow(clock.now + 10.0)


def test_a_probe_that_never_reports_back_does_not_block_for_ever(breaker: Breaker, clock: Clock) -> None:
    break_open(breaker)
    clock.now += 10.0
    assert breaker.allow(clock.now)
    assert not breaker.allow(clock.now + 29.9)
    assert breaker.allow(clock.now + 30.0)


def test_a_cancelled_probe_lets_the_next_one_probe_at_once(breaker: Breaker, clock: Clock) -> None:
    def cancelled() -> None:
        raise Cancelled

    break_open(breaker)
    clock.now += 10.0
    with pytest.raises(Cancelled):
        breaker.call(cancelled)
    assert breaker.call(lambda: "answered") == "answered"


def test_a_probe_stopped_by_our_own_bulkhead_says_nothing_about_the_upstream(breaker: Breaker, clock: Clock) -> None:
    def full() -> None:
        raise UpstreamBusy("duo")

    break_open(breaker)
    clock.now += 10.0
    with pytest.raises(UpstreamBusy):
        breaker.call(full)
    assert breaker.state(clock.now) is BreakerState.HALF_OPEN
    assert breaker.allow(clock.now)


def test_a_refusal_is_proof_of_life(breaker: Breaker, clock: Clock) -> None:
    for _ in range(10):
        with pytest.raises(UpstreamMisconfigured):
            breaker.call(refuse)
    assert breaker.state(clock.now) is BreakerState.CLOSED


def test_late_failures_do_not_lengthen_the_pause(breaker: Breaker, clock: Clock) -> None:
    break_open(breaker)
    breaker.failure(clock.now + 9.0)
    assert breaker.allow(clock.now + 10.0)


def test_an_observed_call_is_made_even_while_open_and_closes_it(breaker: Breaker, clock: Clock) -> None:
    break_open(breaker)
    assert breaker.observe(lambda: "worth a try") == "worth a try"
    assert breaker.state(clock.now) is BreakerState.CLOSED


def test_which_errors_count_can_be_chosen(clock: Clock) -> None:
    breaker = Breaker("duo", failures=1, clock=clock, is_outage=lambda error: error.detail == "timeout")

    def limited() -> None:
        raise UpstreamUnavailable("duo", "rate_limited")

    with pytest.raises(UpstreamUnavailable):
        breaker.call(limited)
    assert breaker.state(clock.now) is BreakerState.CLOSED
    with pytest.raises(UpstreamUnavailable):
        breaker.call(fail)
    assert breaker.state(clock.now) is BreakerState.OPEN


def test_a_clock_that_was_set_back_does_not_keep_it_open(breaker: Breaker, clock: Clock) -> None:
    break_open(breaker)
    clock.now -= 3600.0
    assert breaker.call(lambda: "asked") == "asked"


def test_zero_failures_are_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        Breaker("duo", failures=0)


# What costs a time-out


def test_a_failure_that_cost_a_time_out_opens_it_alone(clock: Clock) -> None:
    breaker = Breaker("duo", failures=3, clock=clock, is_slow=timed_out)
    with pytest.raises(UpstreamUnavailable, match="refused"):
        breaker.call(hang_up)
    assert breaker.state(clock.now) is BreakerState.CLOSED
    with pytest.raises(UpstreamUnavailable, match="timeout"):
        breaker.call(fail)
    assert breaker.state(clock.now) is BreakerState.OPEN


@pytest.mark.parametrize(
    ("detail", "slow"), [("timeout", True), ("deadline", True), ("refused", False), ("server_error", False)]
)
def test_a_time_out_is_told_by_its_detail(detail: str, slow: bool) -> None:
    assert timed_out(UpstreamUnavailable("duo", detail)) is slow


def test_a_slow_answer_that_is_no_outage_opens_nothing(clock: Clock) -> None:
    breaker = Breaker("duo", failures=1, clock=clock, is_outage=lambda _: False, is_slow=timed_out)
    with pytest.raises(UpstreamUnavailable):
        breaker.call(fail)
    assert breaker.state(clock.now) is BreakerState.CLOSED


def test_by_itself_a_breaker_of_all_processes_minds_time_outs_and_one_of_its_own_counts_them(clock: Clock) -> None:
    states = []
    for memory in (LocalBreakerMemory(), None):
        breaker = Breaker("duo", failures=2, clock=clock, memory=memory)
        with pytest.raises(UpstreamUnavailable):
            breaker.call(fail)
        states.append(breaker.state(clock.now))
    assert states == [BreakerState.OPEN, BreakerState.CLOSED]


# Late news


def test_late_news_during_a_probe_does_not_pass_for_the_probes(breaker: Breaker, clock: Clock) -> None:
    def hangs_through_the_pause() -> None:
        break_open(breaker)
        clock.now += 10.0
        assert breaker.allow(clock.now)
        fail()

    with pytest.raises(UpstreamUnavailable):
        breaker.call(hangs_through_the_pause)
    assert breaker.state(clock.now) is BreakerState.HALF_OPEN
    assert not breaker.allow(clock.now)
    breaker.success()
    assert breaker.state(clock.now) is BreakerState.CLOSED


def test_late_news_does_not_open_a_breaker_that_a_probe_has_closed(clock: Clock) -> None:
    breaker = Breaker("duo", failures=1, pause=10.0, clock=clock)

    def hangs_through_the_outage() -> None:
        with pytest.raises(UpstreamUnavailable):
            breaker.call(fail)
        clock.now += 10.0
        breaker.call(lambda: None)
        clock.now += 1.0
        fail()

    with pytest.raises(UpstreamUnavailable):
        breaker.call(hangs_through_the_outage)
    assert breaker.state(clock.now) is BreakerState.CLOSED
    with pytest.raises(UpstreamUnavailable):
        breaker.call(fail)
    assert breaker.state(clock.now) is BreakerState.OPEN


def test_a_cancelled_call_takes_no_probe_away_from_another(breaker: Breaker, clock: Clock) -> None:
    def cancelled() -> None:
        raise Cancelled

    break_open(breaker)
    clock.now += 10.0
    assert breaker.allow(clock.now)
    with ThreadPoolExecutor(1) as pool, pytest.raises(Cancelled):
        pool.submit(breaker.observe, cancelled).result()
    assert not breaker.allow(clock.now)
