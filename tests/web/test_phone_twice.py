"""Whatever is pressed twice, loaded again or left alone happens once: one PIN check counts, one push, one login."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casduo.simulators.phone import IpPhone
from tests.support.ward import OTHER_PHONE, PHONE, Ward, at_once


@pytest.fixture(params=["emapi", "axl"])
def em(request: pytest.FixtureRequest) -> bool:
    """Whether logins go by the Extension Mobility API."""
    return bool(request.param == "emapi")


def slow(ward: Ward, *operations: str) -> None:
    """Let UCM take its time, so that two requests meet."""
    for node in ward.ucm.nodes:
        for operation in operations:
            node.faults.delay(0.3, operation)


def filled(ward: Ward, user: str, count: int = 2) -> list[IpPhone]:
    """Return one phone as often as a key is pressed, with the form filled in."""
    phones = [ward.at_form() for _ in range(count)]
    for phone in phones:
        phone.type(userid=user, pin={"ada": "24680", "alan": "97531", "mary": "31415"}[user])
    return phones


def press_all(phones: list[IpPhone], key: str) -> None:
    at_once(*(lambda phone=phone: phone.press(key) for phone in phones))


def open_all(phones: list[IpPhone], url: str) -> None:
    at_once(*(lambda phone=phone: phone.open(url) for phone in phones))


# Submit


@pytest.mark.parametrize("count", [2, 5])
def test_submit_pressed_twice_sends_one_push(ward: Ward, count: int) -> None:
    slow(ward, "doAuthenticateUser")
    # As many PINs at once as the limits let through; each of them is right.
    phones = filled(ward, "ada", count)
    press_all(phones, "Submit")
    assert ward.pushes_sent() == 1
    ward.answer_push()
    came = [phone for phone in phones if "too many" not in str(phone.screen)]
    assert len(came) >= 2
    for phone in came:
        ward.logged_in(phone)
    assert ward.login_writes() == 1
    assert ward.login() == ("ada", "ada-ward")


def test_submit_pressed_twice_after_a_login_that_was_given_up_sends_one_push(ward: Ward) -> None:
    given_up = ward.submitted("ada")
    given_up.press("Cancel")
    sent = ward.pushes_sent()
    slow(ward, "doAuthenticateUser")
    phones = filled(ward, "ada")
    press_all(phones, "Submit")
    assert ward.pushes_sent() == sent + 1
    ward.answer_push()
    for phone in phones:
        ward.logged_in(phone)
    assert ward.login_writes() == 1


def test_submit_pressed_again_while_the_push_is_out_shows_the_same_one(ward: Ward) -> None:
    first = ward.submitted("ada")
    ward.pass_time(9)
    second = ward.submitted("ada")
    assert "51 seconds left." in str(second.screen)
    assert ward.pushes_sent() == 1
    ward.answer_push()
    for phone in (first, second):
        ward.logged_in(phone)
    assert ward.login_writes() == 1


def test_submit_pressed_twice_by_somebody_who_needs_no_duo_logs_in_once(
    ward_with: Callable[..., Ward], em: bool
) -> None:
    ward = ward_with(em=em)
    slow(ward, "login", "doDeviceLogin")
    phones = filled(ward, "alan")
    press_all(phones, "Submit")
    for phone in phones:
        ward.logged_in(phone)
    assert ward.login_writes() == 1


def test_submit_again_after_a_push_was_refused_sends_another_one(ward: Ward) -> None:
    phone = ward.submitted("ada")
    ward.answer_push(reply="deny")
    ward.await_screen(phone, lambda text: "You refused" in text)
    again = ward.submitted("ada")
    assert "Approve the request" in str(again.screen)
    assert ward.pushes_sent() == 2
    ward.answer_push()
    ward.logged_in(again)
    assert ward.login_writes() == 1


def test_somebody_else_at_the_same_phone_begins_a_login_of_their_own(ward: Ward) -> None:
    left = ward.submitted("ada")
    phone = ward.submitted("mary")
    assert "Approve the request" in str(phone.screen)
    assert (len(ward.duo.pending("ada")), len(ward.duo.pending("mary"))) == (1, 1)
    ward.answer_push("mary")
    ward.await_screen(phone, lambda text: "mary-office" in text)
    phone.pick(1)
    ward.logged_in(phone)
    ward.answer_push("ada")
    ward.pass_time(6)
    assert ward.login() == ("mary", "mary-ward")
    assert "mary is logged in on this phone" in str(left.screen)


# Approve, Select, Passcode, Retry


def test_two_looks_at_an_approval_log_in_once(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em)
    slow(ward, "login", "doDeviceLogin")
    phone, twin = ward.submitted("ada"), ward.phone()
    assert phone.page is not None
    ward.answer_push()
    open_all([phone, twin], phone.page.next_url)
    for each in (phone, twin):
        ward.logged_in(each)
    assert ward.login_writes() == 1
    assert len(ward.site.journal.named("phone.logged_in")) == 1
    assert len(ward.site.journal.named("ticket.granted")) == 1


def test_select_pressed_twice_logs_in_once(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em)
    slow(ward, "login", "doDeviceLogin")
    phone, twin = ward.submitted("mary"), ward.phone()
    ward.answer_push("mary")
    ward.await_screen(phone, lambda text: "mary-office" in text)
    assert phone.page is not None
    first, second = (item.url for item in phone.page.content.items[:2])
    at_once(lambda: phone.open(first), lambda: twin.open(second))
    for each in (phone, twin):
        ward.logged_in(each)
    assert ward.login_writes() == 1
    assert ward.login() in (("mary", "mary-ward"), ("mary", "mary-clinic"))


def test_a_code_sent_twice_is_checked_once(ward: Ward) -> None:
    phone, twin = ward.submitted("ada"), ward.phone()
    phone.press("Passcode")
    assert phone.page is not None
    url = f"{phone.page.content.url}&passcode={ward.duo.phone('ada').passcode()}"
    open_all([phone, twin], url)
    for each in (phone, twin):
        ward.logged_in(each)
    # The push, and one code.
    assert ward.pushes_sent() == 2
    assert ward.login_writes() == 1


def test_retry_pressed_twice_sends_one_push(ward: Ward) -> None:
    phone, twin = ward.submitted("ada"), ward.phone()
    ward.answer_push(reply="deny")
    ward.await_screen(phone, lambda text: "You refused" in text)
    assert phone.page is not None
    open_all([phone, twin], phone.page.key("Retry").url)
    assert ward.pushes_sent() == 2
    for each in (phone, twin):
        ward.await_screen(each, lambda text: "Approve the request" in text)


def test_an_approval_is_used_by_one_login(ward: Ward) -> None:
    """The same approval, asked for by the phone it belongs to and by a login on another phone of the same person."""
    phone, other = ward.submitted("ada"), ward.submitted("ada", OTHER_PHONE)
    ward.answer_push()
    at_once(lambda: phone.press("Update"), lambda: other.press("Retry"))
    ward.logged_in(phone)
    assert ward.login(OTHER_PHONE) is None


def test_two_people_at_one_phone_end_with_one_of_them_on_it(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em)
    ward.hire("tony", profiles=["tony-ward"])
    first, second = ward.at_form(), ward.at_form()
    first.type(userid="alan", pin="97531")
    second.type(userid="tony", pin="24680")
    slow(ward, "login", "doDeviceLogin")
    at_once(lambda: first.press("Submit"), lambda: second.press("Submit"))
    login = ward.login()
    assert login in (("alan", "alan-ward"), ("tony", "tony-ward"))
    assert ward.login_writes() == 1
    texts = sorted(str(phone.screen) for phone in (first, second))
    assert sum(text.startswith("Logged in") for text in texts) == 1, texts


def test_one_person_at_two_phones_ends_on_one_of_them(ward_with: Callable[..., Ward], em: bool) -> None:
    ward = ward_with(em=em)
    first, second = ward.at_form(), ward.at_form(OTHER_PHONE)
    for phone in (first, second):
        phone.type(userid="alan", pin="97531")
    at_once(lambda: first.press("Submit"), lambda: second.press("Submit"))
    assert len(ward.ucm.logins_of("alan")) == 1


# Loading again


def test_the_last_page_can_be_loaded_again_for_a_minute_and_no_longer(ward: Ward) -> None:
    phone = ward.submitted("ada")
    assert phone.page is not None
    address = phone.page.next_url
    ward.answer_push()
    ward.logged_in(phone)
    ward.ucm.log_out(PHONE)
    for _ in range(3):
        phone.open(address)
        assert str(phone.screen).startswith("Logged in")
    assert ward.login() is None
    assert ward.login_writes() == 1


def test_the_address_of_every_step_shows_the_end_once_there_is_one(ward: Ward) -> None:
    phone = ward.submitted("mary")
    assert phone.page is not None
    addresses = [phone.page.next_url, phone.page.key("Passcode").url, phone.page.key("Cancel").url]
    phone.press("More")
    addresses += [item.url for item in phone.page.content.items]
    ward.answer_push("mary")
    phone.press("Back")
    ward.await_screen(phone, lambda text: "mary-office" in text)
    addresses += [item.url for item in phone.page.content.items]
    phone.pick(1)
    ward.logged_in(phone)
    sent = ward.pushes_sent()
    for address in addresses:
        phone.open(address)
        assert str(phone.screen).startswith("Logged in"), address
    assert (ward.pushes_sent(), ward.login_writes()) == (sent, 1)


# Leaving


def test_a_phone_that_starts_anew_before_it_can_show_the_last_page_is_logged_in(either_ward: Ward) -> None:
    """As real ones do, to load the profile."""
    ward = either_ward
    phone = ward.submitted("ada")

    def restart(device: str) -> None:
        login = ward.login(device)
        phone.restart(login[1] if login else "")

    ward.ucm.on_change(restart)
    ward.answer_push()
    ward.pass_time(3)
    assert ward.login() == ("ada", "ada-ward")
    assert (phone.profile, phone.restarts, phone.screen) == ("ada-ward", 1, None)
    phone.press_services()
    assert "ada is logged in on this phone." in str(phone.screen)


def test_an_approval_after_the_phone_left_logs_nobody_in(ward: Ward) -> None:
    phone = ward.submitted("ada")
    phone.exit()
    ward.answer_push()
    ward.pass_time(120)
    assert ward.login_writes() == 0
    assert ward.login() is None


def test_the_phone_that_comes_back_in_time_goes_on(ward: Ward) -> None:
    phone = ward.submitted("ada")
    assert phone.page is not None
    address = phone.page.next_url
    phone.exit()
    ward.answer_push()
    ward.pass_time(30)
    phone.open(address)
    ward.logged_in(phone)


def test_who_cancels_while_the_push_is_out_is_not_logged_in_by_a_late_approval(ward: Ward) -> None:
    phone = ward.submitted("ada")
    phone.press("Cancel")
    assert "Cancelled. Nothing was changed." in str(phone.screen)
    ward.duo.phone("ada").approve()
    ward.pass_time(10)
    assert ward.login_writes() == 0
    phone.press("Login")
    ward.submit(phone, "ada")
    assert "Approve the request" in str(phone.screen)
    assert ward.pushes_sent() == 2


def test_cancel_and_approval_at_the_same_moment_end_in_one_of_the_two(ward: Ward) -> None:
    phone, twin = ward.submitted("ada"), ward.phone()
    assert phone.page is not None
    cancel, wait = phone.page.key("Cancel").url, phone.page.next_url
    ward.answer_push()
    at_once(lambda: phone.open(cancel), lambda: twin.open(wait))
    ward.pass_time(6)
    assert ward.login_writes() == (1 if ward.login() else 0)
    texts = {str(each.screen).split("\n")[0] for each in (phone, twin)}
    assert texts == ({"Logged in"} if ward.login() else {"Cancelled"})


def test_a_login_that_takes_too_long_begins_again(ward: Ward) -> None:
    phone = ward.submitted("ada")
    phone.press("Passcode")
    ward.pass_time(181)
    phone.type(passcode=ward.duo.phone("ada").passcode())
    phone.press("Submit")
    assert "That took too long. Please start again." in str(phone.screen)
    assert ward.login_writes() == 0
    phone.press("Retry")
    assert phone.screen is not None
    assert phone.screen.kind == "input"


def test_how_long_a_login_may_take_is_a_setting(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(settings="phones: {transaction_lifetime: 10m, refresh: 5s}\n")
    phone = ward.submitted("ada")
    assert phone.screen is not None
    assert phone.screen.refresh_in == 5
    phone.press("Passcode")
    ward.pass_time(590)
    phone.type(passcode=ward.duo.phone("ada").passcode())
    phone.press("Submit")
    ward.logged_in(phone)
