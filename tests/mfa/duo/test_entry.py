"""What the field for codes takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.mfa.duo.entry import Asked, Passcode, read_entry

PASSCODES = "[0-9]{6,10}|[cbdefghijklnrtuv]{44}"


@pytest.mark.parametrize("typed", ["123456", "123 456", " 123456 ", "12\t34 56", "123456\n"])
def test_spaces_in_a_code_do_not_matter(typed: str) -> None:
    assert read_entry(typed, PASSCODES) == Passcode("123456")


def test_leading_zeros_are_kept() -> None:
    assert read_entry("000042", PASSCODES) == Passcode("000042")


def test_a_bypass_code_and_a_key_that_types_letters_are_codes() -> None:
    assert read_entry("123456789", PASSCODES) == Passcode("123456789")
    assert read_entry("cccccc" + "bdefghijklnrtuv" * 2 + "cccccccc", PASSCODES) is not None


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("push", Asked("push")),
        ("Push", Asked("push")),
        (" PHONE ", Asked("phone")),
        ("sms", Asked("sms")),
        ("push2", Asked("push", 2)),
        ("phone 3", Asked("phone", 3)),
    ],
)
def test_the_words_of_duo_ask_for_something(typed: str, asked: Asked) -> None:
    assert read_entry(typed, PASSCODES) == asked


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "12345",
        "12345678901",
        "push0",
        "push10",
        "auto",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "12-34-56",
        "\u017fms",
    ],
)
def test_anything_else_is_neither(typed: str) -> None:
    assert read_entry(typed, PASSCODES) is None


def test_a_site_can_say_what_a_code_is() -> None:
    assert read_entry("123456", "[0-9]{8}") is None
    assert read_entry("12345678", "[0-9]{8}") == Passcode("12345678")


@given(st.text(max_size=300))
def test_no_text_is_too_strange(typed: str) -> None:
    found = read_entry(typed, PASSCODES)
    assert found is None or isinstance(found, Passcode | Asked)


def test_a_code_does_not_show() -> None:
    assert "123456" not in repr(read_entry("123456", PASSCODES))
