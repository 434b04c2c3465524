from __future__ import annotations

import threading

import pytest

from casduo.errors import UpstreamBusy
from casduo.outbound import Bulkhead
from casduo.outbound.bulkhead import PATIENCE


def test_the_next_one_is_refused_at_once_and_counted() -> None:
    bulkhead = Bulkhead("ldap", 2)
    with bulkhead, bulkhead:
        assert bulkhead.inside == 2
        with pytest.raises(UpstreamBusy) as caught, bulkhead:
            pass
    assert caught.value.upstream == "ldap"
    assert (bulkhead.inside, bulkhead.refused) == (0, 1)


def test_a_thread_that_has_patience_waits_for_a_place() -> None:
    bulkhead, places = Bulkhead("duo", 1), list[int]()

    def patient() -> None:
        PATIENCE.set(10.0)
        with bulkhead:
            places.append(bulkhead.inside)

    with bulkhead:
        waiting = threading.Thread(target=patient)
        waiting.start()
        while not bulkhead._line:
            waiting.join(0.001)
        assert places == []
        # The others are not kept waiting for it.
        with pytest.raises(UpstreamBusy), bulkhead:
            pass
    waiting.join(10)
    assert (places, bulkhead.inside) == ([1], 0)


def test_a_place_is_free_again_however_the_call_ended() -> None:
    bulkhead = Bulkhead("ldap", 1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), bulkhead:
            raise ZeroDivisionError
    assert bulkhead.inside == 0


def test_many_threads_never_exceed_the_limit() -> None:
    bulkhead = Bulkhead("ldap", 3)
    start, leave, refused = threading.Barrier(8), threading.Barrier(4), threading.Semaphore(0)
    most: list[int] = []

    def enter() -> None:
        start.wait(5)
        try:
            with bulkhead:
                most.append(bulkhead.inside)
                leave.wait(5)
        except UpstreamBusy:
            refused.release()

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    # Three hold their places until the other five are refused and this thread joins them.
    assert all(refused.acquire(timeout=5) for _ in range(5))
    leave.wait(5)
    for thread in threads:
        thread.join(5)
    assert max(most) <= 3
    assert (bulkhead.inside, bulkhead.refused) == (0, 5)


def test_no_places_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        Bulkhead("ldap", 0)
