"""Keeps the translations in step with the English sentences: for developers, ``python -m casduo.messages``."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.plurals import get_plural
from babel.messages.pofile import write_po

from casduo.languages import LANGUAGES
from casduo.messages.english import ENGLISH, ENGLISH_PHONE, SOURCES
from casduo.messages.formats import direction
from casduo.messages.model import Message, Plural, faults
from casduo.messages.translations import LOCALES, as_tuple, in_forms, msgid_of, path_of, plural_rule, read_file

TEMPLATE: Final = "casduo.pot"
"""The file with all sentences and no translations, from which a new language begins."""

TRANSLATED: Final = tuple(language for language in LANGUAGES if language != ENGLISH.language)

_WIDTH = 110
_FORMERLY = "formerly: "
"""Begins the comment with the English sentence that a translation was made of, where another one stands there now."""

_DIRECTION = "page.direction"
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands in all headers, so that a file changes with its sentences only."""

_HEADER = """\
# Texts of casduo ({language}).
# msgctxt is the id of a sentence, msgid the English one. What stands in braces is put in by the server:
# it has to stay as it is, but may stand elsewhere. See docs/languages.md.
#"""


def sentences() -> Mapping[str, Message]:
    """Return all English messages by id, those of browsers and those of phones."""
    return {**ENGLISH.messages, **ENGLISH_PHONE.messages}


def template() -> bytes:
    """Return the file with all sentences and no translations."""
    return _written(_catalog("", {}, {}))


def updated(language: str, locales: Path = LOCALES) -> bytes:
    """Return the file of a language with exactly the sentences that there are now. A translation whose English sentence
    has changed is kept and marked ``fuzzy``, with the old sentence beside it. Those of sentences that are gone are kept
    at the end of the file, as obsolete ones, for the day on which a sentence of that id comes again.
    """
    path = path_of(language, locales)
    old = read_file(path) if path.exists() else None
    strings, formerly, lost = {}, {}, []
    for entry in (*old, *old.obsolete.values()) if old is not None else ():
        if entry.context and entry.context not in sentences():
            lost.append(entry)
        elif entry.context:
            strings[entry.context] = as_tuple(entry.string)
            changed = entry.id != msgid_of(sentences().get(entry.context, ""))
            if changed:
                formerly[entry.context] = as_tuple(entry.id)
            elif entry.fuzzy:
                formerly[entry.context] = tuple(
                    comment.removeprefix(_FORMERLY) for comment in entry.auto_comments if comment.startswith(_FORMERLY)
                )
    made = _catalog(language, strings, formerly)
    for entry in sorted(lost, key=lambda entry: entry.context):
        if any(as_tuple(entry.string)):
            made.obsolete[entry.id, entry.context] = Entry(entry.id, entry.string, context=entry.context)
    return _written(made)


def problems(language: str, locales: Path = LOCALES) -> Iterator[str]:
    """Yield what is not as it should be with the translations into a language: sentences that are missing, out of date
    or left over, other facts than in the English ones, plural forms that are missing.
    """
    wanted = sentences()
    file = read_file(path_of(language, locales))
    _, categories = plural_rule(file)
    if file.plural_expr != get_plural(language).plural_expr or file.num_plurals != get_plural(language).num_plurals:
        yield f"Plural-Forms must be: {get_plural(language).plural_forms}"
    seen = set()
    for entry in file:
        name = entry.context
        if not name:
            continue
        seen.add(name)
        message = wanted.get(name)
        if message is None:
            yield f"{name} is not used"
        elif entry.fuzzy or entry.id != msgid_of(message):
            yield f"{name} is out of date: the English sentence has changed"
        elif not all(as_tuple(entry.string)):
            yield f"{name} is not translated"
        elif name == _DIRECTION and entry.string != direction(language):
            yield f"{name} must be {direction(language)}"
        else:
            yield from faults(name, in_forms(message, as_tuple(entry.string)), categories, message)
    yield from (f"{name} is missing" for name in wanted if name not in seen)


def _catalog(language: str, strings: Mapping[str, tuple[str, ...]], formerly: Mapping[str, tuple[str, ...]]) -> Catalog:
    catalog = Catalog(
        locale=language or None,
        project="casduo",
        version="1",
        msgid_bugs_address="docs/languages.md",
        last_translator="the casduo developers",
        language_team=language,
        header_comment=_HEADER.format(language=language or "template"),
        creation_date=_NO_TIME,
        revision_date=_NO_TIME,
        fuzzy=False,
    )
    for name, message in sentences().items():
        identifier = msgid_of(message)
        forms = catalog.num_plurals if isinstance(message, Plural) else 1
        known = strings.get(name, ())
        # One that has become one with plural forms, or the reverse, has no translation yet.
        string = known if len(known) == forms else ("",) * forms
        fuzzy = name in formerly and any(string)
        before = tuple(_FORMERLY + sentence for sentence in formerly.get(name, ())) if fuzzy else ()
        catalog.add(
            identifier,
            string if isinstance(message, Plural) else string[0],
            context=name,
            flags=("fuzzy",) if fuzzy else (),
            auto_comments=(SOURCES[name], *before),
        )
    return catalog


def _written(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, width=_WIDTH, sort_output=False)
    # The version of the program that wrote it says nothing about the texts.
    return b"".join(line for line in file.getvalue().splitlines(keepends=True) if b'"Generated-By:' not in line)
