"""The text of a registry file, cut into its entries; each change of one entry makes a new text.

An entry is its lines, the comment lines right above its dash, and those right below that are indented deeper than the
dash. What lies between two entries (empty lines, headings set apart by one) belongs to neither and stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from casduo.errors import SettingsError
from casduo.services.editing.errors import NotEditable, Refused, UnknownEntry
from casduo.services.editing.keys import Changes, with_keys
from casduo.services.editing.tree import parse_tree
from casduo.services.file import registry_version
from casduo.yamlfile import Document, parse_yaml
from casduo.yamlsyntax import LINE_END

_BOM = b"\xef\xbb\xbf"
_BY_HAND = "Change the file by hand."
_UNUSUAL = f"The list of services is written in a way in which its entries cannot be told apart. {_BY_HAND}"
_DASH = re.compile(r"( *)-(?=[ \t\r\n]|$)")
_SAMPLE = 20
"""Entries that are looked at to learn how a file is written."""


@dataclass(frozen=True, slots=True)
class EntryLines:
    """Where an entry stands: numbers of lines, counted from 0; ``end`` is the one behind its last line.

    :param head: its first line, of the comment above it where there is one
    :param dash: the line with its dash
    :param column: of the dash
    """

    head: int
    dash: int
    end: int
    column: int


class RegistryText:
    """One state of the file. Nothing changes it; every change returns another one.

    :param content: the bytes of the file
    :param file: its name, for problems
    :raises SettingsError: it is no YAML, or no registry
    """

    def __init__(self, content: bytes, file: str) -> None:
        self.content = content
        self.file = file
        self.document: Document = parse_yaml(content, file)
        data = self.document.data
        if not isinstance(data, dict) or not isinstance(data.get("services"), list):
            place = ("services",) if isinstance(data, dict) else ()
            raise SettingsError((self.document.problem(place, "must hold a list 'services'"),))
        self.services: list[Any] = data["services"]
        self._bom = content.startswith(_BOM)
        self._text = content.decode("utf-8-sig")
        self._lines = _split(self._text)
        self.newline = next((end for line in self._lines if (end := _break_of(line))), "\n")
        self._dashes: list[int] = []
        self._column = 2
        self.obstacle = self._find_entries()
        """Why no entry can be changed in this text, as a sentence; empty where they can."""

    @property
    def version(self) -> str:
        """The name of this state, as in the log and in events."""
        return registry_version(self.content)

    def ids(self) -> list[str]:
        """Return the ids as they are written, in order; empty where an entry has none."""
        return [id_of(item) for item in self.services]

    def find(self, entry_id: str) -> int:
        """Return the place of the entry ``entry_id``, from 0.

        :raises UnknownEntry: there is none
        """
        for index, name in enumerate(self.ids()):
            if name == entry_id:
                return index
        raise UnknownEntry(f"there is no entry {entry_id!r}")

    def entry_text(self, index: int) -> str:
        """Return the lines of an entry as they are to be shown: without the dash's indentation, and with ``\\n``."""
        lines = self._shown(index)
        return "".join(line.rstrip("\r\n") + "\n" for line in lines)

    def line_of(self, index: int) -> int:
        """Return the line of the file, from 1, with which :meth:`entry_text` begins."""
        return self.where(index).head + 1

    # --- changes ----------------------------------------------------------------------------------------------------

    def with_text(self, index: int, typed: str) -> RegistryText:
        """Return the registry with another text for the entry at ``index``.

        :param typed: what stands in its place, as from :meth:`entry_text`; line breaks of any kind
        :raises NotEditable: it is not one entry, or would change others
        :raises Refused: it is no YAML
        """
        self._editable()
        where = self.where(index)
        if _normal(typed) == self.entry_text(index):
            return self
        changed = self._indented(typed, self._indent(index))
        return self._made([*self._lines[: where.head], *changed, *self._lines[where.end :]], lambda old: old, index)

    def with_keys(self, index: int, changes: Changes) -> RegistryText:
        """Return the registry with other values for single keys of the entry at ``index``.

        :raises NotEditable: the entry is written in a way in which this cannot be done
        """
        self._editable()
        if not changes:
            return self
        where = self.where(index)
        text = with_keys("".join(self._lines[where.head : where.end]), changes, self.newline)
        lines = [*self._lines[: where.head], *_split(text), *self._lines[where.end :]]
        return self._made(lines, lambda old: old, index)

    def with_new(self, typed: str, place: int | None = None) -> RegistryText:
        """Return the registry with one entry more.

        :param typed: its text, with a dash
        :param place: where it is to stand, from 0; None: behind all others
        :raises NotEditable: it is not one entry
        :raises Refused: it is no YAML
        """
        self._editable()
        count = len(self._dashes)
        place = count if place is None else min(max(place, 0), count)
        if not count:
            return self._first(typed)
        block = self._indented(typed, " " * self._column)
        gap = [self.newline] if self._spaced() else []
        if place == count:
            at = self._end(count - 1)
            lines = [*_closed(self._lines[:at], self.newline), *gap, *block, *self._lines[at:]]
        else:
            at = self.where(place).head
            lines = [*self._lines[:at], *block, *gap, *self._lines[at:]]
        return self._made(lines, lambda old: [*old[:place], None, *old[place:]], place)

    def moved(self, index: int, place: int) -> RegistryText:
        """Return the registry with the entry at ``index`` at ``place``. What lies between entries stays."""
        self._editable()
        place = min(max(place, 0), len(self._dashes) - 1)
        if place == index:
            return self
        low, high = min(index, place), max(index, place)
        order = list(range(low, high + 1))
        order.insert(place - low, order.pop(index - low))
        slots = {at: self.where(at) for at in order}
        lines = self._lines[: slots[low].head]
        for slot, taken in zip(range(low, high + 1), order, strict=True):
            lines += _closed(self._lines[slots[taken].head : slots[taken].end], self.newline)
            following = slots[slot + 1].head if slot < high else len(self._lines)
            lines += self._lines[slots[slot].end : following]
        return self._made(lines, lambda old: [*old[:low], *(old[taken] for taken in order), *old[high + 1 :]], None)

    def without(self, index: int) -> RegistryText:
        """Return the registry without the entry at ``index``, its comment and one empty line beside it."""
        self._editable()
        where = self.where(index)
        before, after = self._lines[: where.head], self._lines[where.end :]
        if len(self._dashes) == 1:
            return self._none_left()
        last = index == len(self._dashes) - 1
        if not last and after and not after[0].strip():
            after = after[1:]
        elif last and before and not before[-1].strip():
            before = before[:-1]
        return self._made([*before, *after], lambda old: [*old[:index], *old[index + 1 :]], None)

    # --- how the list is written ------------------------------------------------------------------------------------

    def _find_entries(self) -> str:
        """Find the lines with the dashes of the list; return why that cannot be done, empty if it can."""
        key = self._key_line()
        following = (at for at in range(key + 1, len(self._lines)) if not _is_beside(self._lines[at]))
        first = next(following, len(self._lines))
        found = _DASH.match(self._lines[first]) if first < len(self._lines) else None
        if not self.services:
            return "" if "[" in self._lines[key] else _UNUSUAL
        if found is None:
            return f"The list of services is written with brackets, as in JSON, or taken from elsewhere. {_BY_HAND}"
        self._column = len(found[1])
        dash = re.compile(rf" {{{self._column}}}-[ \t\r\n]")
        last = min((line for line in self._other_keys() if line > first), default=len(self._lines))
        self._dashes = [at for at in range(first, last) if dash.match(self._lines[at] + "\n")]
        bounds = [*self._dashes[1:], last]
        lines = [self.document.position(("services", index))[0] - 1 for index in range(len(self.services))]
        if len(self._dashes) != len(self.services) or not all(
            start <= line < end for start, line, end in zip(self._dashes, lines, bounds, strict=True)
        ):
            # Such as a text of several lines in which a line looks like an entry.
            self._dashes = []
            return _UNUSUAL
        self._last = last
        return ""

    def _key_line(self) -> int:
        return self.document.position(("services",))[0] - 1

    def _other_keys(self) -> list[int]:
        return [self.document.position((key,))[0] - 1 for key in self.document.data if key != "services"]

    def where(self, index: int) -> EntryLines:
        """Return where the entry at ``index`` stands."""
        end = self._end(index)
        limit = self._end(index - 1) if index else self._key_line() + 1
        dash = head = self._dashes[index]
        while head > limit and self._lines[head - 1].lstrip().startswith("#"):
            head -= 1
        return EntryLines(head, dash, end, self._column)

    def _end(self, index: int) -> int:
        """Return the line behind the last one of an entry: of its last value, or of the comments that hang below it."""
        dash = self._dashes[index]
        limit = self._dashes[index + 1] if index + 1 < len(self._dashes) else self._last
        chunk = self._lines[dash:limit]
        item = parse_tree("".join(chunk)).items[0]
        length, end = 0, dash
        while end < limit and length < max(item.end, 1):
            length += len(self._lines[end])
            end += 1
        while end < limit and self._hangs_below(self._lines[end]):
            end += 1
        return end

    def _hangs_below(self, line: str) -> bool:
        stripped = line.lstrip(" ")
        return stripped.startswith("#") and len(line) - len(stripped) > self._column

    def _spaced(self) -> bool:
        """Whether the file has empty lines between entries; the first ones tell."""
        count = min(len(self._dashes), _SAMPLE)
        return count < 2 or any(not self._lines[self.where(index).head - 1].strip() for index in range(1, count))

    # --- making texts -----------------------------------------------------------------------------------------------

    def _editable(self) -> None:
        if self.obstacle:
            raise NotEditable(self.obstacle)

    def _indent(self, index: int) -> str:
        where = self.where(index)
        space = " " * where.column
        lines = self._lines[where.head : where.end]
        # A line that begins further left would not come back as it was.
        return space if all(line.startswith(space) and line.strip() for line in lines if line.strip("\r\n")) else ""

    def _shown(self, index: int) -> Sequence[str]:
        where = self.where(index)
        cut = len(self._indent(index))
        return [line[cut:] if line.strip("\r\n") else line for line in self._lines[where.head : where.end]]

    def _indented(self, typed: str, space: str) -> list[str]:
        lines = _normal(typed).split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        while lines and not lines[0].strip():
            lines.pop(0)
        return [(space + line if line else line) + self.newline for line in lines]

    def _first(self, typed: str) -> RegistryText:
        """The list is ``[]``, behind its key: its brackets give way to lines."""
        at = self._key_line()
        before, after = self._lines[:at], self._lines[at + 1 :]
        line = _closed([self._lines[at]], self.newline)[0]
        opened = re.sub(r"[ \t]*\[[ \t]*\]", "", line, count=1)
        return self._made([*before, opened, *self._indented(typed, "  "), *after], lambda _: [None], 0)

    def _none_left(self) -> RegistryText:
        where, at = self.where(0), self._key_line()
        lines = [*self._lines[: where.head], *self._lines[where.end :]]
        lines[at] = re.sub(r"^(services[ \t]*:|['\"]services['\"][ \t]*:)", r"\1 []", lines[at], count=1)
        return self._made(lines, lambda _: [], None)

    def _made(
        self, lines: Sequence[str], expected: Callable[[list[Any]], list[Any]], changed: int | None
    ) -> RegistryText:
        """Return the registry with the text ``lines``, if nothing but one entry has changed by it.

        :param expected: makes the new list of the old one, with None for an entry that is new
        :param changed: the place of the entry that may be another one now; None for none
        """
        content = (_BOM if self._bom else b"") + "".join(lines).encode("utf-8", "surrogatepass")
        try:
            made = RegistryText(content, self.file)
        except SettingsError as error:
            raise Refused(error.problems) from None
        wanted = expected(list(self.services))
        if len(made.services) != len(wanted):
            count = len(made.services) - len(wanted) + 1
            raise NotEditable(f"The text holds {count} entries; it has to be one, and begin with '- '.")
        for place, (was, now) in enumerate(zip(wanted, made.services, strict=True)):
            if place != changed and was != now:
                name = id_of(was) or f"number {place + 1}"
                why = "such as by an anchor (&) they share"
                raise NotEditable(f"This would change the entry {name} as well, {why}. {_BY_HAND}")
        others = ({key: value for key, value in one.document.data.items() if key != "services"} for one in (self, made))
        if next(others) != next(others):
            raise NotEditable("The text reaches beyond the entry: each of its lines must be indented below the dash.")
        return made


def _split(text: str) -> list[str]:
    """Return the lines of ``text`` with what ends them."""
    lines, start = [], 0
    for found in LINE_END.finditer(text):
        lines.append(text[start : found.end()])
        start = found.end()
    if start < len(text):
        lines.append(text[start:])
    return lines


def _break_of(line: str) -> str:
    found = LINE_END.search(line)
    return found[0] if found else ""


def _closed(lines: list[str], newline: str) -> list[str]:
    """Return ``lines`` with a line break behind the last one."""
    return [*lines[:-1], lines[-1] + newline] if lines and not _break_of(lines[-1]) else lines


def _is_beside(line: str) -> bool:
    """Whether a line holds nothing but a comment, or nothing."""
    return not line.strip() or line.lstrip().startswith("#")


def _normal(typed: str) -> str:
    # Some editors put a mark in front of what is copied from them.
    return typed.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def id_of(item: object) -> str:
    """Return the id that an entry is written with; empty where it has none."""
    name = item.get("id") if isinstance(item, dict) else None
    return name.strip() if isinstance(name, str) else ""
