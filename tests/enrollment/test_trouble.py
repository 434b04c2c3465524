"""What goes wrong: Duo is away, codes run out, there are too many of them, accounts are there already."""

from __future__ import annotations

import json

import pytest

from casduo.simulators.duo.faults import CannedAnswer
from casduo.simulators.duo.model import Phone
from tests.enrollment.conftest import PAYROLL, Desk, MakeDesk, code_of, service_of
from tests.support.redis_servers import CountingRelay
from tests.support.site import heading, words

SET_UP = "Set up your device"
SCAN = "Scan this code with Duo Mobile"
PORTAL = "Set up your device at Duo"
AWAY = "Duo cannot be reached"


# -- Duo is away -----------------------------------------------------------------------------------------------------


def test_a_start_page_without_duo_offers_to_try_again(desk: Desk) -> None:
    browser = desk.browser()
    browser.enter()
    desk.duo.stop_listening()
    page = browser.go("/enroll/")
    assert (page.status_int, heading(page), page.headers["Retry-After"]) == (503, AWAY, "10")
    assert page.html.select_one("a.button.primary")["href"] == "/cas/enroll/"
    desk.duo.listen_again()
    assert heading(browser.go("/enroll/")) == SET_UP


@pytest.mark.parametrize("path", ["/auth/v2/preauth", "/auth/v2/enroll"])
def test_a_code_that_duo_did_not_make_costs_nothing(desk: Desk, path: str) -> None:
    browser = desk.browser()
    start = browser.go(browser.enrolment_link())
    desk.duo.faults.answer(path, "server_error_json", 1)
    page = browser.press(start)
    assert heading(page) == SET_UP
    assert "Duo did not answer. Nothing is lost" in words(page)
    assert page.html.select_one("[role=alert]") is not None
    assert page.html.title.text.startswith("Error: ")
    for _ in range(5):
        desk.duo.faults.answer("/auth/v2/enroll", "server_error_json", 1)
        page = browser.press(page)
    page = browser.press(page)
    assert heading(page) == SCAN
    assert "Payroll opens by itself" in words(page)


def test_what_went_wrong_a_while_ago_is_told_no_longer(desk: Desk) -> None:
    browser = desk.browser()
    start = browser.enter()
    desk.duo.faults.answer("/auth/v2/enroll", "server_error_json", 1)
    assert 'role="alert"' in browser.press(start).text
    desk.advance(61)
    assert 'role="alert"' not in browser.go("/enroll/").text


