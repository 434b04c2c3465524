"""Waiting for what comes by itself, not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which what has not come will not come."""


def until(come: Callable[[], bool], what: str) -> float:
    """Wait until something has come. Returns how many seconds that took, and prints it for whoever reads a failure."""
    began = time.monotonic()
    while not come():
        assert time.monotonic() - began < PATIENCE, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.03)
    took = time.monotonic() - began
    print(f"{what}: {took:.2f} s")
    return took
