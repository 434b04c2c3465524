"""Writes that nobody waits for: gathered, and sent to Redis together a moment later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

import structlog

from casduo.errors import UpstreamError
from casduo.store.store import Batch, Store

Write = Callable[[Batch], None]
_EVERY_SECONDS = 0.25
_STOP_SECONDS = 2.0
_MOST = 2000

_log = structlog.get_logger("casduo")


class LaterWrites:
    """Takes writes without waiting; a thread sends what has gathered, in one round trip.

    For what is nice to have and not worth a round trip of the request it came up in. Nothing is promised: of more than
    a flood can be worth, the oldest are dropped, as is what gathered while Redis cannot be reached. Safe to share by
    threads.

    :param most: how many writes may wait
    """

    def __init__(self, store: Store, most: int = _MOST) -> None:
        self._store = store
        self._most = most
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, Write] = {}
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, write: Write, key: Hashable | None = None) -> None:
        """Take note of a write: a function that adds commands to the batch it is given, called by another thread.

        :param key: of writes with the same key one waits at a time: the first place in the queue, the last function.
            Who has much to write about one thing gathers it, and writes under one key what has gathered by then.
        """
        with self._lock:
            self._waiting[key if key is not None else object()] = write
            if len(self._waiting) > self._most:
                del self._waiting[next(iter(self._waiting))]
        if not self._wanted.is_set():
            self._wanted.set()

    def flush(self) -> None:
        """Send what has gathered; the caller is not told of what could not be sent."""
        with self._lock:
            writes, self._waiting = list(self._waiting.values()), {}
        batch = self._store.batch()
        for write in writes:
            try:
                write(batch)
            except Exception as error:
                _complain(error)
        try:
            batch.run()
        except UpstreamError:
            # Those who need Redis say that it is away; what was meant for it here is dropped.
            return
        except Exception as error:
            _complain(error)

    def start(self) -> None:
        """Send from now on by itself. Once is enough."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="later-writes", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Send what is left, and stop."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        self.flush()

    def _run(self) -> None:
        # Asleep while there is nothing to send; then a moment for more to gather.
        while self._wanted.wait() and not self._stopping.wait(_EVERY_SECONDS):
            self._wanted.clear()
            self.flush()


def _complain(error: Exception) -> None:
    # A mistake in a write must not end the thread that all others rely on. The class only: the text may hold anything.
    _log.warning("later.fault", error=type(error).__name__)
