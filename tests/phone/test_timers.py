"""The timers that end logins, on both servers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.phone.timers import LogoutTimer, LogoutTimers
from casduo.store import Store

NOW = 1_790_000_000.0
DEVICE, OTHER = "SEP001122334455", "SEP00AABBCCDDEE"
LEASE = 60.0


@pytest.fixture
def timers(any_store: Store) -> LogoutTimers:
    return LogoutTimers(any_store)


def set_timer(store: Store, timers: LogoutTimers, device: str, userid: str, at: float, now: float = NOW) -> None:
    batch = store.batch()
    timers.set(batch, device, userid, at, now)
    batch.run()


def clear(store: Store, timers: LogoutTimers, device: str) -> int:
    batch = store.batch()
    reply = timers.clear(batch, device)
    batch.run()
    return int(reply.value)


def due(timers: LogoutTimers, now: float, most: int = 100) -> list[LogoutTimer]:
    return timers.due(now, most, LEASE)


def the_one(timers: LogoutTimers, now: float) -> LogoutTimer:
    (timer,) = due(timers, now)
    return timer


def test_a_timer_is_due_at_its_time(any_store: Store, timers: LogoutTimers) -> None:
    set_timer(any_store, timers, DEVICE, "ada", NOW + 10.5)
    assert due(timers, NOW + 10.4) == []
    timer = the_one(timers, NOW + 10.5)
    assert (timer.device, timer.userid, timer.at, timer.tries, timer.asked) == (DEVICE, "ada", NOW + 10.5, 0, False)


def test_the_oldest_come_first_and_no_more_than_asked_for(any_store: Store, timers: LogoutTimers) -> None:
    for number in (3, 1, 2):
        set_timer(any_store, timers, f"SEP00000000000{number}", "ada", NOW + number)
    assert [timer.at for timer in due(timers, NOW + 9, most=2)] == [NOW + 1, NOW + 2]
    assert [timer.at for timer in due(timers, NOW + 9, most=2)] == [NOW + 3]


def test_each_timer_is_claimed_once(any_store: Store, timers: LogoutTimers) -> None:
    for number in range(200):
        set_timer(any_store, timers, f"SEP{number:012}", "ada", NOW)
    with ThreadPoolExecutor(10) as pool:
        claims = [timer.device for found in pool.map(lambda _: due(timers, NOW, 20), range(20)) for timer in found]
    assert sorted(claims) == [f"SEP{number:012}" for number in range(200)]


def test_what_a_worker_died_over_is_claimed_by_another_when_the_lease_is_over(
    any_store: Store, timers: LogoutTimers
) -> None:
    set_timer(any_store, timers, DEVICE, "ada", NOW)
    first = the_one(timers, NOW)
    assert timers.ask(first)
    assert due(timers, NOW + LEASE - 1) == []
    second = the_one(timers, NOW + LEASE)
    assert (second.id, second.asked) == (first.id, True)
    # The first one was only slow: it ends what the other has in hand.
    assert timers.done(first)
    assert not timers.done(second)


def test_what_is_done_is_gone(any_store: Store, timers: LogoutTimers) -> None:
    set_timer(any_store, timers, DEVICE, "ada", NOW)
    timer = the_one(timers, NOW)
    assert timers.done(timer)
    assert not timers.done(timer)
    assert not timers.ask(timer)
    assert not timers.put_off(timer, NOW + 1, 1)
    assert any_store.command("KEYS", "*") == []


def test_setting_it_again_replaces_it(any_store: Store, timers: LogoutTimers) -> None:
    set_timer(any_store, timers, DEVICE, "ada", NOW)
    set_timer(any_store, timers, DEVICE, "grace", NOW + 100)
    assert due(timers, NOW) == []
    assert the_one(timers, NOW + 100).userid == "grace"


def test_a_claim_is_worth_nothing_once_the_timer_was_set_anew(any_store: Store, timers: LogoutTimers) -> None:
    set_timer(any_store, timers, DEVICE, "ada", NOW)
    old = the_one(timers, NOW)
    set_timer(any_store, timers, DEVICE, "ada", NOW + 100)
    assert not timers.ask(old)
    assert not timers.put_off(old, NOW + 5, 1)
    assert not timers.done(old)
    assert due(timers, NOW + 99) == []
    new = the_one(timers, NOW + 100)
    assert (new.tries, new.asked, new.at) == (0, False, NOW + 100)


def test_a_cleared_timer_is_never_due_and_a_claim_of_it_is_worth_nothing(
    any_store: Store, timers: LogoutTimers
) -> None:
    set_timer(any_store, timers, DEVICE, "ada", NOW)
    set_timer(any_store, timers, OTHER, "grace", NOW)
    claims = {timer.device: timer for timer in due(timers, NOW)}
    assert clear(any_store, timers, DEVICE) == 1
    assert clear(any_store, timers, DEVICE) == 0
    assert not timers.ask(claims[DEVICE])
    assert timers.ask(claims[OTHER])
    assert [timer.device for timer in due(timers, NOW + LEASE)] == [OTHER]


def test_what_is_put_off_is_due_again_then(any_store: Store, timers: LogoutTimers) -> None:
    set_timer(any_store, timers, DEVICE, "ada", NOW)
    timer = the_one(timers, NOW)
    assert timers.put_off(timer, NOW + 5, 1)
    assert due(timers, NOW + 4) == []
    again = the_one(timers, NOW + 5)
    assert (again.tries, again.at) == (1, NOW)


def test_a_timer_whose_record_has_expired_is_forgotten(any_store: Store, timers: LogoutTimers) -> None:
    set_timer(any_store, timers, DEVICE, "ada", NOW)
    set_timer(any_store, timers, OTHER, "grace", NOW)
    any_store.command("DEL", f"casduo:{{phone.logouts}}:timer:{DEVICE}")
    assert [timer.device for timer in due(timers, NOW)] == [OTHER]
    assert any_store.command("ZCARD", "casduo:{phone.logouts}:due") == 1


def test_everything_expires_a_week_after_it_was_due(any_store: Store, timers: LogoutTimers) -> None:
    week = 7 * 86_400_000
    set_timer(any_store, timers, DEVICE, "ada", NOW + 3600)
    set_timer(any_store, timers, OTHER, "grace", NOW + 10)
    left = {key.rpartition(":")[2]: any_store.command("PTTL", key) for key in any_store.command("KEYS", "*")}
    assert set(left) == {"due", DEVICE, OTHER}
    assert week + 3_590_000 < left["due"] <= week + 3_600_000
    assert week + 3_590_000 < left[DEVICE] <= week + 3_600_000
    assert week < left[OTHER] <= week + 10_000


@pytest.mark.parametrize("userid", ["o'neil", "ada lovelace", "müller@example.edu", '{"a": "|"}', "x" * 256])
def test_any_user_id_comes_back_as_it_was(any_store: Store, timers: LogoutTimers, userid: str) -> None:
    set_timer(any_store, timers, DEVICE, userid, NOW)
    assert the_one(timers, NOW).userid == userid
