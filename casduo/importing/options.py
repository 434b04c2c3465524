"""What the files of another server do not say, and whoever moves in does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """Answers to what nobody can know from the files.

    :param all_attributes: what stands for "all attributes", which is never released here; empty: none are
    :param handlers: names of authentication handlers there, and what they are called in the settings here
    :param username_attribute: the attribute that holds the name that people sign in with; empty: there is none
    """

    all_attributes: tuple[str, ...] = ()
    handlers: Mapping[str, str] = field(default_factory=dict)
    username_attribute: str = ""
