"""What an import says: one draft of an entry for each service, with a finding for every field of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from casduo.errors import Problem

Kind = Literal["taken", "left_out", "differs", "lost", "closed"]
"""What became of a field.

``taken``: the entry says the same. ``left_out``: nothing is lost without it. ``differs``: the entry works in another
way, never to more people. ``lost``: it cannot be expressed. ``closed``: it cannot be expressed and kept people out, or
decided whose accounts they get, so the entry is disabled until somebody has looked.
"""

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]+")

LOSSES: tuple[Kind, ...] = ("lost", "closed")


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of ``field``, as a sentence. ``routine``: nearly all entries have it, and nobody needs to look."""

    kind: Kind
    field: str
    sentence: str
    routine: bool = False


@dataclass(slots=True)
class Draft:
    """One service on its way into the registry.

    :param source: where it came from, as people find it again: a file, and the service's number where it has one
    :param name: what the old server called it
    :param expression: the text that says whose addresses are meant
    :param entry: keys and values as ``registry.yaml`` has them; empty when there is no entry for it
    :param findings: in the order in which the fields were looked at
    :param digest: changes with the definition, see :mod:`casduo.importing.compare`
    :param reserve: the entry only holds the addresses of a service that cannot sign in here
    """

    source: str
    name: str
    expression: str = ""
    entry: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    reserve: bool = False
    digest: str = ""

    def __post_init__(self) -> None:
        # Names of files can hold anything.
        self.source = one_line(self.source)

    def taken(self, name: str, sentence: str) -> None:
        """Note that the entry says the same."""
        self._note("taken", name, sentence)

    def left_out(self, name: str, sentence: str) -> None:
        """Note that nothing is lost without it."""
        self._note("left_out", name, sentence)

    def differs(self, name: str, sentence: str, *, routine: bool = False) -> None:
        """Note that the entry works in another way."""
        self._note("differs", name, sentence, routine=routine)

    def lost(self, name: str, sentence: str) -> None:
        """Note that it cannot be expressed."""
        self._note("lost", name, sentence)

    def close(self, name: str, sentence: str) -> None:
        """Note that it cannot be expressed, and disable the entry."""
        self._note("closed", name, sentence)

    def _note(self, kind: Kind, name: str, sentence: str, *, routine: bool = False) -> None:
        # Both may hold text of the old files, and people read them in terminals.
        finding = Finding(kind, one_line(name), one_line(sentence), routine)
        if finding not in self.findings:
            self.findings.append(finding)

    def of(self, *kinds: Kind) -> list[Finding]:
        """Return the findings of these kinds."""
        return [finding for finding in self.findings if finding.kind in kinds]

    def to_look_at(self) -> list[Finding]:
        """Return the findings that a person has to look at, those first that closed the entry."""
        found = [finding for finding in self.of("closed", "lost", "differs") if not finding.routine]
        return sorted(found, key=lambda finding: finding.kind != "closed")

    @property
    def closed(self) -> bool:
        """Whether the entry is to be disabled until somebody has looked."""
        return any(finding.kind == "closed" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Import:
    """What came of an import.

    ``drafts`` are in the order in which they have to stand in the registry. ``problems`` holds, for files that could
    not be read or entries that could not be made out in them, what is wrong.
    """

    drafts: tuple[Draft, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def entries(self) -> tuple[Draft, ...]:
        """The drafts that get an entry."""
        return tuple(draft for draft in self.drafts if draft.entry)

    @property
    def complete(self) -> bool:
        """Whether everything could be read and expressed."""
        readable = all(problem.level == "note" for problem in self.problems)
        return readable and not any(draft.of(*LOSSES) for draft in self.drafts)


def one_line(value: object, longest: int = 2000) -> str:
    """Return a text or number on one line, cut where it is too long; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _UNFIT.sub(" ", str(value)[: 2 * longest]).strip()[:longest].strip()
