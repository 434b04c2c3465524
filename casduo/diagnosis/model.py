"""A finding, and how several add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "attention", "fault"]
"""``attention``: it works, or may, and somebody should look; ``fault``: it does not, or not for long."""

Fact = str | int | float | bool | tuple[str, ...]

_LEVELS: tuple[Level, ...] = ("ok", "attention", "fault")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one examination found.

    :param part: of the installation, as a heading.
    :param examined: what of it was looked at, in a word or two.
    :param level: how well it is.
    :param found: what was found, in a sentence without a full stop. It may quote what others wrote.
    :param detail: fixed word for what is wrong, for programs; empty if nothing is.
    :param cause: why, in words; empty if there is nothing to explain.
    :param remedy: what to do.
    :param facts: numbers and names behind the sentence, for programs.
    """

    part: str
    examined: str
    level: Level
    found: str
    detail: str = ""
    cause: str = ""
    remedy: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explained:
    """A failure in words: what was found, its fixed word, why, and what to do; see :class:`Finding`."""

    found: str
    detail: str
    cause: str
    remedy: str
    level: Level = "fault"

    def finding(self, part: Part, examined: str) -> Finding:
        """Return it as a finding."""
        return Finding(part.name, examined, self.level, self.found, self.detail, self.cause, self.remedy, part.facts)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the installation, and whatever is found of it.

    :param facts: what is true of all its findings.
    """

    name: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def ok(self, examined: str, found: str, **facts: Fact) -> Finding:
        """Return that all is well."""
        return Finding(self.name, examined, "ok", found, facts={**self.facts, **facts})

    def attention(self, examined: str, found: str, detail: str, cause: str, remedy: str = "", **facts: Fact) -> Finding:
        """Return that somebody should look."""
        return Finding(self.name, examined, "attention", found, detail, cause, remedy, {**self.facts, **facts})

    def fault(self, examined: str, found: str, detail: str, cause: str, remedy: str = "", **facts: Fact) -> Finding:
        """Return that something does not work."""
        return Finding(self.name, examined, "fault", found, detail, cause, remedy, {**self.facts, **facts})


def worst(findings: Iterable[Finding]) -> Level:
    """Return the level of the worst of ``findings``; of none, ``ok``."""
    return max((finding.level for finding in findings), key=_LEVELS.index, default="ok")


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return ``findings`` for reading: those first that are worst, else in their order."""
    return sorted(findings, key=lambda finding: -_LEVELS.index(finding.level))
