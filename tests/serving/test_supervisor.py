"""When a serving process that died is started again, and what happens where none can be."""

from __future__ import annotations

import errno
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from casduo.serving import supervisor as module
from casduo.serving.child import Order
from casduo.serving.notices import ServiceManager
from casduo.serving.supervisor import Supervisor, next_pause
from casduo.settings.sections import ServerSettings
from tests.support.ports import free_port
from tests.support.waiting import until


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


class Copies:
    """Takes the place of :class:`~casduo.serving.process.ServingProcess`; none of them is a process."""

    def __init__(self) -> None:
        self.made: list[Copy] = []
        self.refused = 0
        self.full = False

    def __call__(self, *given: Any) -> Copy:
        if self.full:
            self.refused += 1
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        self.made.append(Copy(len(self.made) + 1, given[-1]))
        return self.made[-1]


class Copy:
    def __init__(self, number: int, news: Callable[[Any, str, int], None]) -> None:
        self.pid, self.born, self.ready, self._news = number, time.monotonic(), True, news
        news(self, "ready", 0)

    def tell(self, order: Order) -> None:
        if order in (Order.STOP, Order.LEAVE):
            self.dies(0)

    def dies(self, status: int) -> None:
        self._news(self, "ended", status)

    def kill(self) -> None:
        """Nothing is left of it by then."""


@pytest.mark.parametrize("reading", [False, True])
def test_where_no_process_can_be_started_those_that_run_go_on(monkeypatch: pytest.MonkeyPatch, reading: bool) -> None:
    copies = Copies()
    monkeypatch.setattr(module, "ServingProcess", copies)
    section = ServerSettings(bind=f"127.0.0.1:{free_port()}", processes=2, drain=0.0)
    supervisor = Supervisor(section, "granian", lambda: section, ServiceManager({}))
    status: list[int] = []
    thread = threading.Thread(target=lambda: status.append(supervisor.run()), daemon=True)
    thread.start()
    until(lambda: len(copies.made) == 2, "both run")

    copies.full = True
    if reading:
        supervisor.take(signal.SIGHUP)
    else:
        copies.made[0].dies(-9)
    until(lambda: copies.refused > 0, "none can be started")
    copies.full = False
    if reading:
        supervisor.take(signal.SIGHUP)
    until(lambda: len(copies.made) == (4 if reading else 3), "it is made up for")

    supervisor.take(signal.SIGTERM)
    thread.join(10)
    assert status == [0]
