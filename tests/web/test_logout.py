"""Signing out: what ends, who is asked first, and where one is sent."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from webtest.response import TestResponse

from tests.support.site import LIBRARY, Browser, Build, Site, has_ticket, heading, query, ticket_of

OUT, ASKED = "You are signed out", "Sign out?"
FOREIGN = {"Sec-Fetch-Site": "cross-site"}


def signed_in(site: Site) -> Browser:
    browser = site.browser()
    browser.sign_in("ada", "")
    assert browser.session
    return browser


def is_signed_in(browser: Browser) -> bool:
    return has_ticket(browser.login_page(LIBRARY))


def cleared(answer: TestResponse) -> bool:
    """Whether the answer takes the session cookie away: same name and path, empty, past its end."""
    found = [value for value in answer.headers.getall("Set-Cookie") if value.startswith("TGC-casduo=")]
    if not found:
        return False
    name, *attributes = [part.strip() for part in found[0].split(";")]
    return name == "TGC-casduo=" and {"Path=/cas", "Max-Age=0", "Secure", "HttpOnly", "SameSite=Lax"} <= set(attributes)


def test_logout_ends_the_session_its_tickets_and_the_cookie(open_site: Site) -> None:
    browser = signed_in(open_site)
    ticket, stolen = ticket_of(browser.login_page(LIBRARY)), browser.session
    answer = browser.get("/logout")
    assert (answer.status_int, heading(answer)) == (200, OUT)
    assert cleared(answer)
    assert not is_signed_in(browser)
    assert "INVALID_TICKET" in open_site.validate(ticket).text
    thief = open_site.browser()
    thief.app.set_cookie("TGC-casduo", stolen)
    assert not is_signed_in(thief)


def test_logout_is_told_in_the_journal_once(open_site: Site) -> None:
    browser = signed_in(open_site)
    before = len(open_site.journal.named("signout"))
    browser.get("/logout")
    browser.get("/logout")
    events = open_site.journal.named("signout")[before:]
    assert [(event.principal, event.cause) for event in events] == [("ada", "logout")]


def test_one_session_ends_and_the_persons_others_stay(open_site: Site) -> None:
    here, there = signed_in(open_site), signed_in(open_site)
    here.get("/logout")
    assert is_signed_in(there)


@pytest.mark.parametrize("cookie", ["", "x", "TGT-abcd-" + "A" * 43, "ST-abcd-" + "A" * 24])
def test_logout_without_a_live_session_is_the_same_friendly_page(open_site: Site, cookie: str) -> None:
    browser = open_site.browser()
    if cookie:
        browser.app.set_cookie("TGC-casduo", cookie)
    for _ in range(2):
        answer = browser.get("/logout")
        assert (answer.status_int, heading(answer)) == (200, OUT)
        assert cleared(answer)


def test_pages_of_the_sign_out_are_not_kept(open_site: Site) -> None:
    answer = signed_in(open_site).get("/logout")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"


# Where to


def test_a_registered_service_is_gone_on_to_as_it_was_given_and_without_a_ticket(open_site: Site) -> None:
    browser = signed_in(open_site)
    service = LIBRARY + "&ü=a b#top"
    answer = browser.get("/logout" + query(service=service))
    assert answer.status_int == 302
    assert answer.headers["Location"] == LIBRARY + "&%C3%BC=a%20b#top"
    assert cleared(answer)
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "service",
    [
        "https://evil.example.com/",
        "https://library.example.edu.evil.com/",
        "https://library.example.edu@evil.example.com/",
        "https://evil.example.com/https://library.example.edu/",
        "//evil.example.com/",
        "https:evil.example.com",
        "/\\evil.example.com",
        "javascript:alert(1)",
        "https://closed.example.edu/",
        "https://library.example.edu:8443/",
        "http://library.example.edu/",
        "nonsense",
    ],
)
def test_nobody_is_sent_anywhere_else_and_no_link_leads_there(open_site: Site, service: str) -> None:
    browser = signed_in(open_site)
    answer = browser.get("/logout" + query(service=service))
    assert (answer.status_int, heading(answer)) == (200, OUT)
    assert cleared(answer)
    assert "evil" not in answer.text
    assert {link.get("href") for link in answer.html.find_all("a")} <= {"/cas/login"}


@pytest.mark.parametrize("name", ["url", "destination"])
def test_older_parameters_are_ignored(open_site: Site, name: str) -> None:
    answer = signed_in(open_site).get(f"/logout?{name}={quote(LIBRARY, safe='')}&gateway=true")
    assert (answer.status_int, heading(answer)) == (200, OUT)


@pytest.mark.parametrize(("target", "expected"), [(LIBRARY, 302), ("https://evil.example.com/", 200)])
def test_saml_clients_call_the_service_target_and_it_is_checked_like_one(
    open_site: Site, target: str, expected: int
) -> None:
    answer = signed_in(open_site).get("/logout" + query(TARGET=target))
    assert answer.status_int == expected
    assert answer.headers.get("Location") == (LIBRARY if expected == 302 else None)


@pytest.mark.parametrize("name", ["url", "destination"])
def test_the_url_of_cas_2_can_be_taken_for_the_service_with_the_same_check(build: Build, name: str) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    site = build(registry=registry, settings="logout: {legacy_url: as_service}\n")
    assert signed_in(site).get("/logout" + query(**{name: LIBRARY})).headers["Location"] == LIBRARY
    assert signed_in(site).get("/logout" + query(**{name: "https://evil.example.com/"})).status_int == 200


def test_going_on_can_be_switched_off(build: Build) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    site = build(registry=registry, settings="logout: {follow_service: false}\n")
    answer = signed_in(site).get("/logout" + query(service=LIBRARY))
    assert (answer.status_int, heading(answer)) == (200, OUT)


# Who is asked first


def test_a_link_on_a_strangers_page_asks_first_and_signs_nobody_out(open_site: Site) -> None:
    browser = signed_in(open_site)
    answer = browser.get("/logout", headers=FOREIGN)
    assert (answer.status_int, heading(answer)) == (200, ASKED)
    assert is_signed_in(browser)
    done = answer.forms[0].submit(status="*")
    assert (done.status_int, heading(done)) == (200, OUT)
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "headers",
    [
        {**FOREIGN, "Referer": "https://library.example.edu/"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_nobody_else_is_asked(open_site: Site, headers: dict[str, str]) -> None:
    browser = signed_in(open_site)
    assert heading(browser.get("/logout", headers=headers)) == OUT
    assert not is_signed_in(browser)


def test_a_registered_service_signs_out_without_being_asked(open_site: Site) -> None:
    browser = signed_in(open_site)
    assert browser.get("/logout" + query(service=LIBRARY), headers=FOREIGN).status_int == 302


@pytest.mark.parametrize(
    "referrer",
    ["https://evil.example.com/", "https://library.example.edu.evil.com/", "https://closed.example.edu/", "x"],
)
def test_other_referrers_are_strangers(open_site: Site, referrer: str) -> None:
    answer = signed_in(open_site).get("/logout", headers={**FOREIGN, "Referer": referrer})
    assert heading(answer) == ASKED


def test_an_unregistered_service_does_not_help_a_stranger(open_site: Site) -> None:
    answer = signed_in(open_site).get("/logout" + query(service="https://evil.example.com/"), headers=FOREIGN)
    assert heading(answer) == ASKED


def test_without_a_session_there_is_nothing_to_ask(open_site: Site) -> None:
    assert heading(open_site.browser().get("/logout", headers=FOREIGN)) == OUT


def test_the_setting_decides_who_is_asked(build: Build) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    always = build(registry=registry, settings="logout: {confirm: always}\n")
    page = signed_in(always).get("/logout" + query(service=LIBRARY))
    assert heading(page) == ASKED
    assert page.forms[0].submit(status="*").headers["Location"] == LIBRARY
    never = build(registry=registry, settings="logout: {confirm: never}\n")
    assert heading(signed_in(never).get("/logout", headers=FOREIGN)) == OUT


# By form


def test_the_button_of_the_signed_in_page_signs_out_without_being_asked(build: Build) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    site = build(registry=registry, settings="logout: {confirm: always}\n")
    browser = site.browser()
    page = browser.sign_in("ada", "")
    assert heading(page.forms[0].submit(status="*")) == OUT


def test_the_button_of_another_session_still_asks(build: Build) -> None:
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    site = build(registry=registry, settings="logout: {confirm: always}\n")
    other = site.browser().sign_in("ada", "").forms[0]["csrf"].value
    for token in (other, "x", "", "a" * 5000):
        browser = signed_in(site)
        assert heading(browser.post("/logout", {"csrf": token})) == ASKED


def test_a_post_from_another_site_signs_nobody_out(open_site: Site) -> None:
    for headers in (FOREIGN, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example.com"}):
        browser = signed_in(open_site)
        answer = browser.post("/logout", {}, headers=headers)
        assert answer.status_int == 403
        assert is_signed_in(browser)


@pytest.mark.parametrize("execution", ["x", "s.x", "r.abcd.x.1", "s." + "A" * 5000])
def test_a_made_up_key_is_a_logout_like_any_other(open_site: Site, execution: str) -> None:
    answer = signed_in(open_site).post("/logout", {"execution": execution})
    assert (answer.status_int, heading(answer)) == (200, OUT)


def test_the_question_cannot_be_answered_from_another_browser(open_site: Site) -> None:
    page = signed_in(open_site).get("/logout", headers=FOREIGN)
    fields = dict(page.forms[0].submit_fields())
    victim = signed_in(open_site)
    victim.login_page(renew="true")
    answer = victim.post("/logout", fields, headers=FOREIGN)
    assert answer.status_int == 403
    assert is_signed_in(victim)


def test_the_key_of_a_login_form_is_good_for_no_logout_with_a_password(open_site: Site) -> None:
    browser = open_site.browser()
    page = browser.login_page(LIBRARY)
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": "Analytical-Engine"}
    answer = browser.post("/logout", fields)
    assert not has_ticket(answer)
    assert not browser.session
    # It is a sign-out like any other, with the service that the form names.
    assert answer.headers["Location"] == LIBRARY
