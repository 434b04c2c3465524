"""What a target of fuzzing is, and how harnesses take their input apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NOW = 1_790_000_000.0


@dataclass(frozen=True)
class Target:
    """A parser.

    :param reads: what it reads, in a few words
    :param harness: takes any bytes; what it raises is a find
    :param seeds: examples to begin with, of the kind that it is made for
    :param longest: bytes that are tried at most: a little more than the parser itself takes, or enough to see that its
        time grows with the length and no faster
    """

    name: str
    reads: str
    harness: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    longest: int = 16_384


def text_of(data: bytes) -> str:
    """As text comes out of a form."""
    return data.decode("utf-8", "replace")


def header_of(data: bytes) -> str:
    """As WSGI hands headers over."""
    return data.decode("latin-1")


def parts_of(data: bytes, count: int) -> list[bytes]:
    """Several values in one input, each on a line."""
    found = data.split(b"\n", count - 1)
    return found + [b""] * (count - len(found))


def passing(errors: type[Exception] | tuple[type[Exception], ...], read: Callable[[], Any]) -> Any:
    """Return what is read, ``None`` where it is refused with one of the errors."""
    try:
        return read()
    except errors:
        return None
