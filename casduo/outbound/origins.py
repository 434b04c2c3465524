"""What is kept of each server that was called: a bounded number of them, those used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class ByOrigin(Generic[T]):
    """One value for each origin (scheme, host and port), made when it is first asked for. Safe to share by threads.

    :param make: makes the value of an origin
    :param most: how many are kept; the one that was used longest ago makes room
    """

    def __init__(self, make: Callable[[], T], most: int) -> None:
        self._make = make
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[str, T] = OrderedDict()

    def of(self, origin: str) -> T:
        """Return the value of ``origin``."""
        with self._lock:
            value = self._values.get(origin)
            if value is None:
                value = self._values[origin] = self._make()
                if len(self._values) > self._most:
                    self._values.popitem(last=False)
            self._values.move_to_end(origin)
            return value
