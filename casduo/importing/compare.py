"""Says what has changed at the old server since an import, however much the registry was changed by hand meanwhile.

An import leaves a mark in the comment of each entry: where it came from, and a digest of its definition. A later import
has marks of its own; what counts is only how the two differ.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from casduo.importing.model import Draft, Import

_MARK = re.compile(r"\s*# From (.*), ([0-9a-f]{12})(?:: no entry for .*)?")
_ENTRY = re.compile(r"\s*-\s+id:\s*['\"]?([a-z0-9][a-z0-9._-]*)")
_NUMBER = re.compile(r"\(([a-z ]+[^()]+)\)$")
_SECRET = re.compile("secret|salt|passw|key|token", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a registry says of where an entry came from; ``entry`` is the entry's id, empty where it has none."""

    source: str
    digest: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the definitions of now differ from those that a registry was made of.

    :param unchanged: how many are the same
    :param changed: the marks of those that say something else now, with what an import makes of them now
    :param added: those that were not there
    :param gone: the marks of those that are no longer there
    """

    unchanged: int
    changed: tuple[tuple[Mark, Draft], ...]
    added: tuple[Draft, ...]
    gone: tuple[Mark, ...]

    @property
    def same(self) -> bool:
        """Whether nothing has changed."""
        return not (self.changed or self.added or self.gone)


def digest_of(definition: Any) -> str:
    """Return twelve hexadecimal digits that change with a definition. What may be a secret is left out of them."""
    text = json.dumps(_without_secrets(definition), sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _without_secrets(one) for name, one in value.items() if not _SECRET.search(str(name))}
    return [_without_secrets(one) for one in value] if isinstance(value, list | tuple) else value


def marks_of(text: str) -> list[Mark]:
    """Return the marks in the text of a registry, in its order."""
    marks: list[Mark] = []
    for line in text.splitlines():
        if found := _MARK.fullmatch(line):
            marks.append(Mark(found[1], found[2]))
        elif marks and not marks[-1].entry and (entry := _ENTRY.match(line)):
            marks[-1] = Mark(marks[-1].source, marks[-1].digest, entry[1])
    return marks


def compare(result: Import, marks: Iterable[Mark]) -> Comparison:
    """Return how the definitions of ``result`` differ from those that left ``marks``.

    The same definition is found again wherever its file lies now; one that has changed by its number, or else by the
    name of its file.
    """
    left: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        left[mark.digest].append(mark)
    others = []
    unchanged = 0
    for draft in result.drafts:
        if left[draft.digest]:
            left[draft.digest].pop(0)
            unchanged += 1
        else:
            others.append(draft)
    known: dict[str, list[Mark]] = defaultdict(list)
    for mark in (mark for same in left.values() for mark in same):
        known[_known_as(mark.source)].append(mark)
    changed, added = [], []
    for draft in others:
        before = known[_known_as(draft.source)]
        if before:
            changed.append((before.pop(0), draft))
        else:
            added.append(draft)
    gone = tuple(mark for marks in known.values() for mark in marks)
    return Comparison(unchanged, tuple(changed), tuple(added), gone)


def _known_as(source: str) -> str:
    number = _NUMBER.search(source)
    return number[1] if number else source.rpartition("/")[2]
