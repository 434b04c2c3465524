"""Whether files of the audit trail are as they were written: every line, the chain over all of them, and its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from casduo.events.audit_line import START, AuditEntry, DamagedLine, Position, read_line

MOST_PROBLEMS = 20
"""After which nobody wants to know more."""
NEAR = 10_000
"""Lines within which an event that is there twice is recognised, and the place from which the trail went on elsewhere.
"""

Reason = Literal["unfinished", "unreadable", "changed", "gap", "order", "chain", "duplicate", "fork", "end"]
"""``unfinished``: no line feed; ``unreadable``, ``changed``: by :class:`DamagedLine`; ``gap``: entries are missing;
``order``: a number comes again, or too late; ``chain``: it was not written behind the line before; ``duplicate``: the
event is there twice; ``fork``: entries were written behind which the trail did not go on; ``end``: not the one that it
should have.
"""

_DAMAGES: dict[str, tuple[Reason, str]] = {
    "unfinished": ("unfinished", "the line is not finished"),
    "unreadable": ("unreadable", "this is no line of an audit trail"),
    "changed": ("changed", "the line was changed: its hash is not that of its content"),
}


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """What is wrong with a line. ``line`` counts from 1; 0 means the whole trail."""

    file: str
    line: int
    reason: Reason
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else self.text


@dataclass(frozen=True, slots=True)
class Verified:
    """How files were found.

    :param entries: good lines
    :param first: the first of them, ``None`` without any
    :param last: the last of them
    :param problems: in order, the first :data:`MOST_PROBLEMS`
    :param notes: what is no problem and worth a word
    :param torn: whether all that is wrong is a last line that is not finished: under way, or the end of a crash
    """

    entries: int
    first: Position | None
    last: Position | None
    problems: tuple[AuditProblem, ...]
    notes: tuple[str, ...]
    torn: bool = False


def verify(files: Sequence[Path], end: Position | None = None) -> Verified:
    """Verify files.

    :param files: in order
    :param end: a line that must be there, with all before it, as something else than these files knows it
    :raises OSError: a file cannot be read
    """
    walk = _Walk(end)
    for path in files:
        walk.file(path)
    return walk.verified()


class _Walk:
    def __init__(self, end: Position | None) -> None:
        self._end = end
        self._end_found: str | None = None
        self._name = ""
        self._entries = 0
        self._first: Position | None = None
        # ``None`` is before the first line, and behind a damaged one, whose hash nobody knows.
        self._before: Position | None = None
        self._seq = 0
        self._near: deque[tuple[Position, str]] = deque(maxlen=NEAR)
        self._ids: set[str] = set()
        self._again: deque[str] = deque()
        self._problems: list[AuditProblem] = []
        self._notes: list[str] = []

    def file(self, path: Path) -> None:
        self._name = path.name
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if len(self._problems) >= MOST_PROBLEMS:
                    return
                try:
                    entry = read_line(line)
                except DamagedLine as damage:
                    self._problem(number, *_DAMAGES[damage.reason])
                    self._before, self._seq = None, self._seq + 1
                    continue
                self._entry(number, entry)

    def verified(self) -> Verified:
        if self._again:
            self._forked(0)
        self._check_end()
        return Verified(
            self._entries,
            self._first,
            self._near[-1][0] if self._near else None,
            tuple(self._problems[:MOST_PROBLEMS]),
            tuple(self._notes),
            [(problem.file, problem.reason) for problem in self._problems] == [(self._name, "unfinished")],
        )

    def _entry(self, number: int, entry: AuditEntry) -> None:
        position = entry.position
        if self._first is None:
            self._begin(position, entry)
        elif not self._superseded(number, entry):
            self._link(number, entry)
        self._repeat(number, entry.id)
        if self._end is not None and position.seq == self._end.seq:
            self._end_found = position.hash
        self._remember(position, entry.id)
        self._entries += 1
        self._before, self._seq = position, position.seq

    def _begin(self, position: Position, entry: AuditEntry) -> None:
        self._first = position
        if not self._problems and not entry.follows(START):
            self._notes.append(f"it begins with entry {position.seq}; what was before is not among these files")

    def _link(self, number: int, entry: AuditEntry) -> None:
        seq, expected = entry.position.seq, self._seq + 1
        if seq > expected:
            missing = f"entry {expected} is" if seq == expected + 1 else f"entries {expected} to {seq - 1} are"
            file = ", perhaps with a file before this one" if number == 1 else ""
            self._problem(number, "gap", f"{missing} missing{file}")
        elif seq < expected:
            self._problem(number, "order", f"entry {seq} comes behind entry {self._seq}")
        elif self._before is not None and entry.prev != self._before.hash:
            self._problem(number, "chain", f"entry {seq} was not written behind the line before it")

    def _superseded(self, number: int, entry: AuditEntry) -> bool:
        """Whether a file goes on from an earlier line, as it does where a worker died before what it had written was
        confirmed, and another one wrote the same events elsewhere.
        """
        if number != 1 or entry.position.seq > self._seq:
            return False
        before = Position(entry.position.seq - 1, entry.prev)
        at = next((at for at, (position, _) in enumerate(self._near) if position == before), None)
        if at is None:
            return False
        self._again = deque(name for _, name in list(self._near)[at + 1 :])
        self._ids -= set(self._again)
        self._entries -= len(self._again)
        for _ in self._again:
            self._near.pop()
        self._notes.append(
            f"{self._name} goes on from entry {before.seq}: {len(self._again)} later ones are in it anew"
        )
        return True

    def _repeat(self, number: int, name: str) -> None:
        """Look whether an event is there twice, and whether those come that have to come again."""
        if self._again and self._again.popleft() != name:
            self._forked(number)
        if name in self._ids:
            self._problem(number, "duplicate", f"the event {name} is there twice")

    def _remember(self, position: Position, name: str) -> None:
        if len(self._near) == NEAR:
            self._ids.discard(self._near[0][1])
        self._near.append((position, name))
        self._ids.add(name)

    def _forked(self, number: int) -> None:
        self._again.clear()
        text = "the file before this one ends with entries that the trail does not go on with"
        self._problem(number or 1, "fork", text)

    def _check_end(self) -> None:
        end = self._end
        if end is None or self._end_found == end.hash:
            return
        last = self._near[-1][0].seq if self._near else 0
        if last < end.seq:
            text = f"it ends early, with entry {last}: entry {end.seq} was written"
        elif self._end_found is not None:
            text = f"entry {end.seq} is not the one that was written"
        else:
            text = f"entry {end.seq} is not among these files"
        self._problems.append(AuditProblem(self._name, 0, "end", text))

    def _problem(self, line: int, reason: Reason, text: str) -> None:
        self._problems.append(AuditProblem(self._name, line, reason, text))
