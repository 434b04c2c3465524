"""What a sentence can hold: texts from outside made harmless, points in time and dates read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from typing import Final, TypeAlias

Fact: TypeAlias = str | int | date | datetime

FACT_LIMIT: Final = 120
"""Longest text from outside that a page shows, in characters; the middle of a longer one is left out."""

PROSE_LIMIT: Final = 600
"""The same for sentences that somebody wrote, such as a reason in the registry or a message of Duo."""

_TAIL = 40
_JOINERS = "\u200c\u200d"


def presentable(value: str, limit: int = FACT_LIMIT) -> str:
    """Return a text from outside in a form that cannot disturb the page around it.

    Line breaks and control characters become spaces. Characters that turn the direction of writing, or that nobody
    sees, are left out, but for the two joiners that some scripts need. What is longer than ``limit`` loses its
    middle, because both ends of a host name matter to a reader. Escaping is left to the template.
    """
    if not value.isprintable():
        value = " ".join("".join(_visible(value)).split())
    if len(value) > limit:
        value = value[: limit - _TAIL - 1] + "…" + value[-_TAIL:]
    return value


def moment_of(fact: Fact) -> datetime | None:
    """Return the point in time that ``fact`` tells, ``None`` if it is none or lacks its zone."""
    if isinstance(fact, str):
        try:
            fact = datetime.fromisoformat(fact)
        except ValueError:
            return None
    return fact if isinstance(fact, datetime) and fact.tzinfo is not None else None


def date_of(fact: Fact) -> date | None:
    """Return the day that ``fact`` tells, ``None`` if it is none."""
    if isinstance(fact, str):
        try:
            return datetime.fromisoformat(fact).date()
        except ValueError:
            return None
    return fact if isinstance(fact, date) else None


def _visible(value: str) -> Iterator[str]:
    for character in value:
        match unicodedata.category(character):
            case "Cc" | "Zl" | "Zp" | "Zs":
                yield " "
            case "Cf":
                if character in _JOINERS:
                    yield character
            case "Cs":
                yield "\ufffd"
            case _:
                yield character
