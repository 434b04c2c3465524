"""Logging out: asked first, with the PIN where the settings want it, by hand or when the time is over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casduo.simulators.phone import IpPhone
from tests.support.pushing import wait_for
from tests.support.ward import BASE, OTHER_PHONE, PHONE, Ward, at_once

WITH_PIN = "phones: {logout_pin: true}\n"
HOUR = "phones: {login_lifetime: 1h}\n"


def asked(ward: Ward, user: str = "alan", device: str = PHONE, **options: str) -> IpPhone:
    """Return a phone that asks whether somebody who is on it wants to log out."""
    if ward.login(device) is None:
        ward.ucm.log_in(device, user)
    phone = ward.opened(device, **options)
    phone.press("Logout")
    return phone


def causes(ward: Ward) -> list[str]:
    return [event.cause for event in ward.site.journal.named("phone.logged_out")]


def test_the_person_is_asked_and_then_logged_out(either_ward: Ward) -> None:
    ward = either_ward
    phone = asked(ward)
    assert "Log out alan?" in str(phone.screen)
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Cancel", "Logout")
    assert ward.login() is not None
    phone.press("Logout")
    assert "You are logged out of this phone." in str(phone.screen)
    assert ward.login() is None
    assert causes(ward) == ["asked"]
    phone.press("Login")
    assert phone.screen.kind == "input"


def test_after_a_login_the_key_on_the_last_page_or_on_the_service_logs_out(ward: Ward) -> None:
    ward.logged_in(ward.submitted("alan"))
    phone = asked(ward)
    phone.press("Logout")
    assert ward.login() is None


def test_whoever_cancels_stays_logged_in(ward: Ward) -> None:
    phone = asked(ward)
    phone.press("Cancel")
    assert "Cancelled" in str(phone.screen)
    assert ward.login() is not None


def test_the_back_key_of_the_question_logs_nobody_out(ward: Ward) -> None:
    phone = asked(ward)
    phone.back()
    assert ward.login() is not None
    phone = asked(ward)
    phone.press("Logout")
    phone.back()
    assert ward.logout_writes() == 1


def test_where_nobody_is_logged_in_that_is_said(either_ward: Ward) -> None:
    phone = either_ward.phone()
    phone.open(f"{BASE}/{PHONE}/logout")
    assert "Nobody is logged in on this phone." in str(phone.screen)
    assert either_ward.logout_writes() == 0


def test_who_was_logged_out_meanwhile_is_logged_out(either_ward: Ward) -> None:
    ward = either_ward
    phone = asked(ward)
    ward.ucm.log_out(PHONE)
    phone.press("Logout")
    assert "Nobody is logged in on this phone." in str(phone.screen)
    assert ward.logout_writes() == 0


def test_somebody_who_came_meanwhile_stays(either_ward: Ward) -> None:
    ward = either_ward
    phone = asked(ward)
    ward.ucm.log_out(PHONE)
    ward.ucm.log_in(PHONE, "grace")
    phone.press("Logout")
    assert "went on elsewhere" in str(phone.screen)
    assert ward.login() == ("grace", "grace-ward")
    assert ward.logout_writes() == 0


def test_a_logout_is_bound_to_its_phone_and_address(ward: Ward) -> None:
    phone = asked(ward)
    assert phone.page is not None
    address = phone.page.key("Logout").url
    stranger = ward.phone(OTHER_PHONE)
    stranger.open(address.replace(PHONE, OTHER_PHONE))
    assert "begun on another phone" in str(stranger.screen)
    phone.press("Logout")
    ward.await_screen(phone, lambda text: "took too long" in text)
    assert ward.login() is not None
    phone = asked(ward)
    assert phone.page is not None
    ward.phone(source_address="127.0.0.2").open(phone.page.key("Logout").url)
    assert ward.login() is not None


def test_a_logout_without_its_question_only_asks(ward: Ward) -> None:
    ward.ucm.log_in(PHONE, "alan")
    phone = ward.phone()
    for address in ("logout", "logout?t=", "logout?t=made-up", "logout?pin=97531"):
        phone.open(f"{BASE}/{PHONE}/{address}")
        assert ward.login() is not None


def test_a_question_that_is_too_old_logs_nobody_out(ward: Ward) -> None:
    phone = asked(ward)
    ward.pass_time(181)
    phone.press("Logout")
    assert "took too long" in str(phone.screen)
    assert ward.login() is not None


def test_the_key_pressed_twice_logs_out_once_and_both_say_so(either_ward: Ward) -> None:
    ward = either_ward
    phone = asked(ward)
    assert phone.page is not None
    address, twin = phone.page.key("Logout").url, ward.phone()
    at_once(lambda: phone.press("Logout"), lambda: twin.open(address))
    for each in (phone, twin):
        ward.await_screen(each, lambda shown: "You are logged out of this phone." in shown)
    assert ward.logout_writes() == 1
    assert causes(ward) == ["asked"]


def test_the_last_page_can_be_loaded_again_for_a_minute(ward: Ward) -> None:
    phone = asked(ward)
    assert phone.page is not None
    address = phone.page.key("Logout").url
    phone.press("Logout")
    ward.ucm.log_in(PHONE, "grace")
    phone.open(address)
    assert "You are logged out of this phone." in str(phone.screen)
    assert ward.login() == ("grace", "grace-ward")
    assert ward.logout_writes() == 1


# With the PIN


def test_with_the_pin_of_who_is_logged_in(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings=WITH_PIN)
    phone = asked(ward)
    assert phone.screen is not None
    assert phone.screen.title == "Log out alan?"
    assert [(each.name, each.flags) for each in phone.screen.inputs] == [("pin", "NP")]
    phone.type(pin="97531")
    phone.press("Submit")
    assert "You are logged out" in str(phone.screen)
    assert ward.login() is None


@pytest.mark.parametrize("pin", ["24680", "00000", "1", "12345678901234567890"])
def test_with_another_pin_nobody_is_logged_out(ward_with: Callable[..., Ward], pin: str) -> None:
    """That of somebody else, too."""
    ward = ward_with(settings=WITH_PIN)
    phone = asked(ward)
    phone.type(pin=pin)
    phone.press("Submit")
    assert phone.screen is not None
    assert phone.screen.prompt == "That PIN is not right."
    assert ward.login() is not None
    phone.type(pin="97531")
    phone.press("Submit")
    assert ward.login() is None


def test_without_any_pin_it_is_asked_for_again(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings=WITH_PIN)
    phone = asked(ward)
    phone.press("Submit")
    assert phone.screen is not None
    assert phone.screen.prompt == "Enter the PIN to log out"
    assert ward.pin_checks() == 0
    phone.press("Cancel")
    assert "Cancelled" in str(phone.screen)


def test_wrong_pins_of_login_and_logout_count_together(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings=WITH_PIN)
    ward.submitted("alan", OTHER_PHONE, pin="00001")
    phone = asked(ward)
    phone.type(pin="00002")
    phone.press("Submit")
    phone.type(pin="97531")
    phone.press("Submit")
    assert "too many wrong tries" in str(phone.screen)
    assert ward.login() is not None
    assert not ward.ucm.locked("alan")
    assert ward.pin_checks() == 2


def test_a_phone_that_only_gets_asks_for_the_pin_as_well(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings=WITH_PIN)
    phone = asked(ward, model="7960")
    phone.type(pin="97531")
    phone.press("Submit")
    assert ward.login() is None
    assert phone.requests[-1].target == f"/em/{PHONE}/logout?t=***&pin=***"


def test_a_pin_in_another_spelling_of_the_user_counts_for_the_same_person(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings=WITH_PIN)
    ward.hire("Niklaus", profiles=["n"])
    phone = asked(ward, "niklaus")
    assert "Niklaus" in str(phone.screen)
    phone.type(pin="24680")
    phone.press("Submit")
    assert ward.login() is None


# By time


@pytest.mark.parametrize("em", [True, False])
def test_after_the_time_of_the_settings_people_are_logged_out(ward_with: Callable[..., Ward], em: bool) -> None:
    """By UCM itself, or by our worker where that does not."""
    ward = ward_with(em=em, settings=HOUR)
    ward.logged_in(ward.submitted("alan"))
    ward.pass_time(3500)
    assert ward.login() is not None
    ward.pass_time(101)
    wait_for(lambda: ward.login() is None)
    assert ward.logout_writes() == (0 if em else 1)


def test_the_worker_leaves_somebody_else_alone(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(em=False, settings=HOUR)
    ward.logged_in(ward.submitted("alan"))
    ward.ucm.log_out(PHONE)
    ward.ucm.log_in(PHONE, "grace")
    asked_before = ward.ucm.calls("getPhone")
    ward.pass_time(3601)
    wait_for(lambda: ward.ucm.calls("getPhone") > asked_before)
    assert ward.login() == ("grace", "grace-ward")
    assert ward.logout_writes() == 0


def test_logging_in_anew_begins_the_time_anew(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(em=False, settings=HOUR)
    ward.logged_in(ward.submitted("alan"))
    ward.pass_time(1800)
    phone = asked(ward)
    phone.press("Logout")
    ward.logged_in(ward.submitted("alan"))
    ward.pass_time(1801)
    assert ward.site.composed.parts.store.command("ZCARD", "casduo:{phone.logouts}:due") == 1
    assert ward.login() is not None
    ward.pass_time(1800)
    wait_for(lambda: ward.login() is None)


def test_a_login_that_came_to_nothing_leaves_no_timer(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(em=False, settings=HOUR)
    phone = ward.at_form()
    ward.ucm.user("alan").profiles[:] = ["alan-ward"]
    ward.ucm.remove_profile("alan-ward")
    ward.ucm.user("alan").profiles[:] = ["alan-ward"]
    ward.submit(phone, "alan")
    assert ward.login() is None
    assert "does not allow" in str(phone.screen)
    assert ward.site.composed.parts.store.command("ZCARD", "casduo:{phone.logouts}:due") == 0
