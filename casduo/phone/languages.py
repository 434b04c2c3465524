"""In which language a phone is spoken to, and with which texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from casduo.languages import LANGUAGES, best_language
from casduo.messages import phone_catalogue

DEFAULT_LANGUAGE: Final = "en"
"""For phones whose languages we do not speak."""

Text = Callable[..., str]
"""Returns the sentence of an id with its facts in it; see :meth:`casduo.messages.Catalogue.text`."""


def language_of(accept_language: str) -> str:
    """Return the best of our languages for the ``Accept-Language`` header of a phone, empty where it sent none.

    ``de-AT`` and ``de_AT``, as some phones write it, are spoken to in ``de``.
    """
    return best_language(accept_language, LANGUAGES, DEFAULT_LANGUAGE)


def texts(language: str) -> Text:
    """Return the texts of one of our languages, see :func:`language_of`."""
    return phone_catalogue(language).text
