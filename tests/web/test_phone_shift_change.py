"""Phones while UCM has too much to do, as at a change of shift: they ask again by themselves, nobody has to begin anew,
and nothing is done twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from casduo.phone.locks import DeviceLocks
from casduo.simulators.phone import IpPhone
from tests.support.pushing import wait_for
from tests.support.ward import PHONE, Ward
from tests.support.ward_faults import LOGGED_IN, MOMENT, VERY_BUSY, approved, goes_on, names, shows

PLENTY = 10.0
WITH_PIN = "phones: {logout_pin: true}\n"
A_LOT = "There is a lot to do."


@contextmanager
def busy(ward: Ward, *operations: str) -> Iterator[None]:
    """Have every node say that it is busy, in the words of its interface, and carry nothing out."""
    for node in ward.ucm.nodes:
        for operation in operations:
            if operation in ("login", "logout", "deviceUserQuery"):
                node.faults.refuse(26, operation=operation)
            else:
                node.faults.answer("unavailable", operation)
    try:
        yield
    finally:
        for node in ward.ucm.nodes:
            node.faults.clear()


@contextmanager
def crowd(ward: Ward) -> Iterator[None]:
    """Have as many other phones wait for an answer as may do so at a time."""
    runs, gate = ward.site.composed.application.server.phones.runs, threading.Event()
    waiting = [
        threading.Thread(target=runs.within, args=(PLENTY, lambda: gate.wait(PLENTY), print))
        for _ in range(runs._places // 2)
    ]
    for thread in waiting:
        thread.start()
    wait_for(lambda: runs._waiting == len(waiting))
    try:
        yield
    finally:
        gate.set()
        for thread in waiting:
            thread.join()


def kind(phone: IpPhone) -> str:
    assert phone.screen is not None, phone.prompt_error
    return phone.screen.kind


def test_a_phone_that_cannot_be_looked_up_asks_again_until_it_gets_the_form(either_ward: Ward) -> None:
    ward = either_ward
    login, _, query = names(ward)
    with busy(ward, query):
        phone = ward.opened()
        shows(phone, MOMENT)
        ward.pass_time(2.0)
        shows(phone, MOMENT)
    ward.pass_time(2.0)
    assert kind(phone) == "input"
    with busy(ward, query):
        phone.press_services()
        shows(phone, MOMENT)
    phone.press("Update")
    assert kind(phone) == "input"
    assert ward.ucm.requests.count(login) == 0


def test_a_pin_that_could_not_be_checked_is_typed_again_in_the_same_form(ward: Ward) -> None:
    phone = ward.at_form()
    with busy(ward, "doAuthenticateUser"):
        ward.submit(phone, "alan")
        shows(phone, VERY_BUSY)
        assert kind(phone) == "input"
    assert phone.page is not None
    assert phone.page.values == {"userid": "alan", "pin": ""}
    # Nobody has guessed, so nobody pauses.
    for _ in range(4):
        with busy(ward, "getUser"):
            ward.submit(phone, "alan")
            shows(phone, VERY_BUSY)
    ward.submit(phone, "alan")
    ward.logged_in(phone)


def test_an_approved_login_is_made_as_soon_as_ucm_has_time(either_ward: Ward) -> None:
    ward = either_ward
    login, _, _ = names(ward)
    phone = approved(ward)
    with busy(ward, login):
        for _ in range(10):
            ward.pass_time(3.0)
            shows(phone, MOMENT)
    assert ward.login() is None
    ward.pass_time(3.0)
    shows(phone, LOGGED_IN)
    assert ward.login() == ("ada", "ada-ward")
    assert ward.pushes_sent() == 1


def test_a_login_waits_while_ucm_cannot_say_who_is_on_the_phone(either_ward: Ward) -> None:
    ward = either_ward
    _, _, query = names(ward)
    phone = approved(ward)
    with busy(ward, query):
        ward.pass_time(3.0)
        shows(phone, MOMENT)
    ward.pass_time(3.0)
    shows(phone, LOGGED_IN)
    assert ward.login_writes() == 1


def test_nobody_waits_for_ever_and_the_phone_is_free_for_the_next_one(either_ward: Ward) -> None:
    ward = either_ward
    login, _, _ = names(ward)
    phone = approved(ward)
    with busy(ward, login):
        for _ in range(40):
            ward.pass_time(3.0)
            if MOMENT not in str(phone.screen):
                break
        shows(phone, A_LOT)
    assert DeviceLocks(ward.site.composed.parts.store).take(PHONE)
    assert ward.login() is None


def test_a_login_waits_while_somebody_else_is_at_work_on_the_phone(either_ward: Ward) -> None:
    ward = either_ward
    locks = DeviceLocks(ward.site.composed.parts.store)
    phone = approved(ward)
    token = locks.take(PHONE)
    ward.pass_time(3.0)
    shows(phone, MOMENT)
    assert locks.free(PHONE, token)
    ward.pass_time(3.0)
    shows(phone, LOGGED_IN)


def test_profiles_that_cannot_be_read_again_are_asked_for_until_they_can(ward: Ward) -> None:
    """Who approves late is asked about once more, for rights may have been taken away."""
    phone = ward.submitted("mary")
    # Three refreshes of a phone that waits for longer than a list of profiles is new.
    ward.pass_time_unseen(50.0)
    ward.answer_push("mary")
    with busy(ward, "getUser"):
        ward.pass_time(15.0)
        shows(phone, MOMENT)
        ward.pass_time(3.0)
        shows(phone, MOMENT)
    ward.pass_time(3.0)
    shows(phone, "Choose a profile")


def test_the_chosen_profile_is_remembered_while_ucm_has_no_time(ward: Ward) -> None:
    phone = ward.submitted("mary")
    ward.answer_push("mary")
    ward.await_screen(phone, lambda shown: shown.startswith("Choose a profile"))
    ward.pass_time_unseen(61.0)
    with busy(ward, "getUser"):
        phone.dial("2")
        shows(phone, MOMENT)
    ward.pass_time(3.0)
    assert "Profile: mary-clinic" in str(phone.screen)
    assert ward.login() == ("mary", "mary-clinic")


def test_a_logout_is_made_as_soon_as_ucm_has_time(either_ward: Ward) -> None:
    ward = either_ward
    _, logout, query = names(ward)
    ward.ucm.log_in(PHONE, "alan")
    phone = ward.opened()
    with busy(ward, query):
        phone.press("Logout")
        shows(phone, MOMENT)
    ward.pass_time(3.0)
    shows(phone, "Log out alan?")
    with busy(ward, logout):
        phone.press("Logout")
        shows(phone, MOMENT)
        ward.pass_time(3.0)
        shows(phone, MOMENT)
    assert ward.login() is not None
    ward.pass_time(3.0)
    shows(phone, "You are logged out of this phone.")
    assert ward.login() is None


def test_a_pin_for_logging_out_that_could_not_be_checked_is_asked_for_again(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings=WITH_PIN)
    ward.ucm.log_in(PHONE, "alan")
    phone = ward.opened()
    phone.press("Logout")
    with busy(ward, "doAuthenticateUser"):
        phone.type(pin="97531")
        phone.press("Submit")
        shows(phone, VERY_BUSY)
    phone.type(pin="97531")
    phone.press("Submit")
    shows(phone, "You are logged out of this phone.")


def test_a_pin_is_checked_though_nobody_can_wait_for_it(either_ward: Ward) -> None:
    ward = either_ward
    phone = ward.at_form()
    with crowd(ward):
        ward.submit(phone, "alan")
        goes_on(ward, phone, LOGGED_IN)
    assert ward.pin_checks() == ward.login_writes() == 1


def test_what_was_wrong_with_a_pin_is_told_though_nobody_could_wait_for_it(ward: Ward) -> None:
    phone = ward.at_form()
    with crowd(ward):
        ward.submit(phone, "alan", "11111")
        goes_on(ward, phone, "not right")
    assert kind(phone) == "input"
    ward.submit(phone, "alan")
    ward.logged_in(phone)


def test_an_approved_login_is_made_though_nobody_can_wait_for_it(ward: Ward) -> None:
    phone = approved(ward)
    with crowd(ward):
        goes_on(ward, phone, LOGGED_IN)
    assert ward.login_writes() == 1


def test_a_phone_that_only_asks_comes_back_when_there_is_room(ward: Ward) -> None:
    with crowd(ward):
        phone = ward.opened()
        shows(phone, MOMENT)
        assert ward.ucm.requests.count("deviceUserQuery") == 0
    ward.pass_time(2.0)
    assert kind(phone) == "input"
