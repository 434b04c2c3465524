"""The files of the audit trail in one directory: their names, who may own them, one writer, reading from the end.

A file is named for the number of its first line, so that names sort as lines do and a missing file shows. Files are
never renamed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from casduo.errors import CasduoError

Obstacle = Literal["full", "read_only", "denied", "foreign", "locked", "failing"]
"""``full``: no room, or a limit; ``read_only``, ``denied``: by the file system; ``foreign``: not ours alone: a symbolic
link, another's, or writable for others; ``locked``: another process writes there; ``failing``: anything else.
"""

LOCK = "audit.lock"

_NAME = re.compile(r"audit-(\d{12,20})(?:-(\d{1,6}))?\.jsonl")
_BLOCK = 64 * 1024
_OBSTACLES: dict[int, Obstacle] = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "full"),
    errno.EROFS: "read_only",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "denied"),
    **dict.fromkeys((errno.ELOOP, errno.ENOTDIR), "foreign"),
}


class AuditUnwritable(CasduoError):
    """The audit trail cannot be written. ``obstacle`` says what stands in the way, ``detail`` the system's words."""

    code = "AUDIT_UNWRITABLE"

    def __init__(self, obstacle: Obstacle, detail: str) -> None:
        super().__init__(f"the audit trail cannot be written: {detail}")
        self.obstacle: Obstacle = obstacle
        self.detail = detail


def unwritable(error: OSError) -> AuditUnwritable:
    """Return what a failure of the file system means."""
    number = error.errno or 0
    name = f" ({os.path.basename(os.fsdecode(error.filename))})" if error.filename else ""
    return AuditUnwritable(_OBSTACLES.get(number, "failing"), f"{os.strerror(number)}{name}")


def file_name(seq: int, again: int = 1) -> str:
    """Return the name of the file whose first line is number ``seq``.

    :param again: 2 and more where there is such a file already
    """
    return f"audit-{seq:012}{f'-{again}' if again > 1 else ''}.jsonl"


def place_of(name: str) -> tuple[int, int] | None:
    """Return by what files are ordered: number of the first line, and which of those that begin with it; ``None`` for
    a file that is not of a trail.
    """
    found = _NAME.fullmatch(name)
    return (int(found[1]), int(found[2] or 1)) if found else None


def trail_files(directory: Path) -> list[Path]:
    """Return the files of a trail in their order.

    :raises OSError: the directory cannot be read
    """
    placed = [(place, path) for path in directory.iterdir() if (place := place_of(path.name)) is not None]
    return [path for _, path in sorted(placed)]


def make_directory(directory: Path) -> None:
    """Make the directory if it is missing, for its owner alone, and see that nobody else may write there.

    :raises AuditUnwritable: it cannot be made, or is not ours alone
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = directory.lstat()
    except FileExistsError:
        raise AuditUnwritable("foreign", f"{directory} is no directory") from None
    except OSError as error:
        raise unwritable(error) from error
    _refuse_foreign(directory, facts, stat.S_ISDIR(facts.st_mode))


def open_file(path: Path, flags: int) -> int:
    """Open a file of ours and return its descriptor. A new one is for its owner alone.

    :param flags: as for ``os.open``
    :raises OSError: it cannot be opened
    :raises AuditUnwritable: it is not ours alone
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        facts = os.fstat(descriptor)
        _refuse_foreign(path, facts, stat.S_ISREG(facts.st_mode))
    except AuditUnwritable:
        os.close(descriptor)
        raise
    return descriptor


def take_lock(directory: Path) -> int:
    """Become the one process that writes in a directory; return what has to be closed at the end.

    :raises AuditUnwritable: another one does, or the lock cannot be opened
    """
    path = directory / LOCK
    try:
        descriptor = open_file(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise unwritable(error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise AuditUnwritable("locked", f"another process writes in {directory}") from None
        raise unwritable(error) from error
    return descriptor


def sync_directory(directory: Path) -> None:
    """Have the names in a directory written out.

    :raises OSError: that fails
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``.

    :raises OSError: some or all of it was not written
    """
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_whole(path: Path, data: bytes) -> None:
    """Write all of ``data`` to the end of a file, and to the disk.

    :raises OSError: some or all of it was not written
    """
    descriptor = open_file(path, os.O_WRONLY | os.O_APPEND)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_from(path: Path, offset: int) -> bytes:
    """Return what a file holds from ``offset`` on.

    :raises OSError: it cannot be read
    """
    descriptor = open_file(path, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        file.seek(offset)
        return file.read()


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line as it lies in a file, with its line feed if it has one."""

    path: Path
    offset: int
    text: bytes


def lines_backwards(path: Path, end: int | None = None) -> Iterator[RawLine]:
    """Yield the lines of a file from the last to the first, reading no more of it than is asked for.

    :param end: where the line begins before which to start; the end of the file by default
    :raises OSError: it cannot be read
    """
    # Whose it is matters to who writes it; it may be a copy that somebody looks at.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        start, rest = os.fstat(descriptor).st_size, b""
        if end is not None:
            start = min(start, end)
        while start:
            size = min(_BLOCK, start)
            start -= size
            rest = os.pread(descriptor, size, start) + rest
            # The first of them may begin in the block before.
            head, *whole = split_lines(rest)
            offset = start + len(rest)
            for text in reversed(whole):
                offset -= len(text)
                yield RawLine(path, offset, text)
            rest = head
        if rest:
            yield RawLine(path, 0, rest)
    finally:
        os.close(descriptor)


def split_lines(text: bytes) -> list[bytes]:
    """Return the lines of ``text``, each with its line feed; the last one may have none."""
    # Not splitlines(): a damaged line may hold bytes that would end a line there.
    *lines, rest = text.split(b"\n")
    return [*(line + b"\n" for line in lines), *([rest] if rest else [])]


def _refuse_foreign(path: Path, facts: os.stat_result, right_kind: bool) -> None:
    if not right_kind:
        raise AuditUnwritable("foreign", f"{path} is a symbolic link, or not what it should be")
    if facts.st_uid != os.geteuid():
        raise AuditUnwritable("foreign", f"{path} belongs to another user")
    if facts.st_mode & 0o022:
        raise AuditUnwritable("foreign", f"{path} can be written by others")
