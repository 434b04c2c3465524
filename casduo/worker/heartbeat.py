"""The sign of life of workers: whether there is anybody who will do what is queued."""

from __future__ import annotations

import os

from casduo.nodes.announcing import VARIABLE, Presence
from casduo.store import Batch, Reply
from casduo.worker.parts import Parts

_KEY = "casduo:worker:alive"
_ROSTER = "casduo:worker:roster"
"""The names of workers, by the moment until which their last sign of life is good."""
_EVERY = 5.0
_GOOD_FOR = 20.0
_GOOD_FOR_MS = int(_GOOD_FOR * 1000)


def worker_alive(batch: Batch) -> Reply:
    """Add the question whether a worker runs anywhere; the reply is 1 or 0.

    That the last one died is noticed after 20 seconds, that it ended at once.
    """
    return batch.command("EXISTS", _KEY)


class Heartbeat:
    """The job that says every few seconds that a worker is there, and which one."""

    name = "heartbeat"

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        # One that a server started is part of that node.
        node = os.environ.get(VARIABLE) or parts.name
        self._presence = Presence(node, "worker", parts.services, parts.clock)

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        parts = self._parts
        while not parts.stopping.is_set():
            now, batch = parts.clock(), parts.store.batch()
            batch.command("SET", _KEY, parts.name, "PX", _GOOD_FOR_MS)
            batch.command("ZREMRANGEBYSCORE", _ROSTER, "-inf", now)
            batch.command("ZADD", _ROSTER, now + _GOOD_FOR, parts.name)
            batch.command("PEXPIRE", _ROSTER, _GOOD_FOR_MS)
            self._presence.announce(batch)
            batch.run()
            parts.stopping.wait(_EVERY)

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. Only who ends as the last one takes the sign away."""
        batch = self._parts.store.batch()
        batch.command("ZREM", _ROSTER, self._parts.name)
        others = batch.command("ZCOUNT", _ROSTER, self._parts.clock(), "+inf")
        self._presence.withdraw(batch)
        batch.run()
        if not others.value:
            self._parts.store.command("DEL", _KEY)
