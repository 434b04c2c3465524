"""How the display is drawn in plain text."""

from __future__ import annotations

from casduo.simulators.phone import Field, Screen
from casduo.simulators.phone.screen import frame

MENU = Screen("menu", "Choose a profile", "Ready", "", ("Ward", "Office"), 1, (), ("Exit", "", "Select"), None)


def test_a_screen_as_text_has_every_line_whole() -> None:
    assert str(MENU) == "Choose a profile\n1 Ward\n2 Office\nReady\n[Exit] [] [Select]"


def test_what_is_empty_takes_no_line() -> None:
    assert str(Screen("text", "", "", "One\n\nTwo\n", (), 0, (), (), None)) == "One\n\nTwo"


def test_fields_have_their_labels() -> None:
    screen = Screen("input", "Log in", "", "", (), 0, (Field("PIN", "pin", "NP", "****"),), ("Submit",), None)
    assert "PIN: ****" in str(screen)


def test_a_frame_wraps_and_cuts() -> None:
    long = Screen("text", "A title that is too long", "Ready", "Approve the request in Duo", (), 0, (), ("Exit",), None)
    assert frame(long, 12).splitlines() == [
        "+--------------+",
        "| A title that |",
        "+--------------+",
        "| Approve the  |",
        "| request in   |",
        "| Duo          |",
        "+--------------+",
        "| Ready        |",
        "| [Exit]       |",
        "+--------------+",
    ]
