"""Who gets in: by a ticket of one's own, for a while, with a password that is fresh, and by links that work once."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from casduo.request import SESSION_COOKIE
from casduo.simulators.duo.model import Phone
from tests.enrollment.conftest import CLINIC, PAYROLL, Desk, Enroller, MakeDesk, code_of, service_of
from tests.support.site import BASE, ORIGIN, heading, words

SET_UP = "Set up your device"
NOT_HERE = "You are not signed in here"


def cookies_of(browser: Enroller) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.app.cookiejar)


# -- as at any application -------------------------------------------------------------------------------------------


def test_people_are_sent_to_the_login_and_come_back_with_a_ticket(desk: Desk) -> None:
    browser = desk.browser()
    sent = browser.get("/enroll/")
    assert sent.headers["Location"].startswith("/cas/login?service=")
    assert service_of(sent.headers["Location"]).startswith(f"{BASE}/enroll/?state=")
    back = browser.get(browser.ticket_url())
    assert (back.status_int, back.headers["Location"]) == (302, "/cas/enroll/")
    assert [event.service for event in desk.site.journal.named("ticket.validated")] == ["enroll"]


def test_a_session_that_is_there_is_enough(desk: Desk) -> None:
    browser = desk.browser()
    browser.sign_in("grace")
    assert heading(browser.go("/enroll/")) == SET_UP


def test_the_ticket_is_used_up_like_everybody_s(desk: Desk) -> None:
    browser = desk.browser()
    url = browser.ticket_url()
    ticket = url.rpartition("ticket=")[2]
    service = url.rpartition("&ticket=")[0]
    assert b"authenticationSuccess" in desk.site.validate(ticket, service).body
    page = browser.get(url)
    assert (page.status_int, heading(page)) == (403, NOT_HERE)
    assert browser.own_session == ""


def test_the_cookie_is_for_these_pages_alone(desk: Desk) -> None:
    browser = desk.browser()
    back = browser.get(browser.ticket_url())
    cookies = back.headers.getall("Set-Cookie")
    (own,) = [cookie for cookie in cookies if cookie.startswith("casduo-enroll=")]
    assert re.fullmatch(
        r"casduo-enroll=[A-Za-z0-9]{4}-[A-Za-z0-9]{43}; Max-Age=1500; Path=/cas/enroll; HttpOnly; SameSite=Lax; Secure",
        own,
    )
    (note,) = [cookie for cookie in cookies if cookie.startswith("casduo-enroll-begin=")]
    assert note.startswith("casduo-enroll-begin=; Max-Age=0; Path=/cas/enroll;")


def test_signing_out_ends_it_at_once(desk: Desk) -> None:
    browser = desk.browser()
    browser.code_page()
    parts = desk.site.composed.parts
    assert parts.tickets.close_sessions_of("grace", "administrator", desk.site.clock.now) == 1
    assert browser.status() == {"state": "gone"}
    assert browser.get("/enroll/code").headers["Location"].startswith("/cas/login")


def test_it_ends_by_itself(desk: Desk) -> None:
    browser = desk.browser()
    browser.enter()
    (key,) = desk.site.composed.parts.store.command("KEYS", "casduo:*:enroll:*")
    assert 1490_000 < desk.site.composed.parts.store.command("PTTL", key) <= 1500_000


# -- whose session it is ---------------------------------------------------------------------------------------------


def test_an_id_that_a_browser_brings_along_is_never_taken_over(desk: Desk) -> None:
    browser = desk.browser()
    url = browser.ticket_url()
    planted = "aaaa-" + "b" * 43
    back = browser.get(url, headers={"Cookie": f"{cookies_of(browser)}; casduo-enroll={planted}"})
    own = next(cookie for cookie in back.headers.getall("Set-Cookie") if cookie.startswith("casduo-enroll="))
    assert planted not in own


def test_a_new_sign_in_makes_a_new_id_and_ends_the_old_session(desk: Desk) -> None:
    browser = desk.browser()
    start = browser.enter()
    first = browser.own_session
    desk.site.clock.advance(601)
    browser.settle(browser.fill(browser.press(start), "grace"))
    assert browser.own_session != first
    assert desk.sessions.find(browser.own_session, desk.site.clock.now) is not None
    assert desk.sessions.find(first, desk.site.clock.now) is None


def test_nobody_is_led_in_as_somebody_else_by_a_link(desk: Desk) -> None:
    """An attacker's ticket, put before a person who has begun no sign-in, or one of their own."""
    url = desk.browser().ticket_url()
    victim = desk.browser()
    page = victim.get(url)
    assert (page.status_int, heading(page)) == (400, "Cookies are switched off")
    victim.get("/enroll/")
    again = victim.get(url)
    assert again.headers["Location"].startswith("/cas/login")
    assert victim.own_session == ""


