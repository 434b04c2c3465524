"""Writes values as YAML, on one line or on several, in the least that keeps them what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from casduo.yamlfile import resolve_plain

Plain = str | int | float | bool | None
Value = Plain | Sequence["Value"] | dict[str, "Value"]

WIDTH = 110
"""Columns. Lists and mappings that would make a longer line get lines of their own."""

_PLAIN = re.compile(r"[\w/.(+][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*", re.UNICODE)
_IN_FLOW = re.compile(r"[,\[\]{}]")
_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off"})
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def scalar(value: Plain, *, flow: bool = False, style: str = "") -> str:
    """Return ``value`` as a scalar on one line.

    :param flow: whether it stands between brackets, where commas end it
    :param style: quotes that stood there before and are kept where they can be, ``'`` or ``"``; empty: none
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if style != '"' and _UNPRINTABLE.search(value) is None and re.search("[\x00-\x1f]", value) is None:
        if style != "'" and is_plain(value, flow=flow):
            return value
        return "'" + value.replace("'", "''") + "'"
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def is_plain(text: str, *, flow: bool = False) -> bool:
    """Whether ``text`` can stand without quotes and is read as this very text, by parsers of YAML 1.1 too."""
    return (
        _PLAIN.fullmatch(text) is not None
        and isinstance(resolve_plain(text), str)
        and text.lower() not in _OLD_WORDS
        and text == text.strip()
        and ": " not in text
        and " #" not in text
        and not text.endswith(":")
        and not (flow and (_IN_FLOW.search(text) or text.startswith("?")))
        and not text.startswith(("...", "?"))
    )


def inline(value: Value, *, flow: bool = False, style: str = "") -> str:
    """Return ``value`` on one line, lists and mappings with brackets."""
    if isinstance(value, dict):
        pairs = (f"{scalar(key, flow=True)}: {inline(one, flow=True)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(inline(one, flow=True) for one in value) + "]"
    return scalar(value, flow=flow, style=style)


def block(value: Value, indent: int) -> list[str]:
    """Return ``value``, a list or a mapping with something in it, as lines that are indented by ``indent`` spaces."""
    space = " " * indent
    if isinstance(value, dict):
        return [line for key, one in value.items() for line in pair(key, one, indent)]
    assert isinstance(value, Sequence)
    return [f"{space}- {inline(one)}" for one in value]


def pair(key: str, value: Value, indent: int) -> list[str]:
    """Return ``key`` with ``value`` as lines: one where that is short enough."""
    whole = f"{' ' * indent}{scalar(key)}: {inline(value)}"
    if len(whole) <= WIDTH or not isinstance(value, dict | list | tuple) or not value:
        return [whole]
    return [f"{' ' * indent}{scalar(key)}:", *block(value, indent + 2)]
