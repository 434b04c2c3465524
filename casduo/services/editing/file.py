"""The registry file on the disk: read with its version, replaced as a whole, and why it may not be ours to replace."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from casduo.errors import SettingsError
from casduo.filereplace import locked_directory, replace_file
from casduo.services.editing.errors import Busy, Conflict, EditError, ReadOnly
from casduo.services.file import registry_version
from casduo.yamlfile import read_bytes

PATIENCE = 5.0
"""Seconds that a request waits for somebody else who is writing."""

_MOUNTS = Path("/proc/self/mountinfo")


def read_only_reason(path: Path) -> str:
    """Return why this process cannot replace the registry file, as a sentence; empty when it can.

    A file that a ConfigMap of Kubernetes brings, that is mounted by itself, or that nobody may write to belongs to
    whoever put it there.
    """
    target = Path(os.path.realpath(path))
    if "..data" in _links(path):
        return f"{path} comes from a ConfigMap of Kubernetes; change it there."
    if not target.exists():
        return f"{path} is not there."
    if not target.stat().st_mode & 0o222:
        return f"{path} is write-protected: no one may write to it."
    if not os.access(target, os.W_OK):
        return f"{path} may not be written by the user that casduo runs as."
    if _is_mounted(target):
        return f"{path} is mounted by itself and cannot be replaced; change it where it comes from."
    if not os.access(target.parent, os.W_OK | os.X_OK):
        return f"The folder {target.parent} may not be written by the user that casduo runs as."
    return ""


def _links(path: Path) -> set[str]:
    """Return all names that are passed on the way from ``path`` to the file that it leads to."""
    names: set[str] = set()
    for _ in range(40):
        names.update(path.parts)
        if not path.is_symlink():
            break
        path = path.parent / os.readlink(path)
    return names | set(Path(os.path.realpath(path)).parts)


def _is_mounted(path: Path) -> bool:
    try:
        mounts = _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return False
    # proc(5): the fifth field is where it is mounted, with octal escapes.
    written = str(path).replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011").replace("\n", "\\012")
    return any(fields[4] == written for line in mounts.splitlines() if len(fields := line.split(" ")) > 4)


class RegistryFile:
    """The file at ``path``.

    :param patience: seconds to wait for somebody else who is writing
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self.path = path
        self._patience = patience

    def read(self) -> bytes:
        """Return its content.

        :raises SettingsError: it cannot be read
        """
        return read_bytes(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold back everybody else of casduo who wants to write it.

        :raises Busy: somebody else is at it for too long
        :raises ReadOnly: the folder cannot be opened
        """
        folder = Path(os.path.realpath(self.path)).parent
        with ExitStack() as stack:
            try:
                stack.enter_context(locked_directory(folder, self._patience))
            except TimeoutError:
                raise Busy("Somebody else is saving at this moment. Try again.") from None
            except OSError as error:
                raise _told(self.path, error) from None
            yield

    def replace(self, expected: str, content: bytes) -> None:
        """Replace the file, within :meth:`locked`, if it is still of the version ``expected``.

        Its owner and its permissions stay. A link stays a link: what it leads to is replaced.

        :raises ReadOnly: it is not ours to replace
        :raises Conflict: it has changed
        :raises EditError: the system refuses, such as on a full disk; the old file is still there
        """
        if reason := read_only_reason(self.path):
            raise ReadOnly(reason)
        self.expect(expected)
        try:
            replace_file(Path(os.path.realpath(self.path)), content)
        except OSError as error:
            raise _told(self.path, error) from None

    def expect(self, expected: str) -> bytes:
        """Return the content of the file if it is of the version ``expected``.

        :raises Conflict: it is not
        """
        try:
            present = self.read()
        except SettingsError as error:
            raise EditError(f"The registry file {error.problems[0].message}.") from None
        if registry_version(present) != expected:
            raise Conflict(expected, present)
        return present


def _told(path: Path, error: OSError) -> EditError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EditError("The disk is full. Nothing was changed.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY):
        return ReadOnly(f"{path} cannot be replaced: {error.strerror}.")
    return EditError(f"{path} cannot be replaced: {error.strerror or 'the system refuses'}. Nothing was changed.")
