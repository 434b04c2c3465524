"""User names as people type them, and as everything behind the form knows them."""

from __future__ import annotations

from typing import Literal

MAX_USERNAME = 256
"""Longest user name looked at, in characters."""

UsernameCase = Literal["lower", "keep"]


def canonical_username(typed: str, case: UsernameCase) -> str:
    """Return the name that ``typed`` stands for: without white space around it, in lower case unless the directory
    tells cases apart. Limits, the directory, Duo and the log all have to speak of the same name.
    """
    # One character more than any handler takes: refused as too long, and no longer than that in the log.
    trimmed = typed.strip()[: MAX_USERNAME + 1]
    return trimmed.lower() if case == "lower" else trimmed
