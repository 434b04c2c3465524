"""PINs at phones: wrong ones look alike, are few, and lock nobody out of UCM."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.site import PASSWORDS, heading
from tests.support.ward import BASE, OLD_PHONE, OTHER_PHONE, PHONE, Ward, at_once

WRONG = "User ID or PIN is not right."
LOCKOUT = 1800.0


def try_pin(ward: Ward, user: str, pin: str, device: str = PHONE, **options: str) -> str:
    """Try a PIN at a phone of the ward and return what the phone shows."""
    return str(ward.submitted(user, device, pin, **options).screen)


# What it looks like


def test_unknown_people_wrong_pins_and_locked_ones_look_alike(ward: Ward) -> None:
    ward.ucm.policy.lockout_failures = 1
    wrong = try_pin(ward, "ada", "00000").replace("ada", "...")
    locked = try_pin(ward, "ada", "24680", OTHER_PHONE).replace("ada", "...")
    unknown = try_pin(ward, "nobody", "24680", OLD_PHONE).replace("nobody", "...")
    assert ward.ucm.locked("ada")
    assert WRONG in wrong
    assert WRONG in locked
    assert WRONG in unknown
    assert wrong.split("\n")[:3] == unknown.split("\n")[:3] == locked.split("\n")[:3]


def test_nobody_is_sent_a_push_before_the_pin_is_right(ward: Ward) -> None:
    try_pin(ward, "ada", "00000")
    assert len(ward.duo.requests) == 0


@pytest.mark.parametrize("word", ["false", "f", "0", "FALSE", "", None, "maybe"])
def test_what_ucm_says_in_words_is_a_refusal_unless_it_says_true(ward: Ward, word: str | None) -> None:
    for node in ward.ucm.nodes:
        node.faults.overwrite("doAuthenticateUser", "userAuthenticated", word)
    shown = try_pin(ward, "ada", "24680")
    assert "Approve" not in shown
    assert ward.pushes_sent() == 0
    assert ward.login_writes() == 0


def test_somebody_whose_pin_has_to_be_changed_cannot_log_in(ward: Ward) -> None:
    ward.ucm.user("alan").must_change_pin = True
    try_pin(ward, "alan", "97531")
    assert ward.login() is None


def test_somebody_who_left_cannot_log_in(ward: Ward) -> None:
    ward.ucm.user("alan").active = False
    assert WRONG in try_pin(ward, "alan", "97531")


def test_a_pin_is_good_for_phones_only(ward: Ward) -> None:
    """Four digits are little where many tries are allowed."""
    answer = ward.site.browser().fill(ward.site.browser().login_page(""), "ada", "24680")
    assert heading(answer) == heading(ward.site.browser().login_page(""))
    assert ward.pin_checks() == 0


def test_a_password_is_no_pin(ward: Ward) -> None:
    phone = ward.phone()
    phone.open(f"{BASE}/{PHONE}/login?userid=ada&pin={PASSWORDS['ada']}")
    assert WRONG in str(phone.screen)
    assert ward.pin_checks() == 0


@pytest.mark.parametrize(("kind", "asked"), [("mailid", "ada@example.edu"), ("mail_name", "ada")])
def test_duo_knows_people_by_what_the_settings_name(ward_with: Callable[..., Ward], kind: str, asked: str) -> None:
    ward = ward_with(handlers=f"- {{type: ucm_pin, principal: {kind}}}\n")
    ward.ucm.user("ada").mail = "ada@example.edu"
    ward.duo.add_user(asked)
    phone = ward.submitted("ada")
    ward.answer_push(asked)
    ward.logged_in(phone)
    assert ward.login() == ("ada", "ada-ward")


@pytest.mark.parametrize("mail", ["", "@example.edu", "ada"])
def test_somebody_without_the_name_duo_needs_is_told_so_and_nobody_is_asked(
    ward_with: Callable[..., Ward], mail: str
) -> None:
    ward = ward_with(handlers="- {type: ucm_pin, principal: mailid}\n")
    ward.ucm.user("ada").mail = mail
    assert "Your account has no name for Duo" in try_pin(ward, "ada", "24680")
    assert len(ward.duo.requests) == 0


# How many


def test_after_two_wrong_pins_at_two_phones_the_third_waits_and_ucm_locks_nobody(ward: Ward) -> None:
    assert ward.ucm.policy.lockout_failures == 3
    assert WRONG in try_pin(ward, "ada", "00001", PHONE)
    assert WRONG in try_pin(ward, "ada", "00002", OTHER_PHONE, source_address="127.0.0.2")
    shown = try_pin(ward, "ada", "24680", OLD_PHONE, source_address="127.0.0.3")
    assert "too many wrong tries" in shown
    assert "31 minutes" in shown
    assert ward.pin_checks() == 2
    assert not ward.ucm.locked("ada")


def test_however_often_somebody_guesses_ucm_never_locks(ward: Ward) -> None:
    for pin in range(12):
        try_pin(ward, "ada", f"{pin:05}", (PHONE, OTHER_PHONE, OLD_PHONE)[pin % 3], source_address=f"127.0.1.{pin + 1}")
        ward.pass_time_unseen(300)
        assert not ward.ucm.locked("ada")
    # 2 at once, and 2 once UCM has forgotten those.
    assert ward.pin_checks() == 4


def test_guesses_sent_at_the_same_moment_are_counted_as_they_come(ward: Ward) -> None:
    phones = [ward.at_form(PHONE, source_address=f"127.0.2.{each + 1}") for each in range(8)]
    for number, phone in enumerate(phones):
        phone.type(userid="ada", pin=f"{number:05}")
    at_once(*(lambda phone=phone: phone.press("Submit") for phone in phones))
    assert ward.pin_checks() <= 2
    assert not ward.ucm.locked("ada")


@pytest.mark.parametrize("spelling", ["ADA", "Ada", " ada"])
def test_another_spelling_of_the_name_does_not_count_anew(ward: Ward, spelling: str) -> None:
    try_pin(ward, "ada", "00001")
    try_pin(ward, spelling, "00002")
    assert "too many wrong tries" in try_pin(ward, "aDA", "00003")
    assert ward.pin_checks() == 2


def test_the_wait_is_over_once_ucm_has_forgotten(ward: Ward) -> None:
    for pin in ("00001", "00002"):
        try_pin(ward, "alan", pin)
    ward.pass_time_unseen(LOCKOUT - 60)
    assert "too many wrong tries" in try_pin(ward, "alan", "97531")
    ward.pass_time_unseen(130)
    ward.logged_in(ward.submitted("alan"))
    assert ward.login() == ("alan", "alan-ward")


def test_a_right_pin_makes_the_wrong_one_before_it_forgotten(ward: Ward) -> None:
    for pin in ("00001", "97531", "00002", "97531", "00003"):
        shown = try_pin(ward, "alan", pin, source_address="127.0.0.9")
        assert "too many" not in shown
        if ward.login():
            ward.ucm.log_out(PHONE)
    assert not ward.ucm.locked("alan")


def test_one_persons_wrong_pins_keep_nobody_else_out(ward: Ward) -> None:
    for pin in ("00001", "00002", "00003"):
        try_pin(ward, "ada", pin)
    assert "Logged in" in try_pin(ward, "alan", "97531")


def test_unknown_people_are_counted_like_known_ones(ward: Ward) -> None:
    for pin in ("00001", "00002"):
        assert WRONG in try_pin(ward, "nobody", pin)
    assert "too many wrong tries" in try_pin(ward, "nobody", "00003")


def test_a_phone_at_which_many_names_are_tried_has_to_pause(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {device_failures: 4}\n")
    for number in range(4):
        assert WRONG in try_pin(ward, f"guess{number}", "00000", source_address=f"127.0.3.{number + 1}")
    checked = ward.pin_checks()
    assert "too many wrong tries" in try_pin(ward, "alan", "97531", source_address="127.0.3.99")
    assert ward.pin_checks() == checked
    assert "Logged in" in try_pin(ward, "alan", "97531", OTHER_PHONE, source_address="127.0.3.98")


def test_wrong_pins_and_wrong_passwords_from_one_place_count_together(
    ward_with: Callable[..., Ward],
) -> None:
    ward = ward_with(settings="throttling: {login_address: {failures: 3}}\n")
    for number in range(3):
        assert WRONG in try_pin(ward, f"guess{number}", "00000", source_address="127.0.4.1")
    assert "too many wrong tries" in try_pin(ward, "alan", "97531", source_address="127.0.4.1")
    assert "Logged in" in try_pin(ward, "alan", "97531", source_address="127.0.4.2")


def test_ucms_own_threshold_is_a_setting(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(ucm_settings="lockout_failures: 5, lockout_window: 10m")
    ward.ucm.policy.lockout_failures = 5
    devices = [f"SEP0000000000{number:02}" for number in range(5)]
    for device in devices:
        ward.ucm.add_phone(device)
    for device in devices[:4]:
        assert WRONG in try_pin(ward, "ada", "00000", device)
    shown = try_pin(ward, "ada", "00000", devices[4])
    assert "11 minutes" in shown
    assert not ward.ucm.locked("ada")


def test_an_answer_that_never_came_counts_as_no_wrong_pin(ward: Ward) -> None:
    for node in ward.ucm.nodes:
        node.faults.answer("unavailable_empty", "doAuthenticateUser")
    for _ in range(4):
        shown = try_pin(ward, "alan", "97531")
        assert "too many wrong" not in shown
    for node in ward.ucm.nodes:
        node.faults.clear()
    ward.pass_time_unseen(60)
    assert "Logged in" in try_pin(ward, "alan", "97531")


def test_the_log_tells_who_was_refused_and_never_the_pin(ward: Ward) -> None:
    try_pin(ward, "ada", "00077")
    try_pin(ward, "ada", "00078")
    try_pin(ward, "ada", "00079")
    (first, _), (throttled,) = ward.site.journal.named("signin.refused"), ward.site.journal.named("signin.throttled")
    assert (first.about.principal, first.about.service) == ("ada", "extension-mobility")
    assert throttled.wait > 1700
    assert "0007" not in repr(ward.site.journal.events)
