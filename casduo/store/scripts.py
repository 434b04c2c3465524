"""Lua scripts: read once from beside the module that owns their keys, called by their hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script as Redis knows it: ``name`` for people, ``text`` to load it, ``sha`` to call it."""

    name: str
    text: str
    sha: str


def load_script(beside: str, name: str) -> Script:
    """Read ``name`` from the folder of the module whose ``__file__`` is ``beside``.

    The hash is computed here, so the first call needs no ``SCRIPT LOAD`` round trip: Redis answers ``NOSCRIPT`` once
    per server start and the store sends the text then.
    """
    text = (Path(beside).parent / name).read_text(encoding="utf-8")
    # SHA-1 is Redis's name for a script, not a protection.
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
