"""When services were last asked for: one bounded record, for administrators who wonder what is still in use."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Final

from casduo.store import Batch, Store

KEY: Final = "casduo:{used}:services"
"""A sorted set: ids of services, by the second of their last ticket."""

KEPT: Final = 400 * 86_400
"""Seconds after which a service that nobody asks for is forgotten; so are those that are no longer registered."""

EVERY: Final = 60.0
"""Seconds in which one process notes a service once at most."""


class LastUse:
    """Notes uses along with other writes; of a service that is used all the time, few."""

    def __init__(self) -> None:
        self._noted: dict[str, float] = {}

    def note(self, batch: Batch, service_id: str, now: float) -> None:
        """Add to ``batch`` that a ticket for a registered service is asked for.

        :param now: epoch seconds
        """
        if abs(now - self._noted.get(service_id, -inf)) < EVERY:
            return
        self._noted[service_id] = now
        # Of processes whose clocks differ the latest counts.
        batch.command("ZADD", KEY, "GT", int(now), service_id)
        batch.command("ZREMRANGEBYSCORE", KEY, "-inf", int(now) - KEPT)
        batch.command("PEXPIRE", KEY, KEPT * 1000)


def last_uses(store: Store) -> Mapping[str, float]:
    """Return when services were last used, by id, in epoch seconds; a service that is missing was not. One round trip.

    :raises UpstreamError: Redis does not answer
    """
    found = store.command("ZRANGE", KEY, 0, -1, "WITHSCORES")
    return {name: float(moment) for name, moment in zip(found[::2], found[1::2], strict=True)}
