"""What can go wrong below HTTP: silence, a cut or reset connection, slowness. Steered by tests, asked by the server."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import Literal

_Kind = Literal["silence", "cut", "reset"]
_jitter = secrets.SystemRandom()


@dataclass(slots=True)
class _Rule:
    path: str
    kind: _Kind
    after: int
    left: int | None


@dataclass(frozen=True, slots=True)
class Treatment:
    """What becomes of one request.

    :param delay: seconds to wait before the application is asked.
    :param silent: never answer; hold the connection until it is dropped.
    :param cut_after: send only so many bytes of the answer, then close; None sends all of it.
    :param reset: abort the connection instead of answering.
    """

    delay: float
    silent: bool
    cut_after: int | None
    reset: bool = False


class TransportFaults:
    """Switches for everything that happens to connections rather than to requests.

    Paths are exact (``/auth/v2/ping``) or ``*`` for all. ``times`` counts requests; None means until :meth:`clear`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._delays: dict[str, tuple[float, float]] = {}
        self.silent_connections = False
        """Accept new connections and then say nothing at all, not even TLS."""

    def delay(self, seconds: float, *, jitter: float = 0.0, path: str = "*") -> None:
        """Answer late: ``seconds`` of real time, plus up to ``jitter`` more. 0 and 0 takes the delay away."""
        with self._lock:
            self._delays[path] = (seconds, jitter)

    def stay_silent(self, path: str = "*", times: int | None = None) -> None:
        """Read requests and never answer them."""
        self._add(path, "silence", 0, times)

    def cut(self, path: str = "*", *, after: int = 0, times: int | None = None) -> None:
        """Close the connection after ``after`` bytes of the answer, headers included. 0: without a byte."""
        self._add(path, "cut", after, times)

    def reset(self, path: str = "*", times: int | None = None) -> None:
        """Abort the connection when a request has come, as a firewall does or a program that dies."""
        self._add(path, "reset", 0, times)

    def clear(self) -> None:
        """Take every switch back."""
        with self._lock:
            self._rules.clear()
            self._delays.clear()
            self.silent_connections = False

    def treatment(self, path: str) -> Treatment:
        """Decide about one request for ``path`` and count it."""
        with self._lock:
            seconds, jitter = self._delays.get(path, self._delays.get("*", (0.0, 0.0)))
            delay = seconds + (_jitter.uniform(0.0, jitter) if jitter else 0.0)
            rule = next((rule for rule in self._rules if rule.path in ("*", path)), None)
            if rule is None:
                return Treatment(delay, silent=False, cut_after=None)
            if rule.left is not None:
                rule.left -= 1
                if rule.left <= 0:
                    self._rules.remove(rule)
            cut_after = rule.after if rule.kind == "cut" else None
            return Treatment(delay, rule.kind == "silence", cut_after, rule.kind == "reset")

    def _add(self, path: str, kind: _Kind, after: int, times: int | None) -> None:
        if times is not None and times < 1:
            raise ValueError("times must be at least 1")
        with self._lock:
            self._rules.append(_Rule(path, kind, after, times))
