"""Takes regular expressions of other servers apart, as far as their meaning can be told without running them.

An expression becomes a few :data:`Sequence` of literal characters and :class:`Gap`: alternatives and what may be left
out are written out. What cannot be taken apart (look-around, back references, flags) is refused; nothing here
guesses, and nothing here runs an expression, so none can be slow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

MAX_LENGTH = 2048
MAX_SEQUENCES = 32
MAX_DEPTH = 20

GapKind = Literal["any", "some", "one", "digits", "labels", "other"]


class Untranslatable(ValueError):
    """An expression whose meaning cannot be told. It certainly begins with one of the texts of ``known``, if any."""

    def __init__(self, message: str, known: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.known = known


@dataclass(frozen=True, slots=True)
class Gap:
    """What is no literal character.

    ``any`` is ``.*``, ``some`` is ``.+``, ``one`` is a bare dot, ``digits`` is any number of digits, ``labels`` is any
    number of labels with their dots, as in ``([a-z0-9-]+\\.)*``; of ``other`` only the expression is known, which is
    ``text``.
    """

    kind: GapKind
    text: str


@dataclass(frozen=True, slots=True)
class _Edge:
    """``^`` or ``$``."""

    text: str


Element = str | Gap
Sequence = tuple[Element, ...]
_Row = tuple[str | Gap | _Edge, ...]

_ANY = Gap("any", ".*")
_QUANTIFIERS = "*+?{"
_COUNTED = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
"""What Java takes for a repeat. Python takes ``{,3}`` for one too, and other braces for characters."""
_READ_OTHERWISE = re.compile(r"\[|&&|--|~~|\|\|")
"""Within a set: sets within sets for Java, characters for Python."""
_LABELS = re.compile(r"\((?:\?:)?(\[(?:[^\]\\]|\\[-_.\w])+\]|\\w|\.)[+*]\??(?:\\\.|\[\\?\.\])\)([*+])")
_NOT_IN_LABELS = re.compile(r"\[\^(?:\\?[./:])+\]|\.")


@dataclass(frozen=True, slots=True)
class Expanded:
    """The sequences of an expression; ``started`` and ``ended`` say which of them are tied to both ends of the text."""

    elements: Sequence
    started: bool
    ended: bool


def expand(text: str) -> list[Expanded]:
    """Return the alternatives of the regular expression ``text`` (Java's or Python's, whose common part is read).

    :raises Untranslatable: with a sentence
    """
    if len(text) > MAX_LENGTH:
        raise Untranslatable(f"it has more than {MAX_LENGTH} characters")
    try:
        reader = _Reader(text)
        rows = reader.alternatives(0)
        if reader.at < len(text):
            raise Untranslatable("it closes a bracket that is not open")
        return [_tied(row) for row in rows]
    except Untranslatable as error:
        raise Untranslatable(str(error), literal_heads(text)) from None


def labels_of_host(text: str) -> str | None:
    """Return what a gap of labels means within a host name, without a group that repeats repeats.

    No label of a host name is empty, so any number of them, each with its dot, is one run of their characters and of
    dots that ends in a dot, if the gap stands where a label begins.

    :return: ``None`` where it is not known which characters they have
    """
    found = _LABELS.fullmatch(text)
    assert found is not None
    characters, repeat = found.groups()
    if _NOT_IN_LABELS.fullmatch(characters):
        run = ".+"
    elif characters.startswith("[^"):
        return None
    else:
        run = "[\\w.]+" if characters == "\\w" else f"[.{characters[1:]}+"
    return f"{run}\\." if repeat == "+" else f"({run}\\.)?"


def literals(text: str, *, bare_dots: bool = True) -> list[str] | None:
    """Return the values that the expression ``text`` means, ``None`` when they cannot be listed.

    :param bare_dots: take a bare dot for a dot, as it is meant in names of machines and addresses of mail
    """
    try:
        found = expand(text)
    except Untranslatable:
        return None
    values = []
    for one in found:
        plain = [element if isinstance(element, str) else "." for element in one.elements]
        gaps = [element for element in one.elements if isinstance(element, Gap)]
        if any(gap.kind != "one" or not bare_dots for gap in gaps):
            return None
        values.append("".join(plain))
    return list(dict.fromkeys(values))


def whole_values(text: str) -> list[str] | None:
    """Return the values that ``text`` means even if it may be found within longer ones, ``None`` when it is no list."""
    try:
        tied = all(one.started and one.ended for one in expand(text))
    except Untranslatable:
        return None
    return literals(text, bare_dots=False) if tied else None


def _tied(row: _Row) -> Expanded:
    started = ended = False
    while row and isinstance(row[0], _Edge) and row[0].text == "^":
        started, row = True, row[1:]
    while row and isinstance(row[-1], _Edge) and row[-1].text == "$":
        ended, row = True, row[:-1]
    if any(isinstance(element, _Edge) for element in row):
        raise Untranslatable("it has ^ or $ in the middle")
    elements: list[Element] = []
    for element in row:
        assert not isinstance(element, _Edge)
        last = elements[-1] if elements else None
        if element == _ANY and isinstance(last, Gap) and last.kind in {"any", "some"}:
            continue
        elements.append(element)
    return Expanded(tuple(elements), started, ended)


def literal_heads(text: str) -> tuple[str, ...]:
    """Return literal texts with one of which everything begins that the expression ``text`` means, bare dots as dots.

    :return: none where nothing is certain
    """
    if _has_top_level_or(text):
        return ()
    reader = _Reader(text)
    heads = [""]
    while reader.at < len(text):
        try:
            rows = reader.item(0)
        except Untranslatable:
            break
        ends = [_literal(row) for row in rows]
        if None in ends or len(heads) * len(ends) > MAX_SEQUENCES:
            break
        heads = [head + str(end) for head in heads for end in ends]
    return tuple(dict.fromkeys(heads))


def _literal(row: _Row) -> str | None:
    text = ""
    for element in row:
        if isinstance(element, str):
            text += element
        elif isinstance(element, Gap) and element.kind == "one":
            text += "."
        elif isinstance(element, Gap):
            return None
    return text


def _has_top_level_or(text: str) -> bool:
    """Say whether an alternative may stand outside of brackets; ``True`` when in doubt."""
    depth, escaped, in_set = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif in_set:
            in_set = character != "]"
        elif character == "[":
            in_set = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth <= 0:
            return True
    return False


class _Reader:
    """Reads an expression from left to right; each method returns the rows that what it read stands for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def alternatives(self, depth: int) -> list[_Row]:
        if depth > MAX_DEPTH:
            raise Untranslatable("its brackets are too deep")
        rows = self._row(depth)
        while self._peek() == "|":
            self.at += 1
            rows = self._limited([*rows, *self._row(depth)])
        return rows

    def item(self, depth: int) -> list[_Row]:
        """Read one element with what says how often it comes."""
        start = self.at
        rows = self._element(depth)
        quantifier = self._quantifier()
        if not quantifier:
            return rows
        whole = self.text[start : self.at]
        if _LABELS.fullmatch(whole):
            return [(Gap("labels", whole),)]
        if len(rows) == 1 and len(rows[0]) == 1:
            return self._repeated(rows[0][0], quantifier, whole)
        if quantifier == "?":
            return self._limited([*rows, ()])
        return [(Gap("other", whole),)]

    def _row(self, depth: int) -> list[_Row]:
        rows: list[_Row] = [()]
        while self.at < len(self.text) and self._peek() not in "|)":
            found = self.item(depth)
            rows = self._limited([row + other for row in rows for other in found])
        return rows

    def _limited(self, rows: list[_Row]) -> list[_Row]:
        rows = list(dict.fromkeys(rows))
        if len(rows) > MAX_SEQUENCES or sum(map(len, rows)) > 20_000:
            raise Untranslatable(f"it has more than {MAX_SEQUENCES} alternatives")
        return rows

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _element(self, depth: int) -> list[_Row]:
        character = self._peek()
        self.at += 1
        if character == "(":
            return self._group(depth)
        if character == "[":
            return self._set()
        if character == "\\":
            return self._escape()
        if character == ".":
            return [(Gap("one", "."),)]
        if character in "^$":
            return [(_Edge(character),)]
        if character in _QUANTIFIERS:
            raise Untranslatable(f"{character!r} has nothing to repeat")
        return [(character,)]

    def _group(self, depth: int) -> list[_Row]:
        if self._peek() == "?":
            if not self.text.startswith("?:", self.at):
                raise Untranslatable("it looks around, names a group or sets a flag with (?")
            self.at += 2
        rows = self.alternatives(depth + 1)
        if self._peek() != ")":
            raise Untranslatable("a bracket is not closed")
        self.at += 1
        return rows

    def _set(self) -> list[_Row]:
        start = self.at - 1
        end = self.at + 1 if self._peek() == "^" else self.at
        # A closing bracket right at the start is a member.
        end += self.text.startswith("]", end)
        while end < len(self.text) and self.text[end] != "]":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise Untranslatable("a [ is not closed")
        self.at = end + 1
        whole = self.text[start : self.at]
        if _READ_OTHERWISE.search(re.sub(r"\\.", "", whole[1:-1])):
            raise Untranslatable("it has a [ or doubled signs within [ ]")
        members = self._members(whole[1:-1])
        return [(member,) for member in members] if members else [(Gap("other", whole),)]

    def _members(self, inside: str) -> str:
        """Return the members of a short set without ranges; empty when it is another one."""
        plain = inside.replace("\\", "")
        escapes_are_plain = all(
            not follower.isalnum() and follower != "\\" for mark, follower in _pairs(inside) if mark == "\\"
        )
        if len(plain) > 4 or "^" in plain or "&" in plain or "[" in plain or not escapes_are_plain:
            return ""
        return "" if "-" in plain[1:-1] and len(plain) > 2 else plain

    def _escape(self) -> list[_Row]:
        character = self._peek()
        self.at += 1
        if not character:
            raise Untranslatable("it ends in the middle of an escape")
        if character in "dwSsDW":
            return [(Gap("other", f"\\{character}"),)]
        if character in "zZ":
            return [(_Edge("$"),)]
        if character == "A":
            return [(_Edge("^"),)]
        if character == "Q":
            end = self.text.find("\\E", self.at)
            end = len(self.text) if end < 0 else end
            quoted, self.at = self.text[self.at : end], min(end + 2, len(self.text))
            return [tuple(quoted)]
        if character.isalnum():
            raise Untranslatable(f"it uses \\{character}")
        return [(character,)]

    def _quantifier(self) -> str:
        """Read how often the element comes. ``?`` behind it only says who goes first."""
        character = self._peek()
        if not character or character not in _QUANTIFIERS:
            return ""
        end = self.at + 1
        if character == "{":
            end = self.text.find("}", self.at) + 1
            if not end:
                raise Untranslatable("a { is not closed")
        quantifier = self.text[self.at : end]
        if character == "{" and not _COUNTED.fullmatch(quantifier):
            raise Untranslatable("it has a { that is no repeat")
        if self.text[end : end + 1] == "+":
            raise Untranslatable("it uses a possessive repeat")
        self.at = end + (self.text[end : end + 1] == "?")
        return quantifier

    def _repeated(self, element: str | Gap | _Edge, quantifier: str, whole: str) -> list[_Row]:
        if isinstance(element, _Edge):
            raise Untranslatable("it repeats ^ or $")
        if quantifier == "?":
            return [(), (element,)]
        if isinstance(element, Gap):
            # What a URL can hold is never a space.
            if element.kind == "one" or element.text == "\\S":
                if quantifier in {"*", "+"}:
                    return [(Gap("any", ".*") if quantifier == "*" else Gap("some", ".+"),)]
            elif element.text in {"\\d", "[0-9]"} and quantifier in {"+", "{1,5}", "{2,5}", "{1,}"}:
                return [(Gap("digits", "[0-9]+"),)]
        return [(Gap("other", whole),)]


def _pairs(text: str) -> zip[tuple[str, str]]:
    return zip(text, text[1:] + " ", strict=True)
