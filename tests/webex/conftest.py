"""A simulated Webex with casduo's bot in one space, and a client with the bot's token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import WebexSimulator
from tests.webex.desk import NOON, Desk, open_desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    clock = VirtualClock(NOON)
    with WebexSimulator(clock) as simulator:
        found = open_desk(simulator, clock)
        yield found
        found.client.close()
