"""What replies of Redis are read as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def fields_of(flat: Sequence[str]) -> dict[str, str]:
    """Return a hash, or the fields of an entry of a stream.

    :param flat: names and values in turns, as scripts and ``HGETALL`` answer
    :raises ValueError: a name without a value
    """
    return dict(zip(flat[::2], flat[1::2], strict=True))


def moment_of(answer: Any) -> float:
    """Return what ``TIME`` answered, seconds and microseconds, in epoch seconds."""
    seconds, microseconds = answer
    return int(seconds) + int(microseconds) / 1e6
