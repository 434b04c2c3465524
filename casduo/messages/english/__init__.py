"""English, the language that the pages were written in: a module of texts for each group of pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from casduo.messages.english import duo, frame, login, problems, service, session
from casduo.messages.model import Catalogue, Message

GROUPS: Final[tuple[Mapping[str, Message], ...]] = tuple(
    module.TEXTS for module in (frame, login, session, service, duo, problems)
)
"""The texts of each group; no id stands in two of them."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _date(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _moment(moment: datetime) -> str:
    offset = f"{moment:%z}"
    zone = f"UTC{offset[:3]}:{offset[3:5]}" if moment.utcoffset() else "UTC"
    return f"{_date(moment)}, {moment:%H:%M} {zone}"


ENGLISH: Final = Catalogue(
    language="en",
    plural=lambda count: "one" if count == 1 else "other",
    categories=frozenset({"one", "other"}),
    number=lambda number: f"{number:,}",
    date=_date,
    moment=_moment,
    messages=MappingProxyType({name: message for group in GROUPS for name, message in group.items()}),
)
