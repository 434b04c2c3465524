"""What will happen by itself, in the order in which it will."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from casduo.simulators.duo.model import Script


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A moment in the life of a transaction: a step of a script, or without one an end.

    :param moment: epoch seconds.
    :param order: tells apart what happens at the same moment.
    """

    moment: float
    order: int
    txid: str = field(compare=False)
    script: Script | None = field(compare=False)


@dataclass(slots=True)
class Schedule:
    """All that is due some time. Not thread-safe: the caller holds a lock."""

    _heap: list[Due] = field(default_factory=list, repr=False)
    _order: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def put(self, moment: float, txid: str, script: Script | None = None) -> None:
        """Have something happen at a moment."""
        heapq.heappush(self._heap, Due(moment, next(self._order), txid, script))

    def take(self, now: float) -> Due | None:
        """Take the earliest thing that is due; None when nothing is yet."""
        return heapq.heappop(self._heap) if self._heap and self._heap[0].moment <= now else None
