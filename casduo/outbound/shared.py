"""One call on behalf of many: simultaneous callers share it, and a good result serves those who come a little later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar

from casduo.clock import Clock

T = TypeVar("T")


class Shared(Generic[T]):
    """Calls ``load`` at most once at a time and keeps what it returns for a while, if it is worth keeping.

    :param load: what to call. An exception reaches everybody who waited for that call and is not kept.
    :param keep: seconds for which a result is given out again; 0 keeps nothing.
    :param is_good: whether a result may be kept. A bad one reaches those who waited for it and nobody after them.
    :param clock: where the time comes from.
    :param patience: seconds after which a caller no longer waits for somebody else's call.
    """

    def __init__(
        self, load: Callable[[], T], *, keep: float, is_good: Callable[[T], bool], clock: Clock, patience: float
    ) -> None:
        self._load = load
        self._keep = keep
        self._is_good = is_good
        self._clock = clock
        self._patience = patience
        self._lock = threading.Lock()
        self._kept: tuple[float, T] | None = None
        self._running: Future[T] | None = None

    @property
    def running(self) -> bool:
        """Whether a call is under way."""
        return self._running is not None

    def kept(self, now: float) -> T | None:
        """Return the kept result if it is still fresh at ``now`` (epoch seconds), without calling anybody."""
        kept = self._kept
        if kept is None or not 0 <= now - kept[0] < self._keep:
            return None
        return kept[1]

    def get(self) -> T:
        """Return the kept result, or that of a call in progress, or that of a call of one's own.

        :raises TimeoutError: somebody else's call did not end within ``patience``.
        """
        while True:
            with self._lock:
                kept = self.kept(self._clock())
                if kept is not None:
                    return kept
                running = self._running
                if running is None:
                    mine = self._running = Future()
            if running is None:
                return self._run(mine)
            try:
                return running.result(self._patience)
            except CancelledError:
                continue

    def _run(self, mine: Future[T]) -> T:
        began = self._clock()
        try:
            result = self._load()
        except Exception as error:
            self._end()
            mine.set_exception(error)
            raise
        except BaseException:
            # This thread is being stopped; that is no answer for those who wait. One of them takes over.
            self._end()
            mine.cancel()
            raise
        self._end((began, result) if self._is_good(result) else None)
        mine.set_result(result)
        return result

    def _end(self, kept: tuple[float, T] | None = None) -> None:
        with self._lock:
            self._running = None
            self._kept = kept
