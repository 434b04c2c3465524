"""Where the time comes from, so that everything that decides can be given it."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""A function without arguments that returns the present moment in epoch seconds (UTC)."""


def system_clock() -> float:
    """Return the machine's present time in epoch seconds."""
    return time.time()
