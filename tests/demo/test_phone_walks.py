"""Logging in on IP phones as people do: keys and displays of the phone in one tab, Duo's requests in another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.demo.calling import DUO_TITLE, LABORATORY, MENU_TITLE, READING_ROOM, RECEPTION, Caller
from tests.demo.critic import Critic
from tests.demo.running import DemoProcess

both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


@pytest.fixture
def scripts() -> bool:
    """Whether the browser runs scripts; some tests have it both ways."""
    return True


@pytest.fixture
def caller(demo: DemoProcess, chromium: Browser, critic: Critic, scripts: bool) -> Iterator[Caller]:
    """Somebody with a browser."""
    context = chromium.new_context(java_script_enabled=scripts, ignore_https_errors=True)
    context.on("console", critic.listen)
    yield Caller(demo, context, context.new_page(), scripts)
    context.close()


def test_ada_approves_chooses_a_profile_finds_her_line_on_the_phone_and_logs_out(caller: Caller) -> None:
    caller.goes_to(RECEPTION)
    caller.logs_in("ada")
    caller.is_shown(DUO_TITLE, "Approve the request in Duo Mobile on iPhone.")
    caller.answer_push("ada", "Approve")
    caller.is_shown(MENU_TITLE)
    expect(caller.display.get_by_role("button")).to_have_text(["1ada-office", "2ada-library", "3ada-workshop"])
    caller.presses("2 ada-library")
    caller.is_shown("Logged in", "You are logged in as ada.", "Profile: ada-library")
    caller.is_on_the_line("4711", "ada-library")
    caller.presses("Services")
    caller.is_shown("Phone in use", "ada is logged in on this phone.")
    caller.taps("Logout")
    caller.is_shown("Logout", "Log out ada?")
    caller.taps("Logout")
    caller.is_shown("Logged out")
    assert caller.logged_in(RECEPTION) is None


@pytest.mark.parametrize("scripts", [False])
def test_without_scripts_the_page_goes_on_by_itself_and_the_keypad_types(caller: Caller) -> None:
    caller.goes_to(LABORATORY)
    caller.presses("Services")
    caller.page.get_by_label("User ID").fill("ada")
    caller.presses("Down")
    for digit in caller.demo.pin("ada"):
        caller.presses(digit)
    caller.taps("Submit")
    caller.is_shown(DUO_TITLE)
    caller.answer_push("ada", "Approve")
    caller.is_shown(MENU_TITLE)
    caller.presses("3 ada-workshop")
    caller.is_shown("Logged in", "Profile: ada-workshop")
    assert caller.logged_in(LABORATORY) == ("ada", "ada-workshop")


def test_an_old_phone_that_cannot_post_sends_the_pin_and_nothing_writes_it_down(caller: Caller) -> None:
    caller.goes_to(READING_ROOM)
    caller.logs_in("ada")
    caller.is_shown(DUO_TITLE, "Waiting for your answer")
    expect(caller.softkeys).to_have_text(["Passcode", "Update", "Cancel", "More"])
    caller.answer_push("ada", "Approve")
    caller.is_shown(MENU_TITLE)
    caller.taps("Select")
    caller.is_shown("Logged in", "Profile: ada-office")
    assert caller.logged_in(READING_ROOM) == ("ada", "ada-office")
    for log in caller.demo.ready["log_files"]:
        assert f"pin={caller.demo.pin('ada')}" not in Path(log).read_text(encoding="utf-8")


def test_logging_in_takes_nothing_but_the_keyboard(caller: Caller) -> None:
    caller.goes_to(RECEPTION)
    keyboard = caller.page.keyboard
    caller.page.get_by_role("button", name="Services").focus()
    keyboard.press("Enter")
    expect(caller.page.get_by_label("User ID")).to_be_focused()
    keyboard.type("ada")
    keyboard.press("Enter")
    expect(caller.page.get_by_label("PIN")).to_be_focused()
    keyboard.type(caller.demo.pin("ada"))
    keyboard.press("Enter")
    caller.is_shown(DUO_TITLE)
    caller.answer_push("ada", "Approve")
    caller.is_shown(MENU_TITLE)
    keyboard.press("ArrowDown")
    expect(caller.page.get_by_role("button", name="2 ada-library")).to_have_attribute("aria-current", "true")
    keyboard.press("3")
    caller.is_shown("Logged in", "Profile: ada-workshop")


def test_margaret_has_no_profile_and_duo_is_not_asked(caller: Caller) -> None:
    caller.goes_to(LABORATORY)
    caller.logs_in("margaret")
    caller.is_shown("Not logged in", "You have no phone profile yet.")
    assert caller.demo.asked("margaret") == 0


def test_grace_has_no_device_for_duo(caller: Caller) -> None:
    caller.goes_to(LABORATORY)
    caller.logs_in("grace")
    caller.is_shown("Not logged in", "You have no device for Duo yet.")


def test_alan_is_not_asked(caller: Caller) -> None:
    caller.goes_to(READING_ROOM)
    caller.logs_in("alan")
    caller.is_shown("Logged in", "Profile: alan-office")
    assert caller.logged_in(READING_ROOM) == ("alan", "alan-office")


def test_linus_is_locked_out(caller: Caller) -> None:
    caller.goes_to(LABORATORY)
    caller.logs_in("linus")
    caller.is_shown("Not logged in", "Duo did not let you in.")
    assert caller.logged_in(LABORATORY) is None


def test_edsger_denies_has_it_sent_again_and_types_a_passcode_in_the_end(caller: Caller) -> None:
    caller.goes_to(LABORATORY)
    caller.logs_in("edsger")
    caller.is_shown(DUO_TITLE, "You refused the request.")
    caller.taps("Retry")
    caller.is_shown(DUO_TITLE, "Approve the request")
    caller.taps("Passcode")
    caller.page.get_by_label("Passcode").fill(caller.read_passcode("edsger"))
    caller.taps("Submit")
    caller.is_shown("Logged in", "Profile: edsger-office")
    assert caller.demo.asked("edsger") == 3


@both
def test_a_wrong_pin_is_told_and_the_next_one_works(caller: Caller) -> None:
    caller.goes_to(LABORATORY)
    caller.presses("Services")
    caller.identifies("margaret", "0000")
    caller.is_shown("Extension Mobility", "User ID or PIN is not right.")
    expect(caller.page.get_by_label("User ID")).to_have_value("margaret")
    expect(caller.page.get_by_label("PIN")).to_have_value("")
    caller.identifies("margaret")
    caller.is_shown("Not logged in", "You have no phone profile yet.")


def test_a_login_that_is_cancelled_changes_nothing(caller: Caller) -> None:
    caller.goes_to(LABORATORY)
    caller.logs_in("ada")
    caller.is_shown(DUO_TITLE)
    caller.taps("Cancel")
    caller.is_shown("Cancelled", "Nothing was changed.")
    caller.taps("Login")
    caller.is_shown("Extension Mobility", "Enter user ID and PIN")
    assert caller.logged_in(LABORATORY) is None


def test_without_one_node_of_the_ucm_people_log_in_and_without_both_they_are_told(caller: Caller) -> None:
    caller.goes_to(READING_ROOM)
    caller.demo.ucm(do="listen", node=1, on=False)
    caller.presses("Services")
    caller.is_shown("Extension Mobility")
    caller.demo.ucm(do="listen", node=2, on=False)
    caller.presses("Services")
    caller.is_shown("Try again later", "This does not work at the moment.", "Reference:")
    caller.demo.ucm(do="listen", on=True)
    caller.taps("Retry")
    caller.is_shown("Extension Mobility", "Enter user ID and PIN")


def test_ada_at_two_phones_gets_her_line_on_the_first_and_is_told_so_at_the_second(caller: Caller) -> None:
    second = caller.tab()
    caller.goes_to(RECEPTION)
    second.goes_to(LABORATORY)
    caller.logs_in("ada")
    caller.is_shown(DUO_TITLE, "Approve the request")
    second.logs_in("ada")
    second.is_shown(DUO_TITLE, "Your device shows a request of another login")
    caller.answer_push("ada", "Approve")
    caller.is_shown(MENU_TITLE)
    caller.presses("1 ada-office")
    caller.is_shown("Logged in", "Profile: ada-office")
    second.taps("Retry")
    second.is_shown(DUO_TITLE, "Approve the request")
    second.answer_push("ada", "Approve")
    second.is_shown(MENU_TITLE)
    second.presses("1 ada-office")
    second.is_shown("Not logged in", "You are logged in on another phone")
    assert (caller.logged_in(RECEPTION), caller.logged_in(LABORATORY)) == (("ada", "ada-office"), None)
