"""What the jobs of a worker share, put together from the settings."""

from __future__ import annotations

import os
import socket
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from casduo.account.history import HistoryJournal, SignInHistory
from casduo.clock import Clock, system_clock
from casduo.errors import CasduoError, UpstreamUnavailable
from casduo.events.journal import Journal, LogJournal
from casduo.events.model import Fault, Subject
from casduo.events.readers import events_to
from casduo.events.registry_news import RegistryNews
from casduo.events.stream import EventStream
from casduo.metrics.build import Measuring, begin_measuring
from casduo.services.watch import RegistrySource
from casduo.settings import Settings
from casduo.signing import random_text
from casduo.store import Store
from casduo.store.later import LaterWrites, Write
from casduo.store.opening import embedded_valkey, open_store
from casduo.worker.duo import DuoAtWork
from casduo.worker.ucm import UcmAtWork

T = TypeVar("T")

CALLS = 16
"""How many jobs' calls to Redis may be under way at once; the others wait for their turn."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0

_log = structlog.get_logger("casduo")


class Stopped(Exception):
    """The worker is to end before what was asked for could be done."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker is made of.

    ``name`` tells it from all other workers, also from those that ran before it; ``stopping`` is set when it is to end.
    ``clock`` is the machine's. ``shared_clock`` is Redis's, one round trip a look, for what one worker does for all and
    once: one whose own clock is ahead would do it too early, and nobody when it is due.
    """

    name: str
    settings: Settings
    clock: Clock
    shared_clock: Clock
    store: Store
    services: RegistrySource
    duo: DuoAtWork
    ucm: UcmAtWork
    events: EventStream
    journal: Journal
    stopping: threading.Event
    calls: threading.Semaphore
    measuring: Measuring | None = None

    def insist(self, call: Callable[[], T]) -> T:
        """Make a call to Redis, again and again while Redis is away, and return its answer. The log says so once.

        :raises Stopped: the worker is to end and Redis is still away
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                with self.calls:
                    return call()
            except UpstreamUnavailable as error:
                if pause == _FIRST_PAUSE:
                    _log.warning("worker.waiting", upstream=error.upstream, detail=error.detail)
                if self.stopping.wait(pause):
                    raise Stopped from None
                pause = min(2 * pause, _LONGEST_PAUSE)

    def fault(self, error: Exception, where: str) -> None:
        """Write an error that nobody expected to the journal: class and place, for its text may hold anything."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.name}:{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        code = error.code if isinstance(error, CasduoError) else "UNEXPECTED"
        self.journal.write(Fault(Subject(), code=code, detail=f"{type(error).__name__} in {place}", path=where))


def build_parts(
    settings: Settings, stopping: threading.Event, set_clock: Clock | None = None, *, measured: bool = True
) -> Parts:
    """Put together what ``settings`` describe.

    :param set_clock: stands for all clocks; ``None``: each is what it is
    :param measured: whether this is what the process is measured by from now on
    :raises SettingsError: the registry cannot be used
    """
    clock = set_clock or system_clock
    measuring = begin_measuring(settings, "worker") if measured else None
    services = RegistrySource(settings.registry, settings, clock)
    if measuring is not None:
        measuring.follow(services)
    log = structlog.get_logger("casduo").bind(part="worker")
    services.listen(lambda event, facts: log.warning(event, **facts))
    # An embedded Valkey is the server's to start and stop; a worker only uses it.
    store = open_store(settings, embedded_valkey(settings), 2 * CALLS)
    events = EventStream(store, clock)
    services.listen(RegistryNews(store, events, settings.registry))
    return Parts(
        name=f"{socket.gethostname()}-{os.getpid()}-{random_text(8)}",
        settings=settings,
        clock=clock,
        shared_clock=set_clock or store.moment,
        store=store,
        services=services,
        duo=DuoAtWork(settings, clock, store),
        ucm=UcmAtWork(settings, clock, store),
        events=events,
        journal=HistoryJournal(
            events_to(measuring.counted(LogJournal()) if measuring is not None else LogJournal(), events, settings),
            SignInHistory(store),
            _at_once(LaterWrites(store)),
            clock,
        ),
        stopping=stopping,
        calls=threading.Semaphore(CALLS),
        measuring=measuring,
    )


def _at_once(later: LaterWrites) -> Callable[[Write], None]:
    """Return what sends a write now and tells nobody if it could not be sent: nobody waits for a worker."""

    def write(one: Write) -> None:
        later.add(one)
        later.flush()

    return write
