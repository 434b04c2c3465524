"""How many calls a token may make in a time. Webex tells neither number; a test chooses them."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass

from casduo.simulators.webex.errors import WebexRefusal


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in so many seconds, for each token."""

    calls: int
    seconds: float


class RateLimit:
    """Counts calls by token. A call that is refused does not count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limit: Limit | None = None
        self._calls: dict[str, deque[float]] = {}

    @property
    def limit(self) -> Limit | None:
        """The limit; None is none."""
        return self._limit

    def set(self, limit: Limit | None) -> None:
        """Set or lift the limit; counting begins anew. :raises ValueError: a limit that lets nothing through"""
        if limit is not None and (limit.calls < 1 or limit.seconds <= 0):
            raise ValueError("a limit is at least 1 call, in more than 0 seconds")
        with self._lock:
            self._limit = limit
            self._calls.clear()

    def check(self, person_id: str, now: float) -> None:
        """Count a call. :raises WebexRefusal: 429, with the time after which the next one is let through"""
        with self._lock:
            if self._limit is None:
                return
            calls = self._calls.setdefault(person_id, deque())
            while calls and now - calls[0] >= self._limit.seconds:
                calls.popleft()
            if len(calls) >= self._limit.calls:
                left = calls[0] + self._limit.seconds - now
                raise WebexRefusal(429, "Too many calls in a short time.", retry_after=max(1, math.ceil(left)))
            calls.append(now)
