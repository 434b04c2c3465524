"""The values of a YAML text with the characters that they are made of, for changing some and leaving the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from casduo.services.editing.errors import NotEditable
from casduo.yamlsyntax import PARSER_ERRORS


@dataclass(slots=True)
class Node:
    """One value.

    :param start: offset of its first character, an anchor included
    :param end: offset behind the last one; of collections in block style, behind their last member
    :param flow: whether it is written with brackets
    :param style: of scalars: ``'`` and ``"`` for quotes, ``|`` and ``>`` for blocks, empty for plain ones
    :param value: of scalars, as text; of aliases, the name of their anchor
    """

    kind: Literal["scalar", "sequence", "mapping", "alias"]
    start: int
    end: int
    flow: bool = False
    style: str = ""
    value: str = ""
    anchor: str = ""
    items: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)

    def get(self, key: str) -> tuple[Node, Node] | None:
        """Return the pair with the key ``key`` as it is written in this mapping; None: it is not written here."""
        for pair in self.pairs:
            if pair[0].kind == "scalar" and pair[0].value == key:
                return pair
        return None

    def within(self) -> Iterator[Node]:
        """Yield this value and everything in it."""
        yield self
        for item in self.items:
            yield from item.within()
        for key, value in self.pairs:
            yield from key.within()
            yield from value.within()

    @property
    def is_block(self) -> bool:
        """Whether it takes lines of its own: a list or mapping without brackets, or a block of text."""
        return self.style in ("|", ">") or (self.kind in ("sequence", "mapping") and not self.flow)


def parse_tree(text: str) -> Node:
    """Return the root of the one document in ``text``. Aliases are left as they are, and need not be defined.

    :raises NotEditable: it is not YAML, or holds nothing
    """
    for pure in (False, True):
        # As in yamlfile: the C parser is fast, the other one has the last word.
        try:
            return _Builder(text, iter(YAML(typ="safe", pure=pure).parse(text))).root()
        except PARSER_ERRORS as error:
            refused: BaseException = error
    raise NotEditable("the text is not YAML") from refused


class _Builder:
    def __init__(self, text: str, events: Iterator[Any]) -> None:
        self._text = text
        self._events = events

    def root(self) -> Node:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                return self._node(next(self._events))
        raise NotEditable("the text holds nothing")

    def _node(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        anchor = event.anchor or ""
        match event:
            case AliasEvent():
                return Node("alias", start, end, value=anchor)
            case ScalarEvent():
                style = event.style or ""
                node = Node("scalar", start, end, style=style, value=str(event.value), anchor=anchor)
                if style in ("|", ">"):
                    node.end = self._end_of_block(node)
                return node
            case SequenceStartEvent():
                return self._sequence(Node("sequence", start, end, flow=bool(event.flow_style), anchor=anchor))
            case MappingStartEvent():
                return self._mapping(Node("mapping", start, end, flow=bool(event.flow_style), anchor=anchor))
        raise NotEditable("the text is not YAML")

    def _sequence(self, node: Node) -> Node:
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                return self._closed(node, node.items, event)
            item = self._node(event)
            if _is_nothing(item) and not node.flow:
                # The parser puts what is not there to where the next thing begins.
                behind = node.items[-1].end if node.items else node.start
                item.start = item.end = self._text.index("-", behind) + 1 if node.items else node.start + 1
            node.items.append(item)
        raise NotEditable("the text is not YAML")

    def _mapping(self, node: Node) -> Node:
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                return self._closed(node, [value for _, value in node.pairs], event)
            key, value = self._node(event), self._node(next(self._events))
            if _is_nothing(value):
                value.start = value.end = self._behind_colon(key)
            node.pairs.append((key, value))
        raise NotEditable("the text is not YAML")

    def _closed(self, node: Node, members: list[Node], event: Any) -> Node:
        if node.flow:
            node.end = event.end_mark.index
        elif members:
            node.end = max(members[-1].end, node.end)
        return node

    def _behind_colon(self, key: Node) -> int:
        at = key.end
        while self._text[at : at + 1] in (" ", "\t"):
            at += 1
        return at + 1 if self._text[at : at + 1] == ":" else key.end

    def _end_of_block(self, node: Node) -> int:
        """Return where the last line of a block of text ends, before its line break. Empty lines at the end belong to
        it only where its heading keeps them (``|+``).
        """
        body = self._text[node.start : node.end]
        keeps = "+" in body.split("#", 1)[0].splitlines()[0]
        return node.start + len(re.sub(r"(\r\n|\r|\n)\Z", "", body) if keeps else body.rstrip())


def _is_nothing(node: Node) -> bool:
    return node.kind == "scalar" and node.start == node.end
