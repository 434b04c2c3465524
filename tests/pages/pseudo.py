"""A language that nobody speaks: right to left, no Latin letters, 40 % longer than English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from string import Formatter
from types import MappingProxyType

from casduo.messages import ENGLISH, Message, Plural, check

_ALEF = 0x05D0
_LETTERS = 22


def _translated(sentence: str) -> str:
    pieces = []
    for literal, name, kind, _ in Formatter().parse(sentence):
        pieces.append("".join(_letter(character) for character in literal))
        if name is not None:
            pieces.append(f"{{{name}:{kind}}}" if kind else f"{{{name}}}")
    longer = max(1, round(len(sentence) * 0.4 / 5)) if any(piece.strip() for piece in pieces) else 0
    return "".join(pieces) + " שלום" * longer


def _letter(character: str) -> str:
    return chr(_ALEF + ord(character) % _LETTERS) if character.isascii() and character.isalpha() else character


def _message(message: Message) -> Message:
    if isinstance(message, Plural):
        return Plural(message.count, {form: _translated(sentence) for form, sentence in message.forms.items()})
    return _translated(message)


def _messages() -> Mapping[str, Message]:
    facts = {name: ENGLISH.messages[name] for name in ENGLISH.messages if name.startswith("fact.")}
    translated = {name: _message(message) for name, message in ENGLISH.messages.items()}
    return MappingProxyType(translated | facts | {"page.direction": "rtl"})


PSEUDO = replace(
    ENGLISH,
    language="he",
    messages=_messages(),
    date=lambda day: f"{day:%d.%m.%Y}",
    moment=lambda moment: f"{moment:%d.%m.%Y %H:%M} ({moment:%z})",
)

check(PSEUDO, reference=ENGLISH)
