"""Guesses and pushes in numbers: what comes through, and that honest people get in.

``python -m tests.security.stuffing`` does the same at scale.
"""

from __future__ import annotations

import time

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from tests.security.stuffing import bomb, duo_settings, ground_with, stuff
from tests.support.pushing import working
from tests.support.site import SetClock


def test_of_many_guesses_at_few_accounts_few_are_looked_at_and_the_owners_get_in() -> None:
    """Credential stuffing from many addresses, each of which is new."""
    with ground_with(accounts=10, clock=SetClock(float(int(time.time())))) as ground:
        tally = stuff(ground, guesses=500, accounts=2, lines=500, honest=6)
    # 20 are free, then one in five minutes; an owner who gets in begins the count anew.
    assert max(tally.checked.values()) < 3 * (20 + 12)
    assert sum(tally.checked.values()) + tally.refused == 500
    assert tally.refused > 250
    assert tally.honest["at once"] + tally.honest["after waiting"] == 6


def test_pushes_that_nobody_asked_for_stay_few(trusted: LeafFiles) -> None:
    """Push bombing by somebody who has the passwords."""
    clock = SetClock(float(int(time.time())))
    with DuoSimulator(trusted, clock, wall_clock=time.time) as duo:
        duo.settings.poll_hold = 0.2
        for number in range(2):
            duo.add_user(f"user{number}")
        with ground_with(2, clock, duo_settings(duo)) as ground, working(ground.site, clock=clock):
            tries, sent = bomb(ground, duo, people=2, minutes=5)
    assert tries == 10
    assert sent
    assert max(sent) <= 3
