"""What people type, shown to others, hides nothing and pretends nothing."""

from __future__ import annotations

import unicodedata

import pytest

from casduo.approvals.wording import cleaned


def test_marks_piled_on_a_letter_do_not_reach_the_lines_above() -> None:
    pile = "disk" + "\u0301" * 40 + " full"
    assert cleaned(pile) == "disk" + "\u0301" * 4 + " full"


def test_joiners_between_marks_do_not_make_the_pile_higher() -> None:
    shown = cleaned("x" + "\u0301\u200d" * 40 + "\u20dd" * 5)
    assert sum(unicodedata.combining(character) > 0 for character in shown) == 4
    assert "\u20dd" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "Việt Nam",
        unicodedata.normalize("NFD", "Việt Nam"),
        "น้ำท่วม ที่นี่",
        "बिजली की मरम्मत क्षत्रिय",
        "שָׁלוֹם בְּרֵאשִׁ֖ית",
        "السَّلَامُ عَلَيْكُمْ",
        "می\u200cخواهم",  # noqa: RUF001
        "བསྒྲུབས",
    ],
)
def test_what_people_write_in_their_script_stays_as_it_is(text: str) -> None:
    assert cleaned(text) == text
