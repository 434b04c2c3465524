"""What takes longer than a phone waits goes on by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.outbound import Bulkhead
from casduo.phone.runs import Runs, TakesLonger

_AT_ONCE = 0.01
_LONG = 10.0


@pytest.fixture
def runs() -> Iterator[Runs[object]]:
    found = Runs[object](1)
    yield found
    found.close()


def nobody(failure: BaseException) -> None:
    raise AssertionError(failure)


def test_what_is_done_in_time_is_returned(runs: Runs[object]) -> None:
    assert runs.within(_LONG, lambda: "ada", nobody) == "ada"


def test_what_fails_in_time_is_raised(runs: Runs[object]) -> None:
    def fail() -> None:
        raise UpstreamUnavailable("redis", "timeout")

    with pytest.raises(UpstreamUnavailable):
        runs.within(_LONG, fail, nobody)


def test_a_time_out_of_the_work_itself_is_not_taken_for_our_own(runs: Runs[object]) -> None:
    def fail() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        runs.within(_LONG, fail, nobody)


def test_it_waits_a_moment_for_a_place_where_many_call_the_same_one(runs: Runs[object]) -> None:
    places = Bulkhead("duo", 1)
    leaving = threading.Timer(0.2, places.leave)

    def call() -> str:
        with places:
            return "ada"

    assert places.take()
    leaving.start()
    assert runs.within(_LONG, call, nobody) == "ada"
    leaving.join()


def test_what_takes_longer_goes_on(runs: Runs[object]) -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        go.wait(_LONG)
        done.set()

    with pytest.raises(TakesLonger) as longer:
        runs.within(_AT_ONCE, work, nobody)
    assert longer.value.begun
    go.set()
    assert done.wait(_LONG)


def test_what_fails_later_is_told(runs: Runs[object]) -> None:
    go, told = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        go.wait(_LONG)
        raise UpstreamUnavailable("redis", "timeout")

    def tell(failure: BaseException) -> None:
        failures.append(failure)
        told.set()

    with pytest.raises(TakesLonger):
        runs.within(_AT_ONCE, work, tell)
    go.set()
    assert told.wait(_LONG)
    assert isinstance(failures[0], UpstreamUnavailable)


def test_what_found_no_place_in_time_is_never_begun(runs: Runs[object]) -> None:
    go, begun = threading.Event(), threading.Event()
    with pytest.raises(TakesLonger):
        runs.within(_AT_ONCE, lambda: go.wait(_LONG), nobody)
    with pytest.raises(TakesLonger) as longer:
        runs.within(_AT_ONCE, begun.set, nobody)
    assert not longer.value.begun
    go.set()
    runs.close()
    assert not begun.is_set()


def test_only_half_of_the_threads_is_kept_waiting() -> None:
    runs, go, both = Runs[object](4), threading.Event(), threading.Barrier(3)
    begun: list[str] = []

    def work() -> bool:
        both.wait(_LONG)
        return go.wait(_LONG)

    waiting = [threading.Thread(target=runs.within, args=(_LONG, work, nobody)) for _ in range(2)]
    for thread in waiting:
        thread.start()
    both.wait(_LONG)
    with pytest.raises(TakesLonger) as longer:
        runs.within(_LONG, lambda: begun.append("nameless"), nobody)
    assert not longer.value.begun
    go.set()
    for thread in waiting:
        thread.join()
    assert begun == []
    runs.within(_LONG, lambda: begun.append("later"), nobody)
    assert begun == ["later"]
    runs.close()


def test_what_can_be_asked_for_again_is_begun_all_the_same_and_its_answer_is_kept_for_whom_it_belongs_to() -> None:
    runs, go, at_work = Runs[str](2), threading.Event(), threading.Barrier(2)

    def work() -> str:
        at_work.wait(_LONG)
        go.wait(_LONG)
        return "for grace"

    waiting = threading.Thread(target=runs.within, args=(_LONG, work, nobody))
    waiting.start()
    at_work.wait(_LONG)

    def work_for_ada() -> str:
        go.wait(_LONG)
        return "for ada"

    with pytest.raises(TakesLonger) as longer:
        runs.within(_LONG, work_for_ada, nobody, name="ada")
    assert longer.value.begun
    go.set()
    waiting.join()
    assert runs.within(_LONG, lambda: "for linus", nobody, name="linus", asks=True) == "for linus"
    assert runs.within(_LONG, lambda: "news", nobody, name="ada", asks=True) == "for ada"
    # Once.
    assert runs.within(_LONG, lambda: "news", nobody, name="ada", asks=True) == "news"
    runs.close()


def test_an_answer_that_comes_while_somebody_waits_for_it_is_given_out_once(runs: Runs[object]) -> None:
    go = threading.Event()

    def work() -> str:
        go.wait(_LONG)
        return "for ada"

    with pytest.raises(TakesLonger):
        runs.within(_AT_ONCE, work, nobody, name="ada")
    threading.Timer(0.05, go.set).start()
    assert runs.within(_LONG, lambda: "news", nobody, name="ada", asks=True) == "for ada"
    assert runs.within(_LONG, lambda: "news", nobody, name="ada", asks=True) == "news"


def test_nothing_else_of_a_name_is_begun_while_something_is_at_work() -> None:
    runs, go = Runs[str](2), threading.Event()

    def work() -> str:
        go.wait(_LONG)
        return "selected"

    for asks in (False, False, True):
        with pytest.raises(TakesLonger) as longer:
            runs.within(_AT_ONCE, work, nobody, name="ada", asks=asks)
        assert longer.value.begun
    go.set()
    assert runs.within(_LONG, lambda: "news", nobody, name="ada", asks=True) == "selected"
    assert runs.within(_LONG, lambda: "cancelled", nobody, name="ada") == "cancelled"
    runs.close()
