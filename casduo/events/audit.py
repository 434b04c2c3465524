"""The writing end of the audit trail: appends events to files, each line chained to the one before, and recovers."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from casduo.events.audit_files import (
    AuditUnwritable,
    file_name,
    make_directory,
    open_file,
    read_from,
    sync_directory,
    take_lock,
    trail_files,
    unwritable,
    write_all,
    write_whole,
)
from casduo.events.audit_line import START, Position, written_line
from casduo.events.audit_tail import RECENT, Cut, lines_behind, read_tail
from casduo.events.record import EventRecord


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What Redis knows of the trail.

    :param last: the last line, wherever it is
    :param here: the last line in this directory, if that is another one: the trail went on elsewhere since
    :param elsewhere: whether the last line is in another directory
    """

    last: Position | None = None
    here: Position | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """How a trail was found.

    :param torn: file in which damaged bytes from its end are kept, "" for none
    :param missing: whether lines that were written here are gone or changed; it goes on in a new file
    """

    torn: str = ""
    missing: bool = False


class AuditTrail:
    """The trail in one directory, for the one process that writes it.

    Every failure of the file system is an ``AuditUnwritable``; what :meth:`append` was given is then not written, and
    :meth:`open` comes before the next try.

    :param directory: made if missing, for its owner alone
    :param rotate_size: bytes; a file that would be larger is followed by another one
    """

    def __init__(self, directory: Path, rotate_size: int) -> None:
        self._directory = directory
        self._rotate_size = rotate_size
        self._lock: int | None = None
        self._file: int | None = None
        self._path: Path | None = None
        self._size = 0
        self._last = START
        self._recent: dict[str, None] = {}
        self._most_recent = RECENT
        self._doubtful: list[Cut] = []

    @property
    def last(self) -> Position:
        """The last line."""
        return self._last

    @property
    def file(self) -> str:
        """The name of the file with the last line; "" before there is one."""
        return self._path.name if self._path is not None else ""

    def open(self, confirmed: Confirmed) -> Opened:
        """Take the directory, bring its end in order and go on there.

        :raises AuditUnwritable: it cannot be written
        """
        try:
            self._take_back()
            self.close()
            make_directory(self._directory)
            self._lock = take_lock(self._directory)
            return self._recover(confirmed)
        except (OSError, AuditUnwritable) as error:
            self._let_go()
            raise unwritable(error) if isinstance(error, OSError) else error from error

    def append(self, records: Iterable[EventRecord]) -> int:
        """Write events behind the last line and to the disk. Those that are in the trail already are left out.

        :return: how many were written
        :raises AuditUnwritable: not all of them could be; none counts as written
        """
        fresh = list({record.id: record for record in records if record.id not in self._recent}.values())
        try:
            self._write(fresh)
        except (OSError, AuditUnwritable) as error:
            self._let_go()
            raise unwritable(error) if isinstance(error, OSError) else error from error
        self._doubtful.clear()
        self._remember(record.id for record in fresh)
        return len(fresh)

    def intact(self) -> bool:
        """Whether the directory is taken, and its last file still where and as this process left it."""
        if self._path is None or self._file is None:
            return self._lock is not None
        try:
            there, ours = os.stat(self._path, follow_symlinks=False), os.fstat(self._file)
        except OSError:
            return False
        return (there.st_dev, there.st_ino, there.st_size) == (ours.st_dev, ours.st_ino, self._size)

    def close(self) -> None:
        """Let go of the directory, for another process to write there."""
        with suppress(OSError, AuditUnwritable):
            self._take_back()
        self._doubtful.clear()
        self._close_file()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _let_go(self) -> None:
        """Take back what was begun, and close; where that fails too, nobody else may write here before it succeeds."""
        try:
            self._take_back()
        except (OSError, AuditUnwritable):
            self._close_file()
        else:
            self.close()

    def _take_back(self) -> None:
        """Cut what was written before a failure: nobody knows what of it is on disk, and it is still in the stream."""
        while self._doubtful:
            self._cut(self._doubtful[-1])
            self._doubtful.pop()

    def _close_file(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    def _recover(self, confirmed: Confirmed) -> Opened:
        files = self._files()
        tail = read_tail(files, confirmed.last)
        went_on = not tail.whole and confirmed.elsewhere
        cut, recent = tail.cut, tail.recent
        if went_on:
            # What was not confirmed before the trail went on elsewhere was written anew there.
            cut, recent = lines_behind(files, confirmed.here) if confirmed.here is not None else None, ()
        torn = self._set_aside(cut) if cut is not None else ""
        self._last, self._path, self._size, self._recent = tail.last, None, 0, {}
        self._most_recent = max(RECENT, len(recent))
        self._remember(recent)
        files = self._files()
        if tail.whole and files:
            self._go_on(files[-1])
        return Opened(torn, missing=not tail.whole and not confirmed.elsewhere)

    def _files(self) -> list[Path]:
        """Return the files, without one at the end in which nothing was written."""
        files = trail_files(self._directory)
        while files and files[-1].stat(follow_symlinks=False).st_size == 0:
            files.pop().unlink()
        return files

    def _go_on(self, path: Path) -> None:
        self._path, self._file = path, open_file(path, os.O_WRONLY | os.O_APPEND)
        self._size = os.fstat(self._file).st_size
        # What lies there counts as written from now on.
        os.fsync(self._file)

    def _set_aside(self, cut: Cut) -> str:
        """Move the end of a file to a file of its own; return the name of that."""
        text = read_from(cut.path, cut.offset)
        names = (f"{cut.path.name}.torn{f'-{again}' if again > 1 else ''}" for again in range(1, _MOST_AGAIN))
        aside = self._new_file(names)
        try:
            write_whole(aside, text)
        except OSError:
            aside.unlink()
            raise
        self._cut(cut)
        return aside.name

    def _cut(self, cut: Cut) -> None:
        with suppress(FileNotFoundError):
            descriptor = open_file(cut.path, os.O_WRONLY)
            try:
                os.ftruncate(descriptor, min(cut.offset, os.fstat(descriptor).st_size))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _new_file(self, names: Iterable[str]) -> Path:
        """Make a file with the first of ``names`` that is free."""
        for name in names:
            path = self._directory / name
            try:
                os.close(open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            sync_directory(self._directory)
            return path
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self._directory))

    def _write(self, records: Sequence[EventRecord]) -> None:
        last, waiting = self._last, bytearray()
        for record in records:
            line, last = written_line(record, last)
            filled = self._size + len(waiting)
            if self._file is None or (filled and filled + len(line) > self._rotate_size):
                self._flush(waiting)
                waiting.clear()
                self._begin(last.seq)
            waiting += line
        self._flush(waiting)
        self._last = last

    def _begin(self, seq: int) -> None:
        self._close_file()
        self._path = self._new_file(file_name(seq, again) for again in range(1, _MOST_AGAIN))
        self._doubtful.append(Cut(self._path, 0))
        self._file, self._size = open_file(self._path, os.O_WRONLY | os.O_APPEND), 0

    def _flush(self, text: bytearray) -> None:
        if text and self._file is not None and self._path is not None:
            self._doubtful.append(Cut(self._path, self._size))
            write_all(self._file, bytes(text))
            os.fsync(self._file)
            self._size += len(text)

    def _remember(self, ids: Iterable[str]) -> None:
        self._recent.update(dict.fromkeys(ids))
        for name in list(islice(self._recent, max(0, len(self._recent) - self._most_recent))):
            del self._recent[name]


_MOST_AGAIN = 10_000
"""Files of one name that are told apart by a number."""
