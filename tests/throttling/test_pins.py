"""The limits on wrong PINs at phones, on both servers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.store import Store
from casduo.throttling import Limit, LoginThrottle, PinThrottle, Verdict, below_lockout

NOW = 1_790_000_000.0
WARD, OFFICE = "SEP001122334455", "SEP00AABBCCDDEE"
HERE, THERE = "192.0.2.7", "198.51.100.9"
WINDOW = 1800.0
CLOSED = 1860
"""UCM's window, and what we put on top."""

ADDRESS = Limit(50, 900, 5, 60)


@pytest.fixture
def pins() -> PinThrottle:
    """The limits for a UCM that locks people out at the third wrong PIN."""
    return PinThrottle(
        user=below_lockout(3, WINDOW), device=Limit(20, 900, 5, 60), pair=Limit(3, 300, 5, 300), address=ADDRESS
    )


def wait(store: Store, pins: PinThrottle, user: str, device: str = WARD, now: float = NOW) -> int:
    batch = store.batch()
    verdict = pins.test(batch, user, device, HERE, now)
    batch.run()
    return verdict.wait


def fail(store: Store, pins: PinThrottle, user: str, device: str = WARD, now: float = NOW) -> int:
    """One whole wrong PIN. Returns the pause it earned, or -1 when UCM was not asked."""
    return -1 if wait(store, pins, user, device, now) else failure(store, pins, user, device, now).wait


def failure(store: Store, pins: PinThrottle, user: str, device: str = WARD, now: float = NOW) -> Verdict:
    batch = store.batch()
    verdict = pins.fail(batch, user, device, HERE, now)
    batch.run()
    return verdict


def succeed(store: Store, pins: PinThrottle, user: str, device: str = WARD, now: float = NOW) -> None:
    assert wait(store, pins, user, device, now) == 0
    batch = store.batch()
    pins.forgive(batch, user, device, HERE, now)
    batch.run()


def test_ucm_is_asked_once_less_than_it_takes_to_lock_somebody_out(any_store: Store, pins: PinThrottle) -> None:
    assert [fail(any_store, pins, "ada", f"SEP{number:012}") for number in range(5)] == [0, CLOSED, -1, -1, -1]


def test_somebody_who_is_shut_out_is_shut_out_at_every_phone_until_ucm_has_forgotten(
    any_store: Store, pins: PinThrottle
) -> None:
    fail(any_store, pins, "ada", WARD)
    fail(any_store, pins, "ada", OFFICE)
    assert wait(any_store, pins, "ada", OFFICE, NOW + 60) == CLOSED - 60
    assert wait(any_store, pins, "ada", WARD, NOW + CLOSED - 1) == 1
    assert wait(any_store, pins, "grace", WARD) == 0


def test_then_everything_begins_afresh(any_store: Store, pins: PinThrottle) -> None:
    for turn in range(3):
        tries = [fail(any_store, pins, "ada", f"SEP{turn}{number:011}", NOW + turn * CLOSED) for number in range(3)]
        assert tries == [0, CLOSED, -1]


def test_wrong_pins_count_until_ucm_forgets_them(any_store: Store, pins: PinThrottle) -> None:
    assert fail(any_store, pins, "ada") == 0
    user = next(key for key in any_store.command("KEYS", "*") if key.endswith(":pin.user"))
    assert (CLOSED - 10) * 1000 < any_store.command("PTTL", user) <= CLOSED * 1000


def test_one_person_has_one_limit_however_their_name_is_spelled(any_store: Store, pins: PinThrottle) -> None:
    assert [fail(any_store, pins, name) for name in ("ada", " ADA ", "\uff41da")] == [0, CLOSED, -1]


def test_of_tries_at_several_phones_at_once_ucm_is_asked_no_more(any_store: Store, pins: PinThrottle) -> None:
    gate = threading.Barrier(20)

    def attempt(number: int) -> bool:
        gate.wait()
        return wait(any_store, pins, "ada", f"SEP{number:012}") == 0

    with ThreadPoolExecutor(20) as pool:
        asked = list(pool.map(attempt, range(20)))
    assert asked.count(True) == 2


def test_who_waits_for_others_under_way_is_not_shut_out_for_long(any_store: Store, pins: PinThrottle) -> None:
    assert [wait(any_store, pins, "ada", f"SEP{number:012}") for number in range(3)] == [0, 0, 30]
    assert wait(any_store, pins, "ada", WARD, NOW + 31) == 0


