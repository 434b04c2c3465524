"""Keeps serving processes going: starts them, starts those again that die, replaces them one by one, ends them.

All of it happens in one thread, which takes one piece of news at a time.
"""

from __future__ import annotations

import queue
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

import structlog

from casduo.serving.base import LINGER
from casduo.serving.child import Order
from casduo.serving.listeners import open_listener, refuse_newcomers
from casduo.serving.notices import ServiceManager
from casduo.serving.process import ServingProcess
from casduo.settings.sections import ServerSettings

_QUIET = 1.0
"""Seconds between refusing newcomers and stopping: who is there already has sent a request by then."""
_LAST = 5.0
"""Seconds, or ``server.shutdown`` where that is less, which those have who came when most of it was over."""
_STEADY = 10.0
"""Seconds after which a process that dies is taken for one that had worked."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_LONGEST_PAUSE_OF_ONE_THAT_CAME_UP = 1.0
_START_SECONDS = 120.0
"""After which a process that does not come up is given up."""

_log = structlog.get_logger("casduo")


class Reader(Protocol):
    """Reads the settings anew, and has everything else follow that is not this module's."""

    def __call__(self) -> ServerSettings | None:
        """Return them, ``None`` if they cannot be used; that has been told then."""


def next_pause(before: float, *, ready: bool, lived: float) -> float:
    """Return how many seconds to wait before a process that died is started again.

    One that answered people is worth having back soon, however often it dies: people are turned away meanwhile. One
    that does not even come up only keeps the machine busy.

    :param before: the pause after the death before this one, 0 for none
    :param ready: whether it had come up
    :param lived: seconds from its start to its death
    """
    if ready and lived > _STEADY:
        return 0.0
    longest = _LONGEST_PAUSE_OF_ONE_THAT_CAME_UP if ready else _LONGEST_PAUSE
    return min(max(2 * before, _FIRST_PAUSE), longest)


@dataclass(slots=True, eq=False)
class _Place:
    """A listener, who answers there, and who is about to take over."""

    listener: socket.socket
    current: ServingProcess | None = None
    next: ServingProcess | None = None
    pause: float = field(default=0.0)


