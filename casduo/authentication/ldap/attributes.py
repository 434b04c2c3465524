"""Turns the octets of an entry into the texts of a principal."""

from __future__ import annotations

import re
from collections.abc import Mapping

from casduo.authentication.ldap.directory import Entry

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def release(entry: Entry, mapping: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return the attributes of ``entry`` under the names that ``mapping`` gives them, and the names of unreadable ones.

    :param mapping: the directory's name (upper and lower case do not matter), and the names it is known by.
    :returns: attributes that have a readable value, each with all of those in the directory's order; and the
        directory's names of attributes that had an unreadable one. Values are left out when they are not UTF-8 or hold
        control characters: certificates, pictures, object identifiers have no place in a ticket answer.
    """
    released: dict[str, tuple[str, ...]] = {}
    unreadable = []
    for name, known_as in mapping.items():
        octets = entry.attributes.get(name.lower(), ())
        texts = tuple(text for value in octets if (text := read_text(value)) is not None)
        if len(texts) < len(octets):
            unreadable.append(name)
        if texts:
            for alias in known_as:
                released[alias] = released.get(alias, ()) + texts
    return released, tuple(unreadable)


def read_text(value: bytes) -> str | None:
    """Return ``value`` as text, or None when it is not: empty, not UTF-8, or with control characters in it."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return text if text and not _CONTROL.search(text) else None
