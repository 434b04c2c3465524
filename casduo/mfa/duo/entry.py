"""Reads what a person types where Duo is answered: a code, or one of the words that Duo has taught them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Word = Literal["push", "phone", "sms"]

_WORD = re.compile(r"(push|phone|sms)([1-9]?)")


@dataclass(frozen=True, slots=True)
class Passcode:
    """A code of the app, a text message, a token, or the help desk; without the spaces it was typed with."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to be sent something: ``push2`` is a push to the second device that can have one."""

    word: Word
    number: int = 1


def read_entry(text: str, passcodes: str) -> Passcode | Asked | None:
    """Return what was typed, ``None`` where it is neither a code nor a word.

    :param passcodes: regular expression of what may be a passcode, matched as a whole
    """
    plain = "".join(text.split())
    word = _WORD.fullmatch(plain.lower())
    if word is not None:
        # The pattern lists them.
        name: Word = "push" if word[1] == "push" else "phone" if word[1] == "phone" else "sms"
        return Asked(name, int(word[2] or 1))
    return Passcode(plain) if len(plain) <= 100 and re.fullmatch(passcodes, plain) else None
