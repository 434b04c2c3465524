"""Whom the end of a process waits for."""

from __future__ import annotations

import threading

from casduo.serving.draining import Draining
from tests.support.waiting import PATIENCE


def test_those_in_hand_are_waited_for_and_nobody_who_comes_later() -> None:
    draining, answered = Draining(), threading.Event()
    draining.in_hand |= {"first", "second"}

    def wait() -> None:
        draining.wait_for_those_in_hand()
        answered.set()

    threading.Thread(target=wait, daemon=True).start()
    draining.in_hand.discard("first")
    assert not answered.wait(0.3)
    draining.in_hand.add("newcomer")
    draining.in_hand.discard("second")
    assert answered.wait(PATIENCE)


def test_nobody_in_hand_is_nobody_to_wait_for() -> None:
    Draining().wait_for_those_in_hand()
