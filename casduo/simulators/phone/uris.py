"""Addresses a page may name: http URLs and the phone's own URIs, how values are added, how they are masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus, urlsplit

from casduo.simulators.phone.errors import invalid

LONGEST_URL = 256
"""The classic length of a URL field: longer ones are refused."""

LONG_URL = 200
"""Longer URLs are shown, and are a violation: no vendor document promises more."""

SECRET_NAMES = frozenset({"pin", "passcode", "password", "t"})
"""Query names whose values never stand in a list of requests or violations."""

SOFTKEY_ACTIONS: dict[str, frozenset[str]] = {
    "text": frozenset({"Exit", "Update", "Next", "Back"}),
    "menu": frozenset({"Select", "Exit", "Back"}),
    "input": frozenset({"Submit", "<<", "Cancel", "Back"}),
}
"""Which ``SoftKey:`` actions each kind of page has (application development notes, "Valid softkey actions")."""

_ALL_ACTIONS = frozenset(
    {"Select", "Exit", "Update", "Submit", "Search", "Cancel", "Next", "Back", "Dial", "EditDial", "<<"}
)
_INIT_TARGETS = frozenset({"Services", "Directories", "Messages", "CallHistory", "AppStatus"})
_OWN_SCHEMES = ("Dial", "EditDial", "Play", "Display", "App", "Vibrate", "Device", "SendDigits")
_WELL_FORMED = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_QUERY_PAIR = re.compile(r"[A-Za-z0-9_.\-]+=[A-Za-z0-9_.\-~%+:]*")


def is_http(uri: str) -> bool:
    """Whether the URI is fetched rather than carried out by the phone itself."""
    return uri.startswith(("http://", "https://"))


def check_uri(uri: str, where: str, kind: str, remark: Callable[[str], None]) -> None:
    """Check the URL of a softkey, menu item or ExecuteItem.

    :param where: what names it, for the message.
    :param kind: ``text``, ``menu``, ``input`` or ``execute``.
    :param remark: takes violations that do not keep the page from being shown.
    :raises Refusal: neither an absolute http URL nor a URI the phone has.
    """
    if is_http(uri):
        check_url(uri, where, remark)
        return
    scheme, colon, rest = uri.partition(":")
    if not colon or len(uri) > LONGEST_URL:
        raise invalid(f"{where}: neither an absolute http URL nor a phone's URI")
    if scheme == "SoftKey" and rest in _ALL_ACTIONS:
        if kind == "execute":
            raise invalid(f"{where}: SoftKey URIs are not allowed in an Execute object")
        if rest not in SOFTKEY_ACTIONS[kind]:
            remark(f"{where}: a page of kind {kind} has no SoftKey:{rest}")
    elif scheme == "QueryStringParam" and _QUERY_PAIR.fullmatch(rest):
        if kind != "menu":
            remark(f"{where}: QueryStringParam has a meaning in menus only")
    elif not (
        (scheme == "Init" and rest in _INIT_TARGETS)
        or (scheme == "Key" and re.fullmatch(r"[A-Za-z0-9]+", rest))
        or (scheme in _OWN_SCHEMES and rest)
    ):
        raise invalid(f"{where}: phones have no URI {scheme}:{rest if scheme in ('SoftKey', 'Init') else '...'}")


def check_url(url: str, where: str, remark: Callable[[str], None]) -> None:
    """Check an http URL that a page or a header names.

    :raises Refusal: not absolute, longer than :data:`LONGEST_URL`, or with characters that must be percent-encoded.
    """
    if len(url) > LONGEST_URL:
        raise invalid(f"{where}: a URL of {len(url)} characters, {LONGEST_URL} is the most")
    if not is_http(url) or not _host_of(url):
        raise invalid(f"{where}: not an absolute http URL")
    if "#" in url:
        raise invalid(f"{where}: a '#' in the URL {masked(url)}")
    if not _WELL_FORMED.fullmatch(url):
        raise invalid(f"{where}: characters that are not percent-encoded in the URL {masked(url)}")
    if len(url) > LONG_URL:
        remark(f"{where}: a URL of {len(url)} characters, more than {LONG_URL} is asking for trouble")


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        return "" if "@" in parts.netloc or parts.port == 0 else parts.hostname or ""
    except ValueError:
        return ""


def with_query(url: str, query: str) -> str:
    """Add a query the way phones do: behind ``?``, or behind ``&`` where the URL has a query already."""
    if not query:
        return url
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{query}"


def encoded(pairs: Iterable[tuple[str, str]], charset: str, *, form: bool) -> str:
    """Return values as a query, or with ``form`` as the body of a POST, in the page's encoding.

    What the encoding lacks becomes a question mark; the keypad does not write it in the first place.
    """
    quoted = quote_plus if form else quote
    return "&".join(f"{name}={quoted(value, safe='', encoding=charset, errors='replace')}" for name, value in pairs)


def masked(url: str, secrets: Iterable[str] = ()) -> str:
    """Return the URL with the values of :data:`SECRET_NAMES` and of ``secrets`` replaced by stars."""
    start, question, query = url.partition("?")
    hidden = SECRET_NAMES.union(secrets)
    pairs = [
        f"{name}={'***' if name in hidden else value}" if equals else name
        for name, equals, value in (pair.partition("=") for pair in query.split("&"))
    ]
    return start + question + "&".join(pairs)
