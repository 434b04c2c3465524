"""What people type about requests for access, made fit to be shown to others. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

LONGEST_REASON = 500
"""Characters."""
LONGEST_COMMENT = 500
"""Characters."""
LONGEST_NAME = 120
"""Characters of a name, an address, an account, wherever they are shown in a line."""
_MOST_MARKS = 4
"""Marks on one letter; more than any living script puts there. A pile of them is drawn over what stands above it."""
_MARKS = frozenset({"Mn", "Me"})
_JOINERS = "\u200c\u200d"
"""Without these some scripts cannot be written."""


def cleaned(text: str) -> str:
    """Return ``text`` on one line with single spaces, without what cannot be seen: control characters, marks that turn
    the direction of what follows, characters that nobody has assigned; and without what hides other things: more marks
    on a letter than one has.
    """
    # White space first: line breaks and tabs are control characters too.
    words = " ".join(text.split())
    seen = (character for character in words if character in _JOINERS or not _unseen(character))
    # What was between two spaces may have been taken away.
    return " ".join("".join(_without_piles(seen)).split())


def cleaned_comment(text: str) -> str:
    """Return the comment on a decision, cleaned and cut."""
    return cleaned(text)[:LONGEST_COMMENT].rstrip()


def _without_piles(characters: Iterable[str]) -> Iterator[str]:
    marks = 0
    for character in characters:
        if character not in _JOINERS:
            # Joiners are not seen: put between two marks, they do not begin a letter.
            marks = marks + 1 if unicodedata.category(character) in _MARKS else 0
        if marks <= _MOST_MARKS:
            yield character


def _unseen(character: str) -> bool:
    return unicodedata.category(character).startswith("C")
