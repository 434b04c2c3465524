"""What becomes of a message after a try, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.events.messages import Message, NotDelivered, Remedy
from casduo.events.outbox_rules import Bury, Later, Pause, Stop, Terms, hopeless, next_step

NOW = 1_800_000_000.0
TERMS = Terms()
MESSAGE = Message("m1", "room:r1", "event", {}, created=NOW)


def step(result: NotDelivered, tries: int = 1, fails: int = 0, share: float = 1.0) -> Later | Pause | Stop | Bury:
    return next_step(result, tries, fails, NOW, share, TERMS)


@pytest.mark.parametrize(("fails", "pause"), [(0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (500, 300)])
def test_pauses_double_up_to_five_minutes(fails: int, pause: float) -> None:
    assert step(NotDelivered("retry"), fails=fails) == Later(NOW + pause, counts=False)


def test_of_a_pause_a_share_is_waited_so_that_not_all_come_back_at_once() -> None:
    assert step(NotDelivered("retry"), fails=3, share=0.25) == Later(NOW + 2, counts=False)
    assert step(NotDelivered("retry"), fails=3, share=0.0) == Later(NOW, counts=False)


def test_what_the_other_side_asks_for_is_waited_at_least() -> None:
    assert step(NotDelivered("retry", after=40, status=423)) == Later(NOW + 40, counts=True)
    assert step(NotDelivered("retry", after=3, status=423), fails=8) == Later(NOW + 256, counts=True)


def test_what_may_have_been_delivered_waits_ten_seconds() -> None:
    assert step(NotDelivered("retry", ambiguous=True), share=0.0) == Later(NOW + 10, counts=True)


@pytest.mark.parametrize(
    ("result", "counts"),
    [
        (NotDelivered("retry"), False),
        (NotDelivered("retry", status=503), False),
        (NotDelivered("retry", status=500), True),
        (NotDelivered("retry", status=502, ambiguous=True), True),
        (NotDelivered("retry", ambiguous=True), True),
        (NotDelivered("retry", status=423, after=5), True),
    ],
)
def test_only_tries_that_somebody_took_notice_of_count(result: NotDelivered, counts: bool) -> None:
    found = step(result)
    assert isinstance(found, Later)
    assert found.counts is counts
    assert step(result, tries=20) == (Bury("tries") if counts else step(result))


@pytest.mark.parametrize(("remedy", "found"), [("never", Bury("refused")), ("stop", Stop()), ("pause", Pause(NOW + 7))])
def test_each_remedy_has_its_step(remedy: Remedy, found: object) -> None:
    assert step(NotDelivered(remedy, after=7)) == found
    assert step(NotDelivered(remedy, after=7), tries=50, fails=50) == found


@given(st.floats(0, 1), st.integers(0, 10_000), st.booleans())
def test_no_pause_is_longer_than_five_minutes(share: float, fails: int, ambiguous: bool) -> None:
    found = step(NotDelivered("retry", ambiguous=ambiguous), fails=fails, share=share)
    assert isinstance(found, Later)
    assert NOW <= found.moment <= NOW + 300


def test_a_message_is_delivered_until_a_day_has_passed_or_its_own_end() -> None:
    day = 86_400
    assert hopeless(MESSAGE, 0, NOW + day - 1, TERMS) is None
    assert hopeless(MESSAGE, 0, NOW + day, TERMS) == "age"
    own = Message("m2", "room:r1", "event", {}, created=NOW, expires=NOW + 3 * day)
    assert hopeless(own, 0, NOW + 2 * day, TERMS) is None
    assert hopeless(own, 0, NOW + 3 * day, TERMS) == "expired"
    assert hopeless(Message("m3", "room:r1", "event", {}), 0, NOW, TERMS) is None


def test_what_was_begun_twenty_times_is_not_begun_again() -> None:
    assert hopeless(MESSAGE, 19, NOW, TERMS) is None
    assert hopeless(MESSAGE, 20, NOW, TERMS) == "tries"
