"""Writes files that hold secrets, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put ``content`` in the place of whatever ``path`` held.

    The file is never, not even for a moment, readable by more people than ``mode`` says, and a reader sees either
    the old content or the new.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        os.fchmod(stream.fileno(), mode)
    os.replace(temporary, path)
