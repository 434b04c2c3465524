"""What the keys of a phone on a desk do, what its display shows, and when it starts anew."""

from __future__ import annotations

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.phone_page import DeskPhone, Line
from casduo.simulators.phone_page.desk_phone import RESTARTING_SECONDS, SETTLING_SECONDS
from casduo.simulators.phone_page.display import Display
from tests.simulators.phone_page.desk_service import DeskService, Login

ADA = {"field-1": "ada", "field-2": "1815"}
SUBMIT = "soft-1"


def seen(phone: DeskPhone) -> Display:
    return phone.look().display


def waiting(phone: DeskPhone) -> DeskPhone:
    """Have ada send the form, so that the phone waits for her."""
    phone.press("services", {})
    phone.press(SUBMIT, ADA)
    assert "Approve the request" in seen(phone).text
    return phone


def choosing(phone: DeskPhone, service: DeskService, clock: VirtualClock) -> DeskPhone:
    """Have ada approve, so that the phone shows her profiles."""
    waiting(phone)
    service.approved = True
    clock.advance(3)
    assert seen(phone).kind == "menu"
    return phone


def test_a_phone_that_nobody_uses_shows_its_own_line(reception: DeskPhone) -> None:
    view = reception.look()
    assert (view.display.kind, view.line, view.occupant) == ("idle", Line("4100", "Reception"), None)


def test_the_services_key_opens_the_form(reception: DeskPhone) -> None:
    reception.press("services", {})
    display = seen(reception)
    assert (display.kind, display.title, display.prompt) == ("input", "Extension Mobility", "User ID and PIN, please")
    assert [(field.label, field.masked, field.digits) for field in display.fields] == [
        ("User ID", False, False),
        ("PIN", True, True),
    ]
    assert display.softkeys == ("Submit", "<<", "Cancel", "")


@pytest.mark.parametrize("place", [0, 2])
def test_what_is_typed_is_sent_with_the_submit_key(phones: list[DeskPhone], service: DeskService, place: int) -> None:
    waiting(phones[place])
    assert service.forms == [{"userid": "ada", "pin": "1815"}]
    assert phones[place].look().violations == ()


def test_the_select_key_goes_to_what_is_missing_and_then_sends(reception: DeskPhone) -> None:
    reception.press("services", {})
    reception.press("select", {"field-1": "ada", "field-2": ""}, at="field-1")
    assert (seen(reception).kind, seen(reception).cursor) == ("input", 1)
    reception.press("select", ADA, at="field-2")
    assert seen(reception).kind == "text"


def test_the_keypad_fills_the_field_in_which_the_cursor_is(reception: DeskPhone, service: DeskService) -> None:
    reception.press("services", {})
    reception.press("down", {"field-1": "ada", "field-2": ""})
    for digit in "1815":
        reception.press(digit, {})
    assert [field.value for field in seen(reception).fields] == ["ada", "1815"]
    reception.press("select", {})
    assert service.forms == [{"userid": "ada", "pin": "1815"}]


def test_the_erasing_key_takes_the_last_character_of_the_field_somebody_is_in(reception: DeskPhone) -> None:
    reception.press("services", {})
    reception.press("soft-2", {"field-1": "adaa", "field-2": "1815"}, at="field-1")
    assert [field.value for field in seen(reception).fields] == ["ada", "1815"]
    reception.press("soft-2", {"field-1": "ada", "field-2": "18155"}, at="field-2")
    assert [field.value for field in seen(reception).fields] == ["ada", "1815"]


def test_letters_where_only_digits_go_are_refused_by_the_phone(reception: DeskPhone, service: DeskService) -> None:
    reception.press("services", {})
    reception.press(SUBMIT, {"field-1": "ada", "field-2": "pin"})
    display = seen(reception)
    assert (display.kind, display.failed) == ("input", True)
    assert "pin has the flags NP" in display.prompt
    assert service.forms == []
    reception.press(SUBMIT, ADA)
    assert not seen(reception).failed


def test_a_refresh_that_is_due_happens_when_somebody_looks(
    reception: DeskPhone, service: DeskService, clock: VirtualClock
) -> None:
    waiting(reception)
    assert seen(reception).look_again == 3
    before = reception.look().version
    service.approved = True
    clock.advance(2.9)
    assert reception.look().version == before
    clock.advance(0.1)
    assert seen(reception).items == ("ada-office", "ada-library")
    assert reception.look().version != before


@pytest.mark.parametrize("keys", [("2",), ("item-2",), ("down", "select"), ("down", "down", "soft-1"), ("up", "2")])
def test_a_profile_is_chosen_by_digit_by_name_and_with_the_arrows(
    reception: DeskPhone, service: DeskService, clock: VirtualClock, keys: tuple[str, ...]
) -> None:
    choosing(reception, service, clock)
    for key in keys:
        reception.press(key, {})
    assert service.logins[reception.facts.device].profile == "ada-library"


