"""Puts a user name into a search filter or a distinguished name so that it stays a value and means nothing else; and
compares such names.
"""

from __future__ import annotations

import re
from unicodedata import normalize

_PLACE = "{username}"
_PLAIN_IN_FILTER = re.compile(rb"[A-Za-z0-9._@-]")
_SPECIAL_IN_DN = frozenset('"+,;<>\\=')
_SEPARATED = re.compile(r"(?:[^\\,;+]|\\.)+", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.DOTALL)


def escape_filter(value: str) -> str:
    r"""Return ``value`` for use as an assertion value in a filter.

    Every octet that is not plainly harmless becomes ``\xx``, which RFC 4515, section 3, allows for any octet. It is
    more than the rule asks for, so that spaces at the ends survive parsers that trim.
    """
    return "".join(
        chr(octet) if _PLAIN_IN_FILTER.match(bytes([octet])) else f"\\{octet:02x}" for octet in value.encode()
    )


def escape_dn(value: str) -> str:
    r"""Return ``value`` for use as an attribute value in a distinguished name (RFC 4514, section 2.4).

    Special characters get a backslash; spaces at the ends, ``#`` at the start and control characters become ``\xx``.
    """
    last = len(value) - 1
    return "".join(_escape_in_dn(character, at in (0, last), at == 0) for at, character in enumerate(value))


def _escape_in_dn(character: str, at_end: bool, at_start: bool) -> str:
    if character in _SPECIAL_IN_DN:
        return f"\\{character}"
    if ord(character) < 0x20 or character == "\x7f" or (character == " " and at_end) or (character == "#" and at_start):
        return f"\\{ord(character):02x}"
    return character


def fill_filter(template: str, username: str) -> str:
    """Return the filter ``template`` with the escaped user name wherever it says ``{username}``."""
    return template.replace(_PLACE, escape_filter(username))


def fill_dn(template: str, username: str) -> str:
    """Return the distinguished name ``template`` with the escaped user name wherever it says ``{username}``."""
    return template.replace(_PLACE, escape_dn(username))


def same_dn(one: str, other: str) -> bool:
    """Say whether two distinguished names are of the same entry, however they are spelled.

    Servers give names back in a spelling of their own: upper and lower case, spaces, escapes, other names of the same
    attribute type. So it is the values that are compared.
    """
    return _values(one) == _values(other)


def _values(dn: str) -> list[str]:
    parts = (part.partition("=")[2].strip() for part in _SEPARATED.findall(dn))
    return [" ".join(normalize("NFKC", _unescaped(part)).casefold().split()) for part in parts]


def _unescaped(value: str) -> str:
    octets = _ESCAPED.sub(lambda found: _octets(found[1]), value.encode())
    return octets.decode("utf-8", "replace")


def _octets(escaped: bytes) -> bytes:
    return bytes.fromhex(escaped.decode()) if len(escaped) == 2 else escaped
