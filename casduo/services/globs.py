"""Texts with ``*``, and lists of such texts with ``**``: what they accept, and how two of them relate.

A :class:`Glob` is one label, port, path segment or query parameter. ``*`` stands for any run of characters, and for at
least one where it stands alone. A :data:`Row` is a list of globs, where ``None`` (written ``**``) stands for any number
of elements, none included. All matching is linear in text times pattern: nothing here can be made slow from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# In a text that stands for all texts of a glob: the run that its ``*`` stands for. No URL holds this character.
_ANY_RUN = "\0"


@dataclass(frozen=True, slots=True)
class Glob:
    """One element with ``*``; ``chunks`` are the literal texts between the stars, one more than there are stars."""

    chunks: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Glob:
        """Return the glob that ``text`` writes."""
        return cls(tuple(text.split("*")))

    @property
    def is_literal(self) -> bool:
        """Whether it accepts one text only."""
        return len(self.chunks) == 1

    @property
    def text(self) -> str:
        """The glob as it is written."""
        return "*".join(self.chunks)

    def accepts(self, text: str) -> bool:
        """Say whether the whole of ``text`` is of this form."""
        first, last = self.chunks[0], self.chunks[-1]
        if self.is_literal:
            return text == first
        if not text or len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for chunk in self.chunks[1:-1]:
            at = text.find(chunk, at, end)
            if at < 0:
                return False
            at += len(chunk)
        return True

    def covers(self, other: Glob) -> bool:
        """Say whether every text that ``other`` accepts is accepted here."""
        # A run that no literal here can swallow: if this text is accepted, a star of ours took the other's whole star.
        return self.accepts(_ANY_RUN.join(other.chunks))

    def overlaps(self, other: Glob) -> bool:
        """Say whether some text is accepted by both."""
        if self.is_literal:
            return other.accepts(self.chunks[0])
        if other.is_literal:
            return self.accepts(other.chunks[0])
        # Both have a star, so the middle parts of both can follow one another; only the ends can contradict.
        (a, *_, z), (b, *_, y) = self.chunks, other.chunks
        return (a.startswith(b) or b.startswith(a)) and (z.endswith(y) or y.endswith(z))


# Accepts nothing.
_END = Glob((_ANY_RUN,))

Row = tuple[Glob | None, ...]
"""Segments of a path or parameters of a query; ``None`` is written ``**``."""


def read_row(texts: Sequence[str]) -> Row:
    """Return the row whose elements are written as ``texts``.

    :raises ValueError: ``**`` beside other characters
    """
    for text in texts:
        if "**" in text and text != "**":
            raise ValueError("** stands alone between two slashes; within a segment write a single *")
    return tuple(None if text == "**" else Glob.read(text) for text in texts)


def row_accepts(row: Row, texts: Sequence[str]) -> bool:
    """Say whether the whole list ``texts`` is of the form ``row``."""
    at = taken = 0
    retry = mark = -1
    while taken < len(texts):
        element = row[at] if at < len(row) else _END
        if element is None:
            retry, mark = at + 1, taken
            at += 1
        elif element.accepts(texts[taken]):
            at += 1
            taken += 1
        elif retry >= 0:
            # The latest ** takes one element more. Earlier ones need not: they took the first place that fits.
            mark += 1
            at, taken = retry, mark
        else:
            return False
    return all(element is None for element in row[at:])


def row_covers(row: Row, other: Row) -> bool:
    """Say whether every list that ``other`` accepts is accepted by ``row``.

    A ``False`` may be wrong in rows such as ``**/*`` against ``*/**``, a ``True`` never is.
    """
    if not row:
        return not other
    if row[0] is None:
        return row_covers(row[1:], other) or (bool(other) and row_covers(row, other[1:]))
    if not other or other[0] is None:
        return False
    return row[0].covers(other[0]) and row_covers(row[1:], other[1:])


def row_overlaps(row: Row, other: Row) -> bool:
    """Say whether some list is accepted by both."""
    if not row:
        return all(element is None for element in other)
    if not other:
        return all(element is None for element in row)
    if row[0] is None:
        return row_overlaps(row[1:], other) or row_overlaps(row, other[1:])
    if other[0] is None:
        return row_overlaps(row, other[1:]) or row_overlaps(row[1:], other)
    return row[0].overlaps(other[0]) and row_overlaps(row[1:], other[1:])
