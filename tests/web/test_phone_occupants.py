"""Phones and people that are taken already: who is on the phone, and where else the person is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.ward import BASE, OLD_PHONE, OTHER_PHONE, PHONE, Ward

TAKE_OVER = "phones: {other_user: take_over}\n"


def elsewhere(policy: str) -> str:
    return f"phones: {{elsewhere: {policy}}}\n"


def causes(ward: Ward) -> list[tuple[str, str]]:
    return [(event.device, event.cause) for event in ward.site.journal.named("phone.logged_out")]


@pytest.fixture(params=["emapi", "axl"])
def em(request: pytest.FixtureRequest) -> bool:
    """Whether logins go by the Extension Mobility API."""
    return bool(request.param == "emapi")


# The phone


def test_a_phone_in_use_says_who_is_on_it(either_ward: Ward) -> None:
    either_ward.ucm.log_in(PHONE, "grace")
    phone = either_ward.opened()
    assert "grace is logged in on this phone." in str(phone.screen)
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Exit", "Logout")


def test_the_name_stays_untold_where_the_settings_want_that(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {show_occupant: false}\n")
    ward.ucm.log_in(PHONE, "grace")
    phone = ward.opened()
    assert "Somebody is logged in on this phone." in str(phone.screen)
    phone.press("Logout")
    assert "Log out now?" in str(phone.screen)
    ward.ucm.log_out(PHONE)
    other = ward.at_form()
    ward.ucm.log_in(PHONE, "grace")
    ward.submit(other, "alan")
    assert "Somebody else is logged in on this phone" in str(other.screen)
    assert all("grace" not in str(each.screen) for each in ward.phones)


def test_a_phone_ucm_does_not_know_is_refused(either_ward: Ward) -> None:
    phone = either_ward.opened("SEP999999999999")
    assert "This phone is not known here." in str(phone.screen)
    assert either_ward.pin_checks() == 0


def test_a_phone_on_which_nobody_may_log_in_says_so(either_ward: Ward) -> None:
    ward = either_ward
    ward.ucm.phone(PHONE).enabled = False
    phone = ward.opened()
    if phone.screen is not None and phone.screen.kind == "input":
        # One of the two interfaces tells at the login only.
        ward.submit(phone, "alan")
    assert "Nobody can log in on this phone." in str(phone.screen)
    assert ward.login() is None


def test_a_phone_that_is_taken_away_in_the_meantime_is_not_written_to(either_ward: Ward) -> None:
    ward = either_ward
    phone = ward.submitted("ada")
    ward.ucm.remove_phone(PHONE)
    ward.answer_push()
    ward.await_screen(phone, lambda shown: "This phone is not known here." in shown)


# The same person


def test_who_is_logged_in_here_already_is_told_so_and_nothing_is_written(either_ward: Ward) -> None:
    ward = either_ward
    phone = ward.at_form()
    ward.ucm.log_in(PHONE, "alan", "alan-ward")
    ward.submit(phone, "alan")
    assert "alan is already logged in on this phone." in str(phone.screen)
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Exit", "Logout")
    assert (ward.login_writes(), ward.logout_writes()) == (0, 0)
    (event,) = ward.site.journal.named("phone.logged_in")
    assert event.already


def test_another_profile_of_the_same_person_takes_the_place_of_the_first(either_ward: Ward) -> None:
    ward = either_ward
    phone = ward.submitted("mary")
    ward.answer_push("mary")
    ward.await_screen(phone, lambda shown: "mary-office" in shown)
    ward.ucm.log_in(PHONE, "mary", "mary-ward")
    phone.pick(3)
    ward.logged_in(phone)
    assert ward.login() == ("mary", "mary-office")
    assert (ward.login_writes(), ward.logout_writes()) == (1, 1)
    assert causes(ward) == [(PHONE, "moved")]


# Somebody else


def test_somebody_who_came_meanwhile_is_left_alone(either_ward: Ward) -> None:
    ward = either_ward
    phone = ward.at_form()
    ward.ucm.log_in(PHONE, "grace")
    ward.submit(phone, "alan")
    assert "grace is logged in on this phone and has to log out first." in str(phone.screen)
    assert ward.login() == ("grace", "grace-ward")
    assert ward.logout_writes() == 0
    (event,) = ward.site.journal.named("phone.refused")
    assert event.reason == "occupied"


def test_where_the_settings_want_that_somebody_else_is_logged_out(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em, settings=TAKE_OVER)
    phone = ward.submitted("ada")
    ward.ucm.log_in(PHONE, "grace")
    assert ward.login() == ("grace", "grace-ward")
    ward.answer_push()
    ward.logged_in(phone)
    assert ward.login() == ("ada", "ada-ward")
    assert causes(ward) == [(PHONE, "taken_over")]


def test_nobody_is_logged_out_before_the_second_factor(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em, settings=TAKE_OVER)
    phone = ward.submitted("ada")
    ward.ucm.log_in(PHONE, "grace")
    ward.answer_push(reply="deny")
    ward.await_screen(phone, lambda shown: "You refused the request" in shown)
    assert ward.login() == ("grace", "grace-ward")


def test_who_may_not_log_in_elsewhere_logs_nobody_out_here(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(em=False, settings="phones: {other_user: take_over, elsewhere: refuse}\n")
    ward.ucm.log_in(OTHER_PHONE, "alan")
    phone = ward.at_form()
    ward.ucm.log_in(PHONE, "grace")
    ward.submit(phone, "alan")
    assert "logged in on another phone" in str(phone.screen)
    assert ward.login() == ("grace", "grace-ward")


# Another phone


@pytest.mark.parametrize("policy", ["refuse", "allow", "auto_logout"])
def test_by_its_own_interface_ucm_decides(ward: Ward, policy: str) -> None:
    ward.ucm.log_in(OTHER_PHONE, "alan")
    ward.ucm.policy.multiple_login = policy  # type: ignore[assignment]
    phone = ward.submitted("alan")
    if policy == "refuse":
        assert "You are logged in on another phone" in str(phone.screen)
    else:
        ward.logged_in(phone)
    assert (ward.login() is not None) == (policy != "refuse")
    assert (ward.login(OTHER_PHONE) is not None) == (policy != "auto_logout")


def test_by_axl_which_has_no_say_a_second_login_is_refused(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(em=False)
    ward.ucm.log_in(OTHER_PHONE, "alan")
    phone = ward.submitted("alan")
    assert f"You are logged in on another phone ({OTHER_PHONE}). Log out there first." in str(phone.screen)
    assert ward.login() is None
    assert ward.login(OTHER_PHONE) is not None


def test_the_settings_may_refuse_with_the_place(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em, settings=elsewhere("refuse"))
    ward.ucm.policy.multiple_login = "allow"
    ward.ucm.log_in(OTHER_PHONE, "alan")
    ward.ucm.log_in(OLD_PHONE, "alan")
    phone = ward.submitted("alan")
    assert OTHER_PHONE in str(phone.screen)
    assert ward.login() is None


def test_the_settings_may_allow_several(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em, settings=elsewhere("allow"))
    ward.ucm.policy.multiple_login = "allow"
    ward.ucm.log_in(OTHER_PHONE, "alan")
    ward.logged_in(ward.submitted("alan"))
    assert ward.login() == ward.login(OTHER_PHONE) == ("alan", "alan-ward")


def test_what_we_allow_and_ucm_does_not_is_refused(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings=elsewhere("allow"))
    ward.ucm.log_in(OTHER_PHONE, "alan")
    assert "You are logged in on another phone" in str(ward.submitted("alan").screen)
    assert ward.login() is None


def test_the_settings_may_log_out_the_other_phones_first(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em, settings=elsewhere("move"))
    ward.ucm.policy.multiple_login = "allow"
    for device in (OTHER_PHONE, OLD_PHONE):
        ward.ucm.log_in(device, "alan")
    ward.ucm.policy.multiple_login = "refuse"
    ward.logged_in(ward.submitted("alan"))
    assert ward.login() == ("alan", "alan-ward")
    assert ward.login(OTHER_PHONE) is None
    assert ward.login(OLD_PHONE) is None
    assert sorted(causes(ward)) == sorted([(OTHER_PHONE, "moved"), (OLD_PHONE, "moved")])


def test_moving_and_taking_over_at_once(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em, settings="phones: {elsewhere: move, other_user: take_over}\n")
    ward.ucm.log_in(OTHER_PHONE, "ada")
    phone = ward.submitted("ada")
    ward.ucm.log_in(PHONE, "grace")
    ward.answer_push()
    ward.logged_in(phone)
    assert ward.login() == ("ada", "ada-ward")
    assert ward.login(OTHER_PHONE) is None
    assert causes(ward) == [(OTHER_PHONE, "moved"), (PHONE, "taken_over")]


def test_the_very_phone_is_not_another_one(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em, settings=elsewhere("refuse"))
    phone = ward.at_form()
    ward.ucm.log_in(PHONE, "alan", "alan-ward")
    ward.submit(phone, "alan")
    assert "already logged in on this phone" in str(phone.screen)


@pytest.mark.parametrize(
    ("em", "said"), [(True, "Your PIN has to be changed"), (False, "The phone system does not allow this")]
)
def test_ucms_own_no_is_no_login(ward_with: Callable[..., Ward], em: bool, said: str) -> None:
    ward = ward_with(em=em)
    ward.ucm.policy.axl_keeps_policy = True
    phone = ward.submitted("ada")
    ward.ucm.user("ada").must_change_pin = True
    ward.answer_push()
    ward.await_screen(phone, lambda shown: said in shown)
    assert ward.login() is None
    assert ward.site.journal.named("phone.refused")


# Taking over a phone that is in use, from the key to the end


def test_a_phone_in_use_offers_the_form_where_others_may_take_over(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em, settings=TAKE_OVER)
    ward.ucm.log_in(PHONE, "grace")
    phone = ward.opened()
    assert "grace is logged in on this phone." in str(phone.screen)
    assert phone.screen is not None
    assert phone.screen.softkeys == ("Exit", "Logout", "Login")
    phone.press("Login")
    assert phone.screen.kind == "input"
    ward.submit(phone, "ada", "00000")
    assert phone.screen.prompt == "User ID or PIN is not right."
    ward.submit(phone, "ada")
    assert ward.login() == ("grace", "grace-ward")
    ward.answer_push()
    ward.logged_in(phone)
    assert ward.login() == ("ada", "ada-ward")
    assert ward.login_writes() == 1


def test_a_phone_in_use_offers_no_form_where_nobody_may(ward: Ward) -> None:
    ward.ucm.log_in(PHONE, "grace")
    phone = ward.phone()
    phone.open(f"{BASE}/{PHONE}/login")
    assert "grace is logged in on this phone." in str(phone.screen)
    phone.open(f"{BASE}/{PHONE}/login?form=true")
    assert phone.screen is not None
    assert phone.screen.kind == "text"


def test_where_nobody_is_logged_in_that_address_is_the_form(ward: Ward) -> None:
    phone = ward.phone()
    phone.open(f"{BASE}/{PHONE}/login")
    assert phone.screen is not None
    assert phone.screen.kind == "input"
