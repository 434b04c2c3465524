"""What the server would say of a changed registry, before it replaces anything: problems by entry, and by field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from casduo.errors import Problem
from casduo.services.editing.document import RegistryText
from casduo.services.file import read_document
from casduo.services.index import Registry
from casduo.settings import Settings

_PATH = re.compile(r"services\[(\d+)\]\.?")
_LINE = re.compile(r"\bline \d+")


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem, seen from the entry that somebody is at.

    :param entry: place of the entry it is about, from 0; -1 for none
    :param line: line of the file, from 1; 0: it has none
    :param entry_line: line within the entry's own text, from 1; 0: it is about something else
    :param field: key path within the entry, such as ``requires_duo.max_age``; empty for the entry as a whole
    :param level: ``error``, ``warning`` or ``note``
    :param name: id of the entry it is about; empty where it has none
    """

    entry: int
    line: int
    entry_line: int
    field: str
    message: str
    level: str
    name: str = ""

    @property
    def meaning(self) -> tuple[object, ...]:
        """What it says, wherever its entry and the others that it names have gone in the file."""
        return self.name or self.entry, self.field, _LINE.sub("line", self.message), self.level


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is to say about a text. ``registry`` is None when it cannot be used."""

    registry: Registry | None
    problems: tuple[Problem, ...]
    own: tuple[Finding, ...]
    others: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What keeps it from being used, of the entry first."""
        return tuple(one for one in (*self.own, *self.others) if one.level == "error")


def check(text: RegistryText, index: int | None, settings: Settings | None, now: float) -> Verdict:
    """Load and lint ``text`` as the server would.

    :param index: the entry that somebody is at, whose problems are told apart; None for none
    :param now: epoch seconds, for what is said about dates
    """
    reading = read_document(text.document, text.version, settings, with_lint=True, now=now)
    return verdict_of(reading.problems, reading.registry, text, index)


def verdict_of(
    problems: tuple[Problem, ...], registry: Registry | None, text: RegistryText, index: int | None
) -> Verdict:
    """Sort ``problems`` by whether they are about the entry at ``index``."""
    own: list[Finding] = []
    others: list[Finding] = []
    for one in _findings(problems, text, index):
        (own if index is not None and one.entry == index else others).append(one)
    return Verdict(registry, problems, tuple(own), tuple(others))


def caused(verdict: Verdict, before: Verdict) -> tuple[Finding, ...]:
    """Return the warnings about other entries that were not there ``before``, such as of one that nobody comes to any
    more because the entry at hand has become wider.
    """
    known = Counter(one.meaning for one in (*before.own, *before.others))
    found = []
    for one in verdict.others:
        if one.level != "error":
            if known[one.meaning] <= 0:
                found.append(one)
            known[one.meaning] -= 1
    return tuple(found)


def _findings(problems: tuple[Problem, ...], text: RegistryText, index: int | None) -> Iterator[Finding]:
    where = text.where(index) if index is not None and not text.obstacle else None
    names = text.ids()
    for problem in problems:
        found = _PATH.match(problem.path)
        inside = where is not None and where.head < problem.line <= where.end
        place = int(found[1]) if found else (index if inside and index is not None else -1)
        line = problem.line - where.head if where is not None and inside and place == index else 0
        field = problem.path[found.end() :] if found else ""
        name = names[place] if 0 <= place < len(names) else ""
        yield Finding(place, problem.line, line, field, problem.message, problem.level, name)


def syntax_findings(problems: tuple[Problem, ...], first_line: int, typed: str) -> tuple[Finding, ...]:
    """Return the problems of a text that is no YAML, seen from the entry that was typed into it.

    :param first_line: line of the file, from 1, at which what was typed begins; 0: not known
    :param typed: the text, for what is only noticed below it, such as a bracket that is never closed
    """
    last = typed.rstrip().count("\n") + 1

    def seen(line: int) -> int:
        return min(max(line - first_line + 1, 1), last) if first_line else 0

    return tuple(Finding(0, one.line, seen(one.line), "", one.message, one.level) for one in problems)
