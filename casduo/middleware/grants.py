"""Proxy-granting tickets between their arrival and the validation answer that names them.

The CAS server brings a PGT to the callback, together with an IOU; the answer to the validation, which is on its way
meanwhile, names only the IOU (CAS Protocol 3.0, 2.5.4). Anybody can call the callback, so nothing is believed that lies
here: a PGT counts when the server itself names its IOU.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, Protocol

GRANT_MAX_AGE: Final = 60
"""Seconds for which a PGT is kept for its IOU. The answer that names it follows within one."""

GRANT_CAPACITY: Final = 10_000
"""PGTs kept at a time, some 700 bytes each. The oldest makes room: a real one is taken within moments, so whoever wants
to push it out must be ten thousand calls faster than the CAS server."""


class GrantStore(Protocol):
    """Keeps PGTs until their IOUs are named; shared by all processes of an application. Safe to use from many threads.

    Every method raises :class:`~casduo.middleware.errors.StoreUnavailable` when the store does not answer.
    """

    def put(self, iou: str, pgt: str, now: float) -> None:
        """Keep a PGT for :data:`GRANT_MAX_AGE` seconds. An IOU that is known already keeps what it stands for."""

    def take(self, iou: str, now: float) -> str | None:
        """Return the PGT of an IOU and forget both: a second call returns ``None``."""


class MemoryGrants:
    """Keeps PGTs in this process: enough for an application that is one process. See :class:`GrantStore`.

    :param capacity: most PGTs kept at a time.
    """

    def __init__(self, capacity: int = GRANT_CAPACITY) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, iou: str, pgt: str, now: float) -> None:
        """Keep a PGT. See :class:`GrantStore`."""
        with self._lock:
            self._make_room(now)
            self._kept.setdefault(iou, (pgt, now + GRANT_MAX_AGE))

    def take(self, iou: str, now: float) -> str | None:
        """Return the PGT of an IOU and forget both. See :class:`GrantStore`."""
        with self._lock:
            pgt, until = self._kept.pop(iou, ("", now))
        return pgt if now < until else None

    def _make_room(self, now: float) -> None:
        while self._kept:
            oldest, (_, until) = next(iter(self._kept.items()))
            if now < until and len(self._kept) < self._capacity:
                return
            del self._kept[oldest]
