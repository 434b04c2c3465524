"""Reads a YAML file that a person wrote: plain data, the place of every key, and what is wrong as sentences."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from casduo.errors import Problem, SettingsError
from casduo.problems import path_text, problems_of
from casduo.yamlsyntax import LINE_END, PARSER_ERRORS, PROBLEM_LIMIT, syntax_problems

__all__ = ["Document", "KeyPath", "load_yaml", "parse_yaml", "path_text", "problems_of", "read_bytes"]

KeyPath = tuple[str | int, ...]

SIZE_LIMIT = 5_000_000
"""Bytes. Ten thousand services with every field are half of it."""

ANCHOR_LIMIT = 100
NODE_LIMIT = 1_000_000
"""Values after all aliases are written out: stops a small file that unfolds into gigabytes."""

DEPTH_LIMIT = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class _Place:
    """Where a value stands (counted from 1), and its members' places."""

    line: int
    column: int
    members: dict[str | int, _Place] | None = None


@dataclass(slots=True)
class Document:
    """A YAML file as plain data, with the place of every key.

    ``sources`` names, for key paths whose value did not come from the file, where it came from.
    """

    file: str
    data: Any = None
    _root: _Place = field(default_factory=lambda: _Place(0, 0))
    sources: dict[KeyPath, str] = field(default_factory=dict)

    def position(self, path: KeyPath) -> tuple[int, int]:
        """Return line and column, from 1, of the key at ``path`` or of its nearest known parent; ``(0, 0)``: none."""
        place = self._root
        for key in path:
            member = (place.members or {}).get(key)
            if member is None:
                break
            place = member
        return place.line, place.column

    def problem(self, path: KeyPath, message: str, level: str = "error") -> Problem:
        """Return a problem with the value at ``path``."""
        for length in range(len(path), 0, -1):
            source = self.sources.get(path[:length])
            if source is not None:
                return Problem(source, 0, 0, path_text(path), message, level)
        line, column = self.position(path)
        return Problem(self.file, line, column, path_text(path), message, level)


