"""From "you have no device" to the application first asked for, without leaving the way."""

from __future__ import annotations

from tests.enrollment.conftest import PAYROLL, Desk, code_of, service_of
from tests.support.site import heading, words

SET_UP = "Set up your device"
SCAN = "Scan this code with Duo Mobile"


def test_somebody_without_a_device_gets_a_code_and_a_phone_takes_it(desk: Desk) -> None:
    browser = desk.browser()
    start = browser.enter("grace")
    assert heading(start) == SET_UP
    page = browser.press(start)
    assert heading(page) == SCAN
    assert page.request.path == "/cas/enroll/code"
    status = browser.status()
    assert 595 < status.pop("seconds") < 605
    assert status == {"state": "waiting", "confirming": False, "trouble": False}
    desk.duo.activate(code_of(page))
    desk.advance(3)
    assert browser.status()["state"] == "done"
    done = browser.go("/enroll/code")
    assert heading(done) == "Your device is set up"
    assert "iPhone" in words(done)
    assert (desk.events("enrollment.started"), desk.events("enrollment.finished")) == (["new_account"], ["new_account"])


def test_the_application_first_asked_for_continues_by_itself(desk: Desk) -> None:
    browser = desk.browser()
    start = browser.go(browser.enrolment_link())
    assert heading(start) == SET_UP
    assert "Payroll asks you to confirm" in words(start)
    page = browser.press(start)
    desk.duo.activate(code_of(page))
    desk.advance(3)
    after = browser.get("/enroll/code")
    assert after.status_int == 302
    assert service_of(after.headers["Location"]) == PAYROLL
    # What follows is Duo, and no password: the session goes on.
    prompt = browser.settle(after)
    assert prompt.status_int == 302
    assert prompt.headers["Location"].startswith(desk.duo.base_url)
    back = browser.settle(browser.get(desk.duo.visit_prompt(prompt.headers["Location"])))
    assert back.status_int in (302, 303)
    assert back.headers["Location"].startswith(f"{PAYROLL}&ticket=ST-")


def test_without_a_script_the_page_loads_itself_anew_and_goes_on(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.press(browser.go(browser.enrolment_link()))
    assert '<noscript><meta http-equiv="refresh" content="5; url=/cas/enroll/code"></noscript>' in page.text
    again = browser.get("/enroll/code")
    assert code_of(again) == code_of(page)
    desk.duo.activate(code_of(page))
    desk.advance(5)
    assert service_of(browser.get("/enroll/code").headers["Location"]) == PAYROLL


def test_however_many_ask_duo_is_asked_once_in_a_while(desk: Desk) -> None:
    browser = desk.browser()
    browser.code_page()
    before = desk.asked("/auth/v2/enroll_status")
    for _ in range(10):
        assert browser.status()["state"] == "waiting"
    browser.go("/enroll/code")
    assert desk.asked("/auth/v2/enroll_status") - before <= 1
    desk.advance(2.5)
    browser.status()
    browser.status()
    assert desk.asked("/auth/v2/enroll_status") - before <= 2


def test_a_code_that_was_taken_counts_when_duo_lists_the_device(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.code_page()
    desk.duo.activate(code_of(page))
    # Duo's left hand does not know yet what its right hand did.
    phone = desk.duo.user("grace").devices[0]
    phone.activated = False  # type: ignore[union-attr]
    desk.advance(3)
    status = browser.status()
    assert (status["state"], status["confirming"]) == ("waiting", True)
    asked = desk.asked("/auth/v2/enroll_status")
    assert "Duo is confirming it" in words(browser.go("/enroll/code"))
    assert desk.events("enrollment.finished") == []
    phone.activated = True  # type: ignore[union-attr]
    desk.advance(3)
    assert browser.status()["state"] == "done"
    assert desk.asked("/auth/v2/enroll_status") == asked
    assert desk.events("enrollment.finished") == ["new_account"]


def test_asking_for_a_code_twice_makes_one(desk: Desk) -> None:
    browser = desk.browser()
    start = browser.enter()
    first = browser.press(start)
    second = browser.press(start)
    assert code_of(first) == code_of(second)
    assert desk.asked("/auth/v2/enroll") == 1


def test_while_a_code_is_out_the_start_page_leads_to_it(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.code_page()
    assert code_of(browser.go("/enroll/")) == code_of(page)


def test_pages_lie_where_people_type_them(desk: Desk) -> None:
    assert heading(desk.browser().enter(path="/enroll")) == SET_UP


def test_somebody_whom_duo_lets_in_needs_no_device(desk: Desk) -> None:
    page = desk.browser().enter("alan")
    assert (page.status_int, heading(page)) == (200, "You need no device")
    assert desk.asked("/auth/v2/enroll") == 0


def test_somebody_whom_duo_refuses_does_not_get_here(desk: Desk) -> None:
    page = desk.browser().enter("linus")
    assert heading(page) == "You were not let in to Your devices"
    assert desk.asked("/auth/v2/enroll") == 0


def test_somebody_whom_duo_refuses_meanwhile_reads_duo_s_own_words(desk: Desk) -> None:
    browser = desk.browser()
    browser.enter("grace")
    desk.duo.add_user("grace", "disabled")
    page = browser.go("/enroll/")
    assert (page.status_int, heading(page)) == (403, "You cannot set up a device now")
    assert "Your account is disabled" in words(page)


def test_somebody_who_got_a_device_elsewhere_meanwhile_goes_on_too(desk: Desk) -> None:
    browser = desk.browser()
    start = browser.go(browser.enrolment_link())
    assert heading(start) == SET_UP
    desk.duo.add_user("grace")
    after = browser.get("/enroll/")
    assert service_of(after.headers["Location"]) == PAYROLL
    assert desk.events("enrollment.finished") == ["elsewhere"]


def test_the_devices_page_offers_the_way_on_afterwards(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.press(browser.go(browser.enrolment_link()))
    desk.duo.activate(code_of(page))
    desk.advance(3)
    browser.get("/enroll/code")
    devices = browser.go("/enroll/")
    assert heading(devices) == "Your device is set up"
    link = devices.html.select_one("a.button.primary")
    assert link.text == "Continue to Payroll"
    assert service_of(link["href"]) == PAYROLL


def test_nothing_of_a_code_is_in_an_address_or_in_an_event(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.code_page()
    code = code_of(page)
    # A hyphen may stand anywhere in it, first of all too.
    secret = max(code.removeprefix("duo://").split("-"), key=len)
    user_id = desk.duo.user("grace").id
    desk.duo.activate(code)
    desk.advance(3)
    browser.go("/enroll/code")
    told = [repr(event) for event in desk.site.journal.events]
    assert not [event for event in told if secret in event or user_id in event]
    assert user_id not in page.text
    assert secret not in page.request.url


def test_a_used_code_is_kept_no_longer(desk: Desk) -> None:
    browser = desk.browser()
    code = code_of(browser.code_page())
    store = desk.site.composed.parts.store
    (key,) = store.command("KEYS", "casduo:*:enroll:*")
    assert code in str(store.command("HGETALL", key))
    desk.duo.activate(code)
    desk.advance(3)
    browser.status()
    assert code not in str(store.command("HGETALL", key))
