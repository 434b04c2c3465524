"""Answers phones in time: what takes longer than a phone waits goes on by itself, and the phone asks for it later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import Generic, TypeVar

from casduo.outbound.bulkhead import PATIENCE

T = TypeVar("T")

_KEPT = 60.0
"""Seconds for which the answer to a phone that did not wait for it is kept."""
_PATIENCE = 2.0
"""Seconds for which these threads wait for a place where many call the same one."""
_LONGEST_LINE = 16
"""Times the number of places. Who comes when so many wait to be begun would be told too late to have any use of it."""


class TakesLonger(Exception):
    """It is not done yet. ``begun`` says that it goes on; otherwise nothing of it has happened, and nothing will."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__("begun" if begun else "not begun")
        self.begun = begun


class Runs(Generic[T]):
    """Does what requests ask for in threads of its own, and waits for it as long as a phone does and no longer.

    What it does keeps its own time-outs, those of Duo among them: nothing is broken off halfway, and nobody is taken
    for down because one phone could not wait.

    At a change of shift phones would keep every thread that answers requests waiting, those of browsers too. So only
    half of them wait. For the others it is done all the same where they can ask for it again by its ``name``; the
    answer is kept for them meanwhile, in this process, for it may hold what nobody else is to learn.

    :param places: how many are at work at a time, and how many threads answer requests
    :param monotonic: a clock that never goes back
    """

    def __init__(self, places: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._threads = ThreadPoolExecutor(places, "phone")
        self._places = places
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._waiting = self._unfinished = 0
        self._late: dict[str, tuple[float, Future[T]]] = {}

    def within(
        self,
        seconds: float,
        work: Callable[[], T],
        late: Callable[[BaseException], None],
        *,
        name: str = "",
        asks: bool = False,
    ) -> T:
        """Return what ``work`` returns, or raise what it raises.

        :param seconds: for which it is waited for
        :param late: is told how it failed when nobody waits any more
        :param name: what it belongs to, empty where nobody can ask again. While something of this name is at work,
            nothing else of it is begun.
        :param asks: whether this only asks what has become of what was begun before under that name. Then the answer
            may be that one's.
        :raises TakesLonger: the time is over, or too many wait
        """
        earlier = self._earlier(name)
        if earlier is not None and not asks:
            if not earlier.done():
                raise TakesLonger(begun=True)
            self._drop(name, earlier)
            earlier = None
        with self._patience(seconds) as patience:
            if not patience and not name:
                raise TakesLonger(begun=False)
            run = earlier or self._begin(work)
            wait((run,), patience)
        if run.done():
            # Given out once.
            self._drop(name, run)
            return run.result()
        if not name and run.cancel():
            raise TakesLonger(begun=False)
        if earlier is None:
            self._keep(name, run)
            run.add_done_callback(lambda ended: _tell(ended, late))
        raise TakesLonger(begun=True)

    def close(self) -> None:
        """Wait for what is at work. Nothing can be begun any more."""
        self._threads.shutdown()

    @contextmanager
    def _patience(self, seconds: float) -> Iterator[float]:
        """Give the seconds for which one more thread may wait: none where half of them do."""
        with self._lock:
            waits = 2 * self._waiting < self._places
            self._waiting += waits
        try:
            yield seconds if waits else 0.0
        finally:
            with self._lock:
                self._waiting -= waits

    def _begin(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._unfinished >= _LONGEST_LINE * self._places:
                raise TakesLonger(begun=False)
            self._unfinished += 1
        # What the request is known by goes along.
        context = copy_context()
        context.run(PATIENCE.set, _PATIENCE)
        run = self._threads.submit(context.run, work)
        run.add_done_callback(self._ended)
        return run

    def _ended(self, _run: Future[T]) -> None:
        with self._lock:
            self._unfinished -= 1

    def _earlier(self, name: str) -> Future[T] | None:
        """Return what was begun under a name and took longer."""
        with self._lock:
            found = self._late.get(name)
        return found[1] if found is not None else None

    def _drop(self, name: str, run: Future[T]) -> None:
        """Keep a run no longer under its name; another one that is kept there stays."""
        with self._lock:
            if name in self._late and self._late[name][1] is run:
                del self._late[name]

    def _keep(self, name: str, run: Future[T]) -> None:
        if not name:
            return
        now = self._monotonic()
        with self._lock:
            self._late[name] = now, run
            # In the order in which they came, so that the first is the oldest.
            while (oldest := next(iter(self._late))) and self._late[oldest][0] + _KEPT < now:
                del self._late[oldest]


def _tell(ended: Future[T], late: Callable[[BaseException], None]) -> None:
    failure = ended.exception()
    if failure is not None:
        late(failure)
