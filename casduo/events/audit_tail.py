"""The end of the audit trail as a writer finds it: where it goes on, what is torn, which events are in it already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casduo.events.audit_files import RawLine, lines_backwards
from casduo.events.audit_line import START, DamagedLine, Position, read_line

RECENT = 10_000
"""Events by which one that comes again is recognised."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What has to go from the end of a file: all from ``offset`` on."""

    path: Path
    offset: int


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a trail.

    :param last: where it goes on
    :param cut: what is torn, if anything is
    :param whole: whether it holds what it should: the line that was confirmed last, and nothing damaged before that
    :param recent: ids of the last events in it, the oldest first
    """

    last: Position
    cut: Cut | None = None
    whole: bool = True
    recent: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Line:
    """What has to be known of a line; ``position`` is ``None`` for one that is damaged."""

    path: Path
    offset: int
    position: Position | None
    prev: str = ""
    id: str = ""

    def follows(self, before: Position) -> bool:
        return self.position is not None and self.position.seq == before.seq + 1 and self.prev == before.hash


def read_tail(files: Sequence[Path], confirmed: Position | None) -> Tail:
    """Return the end of a trail.

    Lines behind the one that was confirmed last may be torn by whatever ended the writer: they are good as far as each
    follows the one before. What was confirmed is never cut, however it looks now.

    :param files: all files, in order
    :param confirmed: the last line of which Redis knows; ``None`` where it knows of none
    :raises OSError: a file cannot be read
    """
    lines = _last_lines(files, confirmed)
    if confirmed is None:
        return _unconfirmed_tail(lines)
    at = _index(lines, confirmed)
    if at is None:
        return Tail(confirmed, whole=False, recent=_ids(lines))
    last, good = confirmed, at + 1
    for line in lines[good:]:
        if line.position is None or not line.follows(last):
            break
        last, good = line.position, good + 1
    return _cut_from(lines, good, last)


def lines_behind(files: Sequence[Path], here: Position) -> Cut | None:
    """Return what lies behind a line; ``None`` for nothing, or where that line is not to be found.

    :param files: all files, in order
    :raises OSError: a file cannot be read
    """
    lines = _last_lines(files, here)
    at = _index(lines, here)
    return _cut_from(lines, at + 1, here).cut if at is not None else None


def _last_lines(files: Sequence[Path], confirmed: Position | None) -> list[_Line]:
    """Return the last lines in order, back to the confirmed one, and as many as recognise events."""
    found: list[_Line] = []
    for path in reversed(files):
        for raw in lines_backwards(path):
            line = _read(raw)
            found.append(line)
            reached = confirmed is None or (line.position is not None and line.position.seq <= confirmed.seq)
            if reached and len(found) >= RECENT:
                return found[::-1]
    return found[::-1]


def _unconfirmed_tail(lines: Sequence[_Line]) -> Tail:
    """Return the end where nothing is known of it but what lies there: damaged lines at the very end are torn."""
    good = len(lines)
    while good and lines[good - 1].position is None:
        good -= 1
    last = lines[good - 1].position if good else None
    return _cut_from(lines, good, last or START)


def _cut_from(lines: Sequence[_Line], good: int, last: Position) -> Tail:
    """Return the end where all of ``lines`` from number ``good`` on are torn."""
    recent = _ids(lines[:good])
    if good == len(lines):
        return Tail(last, recent=recent)
    torn = lines[good]
    # A file is begun when all of the one before is on disk: nothing that ends a writer tears a file but the last.
    if torn.path != lines[-1].path:
        return Tail(last, whole=False, recent=recent)
    return Tail(last, Cut(torn.path, torn.offset), recent=recent)


def _read(raw: RawLine) -> _Line:
    try:
        entry = read_line(raw.text)
    except DamagedLine:
        return _Line(raw.path, raw.offset, None)
    return _Line(raw.path, raw.offset, entry.position, entry.prev, entry.id)


def _index(lines: Sequence[_Line], position: Position) -> int | None:
    return next((at for at, line in enumerate(lines) if line.position == position), None)


def _ids(lines: Sequence[_Line]) -> list[str]:
    return [line.id for line in lines if line.position is not None]
