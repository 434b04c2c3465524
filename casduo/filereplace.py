"""Replaces a file that people edit too: one writer at a time, and the whole new content or the old one."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOOK = 0.02
"""Seconds between two looks at a lock that somebody else has."""


@contextmanager
def locked_directory(directory: Path, patience: float | None = None) -> Iterator[None]:
    """Hold the lock of ``directory``, which everybody of casduo takes who writes a file in it, on this machine.

    Not the file itself: it is replaced, and a lock on the old one would hold nobody back. The directory stays, and
    locking it leaves no lock file of root's behind that the server's user could not open.

    :param patience: seconds to wait for somebody else; None: as long as it takes
    :raises TimeoutError: somebody else has it for longer
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if patience is None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        else:
            _lock_within(descriptor, patience)
        yield
    finally:
        os.close(descriptor)


def _lock_within(descriptor: int, patience: float) -> None:
    give_up = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise TimeoutError("somebody else is writing in this directory") from None
            time.sleep(_LOOK)
        else:
            return


def replace_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Put ``content`` into the place of the file at ``path``, on the disk when this returns. A link is not followed.

    Whoever looks sees the old file or the new one. When the disk is full, or anything else goes wrong, the old one
    stays and nothing else is left.

    :param mode: permissions of the new file; None: those of the old one, or 0600 where there is none. A file that root
        replaces stays its owner's.
    :raises OSError: it cannot be done
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            _keep_owner(stream.fileno(), path, mode)
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_directory(path.parent)


def _keep_owner(descriptor: int, path: Path, mode: int | None) -> None:
    """Leave the file with the server's user when root edits it. ``mkstemp`` gave it mode 0600."""
    try:
        status = path.stat()
    except FileNotFoundError:
        status = None
    if status is not None and os.geteuid() == 0:
        os.fchown(descriptor, status.st_uid, status.st_gid)
    elif status is not None and status.st_gid != os.fstat(descriptor).st_gid:
        # Its group may be what lets others read it; not everybody may give files away.
        with suppress(PermissionError):
            os.fchown(descriptor, -1, status.st_gid)
    if mode is None and status is not None:
        os.fchmod(descriptor, status.st_mode & 0o777)
    elif mode is not None:
        os.fchmod(descriptor, mode)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
