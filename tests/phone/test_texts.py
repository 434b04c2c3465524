"""The texts of phones in all languages: all used, all short, all in letters that old phones can read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from casduo.languages import LANGUAGES as ALL_LANGUAGES
from casduo.messages import ENGLISH, ENGLISH_PHONE, Plural, phone_catalogue
from casduo.phone.languages import texts
from casduo.phone.models import Traits
from casduo.phone.presenter import screen_of
from tests.phone.pages import CASES, LANGUAGES, URLS

NUMBERS = {"minutes": "30", "seconds": "300", "tries": "2"}


def sentences(language: str) -> list[tuple[str, str]]:
    """Return every wording with its id, numbers filled in."""
    found = []
    for name, message in phone_catalogue(language).messages.items():
        for sentence in message.forms.values() if isinstance(message, Plural) else (message,):
            found.append((name, re.sub(r"\{(\w+):number\}", lambda match: NUMBERS[match[1]], sentence)))
    return found


def room_for(name: str) -> int:
    """Return the characters there are for a text that nothing but itself is shown in."""
    if name.startswith("phone.key."):
        return 9
    if name.startswith("phone.title.") or ".title" in name:
        return 26
    if ".error." in name or name.endswith(("prompt", "notice.sent", "prompt.keys", "duo.waiting")):
        return 32
    return 200


def test_these_are_the_languages() -> None:
    assert ALL_LANGUAGES == LANGUAGES


def test_texts_of_phones_are_apart_from_those_of_browsers() -> None:
    assert not ENGLISH.messages.keys() & ENGLISH_PHONE.messages.keys()
    assert all(name.startswith("phone.") for name in ENGLISH_PHONE.messages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_old_phones_can_read_every_letter(language: str) -> None:
    for name, sentence in sentences(language):
        assert sentence == sentence.encode("iso-8859-1", "replace").decode("iso-8859-1"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_room(language: str) -> None:
    too_long = {name: sentence for name, sentence in sentences(language) if len(sentence) > room_for(name)}
    assert too_long == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_keys_of_one_page_are_called_alike(language: str) -> None:
    names = {name: text for name, text in sentences(language) if name.startswith("phone.key.")}
    assert len(set(names.values())) == len(names)


def test_every_text_is_read_by_somebody() -> None:
    read = set()
    say = texts("en")

    def noting(message_id: str, /, **facts: Any) -> str:
        read.add(message_id)
        return say(message_id, **facts)

    for case in CASES:
        screen_of(case.view, case.data, URLS, Traits(), noting, "K7QF2M9D", case.typing, choosing=case.choosing)
    assert ENGLISH_PHONE.messages.keys() - read == set()


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("en", "1 second left.", "3 seconds left."),
        ("de", "Noch 1 Sekunde.", "Noch 3 Sekunden."),
        ("fr", "Encore 1 seconde.", "Encore 3 secondes."),
        ("es", "Queda 1 segundo.", "Quedan 3 segundos."),
    ],
)
def test_numbers_change_their_words(language: str, one: str, many: str) -> None:
    assert [texts(language)("phone.duo.left", seconds=count) for count in (1, 3)] == [one, many]


@pytest.mark.parametrize(
    ("language", "written"), [("en", "12,345"), ("de", "12.345"), ("fr", "12\xa0345"), ("es", "12.345")]
)
def test_numbers_are_grouped_as_the_language_does(language: str, written: str) -> None:
    assert phone_catalogue(language).number(12_345) == written
