"""Lua scripts: read once from beside the module that owns their keys, called by their hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script as Redis knows it: ``name`` for people, ``text`` to load it, ``sha`` to call it.

    ``spelled_out`` sends the text with each call: for a rare script whose place among the commands of a batch matters
    even when Redis has forgotten all scripts.
    """

    name: str
    text: str
    sha: str
    spelled_out: bool = False


def load_script(beside: str, name: str, *, spelled_out: bool = False) -> Script:
    """Read ``name`` from the folder of the module whose ``__file__`` is ``beside``.

    The hash is computed here; the store tells Redis all texts together, along with its first commands and again when
    Redis has forgotten them.
    """
    text = (Path(beside).parent / name).read_text(encoding="utf-8")
    # SHA-1 is Redis's name for a script, not a protection.
    script = Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), spelled_out)
    _LOADED[script.sha] = script
    return script


def all_scripts() -> tuple[Script, ...]:
    """Return every script that was read in this process."""
    return tuple(_LOADED.values())


_LOADED: dict[str, Script] = {}
