"""User names as people type them, and as everything behind the form knows them."""

from __future__ import annotations

import unicodedata
from typing import Literal

MAX_USERNAME = 256
"""Longest user name looked at, in characters."""

UsernameCase = Literal["lower", "keep"]


def canonical_username(typed: str, case: UsernameCase) -> str:
    """Return the name that ``typed`` stands for: without white space around it, in lower case unless the directory
    tells cases apart. Limits, the directory, Duo and the log all have to speak of the same name.
    """
    # One character more than any handler takes: refused as too long, and no longer than that in the log.
    trimmed = typed.strip()[: MAX_USERNAME + 1]
    return trimmed.lower() if case == "lower" else trimmed


def lowered_address(address: str) -> str:
    """Return an e-mail address in lower case, without white space around it.

    No letter becomes one of ASCII that it was not: the Kelvin sign has a plain ``k`` for its small letter, and stands
    in the address of another person.
    """
    lowered = ((letter, letter.lower()) for letter in address.strip())
    return "".join(letter if small.isascii() and not letter.isascii() else small for letter, small in lowered)


def folded_username(username: str) -> str:
    """Return a name as the most lenient directory compares it, for whatever is counted or kept per person: nobody is to
    have one per spelling of the name, whatever our own rule about letter case says.

    Without case, width and style of letters, with single spaces (RFC 4518, section 2; OpenLDAP takes a full-width
    letter for the plain one), and without accents, which some directories leave out of account too.
    """
    if username.isascii():
        # Nothing but letter case and spaces is left of the rules, and most names are such.
        return " ".join(username.lower().split())
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", username).casefold())
    letters = "".join(character for character in plain if unicodedata.category(character) not in ("Mn", "Me"))
    return " ".join(letters.split())
