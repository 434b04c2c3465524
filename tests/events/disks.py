"""A disk that can be filled: a small file system where one may be mounted, else the limit on the size of files."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

SIZE = 256 * 1024
_PAGE = 4096


class SmallDisk(Protocol):
    """A disk with a directory on it."""

    directory: Path

    def fill(self, leaving: int = 0) -> None:
        """Take all room but for ``leaving`` bytes, about."""

    def free(self) -> None:
        """Give it back."""


@dataclass
class _Mounted:
    directory: Path

    def fill(self, leaving: int = 0) -> None:
        with (self.directory / "ballast").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * _PAGE)
            except OSError:
                file.truncate(max(0, file.tell() - leaving))

    def free(self) -> None:
        (self.directory / "ballast").unlink()


@dataclass
class _Limited:
    """For a test in one process: none of its files may grow."""

    directory: Path
    before: tuple[int, int] = field(default_factory=lambda: resource.getrlimit(resource.RLIMIT_FSIZE))

    def fill(self, leaving: int = 0) -> None:
        largest = max(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest + min(leaving, 500) + 100, self.before[1]))

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


@contextmanager
def small_disk(directory: Path, size: int = SIZE) -> Iterator[SmallDisk]:
    """Make a disk at ``directory``, of so many bytes."""
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "casduo", str(directory)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        limited = _Limited(directory)
        try:
            yield limited
        finally:
            limited.free()
        return
    try:
        yield _Mounted(directory)
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
