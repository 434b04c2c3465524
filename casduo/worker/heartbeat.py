"""The sign of life of workers: whether there is anybody who will do what is queued."""

from __future__ import annotations

from casduo.store import Batch, Reply
from casduo.worker.parts import Parts

_KEY = "casduo:worker:alive"
_EVERY = 5.0
_GOOD_FOR_MS = 20_000


def worker_alive(batch: Batch) -> Reply:
    """Add the question whether a worker runs anywhere; the reply is 1 or 0.

    That the last one died is noticed after 20 seconds.
    """
    return batch.command("EXISTS", _KEY)


class Heartbeat:
    """The job that says every few seconds that a worker is there."""

    name = "heartbeat"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        while not self._parts.stopping.is_set():
            self._parts.store.command("SET", _KEY, self._parts.name, "PX", _GOOD_FOR_MS)
            self._parts.stopping.wait(_EVERY)

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. Another worker that is still there says so again in a moment."""
        if self._parts.store.command("GET", _KEY) == self._parts.name:
            self._parts.store.command("DEL", _KEY)
