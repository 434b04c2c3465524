"""The limits on failed logins, on both servers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.store import Store
from casduo.throttling import Limit, LoginThrottle

NOW = 1_790_000_000.0
HOME, AWAY = "192.0.2.7", "198.51.100.9"


@pytest.fixture
def throttle() -> LoginThrottle:
    return LoginThrottle(user=Limit(6, 900, 5, 300), address=Limit(10, 900, 5, 60), pair=Limit(3, 900, 5, 40))


def wait(store: Store, throttle: LoginThrottle, user: str, address: str, now: float) -> int:
    batch = store.batch()
    verdict = throttle.test(batch, user, address, now)
    batch.run()
    return verdict.wait


def fail(store: Store, throttle: LoginThrottle, user: str, address: str, now: float) -> int:
    """One whole failed attempt. Returns the pause it earned, or -1 when it was not let in."""
    if wait(store, throttle, user, address, now):
        return -1
    batch = store.batch()
    verdict = throttle.fail(batch, user, address, now)
    batch.run()
    return verdict.wait


def succeed(store: Store, throttle: LoginThrottle, user: str, address: str, now: float) -> None:
    assert wait(store, throttle, user, address, now) == 0
    batch = store.batch()
    throttle.forgive(batch, user, address, now)
    batch.run()


def test_pauses_begin_after_the_free_failures_and_double_up_to_the_longest(
    any_store: Store, throttle: LoginThrottle
) -> None:
    now, pauses = NOW, []
    for _ in range(7):
        pause = fail(any_store, throttle, "ada", HOME, now)
        pauses.append(pause)
        now += pause
    # The pair counts to 40 seconds; from the sixth failure on the user's own limit adds its pauses.
    assert pauses == [0, 0, 5, 10, 20, 40, 40]


def test_an_attempt_during_a_pause_is_not_looked_at(any_store: Store, throttle: LoginThrottle) -> None:
    for _ in range(3):
        fail(any_store, throttle, "ada", HOME, NOW)
    assert wait(any_store, throttle, "ada", HOME, NOW + 1) == 4
    assert wait(any_store, throttle, "ada", HOME, NOW + 5) == 0


def test_a_clock_that_was_set_back_makes_no_pause_longer_than_the_longest(
    any_store: Store, throttle: LoginThrottle
) -> None:
    for _ in range(3):
        fail(any_store, throttle, "ada", HOME, NOW + 60)
    assert wait(any_store, throttle, "ada", HOME, NOW) == 40


def test_a_pause_by_a_clock_that_was_far_ahead_is_none_and_failures_still_count(
    any_store: Store, throttle: LoginThrottle
) -> None:
    for _ in range(3):
        fail(any_store, throttle, "ada", HOME, NOW + 86_400)
    assert fail(any_store, throttle, "ada", HOME, NOW) == 10
    assert wait(any_store, throttle, "ada", HOME, NOW) == 10


def test_an_attempt_under_way_by_a_clock_that_is_ahead_does_not_count(
    any_store: Store, throttle: LoginThrottle
) -> None:
    for _ in range(3):
        assert wait(any_store, throttle, "ada", HOME, NOW + 86_400) == 0
    assert wait(any_store, throttle, "ada", HOME, NOW) == 0


def test_a_pause_here_does_not_keep_the_owner_out_elsewhere(any_store: Store, throttle: LoginThrottle) -> None:
    for _ in range(3):
        fail(any_store, throttle, "ada", AWAY, NOW)
    assert wait(any_store, throttle, "ada", HOME, NOW) == 0


def test_many_places_guessing_at_one_user_are_slowed_together(any_store: Store, throttle: LoginThrottle) -> None:
    for place in range(6):
        fail(any_store, throttle, "ada", f"198.51.100.{place}", NOW)
    assert wait(any_store, throttle, "ada", HOME, NOW) == 5


def test_one_place_guessing_at_many_users_is_slowed(any_store: Store, throttle: LoginThrottle) -> None:
    for number in range(10):
        fail(any_store, throttle, f"user{number}", AWAY, NOW)
    assert wait(any_store, throttle, "grace", AWAY, NOW) == 5


def test_a_success_forgets_failures_of_user_and_pair_but_not_of_the_address(
    any_store: Store, throttle: LoginThrottle
) -> None:
    for number in range(9):
        fail(any_store, throttle, f"user{number}", HOME, NOW)
    fail_twice = [fail(any_store, throttle, "ada", AWAY, NOW) for _ in range(2)]
    assert fail_twice == [0, 0]
    succeed(any_store, throttle, "ada", AWAY, NOW)
    assert [fail(any_store, throttle, "ada", AWAY, NOW) for _ in range(3)] == [0, 0, 5]
    succeed(any_store, throttle, "grace", HOME, NOW)
    assert fail(any_store, throttle, "user99", HOME, NOW) == 5


def test_guesses_sent_at_once_are_not_all_let_in(any_store: Store, throttle: LoginThrottle) -> None:
    gate = threading.Barrier(30)

    def attempt() -> bool:
        gate.wait()
        return wait(any_store, throttle, "ada", HOME, NOW) == 0

    with ThreadPoolExecutor(30) as pool:
        let_in = [future.result() for future in [pool.submit(attempt) for _ in range(30)]]
    assert let_in.count(True) == 3


def test_attempts_whose_outcome_never_came_are_forgotten(any_store: Store, throttle: LoginThrottle) -> None:
    for _ in range(3):
        assert wait(any_store, throttle, "ada", HOME, NOW) == 0
    assert wait(any_store, throttle, "ada", HOME, NOW + 1) > 0
    assert wait(any_store, throttle, "ada", HOME, NOW + 31) == 0


def test_an_attempt_without_a_verdict_counts_nothing(any_store: Store, throttle: LoginThrottle) -> None:
    for _ in range(20):
        assert wait(any_store, throttle, "ada", HOME, NOW) == 0
        batch = any_store.batch()
        throttle.release(batch, "ada", HOME, NOW)
        batch.run()


def test_counters_expire(any_store: Store, throttle: LoginThrottle) -> None:
    fail(any_store, throttle, "ada", HOME, NOW)
    keys = any_store.command("KEYS", "*login*")
    assert len(keys) == 3
    assert all(0 < any_store.command("PTTL", key) <= 900_000 for key in keys)


def test_a_failure_tells_how_many_more_may_be_made_before_a_pause(any_store: Store, throttle: LoginThrottle) -> None:
    left = []
    for _ in range(4):
        batch = any_store.batch()
        verdict = throttle.fail(batch, "ada", HOME, NOW)
        batch.run()
        left.append((verdict.left, verdict.wait > 0))
    assert left == [(2, False), (1, False), (0, True), (0, True)]


@pytest.mark.parametrize("ours", ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"])
def test_all_addresses_of_a_line_with_ipv6_count_as_one(any_store: Store, throttle: LoginThrottle, ours: str) -> None:
    """RFC 6177, RFC 8981: a household has a /64 at least, and its machines change addresses by themselves."""
    for number in range(10):
        fail(any_store, throttle, f"user-{number}", f"2001:db8:1:2:{number:x}::7", NOW)
    assert wait(any_store, throttle, "somebody", ours, NOW)
    assert not wait(any_store, throttle, "somebody", "2001:db8:1:3::1", NOW)


def test_a_person_and_a_line_are_one_pair(any_store: Store, throttle: LoginThrottle) -> None:
    for number in range(3):
        fail(any_store, throttle, "ada", f"2001:db8:1:2::{number:x}", NOW)
    assert wait(any_store, throttle, "ada", "2001:db8:1:2::9", NOW)
    assert not wait(any_store, throttle, "ada", "2001:db8:9:9::9", NOW)


def test_an_ipv4_address_in_ipv6_dress_is_itself_and_no_other(any_store: Store, throttle: LoginThrottle) -> None:
    for number in range(10):
        fail(any_store, throttle, f"user-{number}", f"::ffff:{HOME}", NOW)
    assert wait(any_store, throttle, "somebody", HOME, NOW)
    assert not wait(any_store, throttle, "somebody", AWAY, NOW)
    assert not wait(any_store, throttle, "somebody", f"::ffff:{AWAY}", NOW)
