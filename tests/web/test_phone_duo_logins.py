"""Duo at phones and everything else of the same person: modes, other phones, browsers, and how much anybody is sent."""

from __future__ import annotations

from collections.abc import Callable

from casduo.simulators.phone import IpPhone
from tests.support.pushing import execution_of, press, wait_for
from tests.support.site import has_ticket, words
from tests.support.ward import OTHER_PHONE, PHONE, Ward, entry

PAYROLL = entry() + "  - {id: payroll, name: Payroll, url: 'https://payroll.example.edu/**', requires_duo: true}\n"


def shown(phone: IpPhone) -> str:
    assert phone.screen is not None, phone.prompt_error
    return str(phone.screen)


def test_in_report_mode_nobody_is_asked_and_it_is_written_down_who_would_be(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry(requires_duo="{mode: report}"))
    ward.logged_in(ward.submitted("ada"))
    assert ward.login() == ("ada", "ada-ward")
    assert ward.pushes_sent() == 0
    # The worker asks Duo about her, without hurry.
    wait_for(lambda: ward.duo.requests.count("/auth/v2/preauth") == 1)


def test_a_service_without_duo_asks_nobody(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=entry(requires_duo="false"))
    ward.logged_in(ward.submitted("ada"))
    assert len(ward.duo.requests) == 0


def test_duo_may_be_for_some_groups_only(ward_with: Callable[..., Ward]) -> None:
    rule = "{when: {attributes: {department: [Surgery]}}}"
    ward = ward_with(registry=entry(requires_duo=rule))
    ward.ucm.user("ada").department = "Surgery"
    assert "Approve the request" in shown(ward.submitted("ada"))
    ward.logged_in(ward.submitted("linus", OTHER_PHONE))
    assert ward.login(OTHER_PHONE) == ("linus", "linus-ward")


def test_each_login_is_asked_for_anew(ward: Ward) -> None:
    for _ in range(2):
        phone = ward.submitted("ada")
        assert "Approve the request" in shown(phone)
        ward.answer_push()
        ward.logged_in(phone)
        ward.ucm.log_out(PHONE)
    assert ward.pushes_sent() == 2


def test_a_request_of_another_phone_is_not_joined_and_no_second_one_is_sent(ward: Ward) -> None:
    first, second = ward.submitted("ada"), ward.submitted("ada", OTHER_PHONE)
    assert "Your device shows a request of another login (Extension Mobility)." in shown(second)
    assert ward.pushes_sent() == 1
    ward.answer_push()
    ward.logged_in(first)
    ward.pass_time(3)
    assert ward.login(OTHER_PHONE) is None
    assert ward.login() == ("ada", "ada-ward")
    second.press("Retry")
    assert "Approve the request" in shown(second)
    assert ward.pushes_sent() == 2


def test_a_request_of_a_browser_is_not_joined_either(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=PAYROLL)
    browser = ward.site.browser()
    page = browser.sign_in("ada", "https://payroll.example.edu/")
    phone = ward.submitted("ada")
    assert "a request of another login (Payroll)" in shown(phone)
    assert ward.pushes_sent() == 1
    ward.answer_push()
    ward.pass_time(6)
    assert ward.login() is None
    assert execution_of(page)


def test_a_browser_does_not_join_a_request_of_a_phone(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=PAYROLL)
    phone = ward.submitted("ada")
    page = ward.site.browser().sign_in("ada", "https://payroll.example.edu/")
    assert "Extension Mobility" in words(page)
    assert ward.pushes_sent() == 1
    ward.answer_push()
    ward.logged_in(phone)


def test_a_yes_at_a_phone_opens_nothing_in_a_browser(ward_with: Callable[..., Ward]) -> None:
    ward = ward_with(registry=PAYROLL)
    phone = ward.submitted("ada")
    browser = ward.site.browser()
    page = browser.sign_in("ada", "https://payroll.example.edu/")
    ward.answer_push()
    ward.logged_in(phone)
    assert not has_ticket(press(browser, page, factor=f"push:{ward.duo.user('ada').phones[0].id}"))
    assert ward.pushes_sent() == 2


def test_after_three_requests_in_five_minutes_only_codes_are_taken(ward: Ward) -> None:
    phone = ward.submitted("ada")
    for _ in range(2):
        ward.answer_push(reply="deny")
        ward.await_screen(phone, lambda text: "You refused" in text)
        phone.press("Retry")
    ward.answer_push(reply="deny")
    ward.await_screen(phone, lambda text: "You refused" in text)
    phone.press("Retry")
    assert "Too many requests. Wait" in shown(phone)
    assert ward.pushes_sent() == 3
    phone.press("Passcode")
    phone.type(passcode=ward.duo.phone("ada").passcode())
    phone.press("Submit")
    ward.logged_in(phone)
