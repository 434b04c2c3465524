"""Which languages pages are written in, and which of them somebody reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from casduo.accept import MOST_READ, accepted

NAMES: Final[Mapping[str, str]] = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
"""All languages that there are translations for, by BCP 47 tag, with what they call themselves."""

LANGUAGES: Final = tuple(NAMES)


def base_of(tag: str) -> str:
    """Return the base language of a tag: ``de`` for ``de-AT``, and for ``de_AT`` as some phones and Java write it."""
    return tag.replace("_", "-").partition("-")[0].lower()


def find_language(tag: str, offered: Sequence[str]) -> str:
    """Return which of the languages ``offered`` a tag means, by itself or by its base language; empty for none."""
    asked = tag.strip().replace("_", "-").lower()
    by_tag = {language.lower(): language for language in offered}
    return by_tag.get(asked) or by_tag.get(base_of(asked)) or ""


def best_language(accept_language: str, offered: tuple[str, ...], default: str) -> str:
    """Return the language of a page for who has chosen none.

    :param accept_language: the header as it came (RFC 9110, 12.5.4), empty for none
    :param offered: what there is to choose from
    :param default: for who reads none of these
    """
    # What is kept of headers is what is read of them: whoever sends long ones fills no memory.
    return _best(accept_language[:MOST_READ], offered, default)


@lru_cache(maxsize=256)
def _best(accept_language: str, offered: tuple[str, ...], default: str) -> str:
    for tag in accepted(accept_language):
        if tag == "*":
            return default
        found = find_language(tag, offered)
        if found:
            return found
    return default
