"""Searches the audit trail from its end, a bounded stretch at a time: a trail of any size keeps nobody waiting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casduo.events.audit_files import RawLine, lines_backwards, place_of
from casduo.events.audit_line import AuditEntry, DamagedLine, read_line
from casduo.events.audit_reading import Selection

STRETCH = 8 * 1024 * 1024
"""Bytes that one search reads; some twenty-five thousand entries."""

_CURSOR = re.compile(r"(\d{1,20})-(\d{1,6})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two lines: what is before it in the trail has not been looked at yet.

    :param place: of the file, as its name tells
    :param offset: of the line behind the place
    """

    place: tuple[int, int]
    offset: int

    @property
    def text(self) -> str:
        """The cursor in an address; see :meth:`parse`."""
        return f"{self.place[0]}-{self.place[1]}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Return the cursor that ``text`` spells, ``None`` for none."""
        found = _CURSOR.fullmatch(text)
        return cls((int(found[1]), int(found[2])), int(found[3])) if found else None


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found.

    :param entries: the newest first
    :param following: where to go on, ``None`` where the beginning of the trail was reached
    :param looked_at: lines that were read
    :param damaged: lines among them that are not as they were written
    :param chained: every line that was read follows the one before it, by number and hash
    :param oldest: the moment of the oldest line that was read, in epoch seconds; 0 for none
    """

    entries: tuple[AuditEntry, ...]
    following: Cursor | None
    looked_at: int
    damaged: int
    chained: bool
    oldest: float


def search(
    paths: Sequence[Path],
    selection: Selection,
    most: int,
    *,
    before: Cursor | None = None,
    reference: str = "",
    stretch: int = STRETCH,
) -> Search:
    """Return the latest entries that are wanted, as far as one stretch of the trail has them.

    :param paths: files of a trail, in their order
    :param most: entries
    :param before: where an earlier search stopped
    :param reference: of a request, empty for any
    :param stretch: bytes to read at most
    :raises OSError: a file cannot be read
    """
    found: list[AuditEntry] = []
    reading = _Reading()
    following: Cursor | None = None
    left = stretch
    for place, raw in _lines(paths, before):
        if left <= 0 or len(found) >= most:
            following = Cursor(place, raw.offset + len(raw.text))
            break
        left -= len(raw.text)
        entry = reading.take(raw.text)
        if entry is None:
            continue
        if entry.record.at < selection.start:
            # Entries lie in the order of their writing, which is that of their moments but for seconds.
            reading.past += 1
            if reading.past > _STRAY:
                break
        if selection.takes(entry.record) and reference in ("", entry.record.about.reference):
            found.append(entry)
    return Search(tuple(found), following, reading.looked_at, reading.damaged, reading.chained, reading.oldest)


_STRAY = 1000
"""Entries from before the wanted time behind which nothing from within it is expected any more."""


class _Reading:
    """Counts what is read, from the end to the beginning, and sees that one line follows another."""

    def __init__(self) -> None:
        self.looked_at = 0
        self.damaged = 0
        self.chained = True
        self.oldest = 0.0
        self.past = 0
        self._later: AuditEntry | None = None

    def take(self, line: bytes) -> AuditEntry | None:
        """Return the entry of a line, ``None`` where it cannot be read."""
        self.looked_at += 1
        try:
            entry = read_line(line)
        except DamagedLine as damage:
            # The last line may just be under way.
            if damage.reason != "unfinished":
                self.damaged += 1
                self.chained = False
            return None
        if self._later is not None and not self._later.follows(entry.position):
            self.chained = False
        self._later, self.oldest = entry, entry.record.at
        return entry


def _lines(paths: Sequence[Path], before: Cursor | None) -> Iterator[tuple[tuple[int, int], RawLine]]:
    for path in reversed(paths):
        place = place_of(path.name) or (0, 0)
        if before is not None and place > before.place:
            continue
        end = before.offset if before is not None and place == before.place else None
        for raw in lines_backwards(path, end):
            yield place, raw
