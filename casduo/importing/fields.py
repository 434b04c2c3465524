"""What becomes of a field of another server: the rows of the tables in ``docs/moving-in.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Becomes = Literal["mapped", "harmless", "lost", "closed"]


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a field, and where to or why, as a sentence."""

    becomes: Becomes
    sentence: str


Fields = Mapping[str, Fate]
