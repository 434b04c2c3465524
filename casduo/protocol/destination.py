"""Where a service is told that a session has ended, and what may be called there (CAS protocol 2.3.3)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from casduo.errors import MalformedService
from casduo.services.model import RegisteredService
from casduo.services.patterns import Pattern, compile_pattern
from casduo.services.urls import ServiceUrl, location, origin_of, parse_service
from casduo.tickets.model import Visit

_ORIGIN = re.compile(r"[^:]+://[^/?#]*")


@dataclass(frozen=True, slots=True)
class Destination:
    """How and where a service is told.

    ``url`` is ASCII and has no fragment; of it, logs may name the ``origin`` (scheme, host and port). ``private`` says
    whether the host may lie on a private network, ``plain_http`` whether the message may travel in the clear.
    """

    channel: Literal["back_channel", "front_channel"]
    url: str = field(repr=False)
    origin: str
    private: bool
    plain_http: bool


class Untold(StrEnum):
    """Why a service is not told."""

    UNREGISTERED = "unregistered"
    """Its entry has gone from the registry, or no longer means the address that the ticket was for."""
    SWITCHED_OFF = "switched_off"
    """Its entry says ``logout: {type: none}``."""
    NO_WEB_ADDRESS = "no_web_address"
    """It is no web page: an application on a phone, say, with a scheme of its own."""
    NO_BROWSER = "no_browser"
    """It is told by the browser alone, and the session was not ended from there."""


def destination(visit: Visit, entry: RegisteredService | None) -> Destination | Untold:
    """Return where the service of a visit is told, or why it is not.

    That is ``logout.url``, else the service URL of the ticket as it came: with its query, and with a ``ticket`` in it
    that an earlier sign-in may have left there. That one is used up and was the application's own, and an address that
    somebody has tidied may lead to another page.

    The registry decides what is called. https, unless the pattern that means the address says http, or ``logout.url``
    does. A host on a private network only if it is written out in the registry, or the entry allows it: what a star
    stands for, people may make up. An entry that was switched off does not keep its sessions from ending.

    :param entry: the entry that the ticket was granted for, as it is now; ``None`` when it has gone
    """
    if entry is None:
        return Untold.UNREGISTERED
    rule = entry.logout
    if rule.type == "none":
        return Untold.SWITCHED_OFF
    try:
        url = parse_service(visit.service if rule.url is None else rule.url)
    except MalformedService:
        return Untold.NO_WEB_ADDRESS
    private = rule.private_addresses or rule.url is not None
    if rule.url is None:
        patterns = _meaning(entry.urls, url)
        if not patterns:
            return Untold.UNREGISTERED
        private = private or any(pattern.host for pattern in patterns)
    return Destination(rule.type, _address(url), origin_of(url), private, url.scheme == "http")


def _meaning(texts: Collection[str], url: ServiceUrl) -> list[Pattern]:
    return [pattern for pattern in map(compile_pattern, texts) if pattern.matches(url)]


def _address(url: ServiceUrl) -> str:
    """Return what is called: the host as it was matched, the rest byte for byte."""
    rest, _, _ = _ORIGIN.sub("", location(url.raw), count=1).partition("#")
    return f"{origin_of(url)}{rest}"