def test_a_ticket_and_the_session_it_came_from_belong_together(desk: Desk) -> None:
    browser = desk.browser()
    url = browser.ticket_url()
    for cookie in list(browser.app.cookiejar):
        if cookie.name == SESSION_COOKIE:
            browser.app.cookiejar.clear(cookie.domain, cookie.path, cookie.name)
    assert heading(browser.get(url)) == NOT_HERE


def test_coming_back_to_the_address_with_the_ticket_is_harmless(desk: Desk) -> None:
    browser = desk.browser()
    url = browser.ticket_url()
    browser.get(url)
    assert heading(browser.settle(browser.get(url))) == SET_UP


def test_two_windows_that_sign_in_at_once_both_get_there(desk: Desk) -> None:
    browser = desk.browser()
    one, two = browser.get("/enroll/"), browser.get("/enroll/")
    assert service_of(one.headers["Location"]) == service_of(two.headers["Location"])
    assert heading(browser.enter()) == SET_UP
    assert heading(browser.settle(browser.get(ORIGIN + two.headers["Location"]))) == SET_UP


# -- who may ---------------------------------------------------------------------------------------------------------


def test_who_is_not_eligible_reads_so(make_desk: MakeDesk) -> None:
    desk = make_desk(enrollment="access: {groups: [staff], reason: Students get a token at the library.}")
    page = desk.browser().enter("alan")
    assert (page.status_int, heading(page)) == (403, "You may not use Your devices")
    assert "Students get a token at the library." in words(page)
    assert heading(desk.browser().enter("grace")) == SET_UP


def test_a_password_given_long_ago_is_asked_for_again(make_desk: MakeDesk) -> None:
    desk = make_desk(enrollment="password_age: 5m")
    browser = desk.browser()
    browser.sign_in("grace")
    desk.site.clock.advance(301)
    page = browser.go("/enroll/")
    assert "asks for your password again" in words(page)


def test_a_code_needs_a_password_that_is_fresh_and_what_one_came_for_is_not_lost(desk: Desk) -> None:
    browser = desk.browser()
    start = browser.go(browser.enrolment_link())
    desk.site.clock.advance(601)
    login = browser.press(start)
    assert "login" in login.forms
    assert desk.asked("/auth/v2/enroll") == 0
    again = browser.settle(browser.fill(login, "grace"))
    assert "Payroll asks you to confirm" in words(again)
    assert heading(browser.press(again)) == "Scan this code with Duo Mobile"


# -- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_a_form_that_is_not_of_this_session_makes_nothing(desk: Desk, token: str) -> None:
    browser = desk.browser()
    page = browser.press(browser.enter(), csrf=token)
    assert heading(page) == SET_UP
    assert desk.asked("/auth/v2/enroll") == 0
    assert desk.events("enrollment.refused") == ["foreign"]


def test_another_person_s_token_is_of_no_use(desk: Desk) -> None:
    other = desk.browser().enter("grace")
    token = next(iter(other.forms.values()))["csrf"].value
    browser = desk.browser()
    browser.press(browser.enter("grace"), csrf=token)
    assert desk.asked("/auth/v2/enroll") == 0


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_another_site_s_form_makes_nothing(desk: Desk, headers: dict[str, str]) -> None:
    browser = desk.browser()
    form = next(iter(browser.enter().forms.values()))
    answer = browser.post("/enroll/code", {"csrf": form["csrf"].value}, headers=headers)
    assert answer.status_int == 403
    assert desk.asked("/auth/v2/enroll") == 0


def test_without_a_session_a_form_leads_to_the_sign_in(desk: Desk) -> None:
    answer = desk.browser().post("/enroll/code", {})
    assert (answer.status_int, answer.headers["Location"]) == (303, "/cas/enroll/")


# -- links -----------------------------------------------------------------------------------------------------------


def test_a_link_is_good_for_one_session(desk: Desk) -> None:
    browser = desk.browser()
    link = browser.enrolment_link()
    assert heading(browser.go(link)) == SET_UP
    # Back and reload are harmless.
    assert heading(browser.go(link)) == SET_UP
    other = desk.browser()
    page = other.go(link)
    assert (page.status_int, heading(page)) == (410, "This link was used before")
    again = page.html.select_one("a.button.primary")
    assert again.text == "Open Payroll again"
    assert service_of(again["href"]) == PAYROLL
    assert desk.events("enrollment.refused") == ["link_used"]


