"""How the service of a validation differs from the one its ticket was granted for, told without values of parameters.

Values of query parameters may be secrets of an application or of its users, and so may a parameter without a name. In
both URLs a number stands for each of them, the same number for the same value, so that what is equal, what differs and
what comes in another order can still be seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from casduo.errors import MalformedService
from casduo.services.urls import ServiceUrl, first_difference, parse_service, same_service

MAX_SHOWN: Final = 500
"""Longest URL that is told, in characters; of a longer one the end is cut off."""
_MAX_NAME = 60
_MAX_NAMES = 3

Kind = Literal[
    "https_lost",
    "https_added",
    "host",
    "port",
    "slash",
    "case",
    "path",
    "order",
    "encoding",
    "lost_parameter",
    "added_parameter",
    "value",
    "parameters",
    "spelling",
    "scheme_gone",
    "entry",
]
"""The first part that differs, or what is special about it.

``https_lost``: granted for https, validated for http; ``https_added`` the reverse; ``slash``: one more or less at the
end of the path; ``case``: only capital letters in the path; ``order``: the same parameters otherwise arranged;
``encoding``: one was percent-encoded once more; ``spelling``: the same service, where the registry wants the same
bytes; ``scheme_gone``: the registry has no such scheme any more; ``entry``: the URL has another entry than at login.
"""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What differs.

    ``granted`` and ``presented`` are canonical URLs without values, cut to ``MAX_SHOWN``; ``granted`` is empty where it
    cannot be read any more. ``difference`` names the first part that differs. ``granted_entry`` is the id of the
    registry entry at login. ``loosely_same`` says that ``service_match: loose`` would take them for the same.
    """

    kind: Kind
    granted: str
    presented: str
    difference: str
    granted_entry: str
    loosely_same: bool = False

    def __str__(self) -> str:
        if not self.granted:
            return self.difference
        return f"{self.granted} is not {self.presented}: {self.difference}"


def compare(granted_raw: str, presented: ServiceUrl, granted_entry: str, schemes: frozenset[str]) -> Mismatch:
    """Return how ``presented`` differs from the service that a ticket was granted for.

    :param granted_raw: the service as it was received at login
    :param granted_entry: the id of the entry that it had then
    :param schemes: the schemes that the registry knows
    """
    try:
        granted = parse_service(granted_raw, schemes)
    except MalformedService as error:
        sentence = f"the service of the ticket cannot be read any more: {error.reason}"
        return Mismatch("scheme_gone", "", shown(presented), sentence, granted_entry)
    loosely_same = same_service(granted_raw, presented, "loose")
    kind = _kind(granted, presented, loosely_same=loosely_same)
    masked, other = _masked(granted, presented)
    return Mismatch(
        kind,
        granted=_cut(masked.canonical),
        presented=_cut(other.canonical),
        difference=_difference(kind, masked, other),
        granted_entry=granted_entry,
        loosely_same=loosely_same,
    )


def other_entry(presented: ServiceUrl, granted_entry: str, entry: str) -> Mismatch:
    """Return the mismatch of a service that is the right one, but has another entry of the registry than at login.

    :param granted_entry: the id of the entry that it had then
    :param entry: the id of the one that it has now
    """
    sentence = f"granted for entry {granted_entry}, presented for {entry}"
    return Mismatch("entry", "", shown(presented), sentence, granted_entry)


def shown(url: ServiceUrl) -> str:
    """Return the canonical form of ``url`` with numbers in place of values, cut to ``MAX_SHOWN``."""
    return _cut(_masked(url)[0].canonical if url.query else url.canonical)


def _masked(*urls: ServiceUrl) -> list[ServiceUrl]:
    numbers: dict[str, int] = {}

    def number(value: str) -> str:
        # No canonical URL has brackets in its query, so a number is never taken for a value.
        return f"[{numbers.setdefault(value, len(numbers) + 1)}]"

    def parameter(text: str) -> str:
        name, equals, value = text.partition("=")
        if not equals:
            return number(text)
        return f"{name[:_MAX_NAME]}={number(value)}" if value else f"{name[:_MAX_NAME]}="

    masked = []
    for url in urls:
        query = "&".join(map(parameter, url.parameters))
        base = url.canonical.partition("?")[0]
        masked.append(replace(url, raw="", query=query, fragment="", canonical=f"{base}?{query}" if query else base))
    return masked


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _kind(granted: ServiceUrl, presented: ServiceUrl, *, loosely_same: bool) -> Kind:
    if granted.canonical == presented.canonical:
        return "spelling"
    match granted.scheme, presented.scheme:
        case "https", "http":
            return "https_lost"
        case "http", "https":
            return "https_added"
    if (granted.scheme, granted.host) != (presented.scheme, presented.host):
        return "host"
    if granted.port != presented.port:
        return "port"
    if granted.path != presented.path:
        return _kind_of_path(granted.path, presented.path, loosely_same=loosely_same)
    return _kind_of_query(granted.parameters, presented.parameters, loosely_same=loosely_same)


def _kind_of_path(granted: str, presented: str, *, loosely_same: bool) -> Kind:
    if granted.removesuffix("/") == presented.removesuffix("/"):
        return "slash"
    if granted.lower() == presented.lower():
        return "case"
    return "encoding" if loosely_same else "path"


def _kind_of_query(granted: tuple[str, ...], presented: tuple[str, ...], *, loosely_same: bool) -> Kind:
    had, has = Counter(granted), Counter(presented)
    if had == has:
        return "order"
    if loosely_same:
        return "encoding"
    if has <= had:
        return "lost_parameter"
    if had <= has:
        return "added_parameter"
    return "value" if _names(granted) == _names(presented) else "parameters"


def _difference(kind: Kind, granted: ServiceUrl, presented: ServiceUrl) -> str:
    """Name the first part that differs; of the query only names, as the URLs given are without values."""
    had, has = Counter(granted.parameters), Counter(presented.parameters)
    match kind:
        case "spelling":
            return "spelling: the entry wants the same bytes (service_match: exact)"
        case "order":
            return "query: the same parameters in another order"
        case "lost_parameter":
            return f"query: {_few(had - has)} at login only"
        case "added_parameter":
            return f"query: {_few(has - had)} at validation only"
    return first_difference(granted, presented)


def _few(parameters: Counter[str]) -> str:
    names = list(dict.fromkeys(_names(parameters)))
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(map(repr, names[:_MAX_NAMES])) + more


def _names(parameters: Iterable[str]) -> list[str]:
    return [parameter.partition("=")[0] for parameter in parameters]
