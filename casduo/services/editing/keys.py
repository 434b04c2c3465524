"""Sets and removes single keys in the text of one entry; comments, order and quotes of all others stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from casduo.services.editing.errors import NotEditable
from casduo.services.editing.tree import Node, parse_tree
from casduo.services.editing.writing import WIDTH, Value, block, inline, pair, scalar
from casduo.services.model import RegisteredService

REMOVED: Final = object()
"""In place of a value: the key goes."""

Path = tuple[str, ...]
Changes = Mapping[Path, "Value | object"]
"""Key paths within the entry, such as ``("requires_duo", "max_age")``, with their new values."""

_COMMENT = re.compile(r"[ \t]+#.*")
_ORDER = {name: place for place, name in enumerate(RegisteredService.model_fields)}


def with_keys(text: str, changes: Changes, newline: str = "\n") -> str:
    """Return the text of an entry with ``changes`` made, one after the other.

    :param text: the lines of the entry, with its dash, indented as in the file
    :param newline: how lines end in the file
    :raises NotEditable: the entry is written in a way in which this cannot be done
    """
    for path, value in changes.items():
        text = _Edit(text, newline).set(path, value)
    return text


class _Edit:
    """One change of one key."""

    def __init__(self, text: str, newline: str) -> None:
        self._text = text
        self._newline = newline
        root = parse_tree(text)
        if root.kind != "sequence" or len(root.items) != 1 or root.items[0].kind != "mapping":
            raise NotEditable("the entry is not written as keys with values; change it as YAML")
        self._entry = root.items[0]

    def set(self, path: Path, value: object) -> str:
        node, column = self._entry, self._column(self._entry)
        for depth, key in enumerate(path):
            found, rest = node.get(key), path[depth + 1 :]
            if found is None:
                return self._text if value is REMOVED else self._insert(node, column, key, _nested(rest, value))
            if not rest:
                return self._remove(node, found) if value is REMOVED else self._replace(node, found, value, column)
            if found[1].kind == "alias":
                raise NotEditable(f"{key} is taken over from &{found[1].value}; change it as YAML")
            if found[1].kind != "mapping":
                return self._text if value is REMOVED else self._replace(node, found, _nested(rest, value), column)
            node = found[1]
            column = self._column(node)
        return self._text

    # --- one key ----------------------------------------------------------------------------------------------------

    def _replace(self, owner: Node, found: tuple[Node, Node], value: object, column: int) -> str:
        key, old = found
        if self._behind(key) is None:
            raise NotEditable(f"{key.value} is written in a way that only the YAML view can change")
        if not old.is_block:
            return self._in_line(owner, key, old, value, column)
        if old.kind == "sequence" and isinstance(value, list | tuple) and value and _is_flat(old):
            return self._items(old, value)
        behind = self._behind(key)
        assert behind is not None
        lines = self._below(value, column)
        # The comment of the key's own line stays; those between the old lines go with them.
        found_comment = _COMMENT.search(self._text[behind : self._line_end(behind)])
        comment = found_comment[0] if found_comment else ""
        if lines is None:
            return f"{self._text[:behind]} {inline(_value(value))}{comment}{self._text[old.end :]}"
        return self._text[:behind] + comment + self._newline + self._newline.join(lines) + self._text[old.end :]

    def _in_line(self, owner: Node, key: Node, old: Node, value: object, column: int) -> str:
        style = old.style if old.style in ("'", '"') and isinstance(value, str) else ""
        lines = None if owner.flow else self._below(value, column)
        if lines is not None:
            line_end = self._line_end(old.end)
            head = self._text[: old.start].rstrip(" ") + self._text[old.end : line_end]
            return head + self._newline + self._newline.join(lines) + self._text[line_end:]
        written = inline(_value(value), flow=owner.flow, style=style)
        gap = "" if old.start > key.end and self._text[old.start - 1] in " \t" else " "
        return self._text[: old.start] + gap + written + self._text[old.end :]

    def _below(self, value: object, column: int) -> list[str] | None:
        """Return the lines for a value that is too long to stand behind its key, None for all others."""
        plain = _value(value)
        if not isinstance(plain, dict | list | tuple) or not plain or len(inline(plain)) + column + 20 <= WIDTH:
            return None
        return block(plain, column + 2)

    def _items(self, old: Node, values: Sequence[Value]) -> str:
        """Return the text with other items in a list that has a line for each; what stays keeps its line."""
        dash = self._dash(old.items[0])
        # From the end of one item to the end of the next: the comments above an item go with it.
        start = self._line_start(dash)
        indent = self._text[start:dash]
        chunks: dict[str, list[str]] = {}
        position = start
        for item in old.items:
            end = self._line_end(item.end)
            chunks.setdefault(item.value, []).append(self._text[position:end])
            position = self._after_break(end)
        tail = self._text[self._line_end(old.items[-1].end) :]
        written = []
        for value in values:
            kept = chunks.get(value) if isinstance(value, str) else None
            written.append(kept.pop(0) if kept else f"{indent}- {inline(value)}")
        return self._text[:start] + self._newline.join(written) + tail

    def _insert(self, owner: Node, column: int, key: str, value: object) -> str:
        before = self._predecessor(owner, key)
        plain = _value(value)
        if owner.flow:
            written = f"{scalar(key, flow=True)}: {inline(plain, flow=True)}"
            if before is None:
                return self._text[: owner.start] + self._opened(owner, written) + self._text[owner.end :]
            return self._text[: before[1].end] + f", {written}" + self._text[before[1].end :]
        if before is None:
            raise NotEditable("the entry holds nothing; change it as YAML")
        end = self._line_end(before[1].end)
        lines = pair(key, plain, column)
        return self._text[:end] + self._newline + self._newline.join(lines) + self._text[end:]

    def _opened(self, owner: Node, written: str) -> str:
        # An empty mapping, perhaps behind an anchor.
        body = self._text[owner.start : owner.end]
        return body[: body.index("{")] + "{" + written + "}"

    def _predecessor(self, owner: Node, key: str) -> tuple[Node, Node] | None:
        """Return the pair behind which a new key goes: in the order of the reference, else the last."""
        place = _ORDER.get(key)
        if owner is self._entry and place is not None:
            earlier = [found for found in owner.pairs if _ORDER.get(found[0].value, place) < place]
            if earlier:
                return max(earlier, key=lambda found: found[0].start)
        return owner.pairs[-1] if owner.pairs else None

    def _remove(self, owner: Node, found: tuple[Node, Node]) -> str:
        key, value = found
        at = next(index for index, one in enumerate(owner.pairs) if one is found)
        if len(owner.pairs) == 1:
            if owner is self._entry:
                raise NotEditable("an entry cannot be left without keys")
            return self._text[: owner.start] + "{}" + self._text[owner.end :] if owner.flow else self._emptied(owner)
        if owner.flow:
            if at:
                return self._text[: owner.pairs[at - 1][1].end] + self._text[value.end :]
            return self._text[: key.start] + self._text[owner.pairs[1][0].start :]
        if at:
            end = self._after_break(self._line_end(value.end))
            return self._text[: self._line_start(key.start)] + self._text[end:]
        return self._remove_first(owner, key, value)

    def _emptied(self, owner: Node) -> str:
        for node in self._entry.within():
            for key, value in node.pairs:
                if value is owner and (behind := self._behind(key)) is not None:
                    end = self._line_end(behind)
                    return f"{self._text[:behind]} {{}}{self._text[behind:end]}{self._text[owner.end :]}"
        raise NotEditable("the entry is written in a way that only the YAML view can change")

    def _remove_first(self, owner: Node, key: Node, value: Node) -> str:
        """The first key may stand on the line of a dash, which the next one takes then."""
        following = owner.pairs[1][0]
        head_start = self._line_start(key.start)
        head = self._text[head_start : key.start]
        rest = self._after_break(self._line_end(value.end))
        if not head.strip():
            return self._text[:head_start] + self._text[rest:]
        # Comments in between come before the dash.
        between = self._text[rest : self._line_start(following.start)]
        return self._text[:head_start] + between + head + self._text[following.start :]

    # --- places -----------------------------------------------------------------------------------------------------

    def _column(self, node: Node) -> int:
        at = node.pairs[0][0].start if node.pairs else node.start
        return at - self._line_start(at)

    def _dash(self, item: Node) -> int:
        return self._text.rindex("-", 0, item.start)

    def _behind(self, key: Node) -> int | None:
        """Return the offset behind the colon of ``key``; None where none follows, as of keys with ``?``."""
        at = key.end
        while self._text[at : at + 1] in (" ", "\t"):
            at += 1
        return at + 1 if self._text[at : at + 1] == ":" else None

    def _line_start(self, at: int) -> int:
        return max(self._text.rfind("\n", 0, at), self._text.rfind("\r", 0, at)) + 1

    def _line_end(self, at: int) -> int:
        ends = [end for mark in "\r\n" if (end := self._text.find(mark, at)) >= 0]
        return min(ends, default=len(self._text))

    def _after_break(self, end: int) -> int:
        return end + (2 if self._text.startswith("\r\n", end) else 1 if end < len(self._text) else 0)


def _nested(rest: Path, value: object) -> object:
    for key in reversed(rest):
        value = {key: value}
    return value


def _value(value: object) -> Value:
    return value  # type: ignore[return-value]


def _is_flat(node: Node) -> bool:
    """Whether a list holds plain values only, each on a line of its own."""
    return all(item.kind == "scalar" and item.style not in ("|", ">") and not item.anchor for item in node.items)
