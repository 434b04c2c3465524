"""Reads the URL that is asked about, and says in plain words why one is refused."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from casduo.errors import MalformedService
from casduo.explanation.model import Reading
from casduo.protocol.responses import DUO_CONTEXT
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


def read(
    given: str, login_url: str, schemes: frozenset[str], duo_parameter: str = ""
) -> tuple[Reading, ServiceUrl | None]:
    """Read ``given`` as the server reads the ``service`` of a request.

    People have the address of the login page at hand more often than the one of the application, so of that page's
    address the service in its query is taken.

    :param login_url: address of the login page; empty when unknown
    :param schemes: the schemes that services may have
    :param duo_parameter: name of the parameter by which a request asks for Duo; empty for none
    :return: the reading, and the URL taken apart unless it is refused
    """
    query = _query_of(given, login_url)
    text = (query.get("service") or query.get("TARGET") or [given])[0]
    asks_for_duo = bool(duo_parameter) and query.get(duo_parameter, [""])[0] == DUO_CONTEXT
    try:
        url = parse_service(text, schemes)
    except MalformedService as error:
        return Reading(given, text, reason=error.reason, problem=_sentence(error.reason, text)), None
    return Reading(given, text, url.canonical, asks_for_duo=asks_for_duo), url


def _query_of(given: str, login_url: str) -> dict[str, list[str]]:
    """Return the parameters in an address of the login page; of other addresses nothing."""
    if not login_url or not given.startswith(f"{login_url}?"):
        return {}
    try:
        return parse_qs(urlsplit(given).query)
    except ValueError:
        return {}


def _sentence(reason: str, text: str) -> str:
    sentence = SENTENCES[reason]
    if reason == "no_scheme" and "://" in unquote(text):
        sentence += "; it is percent-encoded, and only a parameter of another URL may be"
    return sentence
