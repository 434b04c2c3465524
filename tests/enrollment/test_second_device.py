"""With the Admin API: a new code for an account that is there, and a second device for who confirms with the first."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.simulators.duo.model import Phone
from tests.enrollment.conftest import Desk, Enroller, MakeDesk, code_of
from tests.support.site import heading, words

SCAN = "Scan this code with Duo Mobile"
YOURS = "Your devices"


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk(admin=True)


def confirmed(desk: Desk, browser: Enroller, username: str = "ada") -> object:
    """Come to the pages as somebody who has a device, and confirm with it."""
    prompt = browser.enter(username)
    return browser.settle(browser.get(desk.duo.visit_prompt(prompt.headers["Location"])))


# -- a new code ------------------------------------------------------------------------------------------------------


def test_an_account_without_a_device_gets_a_code(desk: Desk) -> None:
    desk.duo.add_user("grace", devices=[])
    browser = desk.browser()
    page = browser.code_page()
    assert heading(page) == SCAN
    assert code_of(page).startswith("duo://")
    desk.duo.activate(code_of(page))
    desk.advance(3)
    assert browser.status()["state"] == "done"
    assert desk.events("enrollment.started") == ["existing_account"]
    assert desk.events("enrollment.finished") == ["existing_account"]


def test_a_new_code_takes_the_place_of_one_that_ran_out(desk: Desk) -> None:
    browser = desk.browser()
    first = code_of(browser.code_page())
    desk.advance(590)
    browser.enter(path="/enroll/")
    desk.advance(25)
    start = browser.go("/enroll/code")
    assert "The code was not used in time." in words(start)
    login = browser.press(start)
    again = browser.press(browser.settle(browser.fill(login, "grace")))
    second = code_of(again)
    assert second != first
    assert not desk.duo.activate(first)
    assert desk.duo.activate(second)
    desk.advance(3)
    assert browser.status()["state"] == "done"
    assert len(desk.duo.user("grace").devices) == 1


def test_codes_that_ran_out_leave_no_heap_of_phones_behind(desk: Desk) -> None:
    desk.duo.add_user("grace", devices=[Phone(activated=False, type="Unknown", platform="Unknown")])
    browser = desk.browser()
    page = browser.enter()
    for _ in range(2):
        page = browser.press(page)
        assert heading(page) == SCAN
        desk.advance(299)
        desk.advance(311)
        page = browser.go("/enroll/code")
        page = browser.press(page)
        page = browser.settle(browser.fill(page, "grace"))
    # The one that no app can be set up on, and one more.
    assert len(desk.duo.user("grace").devices) == 2


def test_the_admin_api_being_away_costs_nothing(desk: Desk) -> None:
    desk.duo.add_user("grace", devices=[])
    browser = desk.browser()
    start = browser.enter()
    desk.duo.faults.answer("/admin/v1/users", "server_error_json", 1)
    page = browser.press(start)
    assert "Duo did not answer." in words(page)
    assert heading(browser.press(page)) == SCAN


# -- a second device -------------------------------------------------------------------------------------------------


def test_who_has_a_device_confirms_with_it_before_anything_else(desk: Desk) -> None:
    prompt = desk.browser().enter("ada")
    assert prompt.headers["Location"].startswith(desk.duo.base_url)


def test_a_second_device_is_added_after_confirming_with_the_first(desk: Desk) -> None:
    browser = desk.browser()
    devices = confirmed(desk, browser)
    assert heading(devices) == YOURS
    page = browser.press(devices)
    assert heading(page) == SCAN
    desk.advance(3)
    assert browser.status()["state"] == "waiting"
    assert desk.duo.activate(code_of(page), "Tablet")
    desk.advance(3)
    assert browser.status()["state"] == "done"
    done = browser.go("/enroll/code")
    assert heading(done) == "Your device is set up"
    assert "Tablet" in words(done)
    assert desk.events("enrollment.started") == ["second_device"]
    assert desk.events("enrollment.finished") == ["second_device"]
    # And a third one after that.
    third = browser.press(done)
    assert heading(third) == SCAN
    assert browser.status()["state"] == "waiting"


def test_who_was_let_through_at_the_prompt_without_a_factor_has_confirmed_nothing(desk: Desk) -> None:
    browser = desk.browser()
    address = browser.enter("ada").headers["Location"]
    # A policy of the prompt's application alone: preauth goes by another one.
    (client,) = parse_qs(urlsplit(address).query)["client_id"]
    desk.duo.change_application(client, trusted_networks=["127.0.0.0/8"])
    page = browser.settle(browser.get(desk.duo.visit_prompt(address)))
    again = browser.press(page)
    assert again.headers.get("Location", "").startswith(desk.duo.base_url), heading(again)
    assert desk.events("enrollment.started") == []


def test_a_second_code_that_ran_out_says_so(desk: Desk) -> None:
    browser = desk.browser()
    browser.press(confirmed(desk, browser))
    desk.advance(611)
    page = browser.go("/enroll/code")
    assert heading(page) == YOURS
    assert "The code was not used in time." in words(page)
    assert desk.events("enrollment.finished") == []


def test_who_has_just_got_the_first_one_confirms_with_it_before_the_second(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.code_page()
    desk.duo.activate(code_of(page))
    desk.advance(3)
    devices = browser.go("/enroll/code")
    assert "Before you add another device, you confirm with one that you have." in words(devices)
    prompt = browser.press(devices)
    assert prompt.headers["Location"].startswith(desk.duo.base_url)
    assert desk.events("enrollment.refused") == ["unconfirmed"]
    back = browser.settle(browser.get(desk.duo.visit_prompt(prompt.headers["Location"])))
    assert heading(browser.press(back)) == SCAN


def test_without_the_admin_api_nothing_is_offered(make_desk: MakeDesk) -> None:
    desk = make_desk()
    page = confirmed(desk, desk.browser())
    assert heading(page) == YOURS
    assert "ask the help desk" in words(page)
    assert page.html.find("form", class_=False) is None


def test_a_post_alone_adds_nothing_without_a_confirmation(desk: Desk) -> None:
    """The button is only drawn; what counts is asked again when it is pressed."""
    browser = desk.browser()
    start = browser.enter("grace")
    desk.duo.add_user("grace")
    answer = browser.press(start)
    assert answer.headers["Location"].startswith(desk.duo.base_url)
    assert len(desk.duo.user("grace").devices) == 1
