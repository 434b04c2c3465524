"""Texts that others wrote, made harmless: for Webex's Markdown, and for cards. Pure.

A name, a reason or a host may hold anything. What comes out of here is one line, bounded, without characters that
nobody sees or that turn the reading direction, and shows as what it is: never as a link, a mention, a heading, a list,
a second line or words of ours.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from casduo.approvals.wording import LONGEST_NAME, cleaned

LONGEST_MESSAGE = 7439
"""Bytes of UTF-8 that a message may have (Webex's API reference, ``POST /messages``)."""

_CUT = "…"
_SPECIAL = re.compile(r"[\\`*_~\[\]()<>#!|&{}]")
_LINE_START = re.compile(r"^(?:[-+=]|(\d+)(?=[.)](?:\s|$)))")
_LOOKED_AT = 20
"""How many times the limit is looked at of a text: nobody reads on where so much is dropped."""
_JOINER = "\u2060"
_LINKED = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=mailto:)|(?<=tel:)|(?<=sip:)", re.IGNORECASE)
"""Places in what clients make a link of by themselves."""
_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")


def plain(text: object, limit: int = LONGEST_NAME) -> str:
    """Return a text for where Markdown means nothing, as in a ``TextRun`` of a card.

    :param limit: characters, at least 1; what is cut off shows as ``…``
    """
    given = str(text)
    looked_at = given[: limit * _LOOKED_AT]
    line = _LINKED.sub(_JOINER, cleaned(looked_at))
    if len(line) > limit or len(looked_at) < len(given):
        line = line[: limit - 1].rstrip() + _CUT
    return line


def escape(text: object, limit: int = LONGEST_NAME) -> str:
    """Return a text for Webex's Markdown, in which it shows as it is.

    :param limit: as for :func:`plain`, before anything is escaped
    """
    line = _SPECIAL.sub(lambda found: f"\\{found[0]}", plain(text, limit))
    # It may come to stand at the beginning of a line, where more means something.
    return _LINE_START.sub(lambda found: f"{found[1]}\\" if found[1] else f"\\{found[0]}", line)


def cut(text: str, size: int = LONGEST_MESSAGE) -> str:
    """Return ``text`` in at most ``size`` bytes of UTF-8, cut between two characters, with ``…`` where it was.

    :param size: at least 3
    """
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= size:
        return encoded.decode("utf-8")
    room = size - len(_CUT.encode())
    shorter = encoded[:room].decode("utf-8", "ignore")
    # Half of an escaped character would escape what comes after it.
    odd = (len(shorter) - len(shorter.rstrip("\\"))) % 2
    return shorter[: len(shorter) - odd] + _CUT


def is_request_id(text: str) -> bool:
    """Say whether a text can be the id of a request, and so part of an address."""
    return _ID.fullmatch(text) is not None


def moment(at: float, zone: tzinfo) -> str:
    """Return a time in UTC, and in the zone of the server if that is another one.

    :param at: epoch seconds
    """
    try:
        there = datetime.fromtimestamp(at, UTC)
        here = there.astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return "at no time there is"
    shown = f"{there:%Y-%m-%d %H:%M} UTC"
    if here.utcoffset() == there.utcoffset():
        return shown
    day = "" if here.date() == there.date() else f"{here:%Y-%m-%d} "
    name = str(zone) if _ZONE.fullmatch(str(zone)) else "local time"
    return f"{shown} ({day}{here:%H:%M} {name})"
