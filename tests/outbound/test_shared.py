from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from casduo.outbound import Shared


class Clock:
    """Also tells who came by: each caller looks at the clock before it decides whether to wait for another's call."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._looked = threading.Semaphore(0)

    def __call__(self) -> float:
        self._looked.release()
        return self.now

    def wait_for_looks(self, count: int) -> None:
        assert all(self._looked.acquire(timeout=5) for _ in range(count))


class Loader:
    """Counts its calls; holds them while the gate is closed."""

    def __init__(self, result: Callable[[int], str] = str) -> None:
        self.calls = 0
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self._result = result

    def __call__(self) -> str:
        self.calls += 1
        self.entered.set()
        assert self.gate.wait(5)
        return self._result(self.calls)


def shared(loader: Callable[[], str], clock: Clock, keep: float = 5.0, patience: float = 5.0) -> Shared[str]:
    return Shared(loader, keep=keep, is_good=lambda word: word != "bad", clock=clock, patience=patience)


def in_threads(count: int, function: Callable[[], str]) -> tuple[list[threading.Thread], list[str]]:
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(function())) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def test_a_good_result_is_kept_for_its_time_and_no_longer() -> None:
    clock, loader = Clock(), Loader()
    once = shared(loader, clock)
    assert [once.get(), once.get()] == ["1", "1"]
    clock.now += 4.9
    assert once.kept(clock.now) == "1"
    clock.now += 0.1
    assert once.kept(clock.now) is None
    assert once.get() == "2"


def test_a_bad_result_is_not_kept() -> None:
    clock, loader = Clock(), Loader(lambda _: "bad")
    once = shared(loader, clock)
    assert [once.get(), once.get()] == ["bad", "bad"]
    assert loader.calls == 2


def test_nothing_is_kept_if_told_so() -> None:
    loader = Loader()
    once = shared(loader, Clock(), keep=0.0)
    assert [once.get(), once.get()] == ["1", "2"]


def test_a_clock_that_was_set_back_does_not_freshen_a_result() -> None:
    clock, loader = Clock(), Loader()
    once = shared(loader, clock)
    once.get()
    clock.now -= 3600.0
    assert once.get() == "2"


def test_simultaneous_callers_share_one_call_even_if_it_ends_badly() -> None:
    clock, loader = Clock(), Loader(lambda _: "bad")
    loader.gate.clear()
    once = shared(loader, clock)
    first, first_result = in_threads(1, once.get)
    assert loader.entered.wait(5)
    clock.wait_for_looks(2)
    others, other_results = in_threads(8, once.get)
    clock.wait_for_looks(8)
    loader.gate.set()
    for thread in first + others:
        thread.join(5)
    assert first_result + other_results == ["bad"] * 9
    assert loader.calls == 1


def test_an_error_reaches_everybody_and_is_not_kept() -> None:
    def result(call: int) -> str:
        if call == 1:
            raise ZeroDivisionError
        return "well again"

    once = shared(Loader(result), Clock())
    with pytest.raises(ZeroDivisionError):
        once.get()
    assert once.get() == "well again"


def test_when_the_caller_in_charge_is_killed_another_takes_over() -> None:
    class Killed(BaseException):
        pass

    def result(call: int) -> str:
        if call == 1:
            raise Killed
        return "taken over"

    clock, loader = Clock(), Loader(result)
    loader.gate.clear()
    once = shared(loader, clock)
    killed: list[type[BaseException]] = []

    def doomed() -> str:
        try:
            return once.get()
        except Killed:
            killed.append(Killed)
            return "killed"

    first, _ = in_threads(1, doomed)
    assert loader.entered.wait(5)
    clock.wait_for_looks(2)
    second, results = in_threads(1, once.get)
    clock.wait_for_looks(1)
    loader.gate.set()
    for thread in first + second:
        thread.join(5)
    assert (killed, results) == ([Killed], ["taken over"])


def test_nobody_waits_for_another_for_ever() -> None:
    loader = Loader()
    loader.gate.clear()
    once = shared(loader, Clock(), patience=0.0)
    first, _ = in_threads(1, once.get)
    assert loader.entered.wait(5)
    with pytest.raises(TimeoutError):
        once.get()
    loader.gate.set()
    first[0].join(5)