def test_keys_that_do_nothing_now_do_nothing(reception: DeskPhone) -> None:
    for key in ("1", "soft-1", "item-1", "back", "select", "up", "*", "nonsense", ""):
        reception.press(key, {})
        assert seen(reception).kind == "idle"
    waiting(reception)
    for key in ("1", "#", "up", "select", "nonsense", ""):
        reception.press(key, {})
        assert (seen(reception).kind, seen(reception).failed) == ("text", False)


def test_the_second_of_two_quick_presses_is_not_taken_for_a_key_of_the_next_page(
    reception: DeskPhone, service: DeskService
) -> None:
    reception.press("services", {})
    page = reception.look().page
    reception.press(SUBMIT, ADA, page=page)
    before = len(service.forms)
    reception.press("soft-3", ADA, page=page)
    assert (seen(reception).kind, len(service.forms)) == ("text", before)
    reception.press("soft-3", {}, page=reception.look().page)
    assert seen(reception).kind == "idle"


def test_a_page_that_was_only_fetched_again_takes_keys_all_the_same(reception: DeskPhone, clock: VirtualClock) -> None:
    page = waiting(reception).look().page
    clock.advance(3)
    reception.press("soft-3", {}, page=page)
    assert seen(reception).kind == "idle"


def test_the_back_key_leaves_pages_that_have_expired(reception: DeskPhone) -> None:
    waiting(reception)
    reception.press("back", {})
    assert seen(reception).kind == "idle"


def test_after_a_login_the_phone_restarts_with_the_profile(
    reception: DeskPhone, service: DeskService, clock: VirtualClock
) -> None:
    choosing(reception, service, clock)
    reception.press("1", {})
    assert "Logged in" in seen(reception).text
    assert reception.look().occupant is None
    clock.advance(SETTLING_SECONDS)
    view = reception.look()
    assert (view.display.kind, view.occupant) == ("restarting", Login("ada", "ada-office"))
    reception.press("services", {})
    assert seen(reception).kind == "restarting"
    clock.advance(RESTARTING_SECONDS)
    view = reception.look()
    assert (view.display.kind, view.line) == ("idle", Line("4711", "Ada Lovelace"))


def test_after_a_logout_elsewhere_the_phone_gets_its_own_line_back(
    reception: DeskPhone, service: DeskService, clock: VirtualClock
) -> None:
    service.logins[reception.facts.device] = Login("ada", "ada-office")
    reception.look()
    clock.advance(SETTLING_SECONDS)
    assert reception.look().line.number == "4711"
    del service.logins[reception.facts.device]
    reception.look()
    clock.advance(SETTLING_SECONDS + RESTARTING_SECONDS)
    reception.look()
    clock.advance(RESTARTING_SECONDS)
    view = reception.look()
    assert (view.display.kind, view.line.number, view.occupant) == ("idle", "4100", None)


def test_a_login_that_ends_at_once_restarts_nothing(
    reception: DeskPhone, service: DeskService, clock: VirtualClock
) -> None:
    service.logins[reception.facts.device] = Login("ada", "ada-office")
    reception.look()
    del service.logins[reception.facts.device]
    reception.look()
    clock.advance(SETTLING_SECONDS)
    assert seen(reception).kind == "idle"


def test_a_profile_nobody_knows_a_number_of_is_shown_by_its_name(
    reception: DeskPhone, service: DeskService, clock: VirtualClock
) -> None:
    service.logins[reception.facts.device] = Login("grace", "grace-office")
    reception.look()
    clock.advance(SETTLING_SECONDS)
    assert reception.look().line == Line("4100", "grace-office")


def test_more_softkeys_than_keys_are_reached_in_turns(reception: DeskPhone, service: DeskService) -> None:
    service.many_keys = True
    waiting(reception)
    assert seen(reception).softkeys == ("Update", "Passcode", "Way 1", "more")
    reception.press("soft-4", {})
    assert seen(reception).softkeys == ("Way 2", "Cancel", "", "more")
    reception.press("soft-4", {})
    assert seen(reception).softkeys == ("Update", "Passcode", "Way 1", "more")
    reception.press("soft-4", {})
    reception.press("soft-2", {})
    assert seen(reception).kind == "idle"


def test_what_a_real_phone_would_refuse_is_told(reception: DeskPhone, service: DeskService) -> None:
    service.strange = True
    reception.press("services", {})
    reception.press(SUBMIT, ADA)
    view = reception.look()
    assert (view.display.kind, view.display.prompt, view.display.failed) == ("input", "XML Error [4]", True)
    assert "has no Headline" in view.violations[0]


def test_a_service_that_is_not_there_is_said_on_the_idle_display(reception: DeskPhone, service: DeskService) -> None:
    service.away = True
    reception.press("services", {})
    display = seen(reception)
    assert (display.kind, display.prompt, display.failed) == ("idle", "HTTP Error [8]", True)


def test_what_is_being_typed_makes_no_other_version(reception: DeskPhone) -> None:
    reception.press("services", {})
    before = reception.look().version
    reception.press("1", {})
    assert reception.look().version == before
