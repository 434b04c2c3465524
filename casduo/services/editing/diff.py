"""What differs between two texts, line by line, ready to be drawn."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CONTEXT = 3
"""Lines that are the same and are shown around those that differ."""

MOST_COMPARED = 20_000
"""Lines, between the first and the last that differ, that are compared one by one. Beyond, all of them differ."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a diff. ``old`` and ``new`` are its numbers, from 1, in the texts that it is in, else 0.

    A ``gap`` stands for lines that are the same and not shown; ``text`` is empty then.
    """

    kind: Literal["same", "removed", "added", "gap"]
    old: int
    new: int
    text: str

    @property
    def sign(self) -> str:
        """The sign of a unified diff."""
        return {"same": " ", "removed": "-", "added": "+", "gap": "@"}[self.kind]


def diff_lines(old: str, new: str, context: int = CONTEXT) -> tuple[DiffLine, ...]:
    """Return the lines that differ, each group with its surroundings; nothing when the texts are the same.

    Line breaks are not compared where one text has another kind of them.

    :param context: lines that are the same, shown before and after each group
    """
    before, after = old.splitlines(), new.splitlines()
    # A change is small and a file may be long: what is the same at both ends need not be compared.
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    changes = [
        ("equal", 0, head, 0, head),
        *((tag, i + head, j + head, k + head, m + head) for tag, i, j, k, m in _opcodes(*middle)),
        ("equal", len(before) - tail, len(before), len(after) - tail, len(after)),
    ]
    lines: list[DiffLine] = []
    for tag, start, end, new_start, new_end in changes:
        if tag == "equal":
            lines += [
                DiffLine("same", start + at + 1, new_start + at + 1, before[start + at]) for at in range(end - start)
            ]
            continue
        lines += [DiffLine("removed", at + 1, 0, before[at]) for at in range(start, end)]
        lines += [DiffLine("added", 0, at + 1, after[at]) for at in range(new_start, new_end)]
    return tuple(_near_changes(lines, context))


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    count = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        count += 1
    return count


def _opcodes(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    if len(before) + len(after) > MOST_COMPARED:
        return [("replace", 0, len(before), 0, len(after))]
    return list(difflib.SequenceMatcher(None, before, after).get_opcodes())


def _near_changes(lines: Sequence[DiffLine], context: int) -> list[DiffLine]:
    changed = [at for at, line in enumerate(lines) if line.kind != "same"]
    shown: list[DiffLine] = []
    position = 0
    for at in changed:
        start = max(position, at - context)
        if start > position:
            shown.append(DiffLine("gap", lines[start].old, lines[start].new, ""))
        end = min(at + context + 1, len(lines))
        shown += lines[start:end]
        position = max(position, end)
    if changed and position < len(lines):
        shown.append(DiffLine("gap", 0, 0, ""))
    return shown


def unified(lines: Sequence[DiffLine]) -> str:
    """Return a diff as text, for terminals."""
    return "".join("...\n" if line.kind == "gap" else f"{line.sign}{line.text}\n" for line in lines)
