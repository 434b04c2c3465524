"""A choice of factors as plain text, for clients that can only print a line and read one: a terminal.

Asked for with ``text_prompt`` of ``preauth``, answered with ``factor=prompt`` of ``auth``, as Duo's Unix client does.
The wording and the order of the choices are this simulator's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from casduo.simulators.duo.errors import INVALID_PARAMETER, DuoRefusal
from casduo.simulators.duo.model import Capability, Phone, User

_CHOICES: tuple[tuple[Capability, str, str], ...] = (
    ("push", "push", "Push to {}"),
    ("phone", "voice", "Call {}"),
    ("sms", "smsrefresh", "Text passcodes to {}"),
)
"""What a phone can do, the word that stands for it, and the line that offers it."""

_CHOSEN = re.compile(r"(verified_push|push|voice|smsrefresh)([1-9][0-9]?)")

_FACTORS = {"verified_push": "push", "push": "push", "voice": "phone", "smsrefresh": "sms"}


@dataclass(frozen=True, slots=True)
class TextPrompt:
    """What to print, and which word stands for which number somebody may type; ``default`` for an empty line."""

    text: str
    factors: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> dict[str, object]:
        """Return the prompt as ``preauth`` answers it."""
        return {"text": self.text, "factors": dict(self.factors)} if self.factors else {"text": self.text}


def text_prompt(user: User, *, verified_push: bool) -> TextPrompt:
    """Return the choices of a user: every phone by every factor it can, and a passcode in any case."""
    factors: dict[str, str] = {}
    lines: list[str] = []
    for number, phone in enumerate(user.phones, start=1):
        for ability, word, line in _CHOICES:
            if ability in phone.abilities:
                lines.append(f" {len(lines) + 1}. {line.format(phone.display_name)}")
                verified = "verified_" if verified_push and ability == "push" else ""
                factors[str(len(lines))] = f"{verified}{word}{number}"
    if not factors:
        return TextPrompt(f"Duo login for {user.username}\n\nPasscode: ")
    factors = {"default": factors["1"], **factors}
    options = "\n".join(lines)
    text = f"Duo login for {user.username}\n\nEnter a passcode or select one of the following options:\n\n{options}\n\n"
    return TextPrompt(f"{text}Passcode or option (1-{len(lines)}): ", factors)


def chosen(choice: str, user: User) -> tuple[str, str, str]:
    """Return what somebody chose: the factor, the device's id, and the passcode if it is one.

    :raises DuoRefusal: 40002 for a phone the user does not have.
    """
    match = _CHOSEN.fullmatch(choice)
    if match is None:
        return "passcode", "", choice
    phones: list[Phone] = user.phones
    number = int(match[2])
    if number > len(phones):
        raise DuoRefusal(INVALID_PARAMETER, "prompt")
    return _FACTORS[match[1]], phones[number - 1].id, ""
