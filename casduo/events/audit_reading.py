"""The reading end of the audit trail: entries by what they are about, the last ones, those that come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from casduo.events.audit_files import lines_backwards, place_of, trail_files
from casduo.events.audit_line import AuditEntry, DamagedLine, read_line
from casduo.events.record import EventRecord

NEAR = 10_000
"""Entries within which one that was written twice is recognised."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are wanted. What is empty leaves nothing out.

    :param kinds: kinds of event; ``duo.*`` stands for all that begin with ``duo.``
    :param users: names, in whatever case
    :param services: registry ids
    :param start: epoch seconds
    :param end: epoch seconds, not included
    """

    kinds: Sequence[str] = ()
    users: Sequence[str] = ()
    services: Sequence[str] = ()
    start: float = float("-inf")
    end: float = float("inf")

    def takes(self, record: EventRecord) -> bool:
        """Whether an event is wanted."""
        return (
            self.start <= record.at < self.end
            and (not self.services or record.about.service in self.services)
            and (not self.users or record.about.principal.casefold() in {user.casefold() for user in self.users})
            and (not self.kinds or any(_is_of(record.kind, kind) for kind in self.kinds))
        )


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Return files in the order of their entries; as they are given where their names do not tell."""
    if any(place_of(path.name) is None for path in paths):
        return list(paths)
    return sorted(paths, key=lambda path: place_of(path.name) or (0, 0))


class AuditFiles:
    """The entries of some files. ``damaged`` counts lines that could not be read, as far as entries were asked for.

    :param paths: in order
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self.damaged = 0

    def entries(self, selection: Selection) -> Iterator[tuple[AuditEntry, bytes]]:
        """Yield entries with their lines, each event once.

        :raises OSError: a file cannot be read
        """
        near: dict[str, None] = {}
        for path in self._paths:
            with path.open("rb") as file:
                for line in file:
                    entry = self._entry(line)
                    if entry is None or entry.id in near:
                        continue
                    near[entry.id] = None
                    if len(near) > NEAR:
                        del near[next(iter(near))]
                    if selection.takes(entry.record):
                        yield entry, line

    def last(self, most: int, selection: Selection) -> list[tuple[AuditEntry, bytes]]:
        """Return the last entries, the oldest of them first. No more is read than that takes.

        :raises OSError: a file cannot be read
        """
        found: list[tuple[AuditEntry, bytes]] = []
        for path in reversed(self._paths):
            for raw in lines_backwards(path):
                if len(found) >= most:
                    return found[::-1]
                entry = self._entry(raw.text)
                if entry is not None and selection.takes(entry.record):
                    found.append((entry, raw.text))
        return found[::-1]

    def _entry(self, line: bytes) -> AuditEntry | None:
        try:
            return read_line(line)
        except DamagedLine as damage:
            # The last line may just be under way.
            self.damaged += damage.reason != "unfinished"
            return None


class Follower:
    """Reads on where a directory's last file ends, and in the files that follow it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        files = trail_files(directory)
        self._path = files[-1] if files else None
        self._offset = _end_of_lines(files[-1]) if files else 0

    def lines(self, wait: Callable[[], bool]) -> Iterator[bytes]:
        """Yield lines as they come.

        :param wait: waits for a moment and returns whether to go on
        :raises OSError: a file cannot be read
        """
        while True:
            yield from self._fresh()
            if not wait():
                return

    def _fresh(self) -> Iterator[bytes]:
        while True:
            # Looked for first: what is added to a file before the next one is begun must not be missed.
            after = self._next()
            if self._path is not None:
                yield from self._read(self._path)
            if after is None:
                return
            self._path, self._offset = after, 0

    def _read(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield line

    def _next(self) -> Path | None:
        files = trail_files(self._directory)
        if self._path is None:
            return files[0] if files else None
        here = place_of(self._path.name) or (0, 0)
        return next((path for path in files if (place_of(path.name) or (0, 0)) > here), None)


def _end_of_lines(path: Path) -> int:
    """Return where the last finished line of a file ends."""
    ends = (raw.offset + len(raw.text) for raw in lines_backwards(path) if raw.text.endswith(b"\n"))
    return next(ends, 0)


def _is_of(kind: str, wanted: str) -> bool:
    return kind.startswith(wanted[:-1]) if wanted.endswith(".*") else kind == wanted
