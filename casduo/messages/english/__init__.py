"""English, the language that the pages were written in: a module of texts for each group of pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from casduo.messages.english import (
    account,
    admin,
    admin_services,
    agents,
    approvals,
    duo,
    enroll,
    frame,
    login,
    phone,
    problems,
    service,
    session,
)
from casduo.messages.formats import write_date, write_moment, write_number
from casduo.messages.model import Catalogue, Message

_MODULES = (
    *(frame, agents, login, session, account, service, duo, enroll, approvals),
    *(admin, admin_services, problems),
)

GROUPS: Final[tuple[Mapping[str, Message], ...]] = tuple(module.TEXTS for module in _MODULES)
"""The texts of each group of pages in a browser; no id stands in two of them."""

SOURCES: Final[Mapping[str, str]] = {
    name: f"casduo/messages/english/{module.__name__.rpartition('.')[2]}.py"
    for module in (*_MODULES, phone)
    for name in module.TEXTS
}
"""The file in which a text is written, by its id; translators are told."""

ENGLISH: Final = Catalogue(
    language="en",
    plural=lambda count: "one" if count == 1 else "other",
    categories=frozenset({"one", "other"}),
    number=lambda number: write_number(number, "en"),
    date=lambda day: write_date(day, "en"),
    moment=lambda moment: write_moment(moment, "en"),
    messages=MappingProxyType({name: message for group in GROUPS for name, message in group.items()}),
)

ENGLISH_PHONE: Final = replace(ENGLISH, messages=phone.TEXTS)
"""The texts of the pages on phones, apart from the others."""
