"""How much time is left for the calls that one request makes, however many there are."""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """Seconds that several calls share, counted from the moment it is made.

    :param seconds: all there is
    :param monotonic: a clock that never goes back
    """

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ends_at = monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._ends_at - self._monotonic())

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self.left == 0.0