def test_whoever_signs_in_second_by_the_same_link_reads_so(desk: Desk) -> None:
    one, two = desk.browser(), desk.browser()
    link = one.enrolment_link()
    login = two.go(link)
    assert "login" in login.forms
    one.go(link)
    page = two.settle(two.fill(login, "grace"))
    assert (page.status_int, heading(page)) == (410, "This link was used before")
    assert heading(two.go("/enroll/")) == SET_UP


def test_a_link_runs_out_and_says_how_to_get_another(make_desk: MakeDesk) -> None:
    desk = make_desk(enrollment="link_lifetime: 10m")
    browser = desk.browser()
    link = browser.enrolment_link()
    desk.site.clock.advance(602)
    page = browser.go(link)
    assert (page.status_int, heading(page)) == (410, "This link has run out")
    assert service_of(page.html.select_one("a.button.primary")["href"]) == PAYROLL


def test_what_is_no_link_of_ours_leads_nowhere(desk: Desk) -> None:
    page = desk.browser().get("/enroll/?back=https://evil.example/")
    assert (page.status_int, heading(page)) == (400, "This link does not work")
    assert "evil" not in page.text


def test_the_page_of_the_application_says_how_long_its_link_works(desk: Desk) -> None:
    assert "30 minutes" in words(desk.browser().refused())


def test_who_is_here_already_can_come_by_a_link_later(desk: Desk) -> None:
    browser = desk.browser()
    assert "Some applications" in words(browser.enter("grace"))
    link = browser.enrolment_link()
    assert "Payroll asks you" in words(browser.go(link))


def test_a_link_keeps_the_longest_address_of_an_application(desk: Desk) -> None:
    long = PAYROLL + "&" + "a" * 6000
    browser = desk.browser()
    page = browser.press(browser.go(browser.enrolment_link(long)))
    desk.duo.activate(code_of(page))
    desk.advance(3)
    assert service_of(browser.get("/enroll/code").headers["Location"]) == long


def test_the_application_s_own_duo_application_is_asked(desk: Desk) -> None:
    """Another application in Duo may have another policy: there grace would be let in."""
    browser = desk.browser()
    browser.go(browser.enrolment_link(CLINIC))
    page = browser.press(browser.go("/enroll/"))
    assert heading(page) == "Scan this code with Duo Mobile"


# -- the way back from pages elsewhere -------------------------------------------------------------------------------


def test_pages_elsewhere_lead_back_to_what_was_asked_for(desk: Desk) -> None:
    browser = desk.browser()
    service = "https://wiki.example.edu/start?a=1&b=2"
    page = browser.refused(service)
    link = page.html.select_one("a.button.primary")["href"]
    assert link.startswith("https://kb.example.edu/duo?article=7&return=")
    desk.duo.add_user("grace", devices=[Phone()])
    back = service_of(link.replace("&return=", "?service=").replace("?article=7", ""))
    answer = browser.get(back)
    assert answer.headers["Location"].startswith("/cas/login?service=")
    assert service_of(answer.headers["Location"]) == service


@pytest.mark.parametrize("key", ["", "nonsense", "https://evil.example/", "//evil.example"])
def test_what_is_no_key_of_ours_leads_home(desk: Desk, key: str) -> None:
    answer = desk.browser().get(f"/enroll/back?key={quote(key, safe='')}")
    assert (answer.status_int, answer.headers["Location"]) == (302, "/cas/login")


def test_a_key_that_ran_out_leads_on_by_a_press(desk: Desk) -> None:
    browser = desk.browser()
    page = browser.refused("https://wiki.example.edu/")
    link = page.html.select_one("a.button.primary")["href"]
    desk.site.clock.advance(1802)
    late = browser.get(service_of(link.replace("&return=", "?service=").replace("?article=7", "")))
    assert (late.status_int, heading(late)) == (410, "This link has run out")
    assert service_of(late.html.select_one("a.button.primary")["href"]) == "https://wiki.example.edu/"


def test_without_pages_of_our_own_the_way_back_is_there_all_the_same(make_desk: MakeDesk) -> None:
    desk = make_desk(enrollment="enabled: false")
    browser = desk.browser()
    assert browser.get("/enroll/").status_int == 404
    assert browser.get("/enroll/back?key=x").headers["Location"] == "/cas/login"
