"""Every sentence that a person reads on a page, by id, and how facts are put into it.

The pages say ``t("login.submit")``; the server names an id where the reason is its own to give, for example
``login.error.throttled`` with ``seconds=40``. Ids are stable, sentences are not: tests and code refer to ids.

A sentence is written whole, never glued from parts, and holds its facts as placeholders::

    {service}       a text from outside: cleaned and cut by ``presentable``, escaped later by the template
    {reason:prose}  the same, of which more is shown
    {count:number}  a whole number, grouped as the language does it
    {at:moment}     an ISO 8601 text or an aware datetime, written as date, time and zone
    {start:date}    an ISO 8601 text or a date, written as a date

English is written in ``english/``. The other languages are gettext catalogues in ``locales/``, in which the id of a
sentence is its context; ``python -m casduo.messages`` keeps them in step. What one of them lacks is told in English. A
language is read when somebody asks for it first. The pages on phones have texts of their own, ``phone_catalogue``.

Answers of the protocol endpoints are not here: they stay English and fixed.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from casduo.languages import LANGUAGES, find_language
from casduo.messages.english import ENGLISH, ENGLISH_PHONE
from casduo.messages.errors import BrokenCatalogue, MessageError, UnknownMessage, WrongFacts
from casduo.messages.facts import FACT_LIMIT, PROSE_LIMIT, Fact, presentable
from casduo.messages.model import Catalogue, Message, Plural, check
from casduo.messages.translations import translation

__all__ = [
    "ENGLISH",
    "ENGLISH_PHONE",
    "FACT_LIMIT",
    "PROSE_LIMIT",
    "BrokenCatalogue",
    "Catalogue",
    "Fact",
    "Message",
    "MessageError",
    "Plural",
    "UnknownMessage",
    "WrongFacts",
    "catalogue",
    "check",
    "factor_id",
    "phone_catalogue",
    "presentable",
    "text",
]

_ENGLISH: Final = ENGLISH.language


def text(message_id: str, language: str, /, **facts: Fact) -> str:
    """Return the sentence ``message_id`` in ``language`` with ``facts`` in it, not yet escaped.

    ``language`` is a BCP 47 tag; one we have no catalogue for is answered in its base language (``de`` for
    ``de-AT``) or in English. Raises UnknownMessage or WrongFacts, both of them mistakes in our own code.
    """
    return catalogue(language).text(message_id, **facts)


def catalogue(language: str) -> Catalogue:
    """Return the catalogue for a BCP 47 tag, or that of its base language, or the English one."""
    return _catalogue(find_language(language, LANGUAGES) or _ENGLISH)


def phone_catalogue(language: str) -> Catalogue:
    """Return the texts of phones for a BCP 47 tag, or those of its base language, or the English ones."""
    return _phone_catalogue(find_language(language, LANGUAGES) or _ENGLISH)


@cache
def _catalogue(language: str) -> Catalogue:
    return ENGLISH if language == _ENGLISH else translation(language, ENGLISH)


@cache
def _phone_catalogue(language: str) -> Catalogue:
    return ENGLISH_PHONE if language == _ENGLISH else translation(language, ENGLISH_PHONE)


def factor_id(factor: str) -> str:
    """Return the id of the text for a factor as Duo names it in ``auth_context.factor``, such as ``duo_push``.

    Duo adds factors now and then; one we do not know is called just "Duo".
    """
    message_id = f"factor.{factor.lower().replace(' ', '_')}"
    return message_id if message_id in ENGLISH.messages else "factor.other"
