"""Text in XML as every client reads it: ASCII only, white space and other characters as references."""

from __future__ import annotations

import re

_SPECIAL = re.compile("[^\x20\x21\x23-\x25\x28-\x3b\x3d\x3f-\x7e]")
"""Everything but printable ASCII without ``& < > " '``."""
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


def escape(text: str) -> str:
    """Return ``text`` for the content of an element or of an attribute in double quotes.

    Line breaks become references: rubycas-client takes a line ``yes`` anywhere in a body for a success of CAS 1.0.
    Characters that XML 1.0 does not know are left out, for no reference may name them either.
    """
    return _SPECIAL.sub(_reference, text)


def _reference(found: re.Match[str]) -> str:
    character = found[0]
    named = _NAMED.get(character)
    if named is not None:
        return named
    code = ord(character)
    if code in (0x9, 0xA, 0xD) or 0x7F <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000:
        return f"&#{code};"
    return ""
