"""Screens: what a display can show, cleaned and within limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.phone.models import Traits, traits_of
from casduo.phone.screens import (
    LONGEST_NAME,
    LONGEST_TEXT,
    InputField,
    InputScreen,
    MenuItem,
    MenuScreen,
    Refresh,
    Screen,
    SoftKey,
    TextScreen,
    line,
    paragraphs,
)
from casduo.simulators.phone.presets import PRESETS
from tests.phone.pages import POST_MODELS, environ_of, read

URL = "https://sso.example.edu/em/SEP001122334455/wait?t=T&profile=1"
KEYS = (SoftKey("Exit", "Init:Services", "exit"),)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ward 7", "Ward 7"),
        (" two\r\nlines\t ", "two lines"),
        ("nul\x00 bell\x07 next\x85 del\x7f", "nul bell next del"),
        ("good\u202elive", "goodlive"),
        ("no\ufffechar\uffff", "nochar"),
        ("half\ud800", "half\ufffd"),
        ("Zürich 東京", "Zürich 東京"),
        ("", ""),
    ],
)
def test_a_line_is_clean(text: str, shown: str) -> None:
    assert line(text) == shown


def test_a_long_line_is_cut_at_its_end() -> None:
    assert line("a" * 64) == "a" * 64
    assert line("a" * 65) == "a" * 61 + "..."
    assert len(line("ä" * 10_000)) == LONGEST_NAME


def test_paragraphs_keep_their_breaks() -> None:
    assert paragraphs("one \x00\n\n two\r\nthree") == "one\n\ntwo\nthree"


def test_a_long_text_is_cut() -> None:
    assert len(paragraphs("word \n" * 1000)) <= LONGEST_TEXT


def text_screen(**changes: Any) -> TextScreen:
    return TextScreen(**{"title": "Title", "prompt": "Prompt", "text": "Text", "softkeys": KEYS} | changes)


def menu(count: int) -> MenuScreen:
    items = tuple(MenuItem(f"ward {number}", URL) for number in range(count))
    return MenuScreen(title="Wards", prompt="", items=items, softkeys=KEYS)


def form(*fields: InputField) -> InputScreen:
    return InputScreen(title="Form", prompt="", url=URL, fields=fields, softkeys=KEYS)


def test_a_menu_has_as_many_items_as_a_phone_takes() -> None:
    assert len(menu(100).items) == 100
    for count in (0, 101):
        with pytest.raises(ValueError, match="items"):
            menu(count)


def test_a_form_has_as_many_fields_as_a_phone_takes() -> None:
    fields = tuple(InputField(f"field_{letter}", "Field", "A") for letter in "abcdef")
    assert len(form(*fields[:5]).fields) == 5
    for wrong in ((), fields):
        with pytest.raises(ValueError, match="fields"):
            form(*wrong)


def test_an_item_without_a_name_gets_one() -> None:
    assert MenuItem("\x00 ", URL).name == "-"


@pytest.mark.parametrize("userid", ["a" * 65, "ada\nlovelace", "ada\x00"])
def test_what_cannot_be_filled_in_whole_is_not_filled_in(userid: str) -> None:
    assert InputField("userid", "User ID", "A", userid).value == ""


@pytest.mark.parametrize(
    ("name", "flags"), [("pin&t", "NP"), ("", "A"), ("pin", "X"), ("pin", "PN"), ("pin", ""), ("PIN", "N")]
)
def test_a_field_that_no_phone_takes_is_a_mistake(name: str, flags: str) -> None:
    with pytest.raises(ValueError, match="field"):
        InputField(name, "PIN", flags)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "/em/wait",
        "https://sso.example.edu/a b",
        "https://sso.example.edu/ä",
        "https://sso.example.edu/" + "a" * 200,
        "Key:Services",
        "https://sso.example.edu/\r\nX: y",
    ],
)
def test_an_address_that_no_phone_takes_is_a_mistake(url: str) -> None:
    for make in (
        lambda: SoftKey("Key", url, "act"),
        lambda: MenuItem("Item", url),
        lambda: Refresh(3, url),
        lambda: InputScreen(title="", prompt="", url=url, fields=(InputField("pin", "PIN", "NP"),), softkeys=KEYS),
    ):
        with pytest.raises(ValueError, match="address"):
            make()


def test_two_keys_cannot_have_one_place() -> None:
    with pytest.raises(ValueError, match="place"):
        text_screen(softkeys=(SoftKey("Exit", "Init:Services", "exit"), SoftKey("Cancel", URL, "exit")))


def test_a_phone_is_not_asked_to_come_back_at_once() -> None:
    assert Refresh(0, URL).seconds == 2
    assert Refresh(30, URL).seconds == 30


def test_what_a_person_typed_and_where_a_key_leads_is_not_shown() -> None:
    shown = repr((form(InputField("userid", "User ID", "A", "ada")), menu(1), text_screen(refresh=Refresh(3, URL))))
    assert "ada" not in shown
    assert "t=T" not in shown


anything = st.text(st.characters(exclude_categories=()), max_size=200)


@given(
    title=anything,
    prompt=anything,
    text=anything,
    label=anything,
    value=anything,
    model=st.sampled_from(sorted(PRESETS)),
)
def test_no_text_makes_a_screen_that_a_phone_refuses(
    title: str, prompt: str, text: str, label: str, value: str, model: str
) -> None:
    preset = PRESETS[model]
    traits: Traits = traits_of(environ_of(preset), POST_MODELS)
    shared: dict[str, Any] = {"title": title, "prompt": prompt or "-", "softkeys": (SoftKey("x" + label, URL, "act"),)}
    field = InputField("userid", "x" + label, "A", value)
    screens: list[Screen] = [
        TextScreen(text=text, **shared),
        MenuScreen(items=(MenuItem(text, URL),), **shared),
    ]
    if traits.has_input:
        screens.append(InputScreen(url=URL, fields=(field,), **shared))
    for screen in screens:
        violations = [each for each in read(screen, traits, preset).violations if "expects a Prompt" not in each]
        assert violations == []
