"""Switches for everything a node that misbehaves can do. What goes wrong below HTTP is ``transport``."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal, get_args

AnswerKind = Literal[
    "unavailable",
    "unavailable_empty",
    "html",
    "empty",
    "unauthorized",
    "forbidden",
    "not_found",
    "version_not_offered",
    "memory",
    "too_large",
]
"""Answered instead of asking anybody. ``unavailable`` is how AXL throttles writes, ``memory`` how it does reads."""

SpoilKind = Literal[
    "cut_xml", "lost", "lost_silently", "unknown_element", "changed_order", "namespaced_fault", "dropped", "hang"
]
"""``lost``: carried out, then the connection is closed without an answer; ``lost_silently``: carried out, then nothing
is said any more; ``dropped`` and ``hang``: the same two without anything being carried out.
"""

ANSWER_KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
SPOIL_KINDS: tuple[SpoilKind, ...] = get_args(SpoilKind)

MEMORY_TEXT = "Maximum AXL Memory Allocation Consumed. Please retry after requests have completed"
"""By its first words clients know what the fault's code does not tell."""

TOO_LARGE_TEXT = "Query request too large"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal with a chosen number, as an AXL fault or a failure of the Extension Mobility API."""

    code: int
    text: str


@dataclass(slots=True)
class _Rule:
    operation: str
    effect: AnswerKind | SpoilKind | Refusal
    left: int | None


class NodeFaults:
    """Switches of one node.

    Operations are called as the documents call them (``doDeviceLogin``, ``login``), ``*`` is every one. ``times``
    counts requests; None means until :meth:`clear`. The first rule that fits a request is taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._delays: dict[str, float] = {}
        self._texts: dict[tuple[str, str], str | None] = {}
        self._released = threading.Event()

    def answer(self, kind: AnswerKind, operation: str = "*", times: int | None = None) -> None:
        """Give a canned answer instead of the right one, before any account is looked at."""
        self._add(operation, kind, times)

    def refuse(self, code: int, text: str = "", operation: str = "*", times: int | None = None) -> None:
        """Refuse whatever comes from somebody who may ask, with a code of AXL or of the Extension Mobility API."""
        self._add(operation, Refusal(code, text), times)

    def spoil(self, kind: SpoilKind, operation: str = "*", times: int | None = None) -> None:
        """Do what is asked, or not even that, and spoil the answer."""
        self._add(operation, kind, times)

    def delay(self, seconds: float, operation: str = "*") -> None:
        """Work longer on it: ``seconds`` of real time; 0 no more. To have all of a node slow, ``transport`` will do."""
        with self._lock:
            self._delays[operation] = seconds

    def overwrite(self, operation: str, element: str, text: str | None) -> None:
        """Give an element of every right answer another text; None takes it away."""
        with self._lock:
            self._texts[operation, element] = text

    def clear(self) -> None:
        """Take every switch back; requests that hang are dropped."""
        with self._lock:
            self._rules.clear()
            self._delays.clear()
            self._texts.clear()
        self.release()

    def release(self) -> None:
        """Drop requests that hang and let go on what is delayed."""
        with self._lock:
            released, self._released = self._released, threading.Event()
        released.set()

    # -- asked by the node -------------------------------------------------------------------------------------------

    def take(self, operation: str) -> AnswerKind | SpoilKind | Refusal | None:
        """Return what is to go wrong with a request, and count it."""
        with self._lock:
            for rule in self._rules:
                if rule.operation in ("*", operation):
                    if rule.left is not None:
                        rule.left -= 1
                        if rule.left == 0:
                            self._rules.remove(rule)
                    return rule.effect
        return None

    def wait(self, operation: str) -> None:
        """Take the time an operation is to take."""
        with self._lock:
            seconds = self._delays.get(operation, self._delays.get("*", 0.0))
            released = self._released
        if seconds:
            released.wait(seconds)

    def hang(self) -> None:
        """Wait until :meth:`release`."""
        with self._lock:
            released = self._released
        released.wait()

    def texts(self, operation: str) -> dict[str, str | None]:
        """Return the elements of an answer that are to have another text."""
        with self._lock:
            return {element: text for (of, element), text in self._texts.items() if of in ("*", operation)}

    def _add(self, operation: str, effect: AnswerKind | SpoilKind | Refusal, times: int | None) -> None:
        if times is not None and times < 1:
            raise ValueError("times must be at least 1")
        with self._lock:
            self._rules.append(_Rule(operation, effect, times))
