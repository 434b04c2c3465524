"""Sends inputs through harnesses, and keeps those that were a find. Needs no fuzzer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.targets import Target

KEPT = Path(__file__).parent / "kept"
"""Inputs that once were a find, in a folder for each target."""


def kept(target: Target) -> list[Path]:
    """Return the files that are kept for a target."""
    return sorted(path for path in (KEPT / target.name).glob("*") if path.is_file())


def inputs(target: Target) -> Iterator[tuple[str, bytes]]:
    """Yield what a target is tried with, each with a name: seeds, kept finds, and both with a little damage."""
    found = [(f"seed {number}", seed) for number, seed in enumerate(target.seeds, 1)]
    found += [(path.name, path.read_bytes()) for path in kept(target)]
    yield "nothing", b""
    for name, data in found:
        yield name, data
        yield f"{name}, cut", data[: len(data) // 2]
        yield f"{name}, twice", data + data
        yield f"{name}, with bytes that are no text", data[:7] + b"\x00\xff\xfe\xed\xa0\x80" + data[7:]


def keep(target: Target, data: bytes) -> Path:
    """Keep a find under a name that is always the same for it."""
    folder = KEPT / target.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    return path