class Supervisor:
    """See the module.

    :param section: how many processes there are, where they listen, and how they end
    :param server: ``granian`` or ``gunicorn``
    :param read: see :class:`Reader`
    :param replaced: called when all processes have the settings that were read last
    :param ended: told the id of each process that has ended
    :raises OSError: nobody can listen there
    """

    def __init__(
        self,
        section: ServerSettings,
        server: str,
        read: Reader,
        manager: ServiceManager,
        replaced: Callable[[], None] = lambda: None,
        ended: Callable[[int], None] = lambda process: None,
    ) -> None:
        self._section = section
        self._server = server
        self._read = read
        self._manager = manager
        self._told_replaced = replaced
        self._told_ended = ended
        self._host, self._port = section.address
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._places = [_Place(open_listener(self._host, self._port)) for _ in range(section.processes)]
        self._leaving: set[ServingProcess] = set()
        self._served = False
        self._reading = False
        self._waiting: list[_Place] = []
        self._again = False
        self._retired: list[_Place] = []
        self._stopping = False
        self._stopped = False
        self._busy: set[ServingProcess] = set()
        self._deadline: float | None = None
        self._status = 0

    def take(self, number: signal.Signals) -> None:
        """Take a signal: SIGHUP replaces the processes, SIGTERM drains and stops, SIGINT or a second one stops at once.
        May be called by any thread.
        """
        self._events.put(lambda: self._reload() if number == signal.SIGHUP else self._stop(number))

    def run(self) -> int:
        """Serve until a signal ends it. Return the exit status: 0, or 1 where no process has come up at all."""
        for place in self._places:
            place.current = self._start(place)
        while self._alive() or not self._stopped:
            self._next_event()()
        return self._status

    # -- what happens ------------------------------------------------------------------------------------------------

    def _news(self, process: ServingProcess, what: str, status: int) -> None:
        def tell() -> None:
            match what:
                case "ready":
                    self._came_up(process)
                case "idle":
                    self._answered(process)
                case _:
                    self._ended(process, status)

        self._events.put(tell)

    def _came_up(self, process: ServingProcess) -> None:
        place = self._place_of(process)
        if place is None or self._stopping:
            return
        if process is place.next:
            old, place.current, place.next = place.current, process, None
            if old is not None:
                self._dismiss(old)
            self._go_on_reading()
        elif not self._served and all(one.current is not None and one.current.ready for one in self._places):
            self._served = True
            _log.info("serving", processes=len(self._places), server=self._server)
            self._manager.ready("answering requests")
            self._read_again()

    def _ended(self, process: ServingProcess, status: int) -> None:
        self._told_ended(process.pid)
        self._leaving.discard(process)
        self._answered(process)
        place = self._place_of(process)
        if place is None:
            return
        if process is place.next:
            place.next = None
            self._give_up(f"the process that was to take over ended (status {status}) before it could")
            return
        place.current = None
        if self._stopping or (place.next is not None):
            return
        if not process.ready and not self._served:
            # It has said why.
            self._status = status if status > 0 else 1
            self._finish()
            return
        place.pause = next_pause(place.pause, ready=process.ready, lived=time.monotonic() - process.born)
        _log.error("serving.died", process=process.pid, status=status, again_in=place.pause)
        self._later(place.pause, lambda: self._start_again(place))

    def _start_again(self, place: _Place) -> None:
        if self._stopping or place not in self._places or place.current is not None or place.next is not None:
            return
        try:
            place.current = self._start(place)
        except OSError as error:
            # No memory or no process left, for a moment perhaps: that is no reason to give up those that run.
            place.pause = next_pause(place.pause, ready=False, lived=0.0)
            _log.error("serving.not_started", detail=error.strerror, again_in=place.pause)
            self._later(place.pause, lambda: self._start_again(place))

    # -- reading the settings anew -----------------------------------------------------------------------------------

    def _reload(self) -> None:
        if self._stopping:
            return
        if self._reading or not self._served:
            self._again = True
            return
        self._manager.reloading()
        section = self._read()
        if section is None:
            self._manager.ready("the settings cannot be used; going on with those of before")
            return
        if section.address != (self._host, self._port):
            _log.error("reload.address", advice="server.bind takes effect with a restart")
        self._reading = True
        self._section = section
        while len(self._places) < section.processes:
            self._places.append(_Place(open_listener(self._host, self._port)))
        superfluous, self._places = self._places[section.processes :], self._places[: section.processes]
        for place in superfluous:
            self._close(place)
        self._waiting = list(self._places)
        self._go_on_reading()

    def _go_on_reading(self) -> None:
        """Replace the next process, or say that all are."""
        if not self._reading or self._stopping:
            return
        if self._waiting:
            place = self._waiting.pop(0)
            try:
                process = place.next = self._start(place)
            except OSError as error:
                self._give_up(f"the process that was to take over could not be started ({error.strerror})")
                return
            self._later(_START_SECONDS, lambda: None if process.ready else process.kill())
            return
        self._reading = False
        self._told_replaced()
        _log.info("reloaded", processes=len(self._places))
        self._manager.ready("answering requests with settings read anew")
        self._read_again()

    def _read_again(self) -> None:
        """Read the settings once more where that was asked for meanwhile."""
        if self._again:
            self._again = False
            self._reload()

    def _give_up(self, why: str) -> None:
        """Leave it at the processes there are."""
        self._reading = False
        if self._stopping:
            return
        _log.error("reload.failed", why=why, advice="the processes of before go on; correct the settings, then SIGHUP")
        self._manager.ready("the settings could not be used; going on with those of before")
        for place in self._places:
            self._start_again(place)
        self._read_again()

    # -- ending ------------------------------------------------------------------------------------------------------

    def _stop(self, number: signal.Signals) -> None:
        if self._stopping:
            self._finish()
            return
        self._stopping = True
        self._manager.stopping()
        seconds = self._section.drain if self._served and number != signal.SIGINT else 0.0
        _log.info("draining", seconds=seconds)
        for process in self._alive():
            process.tell(Order.DRAIN)
        self._later(seconds, self._wind_down if seconds else self._finish)

    def _wind_down(self) -> None:
        """Go on answering until those are answered who are in hand, :attr:`ServerSettings.shutdown` at most.

        A proxy whose checks are refused takes the node for one that is down, and may cut off whoever waits for it.
        """
        if self._stopped:
            return
        self._deadline = time.monotonic() + self._section.shutdown
        self._busy = self._alive()
        for process in self._busy:
            process.tell(Order.FINISH)
        self._later(self._section.shutdown if self._busy else 0.0, self._finish)

    def _answered(self, process: ServingProcess) -> None:
        """A process has answered those it had in hand, or has ended."""
        if process in self._busy:
            self._busy.discard(process)
            if not self._busy:
                self._finish()

    def _finish(self) -> None:
        """Take nobody any more, and end when all who are there are answered."""
        if self._stopped:
            return
        self._stopping = self._stopped = True
        for place in self._places:
            self._close(place)

    def _close(self, place: _Place) -> None:
        refuse_newcomers(place.listener)
        self._retired.append(place)
        processes = [process for process in (place.current, place.next) if process is not None]
        self._leaving.update(processes)
        self._later(_QUIET, lambda: self._closed(place, processes))

    def _closed(self, place: _Place, processes: list[ServingProcess]) -> None:
        for process in processes:
            process.tell(Order.STOP)
            self._later(self._seconds_left(), process.kill)
        # Once the processes have let go of it, it is closed.
        place.listener.close()
        self._retired.remove(place)

    def _seconds_left(self) -> float:
        """How long requests in hand may still take."""
        most = self._section.shutdown
        return most if self._deadline is None else max(self._deadline - time.monotonic(), min(_LAST, most))

    def _dismiss(self, process: ServingProcess) -> None:
        self._leaving.add(process)
        process.tell(Order.LEAVE)
        self._later(LINGER + self._section.shutdown, process.kill)

    # -- helpers -----------------------------------------------------------------------------------------------------

    def _start(self, place: _Place) -> ServingProcess:
        spare = [one.listener for one in (*self._places, *self._retired) if one is not place]
        return ServingProcess(self._section, self._server, place.listener, self._alive(), spare, self._news)

    def _alive(self) -> set[ServingProcess]:
        placed = {process for place in self._places for process in (place.current, place.next) if process is not None}
        return placed | self._leaving

    def _place_of(self, process: ServingProcess) -> _Place | None:
        return next((place for place in self._places if process in (place.current, place.next)), None)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), call))

    def _next_event(self) -> Callable[[], None]:
        left = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
        try:
            return self._events.get(timeout=left)
        except queue.Empty:
            return heappop(self._timers)[2]
