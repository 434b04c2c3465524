"""A virtual clock moves when told to, and whoever waits on it notices."""

from __future__ import annotations

import threading

import pytest

from casduo.simulators.clock import VirtualClock, wait_on


def test_it_stands_still_until_it_is_advanced() -> None:
    clock = VirtualClock(start=1000.0)
    assert clock() == clock() == 1000.0
    clock.advance(61.5)
    assert clock() == 1061.5


def test_it_can_run_faster_than_real_time() -> None:
    clock = VirtualClock(start=0.0, rate=1e9)
    assert clock() > 1.0
    assert clock.real_seconds(1e9) == 1.0


def test_it_cannot_run_backwards_but_can_be_set_back() -> None:
    with pytest.raises(ValueError, match="backwards"):
        VirtualClock(rate=-1.0)
    clock = VirtualClock(start=1000.0)
    clock.advance(-10.0)
    assert clock() == 990.0


def test_advancing_wakes_a_thread_that_waits() -> None:
    clock = VirtualClock(start=0.0)
    condition = threading.Condition()
    clock.on_advance(lambda: _notify(condition))
    waits = threading.Event()
    seen: list[float] = []

    def wait() -> None:
        with condition:
            waits.set()
            while clock() < 60.0:
                wait_on(condition, clock, 60.0)
            seen.append(clock())

    thread = threading.Thread(target=wait)
    thread.start()
    waits.wait()
    clock.advance(60.0)
    thread.join(10.0)
    assert seen == [60.0]


def test_waiting_on_a_fast_clock_takes_little_real_time() -> None:
    condition = threading.Condition()
    with condition:
        wait_on(condition, VirtualClock(rate=1e6), 60.0)


def test_waiting_on_a_real_clock_takes_real_seconds() -> None:
    condition = threading.Condition()
    with condition:
        wait_on(condition, lambda: 0.0, 0.001)


def _notify(condition: threading.Condition) -> None:
    with condition:
        condition.notify_all()
