"""Lua scripts: read once from beside the module that owns their keys, called by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script as Redis knows it: ``name`` for people, ``text`` to load it, ``sha`` to call it.

    ``spelled_out`` sends the text with each call: for a rare script whose place among the commands of a batch matters
    even when Redis has forgotten all scripts. ``confirmed`` has replicas confirm what it wrote before its answer
    counts. ``order`` says of a script that it has somebody do something about what the others of its batch have done.
    """

    name: str
    text: str
    sha: str
    spelled_out: bool = False
    confirmed: bool = False
    order: bool = False


_WHEN_FULL = "#!lua flags=allow-oom\n"
"""Redis 7.0, "Eval scripts with flags": the script runs where used memory is above ``maxmemory``."""


def load_script(
    beside: str,
    name: str,
    *,
    spelled_out: bool = False,
    confirmed: bool = False,
    when_full: bool = False,
    order: bool = False,
    after: Sequence[str] = (),
) -> Script:
    """Read ``name`` from the folder of the module whose ``__file__`` is ``beside``.

    A script takes its keys by their places and does not count them: on a cluster one more stands behind them, see
    :func:`~casduo.store.redirects.companion`.

    :param confirmed: for what must not be undone when a Redis dies and its replica takes over: what is good once was
        used, a session has ended. Where the settings say so, replicas confirm it in the same round trip; where they do
        not, the call fails, and what it did stands.
    :param when_full: whether it runs in a Redis that is full too: for what frees memory, or has to be done before
        anything is freed. Other scripts are refused there at their first write that needs memory, and have changed
        nothing then.
    :param order: for an order about what the batch does: on a cluster it is sent when that has been done
    :param after: files of the same folder that go in front of it: functions that several scripts use

    The hash is computed here; the store tells Redis all texts together, along with its first commands and again when
    Redis has forgotten them.
    """
    folder = Path(beside).parent
    text = "".join((folder / part).read_text(encoding="utf-8") for part in (*after, name))
    if when_full:
        text = _WHEN_FULL + text
    # SHA-1 is Redis's name for a script, not a protection.
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    script = Script(name, text, sha, spelled_out, confirmed, order)
    _LOADED[script.sha] = script
    return script


def all_scripts() -> tuple[Script, ...]:
    """Return every script that was read in this process."""
    return tuple(_LOADED.values())


_LOADED: dict[str, Script] = {}
