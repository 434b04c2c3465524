"""Reads the translations: one gettext catalogue for each language, in which the id of a sentence is its context."""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from casduo.messages.formats import write_date, write_moment, write_number
from casduo.messages.model import Catalogue, Message, Plural, faults

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LOCALES: Final = Path(__file__).parent / "locales"
"""The folder with a folder for each language."""


def path_of(language: str, locales: Path = LOCALES) -> Path:
    """Return where the translations into ``language`` are kept."""
    return locales / language / "LC_MESSAGES" / "casduo.po"


def read_file(path: Path) -> Catalog:
    """Read a gettext catalogue (``.po``).

    :raises OSError: it is not there
    :raises ValueError: it is none
    """
    # Reading it takes longer than all of the pages in English, so it is left to who wants another language.
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def translation(language: str, english: Catalogue, path: Path | None = None) -> Catalogue:
    """Return the catalogue of another language. What its file lacks, has not kept up with the English sentence, or
    holds other facts than this, is told in English.

    :param language: BCP 47 tag
    :param english: the sentences that are wanted
    :param path: the file, by default the one that comes with casduo
    """
    file = read_file(path or path_of(language))
    plural, categories = plural_rule(file)
    messages = {
        name: message
        for name, message in translated(file, english)
        if not any(faults(name, message, categories, english.messages[name]))
    }
    return Catalogue(
        language=language,
        messages=MappingProxyType(messages),
        plural=plural,
        categories=categories,
        number=partial(write_number, language=language),
        date=partial(write_date, language=language),
        moment=partial(write_moment, language=language),
        fallback=english,
    )


def plural_rule(file: Catalog) -> tuple[Callable[[int], str], frozenset[str]]:
    """Return the function of a file that names the form for a count, and the names that it may give: ``0``, ``1``..."""
    number_of = gettext.c2py(file.plural_expr)
    return lambda count: str(number_of(count)), frozenset(str(form) for form in range(file.num_plurals))


def translated(file: Catalog, english: Catalogue) -> Iterator[tuple[str, Message]]:
    """Yield ids and translations of those sentences of ``english`` that are translated and not ``fuzzy``."""
    for entry in file:
        message = english.messages.get(entry.context or "")
        if message is None or entry.context is None or entry.fuzzy or entry.id != msgid_of(message):
            continue
        strings = as_tuple(entry.string)
        if all(strings):
            yield entry.context, in_forms(message, strings)


def in_forms(english: Message, strings: tuple[str, ...]) -> Message:
    """Return the translation of an English message, of which a file has ``strings``."""
    if isinstance(english, Plural):
        return Plural(english.count, {str(number): wording for number, wording in enumerate(strings)})
    return strings[0]


def as_tuple(value: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return what stands in a file for a sentence, one or several, as several."""
    return (value or "",) if isinstance(value, str | None) else tuple(value)


def msgid_of(message: Message) -> str | tuple[str, str]:
    """Return an English sentence as gettext catalogues name it: by itself, or by singular and plural."""
    return (message.forms["one"], message.forms["other"]) if isinstance(message, Plural) else message
