"""What an answer of Webex's means: done, or which error. Pure.

Source: Webex's API reference, "HTTP response codes" and "Rate limiting"; RFC 9110, 10.2.3 (Retry-After).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from casduo.webex.errors import (
    WebexError,
    WebexLocked,
    WebexRefused,
    WebexThrottled,
    WebexUnauthorized,
    WebexUnavailable,
)

LARGEST_FAILURE = 64 * 1024
"""Bytes of the body of a failure that are looked at."""
SHORTEST_WAIT, LONGEST_WAIT, USUAL_WAIT = 1.0, 3600.0, 15.0
"""Seconds: bounds of what ``Retry-After`` may ask for, and what counts where it says nothing."""

_SECONDS = re.compile(r"\d{1,10}", re.ASCII)
_TRACKING = re.compile(r"[A-Za-z0-9_.:-]{1,128}", re.ASCII)
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r';\s*rel\s*=\s*(?:"next"|next\s*(?:[;,]|$))', re.IGNORECASE)
_PASSING = frozenset({408, 425})
"""Refusals of this moment only: a request that came too slowly or too early."""
_AMBIGUOUS = frozenset({502, 504})
"""A gateway gave up on somebody who may have gone on."""


def failure_of(
    status: int, headers: Mapping[str, str], body: bytes, now: float, *, writes: bool = False
) -> WebexError | None:
    """Return what an answer says went wrong, ``None`` for nothing.

    :param now: epoch seconds, for a ``Retry-After`` that names a moment
    :param writes: the call was a POST, which done twice has two effects
    """
    if 200 <= status < 300:
        return None
    tracking = tracking_of(headers, body)
    word = f"status {status}"
    if status == 401:
        return WebexUnauthorized(word, status=status, tracking=tracking)
    if status == 423:
        return WebexLocked(retry_after(headers.get("Retry-After"), now), tracking=tracking)
    if status == 429:
        return WebexThrottled(retry_after(headers.get("Retry-After"), now), tracking=tracking)
    if 400 <= status < 500 and status not in _PASSING:
        return WebexRefused(word, status=status, tracking=tracking)
    # Anything else is no answer of Webex's own: a gateway in trouble, or a page that somebody put in the way.
    asked = headers.get("Retry-After")
    after = retry_after(asked, now) if asked is not None else 0.0
    ambiguous = writes and status in _AMBIGUOUS
    return WebexUnavailable(word, ambiguous=ambiguous, after=after, status=status, tracking=tracking)


def retry_after(value: str | None, now: float) -> float:
    """Return the seconds that a ``Retry-After`` asks for, from :data:`SHORTEST_WAIT` to :data:`LONGEST_WAIT`.

    :param value: whole seconds or an HTTP date; for anything else :data:`USUAL_WAIT`
    :param now: epoch seconds
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, IndexError, OverflowError):
            seconds = USUAL_WAIT
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)


def tracking_of(headers: Mapping[str, str], body: bytes = b"") -> str:
    """Return Webex's name for a call: from the header, else from the body of an error; empty if it is not one."""
    found = headers.get("trackingId") or _tracking_in(body)
    return found if _TRACKING.fullmatch(found) else ""


def next_page(link: str | None, base_url: str) -> str:
    """Return the address of the next part of a list, empty if there is none (RFC 8288, ``rel="next"``).

    :param link: the header
    :param base_url: where the calls go. An address elsewhere counts as none: the token would go there.
    """
    for address, parameters in _LINK.findall(link or ""):
        if _NEXT.search(parameters):
            try:
                target = urljoin(base_url, address.strip())
                return target if _origin(target) == _origin(base_url) else ""
            except ValueError:
                return ""
    return ""


def _origin(url: str) -> tuple[str, str | None, int | None, bool]:
    """Return what must be the same for a token to go there. A name in the address makes it another place.

    :raises ValueError: it is no address
    """
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port, "@" in parts.netloc


def _tracking_in(body: bytes) -> str:
    if len(body) > LARGEST_FAILURE:
        return ""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    found = said.get("trackingId") if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""
