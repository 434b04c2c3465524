"""A text that a site has written in several languages: a plain text to whoever does not ask for another one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

LANGUAGE_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""A language as settings and registry name it: ``en``, ``de`` or ``pt-BR`` (BCP 47)."""


class LocalText(str):
    """A text in the site's language that knows its translations.

    It *is* the text of the site's language, so that logs, events and messages need not know of languages; pages ask for
    the reader's by :func:`in_language`.

    :param by_language: the texts by BCP 47 tag, at least one
    :param preferred: the site's language; a text without it is told in English, or else in the first language it has
    """

    __slots__ = ("by_language", "preferred")

    by_language: Mapping[str, str]
    preferred: str

    def __new__(cls, by_language: Mapping[str, str], preferred: str) -> LocalText:
        chosen = _find(by_language, preferred) or by_language.get("en") or next(iter(by_language.values()))
        made = super().__new__(cls, chosen)
        made.by_language = dict(by_language)
        made.preferred = preferred
        return made

    @property
    def has_preferred(self) -> bool:
        """Whether there is a text in the site's own language."""
        return _find(self.by_language, self.preferred) is not None

    def __getnewargs__(self) -> tuple[Mapping[str, str], str]:  # type: ignore[override]
        return self.by_language, self.preferred


def in_language(text: str, language: str) -> str:
    """Return ``text`` as the site has written it for ``language``, a BCP 47 tag, or for its base language; otherwise
    the text of the site's own language.
    """
    if isinstance(text, LocalText):
        return _find(text.by_language, language) or str(text)
    return text


def texts_of(text: str) -> tuple[str, ...]:
    """Return a text in all languages that it has been written in."""
    return tuple(text.by_language.values()) if isinstance(text, LocalText) else (text,)


def _find(by_language: Mapping[str, str], language: str) -> str | None:
    return by_language.get(language) or by_language.get(language.partition("-")[0])
