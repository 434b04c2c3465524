"""How a language writes numbers, days and points in time, by the Unicode CLDR as Babel has it.

Babel is imported where it is first needed: most sign-in pages hold neither, and reading the CLDR takes a fifth
of a second.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from babel import Locale

_REGIONS: Final = {"en": "en_GB"}
"""The region whose habits are taken for a language. For English the one where the day stands before the month, and
where the clock has 24 hours: readers come from everywhere."""


@cache
def _locale(language: str) -> Locale:
    from babel import Locale

    return Locale.parse(_REGIONS.get(language, language.replace("-", "_")))


def own_name(language: str) -> str:
    """Return what a language calls itself, as it would stand alone: ``Deutsch``, ``Français``."""
    from babel import Locale

    name = Locale.parse(language, sep="-").get_display_name() or language
    return name[0].upper() + name[1:]


def direction(language: str) -> str:
    """Return in which direction a language is written: ``ltr`` or ``rtl``."""
    return _locale(language).text_direction


def write_number(number: int, language: str) -> str:
    """Return a whole number, grouped as the language does it."""
    from babel.numbers import format_decimal

    # The narrow space of French is beyond Latin-1, which is all that old phones read.
    return format_decimal(number, locale=_locale(language)).replace("\u202f", "\xa0")


def write_date(day: date, language: str) -> str:
    """Return a day with the name of its month."""
    from babel.dates import format_date

    return format_date(day, "long", locale=_locale(language))


def write_moment(moment: datetime, language: str) -> str:
    """Return an aware point in time with its offset from UTC, which says it all to those who live elsewhere."""
    from babel.dates import format_time, get_datetime_format

    locale = _locale(language)
    joined = str(get_datetime_format("medium", locale=locale))
    time = format_time(moment, "short", tzinfo=moment.tzinfo, locale=locale)
    offset = f"{moment:%z}"
    zone = f"UTC{offset[:3]}:{offset[3:5]}" if moment.utcoffset() else "UTC"
    return f"{joined.format(time, write_date(moment.date(), language))} {zone}".replace("\u202f", "\xa0")
