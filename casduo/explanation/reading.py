"""Reads the URL that is asked about, and says in plain words why one is refused."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from casduo.errors import MalformedService
from casduo.explanation.model import Reading
from casduo.services.urls import MAX_BYTES, ServiceUrl, parse_service

SENTENCES = {
    "too_long": f"it is longer than {MAX_BYTES} bytes",
    "control": "it holds control characters, such as a line break or a tab",
    "encoding": "it holds bytes that are no UTF-8",
    "no_scheme": "it does not begin with a scheme, such as https://",
    "no_host": "no host follows its scheme; a URL begins like https://library.example.edu/",
    "scheme": "its scheme is neither http nor https, and no entry of the registry names it",
    "userinfo": "it holds '@' before the path, as if a user name or password stood there",
    "backslash": "it holds a backslash, which browsers take for a slash and servers do not",
    "host": "its host is neither a valid name nor an address in its plain spelling",
    "idna": "its host is not a valid international name",
    "port": "its port is not a number from 1 to 65535",
    "dot_segment": "its path holds . or .. segments, plain or percent-encoded",
}
"""What each ``reason`` of :class:`MalformedService` means."""


def read(given: str, login_url: str, schemes: frozenset[str]) -> tuple[Reading, ServiceUrl | None]:
    """Read ``given`` as the server reads the ``service`` of a request.

    People have the address of the login page at hand more often than the one of the application, so of that page's
    address the service in its query is taken.

    :param login_url: address of the login page; empty when unknown
    :param schemes: the schemes that services may have
    :return: the reading, and the URL taken apart unless it is refused
    """
    text = _service_of(given, login_url) or given
    try:
        url = parse_service(text, schemes)
    except MalformedService as error:
        return Reading(given, text, reason=error.reason, problem=_sentence(error.reason, text)), None
    return Reading(given, text, url.canonical), url


def _service_of(given: str, login_url: str) -> str:
    if not login_url or not given.startswith(f"{login_url}?"):
        return ""
    try:
        parameters = parse_qs(urlsplit(given).query)
    except ValueError:
        return ""
    found = parameters.get("service") or parameters.get("TARGET") or [""]
    return found[0]


def _sentence(reason: str, text: str) -> str:
    sentence = SENTENCES[reason]
    if reason == "no_scheme" and "://" in unquote(text):
        sentence += "; it is percent-encoded, and only a parameter of another URL may be"
    return sentence
