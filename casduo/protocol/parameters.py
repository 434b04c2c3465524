"""Request parameters as the CAS protocol means them: strict about what is ambiguous, lenient about nothing else.

Names are case-sensitive. A parameter given twice with different values is refused: servers that silently take the
first or the last disagree with each other, which is a way around checks. Blank is absent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import unquote_to_bytes

from casduo.errors import BadRequest

MAX_BYTES = 64 * 1024
"""Longest query or form body that is looked at."""
_MAX_FIELDS = 100
_SINGLE = frozenset({"service", "ticket", "TARGET", "SAMLart", "pgt", "targetService", "pgtUrl", "execution", "state"})
_CLEAN = frozenset({"service", "TARGET", "targetService", "pgtUrl"})
_DEMANDS = frozenset({"renew"})
"""Flags that are set if any of several values sets them: where a client writes the ticket into its query unescaped, a
browser can put a ``renew=false`` in front of the client's own (CVE-2014-4172).
"""
_NO = frozenset({"", "false", "0", "no", "off"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Parameters(Mapping[str, str]):
    """Parameters of one request, decoded once as UTF-8. ``get`` of a blank one is its default."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Parameters {sorted(self._values)}>"

    def flag(self, name: str) -> bool:
        """Whether a yes-or-no parameter is set. The specification counts presence; in the wild ``renew=false`` means
        what it says, and rubycas-client sends ``1``.
        """
        return _sets(self._values.get(name, ""))


def parse_parameters(
    query: str, body: bytes = b"", *, encoding: str = "utf-8", single: Collection[str] = _SINGLE
) -> Parameters:
    """Read the query and, for a form, its body; the query wins where both name a parameter.

    :param query: the raw query string, still percent-encoded; what nobody encoded stands in it as WSGI hands bytes
        over, one Latin-1 character each
    :param body: the raw ``application/x-www-form-urlencoded`` body
    :param encoding: of the characters behind the percent signs
    :param single: names that may have one value only
    :raises BadRequest: ``encoding`` (not in that encoding), ``repeated`` (one name, two values), ``control`` (control
        characters in a URL parameter), ``too_many`` or ``too_long``
    """
    if not query and not body:
        return Parameters({})
    if len(query) > MAX_BYTES or len(body) > MAX_BYTES:
        raise BadRequest("too_long")
    values = _read(query, encoding, single)
    if body:
        for name, value in _read(body.decode("latin-1"), encoding, single).items():
            _put(values, name, value, single)
    for name in _CLEAN & values.keys():
        if _CONTROL.search(values[name]):
            raise BadRequest("control")
    return Parameters(values)


def _read(text: str, encoding: str, single: Collection[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    if not text:
        return values
    if not text.isascii():
        text = _escaped(text)
    fields = text.split("&")
    if len(fields) > _MAX_FIELDS:
        raise BadRequest("too_many")
    try:
        for field in fields:
            # parse_qsl would decode each part by parts, which takes thrice as long. The text is ASCII here.
            name, _, value = field.replace("+", " ").partition("=")
            if "%" in name:
                name = unquote_to_bytes(name).decode(encoding)
            if "%" in value:
                value = unquote_to_bytes(value).decode(encoding)
            if value:
                _put(values, name, value, single)
    except UnicodeDecodeError:
        # Without its cause: that holds the value, which may be a password.
        raise BadRequest("encoding") from None
    return values


def _put(values: dict[str, str], name: str, value: str, single: Collection[str]) -> None:
    if name in single and values.get(name, value) != value:
        raise BadRequest("repeated")
    if name in _DEMANDS and _sets(value):
        values[name] = value
    values.setdefault(name, value)


def _sets(value: str) -> bool:
    return value.strip().lower() not in _NO


def _escaped(text: str) -> str:
    """Percent-encode bytes that the client left raw, so that they are decoded, and checked, like all others."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        raise BadRequest("encoding") from None
    return "".join(chr(octet) if octet < 0x80 else f"%{octet:02X}" for octet in octets)
