"""Which characters the keypad writes into which field."""

from __future__ import annotations

import unicodedata

from casduo.simulators.phone.errors import CannotType
from casduo.simulators.phone.objects import InputItem

_DIGITS = "0123456789"
_SETS = {"N": _DIGITS, "T": _DIGITS + "*#", "E": _DIGITS + "+-*/=()^.,"}


def check_typing(item: InputItem, value: str, charset: str) -> None:
    """Check that a person can type the value.

    Flags by the application development notes, "InputFlags"; a character that the page's encoding lacks cannot be
    sent, so the keypad does not offer it.

    :raises CannotType: without the value, which may be a PIN.
    """
    kind = item.flags[0]
    if kind in _SETS:
        fits = all(character in _SETS[kind] for character in value)
    else:
        fits = not any(unicodedata.category(character).startswith("C") for character in value)
        fits = fits and (kind != "U" or value == value.upper()) and (kind != "L" or value == value.lower())
    try:
        value.encode(charset)
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise CannotType(f"the field {item.name} has the flags {item.flags} and does not take these characters")