def test_a_pin_that_ucm_was_not_asked_about_counts_nothing(any_store: Store, pins: PinThrottle) -> None:
    for _ in range(10):
        assert wait(any_store, pins, "ada") == 0
        batch = any_store.batch()
        pins.release(batch, "ada", WARD, HERE, NOW)
        batch.run()


def test_the_right_pin_forgets_user_and_pair(any_store: Store, pins: PinThrottle) -> None:
    for _ in range(5):
        assert fail(any_store, pins, "ada") == 0
        succeed(any_store, pins, "ada")
    assert any_store.command("KEYS", "*:pin.user") == []
    assert any_store.command("KEYS", "*:pin.pair:*") == []


def test_the_right_pin_does_not_wash_phone_and_address_clean(any_store: Store, pins: PinThrottle) -> None:
    for number in range(19):
        assert fail(any_store, pins, f"user{number}") == 0
        succeed(any_store, pins, "mallory")
    assert fail(any_store, pins, "user19") == 5
    assert wait(any_store, pins, "mallory") == 5
    assert wait(any_store, pins, "mallory", OFFICE) == 0
    (address,) = any_store.command("KEYS", "*:login.address")
    assert any_store.command("HGET", address, "f") == "20"


def test_one_phone_that_guesses_at_many_people_has_to_pause(any_store: Store, pins: PinThrottle) -> None:
    pauses = [fail(any_store, pins, f"user{number}") for number in range(20)]
    assert pauses == [0] * 19 + [5]
    assert wait(any_store, pins, "ada") == 5
    assert wait(any_store, pins, "ada", now=NOW + 5) == 0


def test_an_address_is_counted_together_with_passwords(any_store: Store, pins: PinThrottle) -> None:
    logins = LoginThrottle(user=Limit(100, 900, 5, 60), address=ADDRESS, pair=Limit(100, 900, 5, 60))
    for number in range(25):
        assert fail(any_store, pins, f"user{number}", f"SEP{number:012}") == 0
    for number in range(25):
        batch = any_store.batch()
        logins.fail(batch, f"user{number}", HERE, NOW)
        batch.run()
    assert wait(any_store, pins, "ada") == 5
    batch = any_store.batch()
    here, there = logins.test(batch, "ada", HERE, NOW), logins.test(batch, "ada", THERE, NOW)
    batch.run()
    assert (here.wait, there.wait) == (5, 0)


def test_wrong_pins_are_no_wrong_passwords(any_store: Store, pins: PinThrottle) -> None:
    logins = LoginThrottle(user=Limit(2, 900, 5, 60), address=ADDRESS, pair=Limit(2, 900, 5, 60))
    for _ in range(2):
        fail(any_store, pins, "ada")
    batch = any_store.batch()
    verdict = logins.test(batch, "ada", HERE, NOW)
    batch.run()
    assert verdict.wait == 0


def test_a_pair_of_person_and_phone_has_its_own_limit(any_store: Store) -> None:
    pins = PinThrottle(
        user=below_lockout(100, WINDOW), device=Limit(20, 900, 5, 60), pair=Limit(3, 300, 5, 300), address=ADDRESS
    )
    assert [fail(any_store, pins, "ada") for _ in range(4)] == [0, 0, 5, -1]
    assert wait(any_store, pins, "ada", OFFICE) == 0
    assert wait(any_store, pins, "grace") == 0


def test_a_failure_tells_how_many_more_may_be_made(any_store: Store, pins: PinThrottle) -> None:
    assert [(v.left, v.wait) for v in (failure(any_store, pins, "ada") for _ in range(2))] == [(1, 0), (0, CLOSED)]


@pytest.mark.parametrize(("threshold", "asked"), [(2, 1), (3, 2), (10, 9)])
def test_the_limit_follows_ucms_own(any_store: Store, threshold: int, asked: int) -> None:
    generous = Limit(1000, 900, 5, 60)
    pins = PinThrottle(user=below_lockout(threshold, 60), device=generous, pair=generous, address=generous)
    pauses = [fail(any_store, pins, "ada") for _ in range(12)]
    assert sum(pause >= 0 for pause in pauses) == asked


def test_keys_tell_nobody_who_mistyped(any_store: Store, pins: PinThrottle) -> None:
    fail(any_store, pins, "lovelace")
    assert not any("lovelace" in key or HERE in key for key in any_store.command("KEYS", "*"))
