"""The list of registry entries: searched, filtered, sorted and paged, with the query that leads to each state of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args
from urllib.parse import urlencode

from casduo.errors import MalformedService
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.urls import parse_service

PAGE_SIZE = 50

Duo = Literal["none", "required", "conditions", "optional", "report"]
Sort = Literal["place", "name", "pattern", "duo", "enabled", "used"]
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)
FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "duo": ("yes", "no"),
    "enabled": ("yes", "no"),
    "channel": ("browser", "phone"),
    "approval": ("yes", "no"),
    "problems": ("yes",),
}
"""What can be filtered by, with the values; anything else filters nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry. ``place`` counts from 1; ``more`` are its patterns beyond the first; ``used`` is when
    it was last asked for, in epoch seconds, 0 for never.
    """

    place: int
    id: str
    name: str
    pattern: str
    more: int
    duo: Duo
    approval: bool
    enabled: bool
    channel: str
    problems: int
    used: float = 0.0


@dataclass(frozen=True, slots=True)
class Query:
    """What the list is asked for, as it stands in the address."""

    text: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: Sort = "place"
    down: bool = False
    page: int = 1

    def address(self, **changed: object) -> str:
        """Return the query of an address, with some parts changed; without what is the default."""
        values: dict[str, object] = {"q": self.text, **self.filters, "sort": self.sort}
        values |= {"down": "1" if self.down else "", "page": self.page, **changed}
        kept = {name: str(value) for name, value in values.items() if value not in ("", None, False)}
        for name, default in (("sort", "place"), ("page", "1")):
            if kept.get(name) == default:
                del kept[name]
        return f"?{urlencode(kept)}" if kept else ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list.

    :param found: entries that the query means; ``total``: all there are
    :param owner: id of the entry that has the URL that was searched for; empty when no URL was, or nobody has it
    :param is_url: whether a URL was searched for
    """

    rows: tuple[Row, ...]
    found: int
    total: int
    page: int
    pages: int
    is_url: bool = False
    owner: str = ""


def read_query(parameters: Mapping[str, str]) -> Query:
    """Return the query of an address; what makes no sense in it is left out."""
    sort: Sort = next((one for one in SORTS if one == parameters.get("sort", "")), "place")
    number = parameters.get("page", "1")
    return Query(
        text=" ".join(parameters.get("q", "").split())[:500],
        filters={name: value for name, values in FILTERS.items() if (value := parameters.get(name, "")) in values},
        sort=sort,
        down=parameters.get("down", "") == "1",
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
    )


def listing(
    query: Query,
    registry: Registry,
    own: Collection[str],
    problems: Mapping[int, int] | None,
    used: Mapping[str, float] | None = None,
) -> Listing:
    """Return the page of the list that ``query`` asks for.

    :param own: ids of entries that are the server's own and stand in no file
    :param problems: how many problems the entries have, by their place from 0; None: nobody has looked
    :param used: when entries were last asked for, by id, in epoch seconds
    """
    used = used or {}
    services = [service for service in registry.services if service.id not in own]
    rows = [
        _row(place, service, (problems or {}).get(place, 0), used.get(service.id, 0.0))
        for place, service in enumerate(services)
    ]
    by_id = {service.id: service for service in services}
    owner, is_url = _owner(query.text, registry)
    if is_url:
        kept = [row for row in rows if row.id == owner]
    else:
        words = query.text.casefold().split()
        kept = [row for row in rows if _has(words, by_id[row.id])]
    kept = [row for row in kept if all(_fits(row, name, value) for name, value in query.filters.items())]
    kept = _sorted(kept, query)
    pages = max(1, -(-len(kept) // PAGE_SIZE))
    page = min(max(query.page, 1), pages)
    shown = tuple(kept[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    return Listing(shown, len(kept), len(rows), page, pages, is_url, owner)


def counts(registry: Registry, own: Collection[str]) -> Mapping[str, int]:
    """Return how many entries there are of each sort that the list can be filtered by."""
    found: Counter[str] = Counter()
    for service in registry.services:
        if service.id not in own:
            found.update(
                word
                for word, holds in (
                    ("all", True),
                    ("duo", service.duo_rule is not None),
                    ("disabled", not service.enabled),
                    ("approval", service.requires_approval is not None),
                    ("phone", service.channel == "phone"),
                )
                if holds
            )
    return found


def _row(place: int, service: RegisteredService, problems: int, used: float) -> Row:
    return Row(
        place=place + 1,
        id=service.id,
        name=service.name,
        pattern=service.urls[0],
        more=len(service.urls) - 1,
        duo=_duo(service),
        approval=service.requires_approval is not None,
        enabled=service.enabled,
        channel=service.channel,
        problems=problems,
        used=used,
    )


def _duo(service: RegisteredService) -> Duo:
    rule = service.duo_rule
    if rule is None:
        return "none"
    if len(rule.mode) == 1:
        mode = next(iter(rule.mode))
        if mode != "required":
            return mode
        if rule.when is None and rule.from_ is None and rule.until is None:
            return "required"
    return "conditions"


def _owner(text: str, registry: Registry) -> tuple[str, bool]:
    """Return which entry has the URL that was searched for, and whether it was one. A pattern is none."""
    if "://" not in text or "*" in text:
        return "", False
    try:
        found = registry.find(parse_service(text, registry.schemes))
    except MalformedService:
        return "", False
    return (found.id if found is not None else ""), True


def _has(words: Sequence[str], service: RegisteredService) -> bool:
    if not words:
        return True
    text = "\n".join(
        (service.id, service.name, service.description or "", service.owner or "", *service.urls)
    ).casefold()
    return all(word in text for word in words)


def _fits(row: Row, name: str, value: str) -> bool:
    match name:
        case "duo":
            return (row.duo != "none") == (value == "yes")
        case "enabled":
            return row.enabled == (value == "yes")
        case "approval":
            return row.approval == (value == "yes")
        case "channel":
            return row.channel == value
    return row.problems > 0


def _sorted(rows: list[Row], query: Query) -> list[Row]:
    keys = {
        "place": lambda row: row.place,
        "name": lambda row: (row.name.casefold(), row.place),
        "pattern": lambda row: (row.pattern.casefold(), row.place),
        "duo": lambda row: (row.duo, row.place),
        "enabled": lambda row: (not row.enabled, row.place),
        "used": lambda row: (row.used, row.place),
    }
    return sorted(rows, key=keys[query.sort], reverse=query.down)