def load_yaml(path: Path) -> Document:
    """Read the YAML file at ``path`` (UTF-8, YAML 1.2, one document, at most 5 MB).

    :raises SettingsError: it cannot be read or is not YAML; holds as many of its problems as can be told apart
    """
    return parse_yaml(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """Return the content of the file at ``path``, at most one byte more than a file may hold.

    :raises SettingsError: it cannot be read
    """
    try:
        with path.open("rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        raise SettingsError((Problem(str(path), 0, 0, "", f"cannot be read: {reason}"),)) from None


def parse_yaml(content: bytes, file: str, *, pure: bool = False, most: int = SIZE_LIMIT) -> Document:
    """Turn ``content`` into a document; ``file`` is the name under which problems are reported.

    The C parser reads it where it is installed (``ruamel.yaml.clib``), some twenty times faster than the one in Python.
    When it refuses, or ``pure`` is set, the other one reads it, and its word counts.

    Keys are always text. Plain scalars follow the core schema of YAML 1.2 (section 10.3.2), so ``no`` is a text and
    ``0777`` is 777; dates stay text. Anchors, aliases and merge keys (``<<``) are understood, tags are not.

    :param most: bytes; what is larger is refused
    :raises SettingsError: as :func:`load_yaml`
    """
    text = _decode(content, file, most)
    if not pure:
        with contextlib.suppress(*PARSER_ERRORS):
            return _compose(text, file, [], pure=False)
    problems: list[Problem] = []
    try:
        return _compose(text, file, problems, pure=True)
    except PARSER_ERRORS as error:
        problems += syntax_problems(text, file, error)
    raise SettingsError(tuple(sorted(problems)))


def _decode(content: bytes, file: str, most: int) -> str:
    if len(content) > most:
        raise SettingsError((Problem(file, 0, 0, "", f"larger than {most // 1_000_000} MB"),))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SettingsError((Problem(file, 1, 1, "", "is in UTF-16; save it as UTF-8"),))
    problems = []
    for number, raw in enumerate(content.split(b"\n"), 1):
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            column = len(raw[: error.start].decode("utf-8")) + 1
            sentence = f"byte 0x{raw[error.start]:02X} is not UTF-8; save the file as UTF-8"
            problems.append(Problem(file, number, column, "", sentence))
    if problems:
        raise SettingsError(tuple(problems[:PROBLEM_LIMIT]))
    text = content.decode("utf-8-sig")
    for number, line in enumerate(LINE_END.split(text), 1):
        found = _FORBIDDEN.search(line)
        if found:
            sentence = f"control character U+{ord(found[0]):04X} is not allowed"
            problems.append(Problem(file, number, found.start() + 1, "", sentence))
    if problems:
        raise SettingsError(tuple(problems[:PROBLEM_LIMIT]))
    return text


# --- from events to plain data ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    """A value with its place and the number of values in it once aliases are written out."""

    value: Any
    place: _Place
    size: int = 1


def _place(event: Any, members: dict[str | int, _Place] | None = None) -> _Place:
    return _Place(event.start_mark.line + 1, event.start_mark.column + 1, members)


def _compose(text: str, file: str, problems: list[Problem], *, pure: bool) -> Document:
    """Return ``text`` as a document; ``problems`` gets what was found before the parser gave up, if it does."""
    document = Document(file)
    _Composer(document, YAML(typ="safe", pure=pure).parse(text), problems).run()
    if problems:
        raise SettingsError(tuple(sorted(problems[:PROBLEM_LIMIT])))
    return document


class _Composer:
    """Builds plain data from parser events; mistakes that do not stop the parser are gathered."""

    def __init__(self, document: Document, events: Iterator[Any], problems: list[Problem]) -> None:
        self.document = document
        self.problems = problems
        self._events = events
        self._anchors: dict[str, _Node | None] = {}
        self._anchor_count = 0

    def run(self) -> None:
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._complain(event, "a second document begins here; a file holds one")
                    return
            elif not isinstance(event, StreamStartEvent | StreamEndEvent | DocumentEndEvent):
                node = self._node(event, 0)
                self.document.data = node.value
                self.document._root = node.place

    def _complain(self, event: Any, message: str, key: str = "") -> None:
        mark = event.start_mark
        self.problems.append(Problem(self.document.file, mark.line + 1, mark.column + 1, key, message))

    def _node(self, event: Any, depth: int) -> _Node:
        place = _place(event)
        if isinstance(event, AliasEvent):
            return self._alias(event, place)
        if depth > DEPTH_LIMIT:
            self._complain(event, f"nested deeper than {DEPTH_LIMIT} levels")
            raise SettingsError(tuple(self.problems))
        if event.anchor is not None:
            self._anchor(event)
        if isinstance(event, ScalarEvent):
            node = _Node(self._scalar(event), place)
        elif isinstance(event, SequenceStartEvent):
            node = self._sequence(event, place, depth)
        else:
            node = self._mapping(event, place, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _anchor(self, event: Any) -> None:
        # None while the anchored value is being read: an alias to it from inside would have no end.
        self._anchors[event.anchor] = None
        self._anchor_count += 1
        if self._anchor_count == ANCHOR_LIMIT + 1:
            self._complain(event, f"more than {ANCHOR_LIMIT} anchors")

    def _alias(self, event: Any, place: _Place) -> _Node:
        if event.anchor not in self._anchors:
            self._complain(event, f"*{event.anchor} is not defined above with &{event.anchor}")
            return _Node(None, place)
        node = self._anchors[event.anchor]
        if node is None:
            self._complain(event, f"*{event.anchor} stands inside &{event.anchor} itself")
            return _Node(None, place)
        return node

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag is not None and tag != "!" and tag != "tag:yaml.org,2002:str":
            self._complain(event, "tags (words that begin with '!') are not used here")
        elif tag is None and event.implicit[0]:
            return resolve_plain(event.value)
        return self._text(event)

    def _text(self, event: Any) -> str:
        text = str(event.value)
        if _SURROGATE.search(text) is None:
            return text
        # JSON writes characters beyond U+FFFF as two escapes; YAML parsers leave them as two halves.
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._complain(event, "an escape names half a character")
            return ""

    def _container(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            self._complain(event, "tags (words that begin with '!') are not used here")

    def _grow(self, event: Any, size: int) -> None:
        if size > NODE_LIMIT:
            self._complain(event, "unfolds into more than a million values through its aliases")
            raise SettingsError(tuple(self.problems))

    def _sequence(self, event: Any, place: _Place, depth: int) -> _Node:
        self._container(event)
        values: list[Any] = []
        place.members = {}
        size = 1
        for item in self._events:
            if isinstance(item, SequenceEndEvent):
                break
            node = self._node(item, depth + 1)
            place.members[len(values)] = node.place
            values.append(node.value)
            size += node.size
            self._grow(item, size)
        return _Node(values, place, size)

    def _mapping(self, event: Any, place: _Place, depth: int) -> _Node:
        self._container(event)
        values: dict[str, Any] = {}
        members: dict[str | int, _Place] = {}
        merges: list[tuple[Any, _Node]] = []
        size = 1
        for item in self._events:
            if isinstance(item, MappingEndEvent):
                break
            key = self._key(item, depth)
            node = self._node(next(self._events), depth + 1)
            size += node.size
            self._grow(item, size)
            if key is None:
                continue
            if key == "<<" and item.implicit[0]:
                merges.append((item, node))
                continue
            if key in values:
                self._complain(item, f"is written twice, first in line {members[key].line}", key)
            values[key] = node.value
            members[key] = _place(item, node.place.members)
        for item, node in merges:
            self._merge(item, node, values, members)
        place.members = members
        return _Node(values, place, size)

    def _key(self, event: Any, depth: int) -> str | None:
        if isinstance(event, ScalarEvent):
            if event.anchor is not None:
                self._anchor(event)
                self._anchors[event.anchor] = _Node(self._text(event), _place(event))
            return self._text(event)
        if isinstance(event, AliasEvent):
            node = self._alias(event, _Place(0, 0))
            if isinstance(node.value, str):
                return node.value
        else:
            self._node(event, depth + 1)
        self._complain(event, "a key must be plain text")
        return None

    def _merge(self, event: Any, node: _Node, values: dict[str, Any], members: dict[str | int, _Place]) -> None:
        """Fill in what ``<<`` brings; keys written out, and earlier sources, win (YAML merge key, 2005-01-18)."""
        several = isinstance(node.value, list)
        sources = node.value if several else [node.value]
        for index, source in enumerate(sources):
            if not isinstance(source, dict):
                self._complain(event, "must name a mapping, or a list of mappings", "<<")
                return
            place = (node.place.members or {}).get(index) if several else node.place
            for key, value in source.items():
                if key not in values:
                    values[key] = value
                    members[key] = ((place.members if place else None) or {}).get(key, node.place)


_NULL = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?", re.ASCII)


def resolve_plain(text: str) -> str | int | float | bool | None:
    """Return what an unquoted scalar means by the core schema of YAML 1.2 (section 10.3.2).

    A row of more than 18 digits stays text: it is somebody's key or number plate, not a quantity. Infinities and NaN
    are text as well, because no setting has a use for them.
    """
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text) and not text.strip("+-").isdigit():
        return float(text)
    return text
