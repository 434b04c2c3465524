"""Reads files of other servers as plain data: JSON as people write it, YAML with tags; all bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import hjson  # type: ignore[import-untyped]
from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from casduo.errors import Problem, SettingsError
from casduo.yamlfile import resolve_plain
from casduo.yamlsyntax import PARSER_ERRORS

SIZE_LIMIT = 5_000_000
"""Bytes of one file."""

NODE_LIMIT = 500_000
DEPTH_LIMIT = 40

CLASS = "@class"
"""Key under which JSON of Java has the class of a mapping. Tags of YAML are put there as well."""

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decoded(content: bytes, file: str) -> str:
    """Return the text of a file.

    :raises SettingsError: larger than 5 MB, not UTF-8, or with control characters; says where
    """
    if len(content) > SIZE_LIMIT:
        raise _refused(file, f"larger than {SIZE_LIMIT // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start].decode("utf-8", "replace"), error.start)
        raise _refused(
            file, f"byte 0x{content[error.start]:02X} is not UTF-8; save the file as UTF-8", line, column
        ) from None
    if found := _FORBIDDEN.search(text):
        line, column = _place(text, found.start())
        raise _refused(file, f"control character U+{ord(found[0]):04X} is not allowed", line, column)
    return text


def read_json(text: str, file: str) -> Any:
    """Return JSON, or Hjson: with comments, trailing commas, and texts over several lines.

    :raises SettingsError: it is neither, is nested too deeply, or writes a key twice
    """
    twice: list[str] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, value in pairs:
            if key in members:
                twice.append(key)
            members[key] = value
        return members

    try:
        try:
            data = json.loads(text, object_pairs_hook=mapping)
        except json.JSONDecodeError:
            twice.clear()
            data = hjson.loads(text, object_pairs_hook=mapping)
    except hjson.HjsonDecodeError as error:
        raise _refused(file, f"is not JSON: {error.msg.split(' (')[0]}", error.lineno, error.colno) from None
    except RecursionError:
        raise _refused(file, f"nested deeper than {DEPTH_LIMIT} levels") from None
    except (ValueError, IndexError):
        # Numbers of thousands of digits; a comment without an end.
        raise _refused(file, "is not JSON") from None
    if twice:
        raise _refused(file, f"{twice[0][:60]!r} is written twice in the same place; only one of them can be meant")
    check_values(data, file)
    return data


def check_values(data: Any, file: str) -> None:
    """Refuse plain data that is nested too deeply, or holds characters that only escapes can write.

    :raises SettingsError: it does
    """
    level = [data]
    for _ in range(DEPTH_LIMIT):
        for value in level:
            names = value if isinstance(value, dict) else [value]
            if found := next(filter(None, (_FORBIDDEN.search(name) for name in names if isinstance(name, str))), None):
                raise _refused(file, f"an escape writes the control character U+{ord(found[0]):04X}")
        level = [
            member
            for value in level
            if isinstance(value, dict | list | tuple)
            for member in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise _refused(file, f"nested deeper than {DEPTH_LIMIT} levels")


def read_yaml(text: str, file: str) -> list[Any]:
    """Return the documents of a YAML file. Tags construct nothing: that of a mapping becomes its :data:`CLASS`.

    :raises SettingsError: it is not YAML, is nested too deeply, or unfolds into too much
    """
    try:
        documents = _Documents(YAML(typ="safe", pure=True).parse(text), file).read()
        check_values(documents, file)
        return documents
    except PARSER_ERRORS as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise _refused(
            file, f"is not YAML: {getattr(error, 'problem', None) or 'cannot be read'}", line, column
        ) from None
    except RecursionError:
        raise _refused(file, f"nested deeper than {DEPTH_LIMIT} levels") from None


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _refused(file: str, message: str, line: int = 0, column: int = 0) -> SettingsError:
    return SettingsError((Problem(file, line, column, "", message),))


class _Documents:
    """Builds plain data from the events of a YAML parser."""

    def __init__(self, events: Iterator[Any], file: str) -> None:
        self._events = events
        self._file = file
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._size = 0

    def read(self) -> list[Any]:
        documents = []
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._anchors.clear()
                documents.append(self._node(next(self._events), 0)[0])
            elif isinstance(event, StreamEndEvent):
                break
        return documents

    def _refuse(self, event: Any, message: str) -> SettingsError:
        return _refused(self._file, message, event.start_mark.line + 1, event.start_mark.column + 1)

    def _node(self, event: Any, depth: int) -> tuple[Any, int]:
        """Return a value, and how many values are in it once aliases are written out."""
        if depth > DEPTH_LIMIT:
            raise self._refuse(event, f"nested deeper than {DEPTH_LIMIT} levels")
        if isinstance(event, AliasEvent):
            if event.anchor not in self._anchors:
                raise self._refuse(event, f"*{event.anchor} is not defined above with &{event.anchor}")
            value, size = self._anchors[event.anchor]
        elif isinstance(event, ScalarEvent):
            plain = event.tag is None and event.implicit[0]
            value, size = (resolve_plain(event.value) if plain else str(event.value)), 1
        elif isinstance(event, SequenceStartEvent):
            value, size = self._sequence(depth)
        else:
            value, size = self._mapping(event, depth)
        self._size += size if isinstance(event, AliasEvent) else 1
        if self._size > NODE_LIMIT:
            raise self._refuse(event, f"holds more than {NODE_LIMIT:,} values, aliases written out")
        anchor = getattr(event, "anchor", None)
        if anchor is not None and not isinstance(event, AliasEvent):
            self._anchors[anchor] = value, size
        return value, size

    def _sequence(self, depth: int) -> tuple[list[Any], int]:
        values, size = [], 1
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            value, inner = self._node(event, depth + 1)
            values.append(value)
            size += inner
        return values, size

    def _mapping(self, start: Any, depth: int) -> tuple[dict[str, Any], int]:
        values: dict[str, Any] = {}
        tag, size = str(start.tag or ""), 1
        if tag not in {"", "!"} and not tag.startswith("tag:yaml.org,2002:"):
            values[CLASS] = tag.removeprefix("!")
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            if not isinstance(event, ScalarEvent):
                raise self._refuse(event, "a key must be plain text")
            key = str(event.value)
            if key in values:
                raise self._refuse(
                    event, f"{key[:60]!r} is written twice in the same place; only one of them can be meant"
                )
            values[key], inner = self._node(next(self._events), depth + 1)
            size += inner
        return values, size
