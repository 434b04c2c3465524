"""When a serving process that died is started again."""

from __future__ import annotations

from casduo.serving.supervisor import next_pause


def pauses(times: int, *, ready: bool, lived: float) -> list[float]:
    found = [0.0]
    for _ in range(times):
        found.append(next_pause(found[-1], ready=ready, lived=lived))
    return found[1:]


def test_one_that_worked_for_a_while_is_started_again_at_once() -> None:
    assert pauses(3, ready=True, lived=11) == [0, 0, 0]


def test_one_that_came_up_is_back_soon_however_often_it_dies() -> None:
    assert pauses(6, ready=True, lived=3) == [0.5, 1, 1, 1, 1, 1]


def test_one_that_does_not_come_up_is_tried_ever_more_rarely() -> None:
    assert pauses(9, ready=False, lived=1) == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_after_a_long_life_the_pauses_begin_anew() -> None:
    assert next_pause(next_pause(30, ready=True, lived=60), ready=True, lived=1) == 0.5