def test_a_code_stays_good_while_duo_does_not_answer(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.code_page()
    desk.duo.activate(code_of(page))
    desk.duo.stop_listening()
    desk.advance(3)
    status = browser.status()
    assert (status["state"], status["trouble"]) == ("waiting", True)
    desk.advance(3)
    shown = browser.go("/enroll/code")
    assert code_of(shown) == code_of(page)
    assert "Duo does not answer right now" in words(shown)
    desk.duo.listen_again()
    desk.advance(12)
    assert browser.status()["state"] == "done"


def test_without_redis_the_pages_say_so_and_nothing_is_lost(make_desk: MakeDesk, relay: CountingRelay) -> None:
    browser = make_desk(redis_url=relay.url).browser()
    code = code_of(browser.code_page())
    relay.cut()
    page = browser.get("/enroll/code")
    assert (page.status_int, heading(page)) == (503, "Signing in does not work right now")
    relay.mend()
    assert code_of(browser.get("/enroll/code")) == code


def test_looking_for_news_costs_one_round_trip(make_desk: MakeDesk, relay: CountingRelay) -> None:
    browser = make_desk(redis_url=relay.url).browser()
    browser.code_page()
    browser.status()
    relay.reset()
    browser.status()
    assert relay.round_trips == 1


# -- codes that run out ----------------------------------------------------------------------------------------------


def test_a_code_that_ran_out_leads_to_duo_s_own_page(desk: Desk) -> None:
    browser = desk.browser()
    browser.press(browser.go(browser.enrolment_link()))
    desk.advance(611)
    assert browser.status()["state"] == "over"
    page = browser.go("/enroll/code")
    assert heading(page) == PORTAL
    portal = page.html.select_one("a.button.primary")
    assert portal["href"].startswith(desk.duo.base_url)
    assert (portal["target"], portal["rel"]) == ("_blank", ["noopener", "noreferrer"])
    # The link is Duo's, works once and for minutes: it is fetched each time and kept nowhere.
    assert browser.go("/enroll/").html.select_one("a.button.primary")["href"] != portal["href"]
    desk.duo.user("grace").devices.append(Phone())
    after = browser.get("/enroll/")
    assert service_of(after.headers["Location"]) == PAYROLL
    assert desk.events("enrollment.finished") == ["elsewhere"]


def test_a_code_that_duo_calls_invalid_is_over(desk: Desk) -> None:
    browser = desk.browser()
    browser.code_page()
    desk.clock.advance(601)
    desk.site.clock.advance(3)
    assert browser.status()["state"] == "over"
    assert heading(browser.go("/enroll/code")) == PORTAL


def test_the_account_may_vanish_under_a_code(desk: Desk) -> None:
    browser = desk.browser()
    browser.code_page()
    desk.duo.remove_user("grace")
    desk.advance(3)
    assert browser.status()["state"] == "over"


def test_duo_is_not_asked_about_a_code_long_after_its_end(desk: Desk) -> None:
    browser = desk.browser()
    browser.code_page()
    asked = desk.asked("/auth/v2/enroll_status")
    desk.site.clock.advance(620)
    assert browser.status()["state"] == "over"
    assert desk.asked("/auth/v2/enroll_status") == asked


def test_a_code_taken_in_the_last_second_still_counts(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.code_page()
    desk.duo.activate(code_of(page))
    desk.site.clock.advance(602)
    assert browser.status()["state"] == "done"


# -- accounts that are there already ---------------------------------------------------------------------------------


def test_an_account_without_a_device_is_set_up_at_duo(desk: Desk) -> None:
    desk.duo.add_user("grace", devices=[])
    browser = desk.browser()
    page = browser.press(browser.enter())
    assert heading(page) == PORTAL
    assert desk.events("enrollment.started") == ["elsewhere"]
    assert desk.asked("/auth/v2/enroll") == 1
    assert heading(browser.go("/enroll/")) == PORTAL


def test_where_duo_has_no_page_either_the_help_desk_is_named(desk: Desk) -> None:
    desk.duo.add_user("grace", devices=[])
    browser = desk.browser()
    browser.press(browser.enter())
    unhelpful = {"stat": "OK", "response": {"result": "enroll", "status_msg": "Enroll a device"}}
    answer = CannedAnswer(200, "application/json", json.dumps(unhelpful).encode())
    desk.duo.faults.answer("/auth/v2/preauth", answer)
    page = browser.go("/enroll/")
    assert (page.status_int, heading(page)) == (403, "Your device cannot be set up here")


def test_keys_that_may_not_make_accounts_lead_to_duo_s_own_page(make_desk: MakeDesk) -> None:
    """A Web SDK application can sign people in; 40301 is all that it gets for ``enroll``."""
    desk = make_desk(auth_api=False)
    page = desk.browser().code_page()
    assert heading(page) == PORTAL
    assert [event.code for event in desk.site.journal.named("fault")] == ["DUO_MISCONFIGURED"]


# -- too many --------------------------------------------------------------------------------------------------------


def test_five_codes_an_hour_are_enough(make_desk: MakeDesk) -> None:
    desk = make_desk(admin=True, enrollment="code_lifetime: 5m, password_age: 24h")
    browser = desk.browser()
    page = browser.enter()
    for _ in range(5):
        page = browser.press(page)
        assert heading(page) == SCAN
        desk.advance(310)
        page = browser.go("/enroll/code")
        assert "The code was not used in time." in words(page)
    page = browser.press(page)
    assert heading(page) == SET_UP
    assert "You have asked for several codes." in words(page)
    assert desk.events("enrollment.refused") == ["limited"]
