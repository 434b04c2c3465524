"""Long sessions: only by choice and only where the settings offer them, told at validation, refused where an entry says
so; and entries that want a fresher session than the settings do.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from casduo.request import SESSION_COOKIE
from casduo.tickets.ids import parse_session_id
from tests.support.site import LIBRARY, PAYROLL, Browser, Build, Site, has_ticket, heading, query, ticket_of, words

DAY = 86400.0
REMEMBER = "session: {idle: 2h, lifetime: 8h, remember_me: {enabled: true, idle: 10d, lifetime: 20d}}\n"
REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
  - id: vault
    name: Vault
    url: https://vault.example.edu/**
    accept_remember_me: false
  - id: exam
    name: Exam
    url: https://exam.example.edu/**
    session: {lifetime: 30m}
  - id: desk
    name: Desk
    url: https://desk.example.edu/**
    session: {idle: 10m}
"""
VAULT, EXAM, DESK = (f"https://{name}.example.edu/" for name in ("vault", "exam", "desk"))


@pytest.fixture
def site(build: Build) -> Site:
    return build(registry=REGISTRY, settings=REMEMBER)


def remembered(site: Site) -> Browser:
    browser = site.browser()
    assert has_ticket(browser.fill(browser.login_page(), "ada", rememberMe="true"))
    return browser


def lives(site: Site, browser: Browser) -> tuple[float, float]:
    """Return the idle and the hard lifetime that Redis keeps, in seconds."""
    session = parse_session_id(browser.session)
    assert session is not None
    store = site.composed.parts.store
    hard = int(store.command("HGET", session.key, "hard")) / 1000 - float(store.command("TIME")[0])
    return store.command("PTTL", session.key) / 1000, hard


def cookie_age(answer: object) -> str:
    headers = answer.headers.getall("Set-Cookie")
    cookie = next(header for header in headers if header.startswith(SESSION_COOKIE))
    found = re.search(r"Max-Age=([0-9]+)", cookie)
    return found[1] if found else ""


def test_nobody_is_offered_a_long_session_unless_the_settings_say_so(build: Build) -> None:
    site = build(registry=REGISTRY)
    browser = site.browser()
    page = browser.login_page()
    assert "rememberMe" not in page.text
    # Whoever asks all the same gets an ordinary one.
    fields = [*page.forms["login"].submit_fields(), ("rememberMe", "true")]
    fields = [(name, {"username": "ada", "password": "Analytical-Engine"}.get(name, value)) for name, value in fields]
    answer = browser.post("/login", fields)
    assert has_ticket(answer)
    assert cookie_age(answer) == ""
    assert lives(site, browser)[1] < 8 * 3600 + 1


def test_the_choice_is_not_made_for_anybody(site: Site) -> None:
    page = site.browser().login_page()
    box = page.forms["login"]["rememberMe"]
    assert not box.checked
    browser = site.browser()
    answer = browser.sign_in("ada")
    assert cookie_age(answer) == ""
    idle, hard = lives(site, browser)
    assert idle <= 2 * 3600
    assert hard <= 8 * 3600 + 1
    assert "TokenUsed>false<" in site.validate(ticket_of(answer)).text


def test_a_chosen_long_session_outlives_the_browser_and_the_day(site: Site) -> None:
    browser = site.browser()
    answer = browser.fill(browser.login_page(), "ada", rememberMe="true")
    assert cookie_age(answer) == str(int(20 * DAY))
    idle, hard = lives(site, browser)
    assert 9.9 * DAY < idle <= 10 * DAY
    assert 19.9 * DAY < hard <= 20 * DAY + 1


@pytest.mark.parametrize("path", ["/serviceValidate", "/p3/serviceValidate", "/proxyValidate", "/p3/proxyValidate"])
def test_every_validation_tells_of_a_long_session(site: Site, path: str) -> None:
    browser = remembered(site)
    answer = site.validate(ticket_of(browser.login_page()), path=path)
    name = "longTermAuthenticationRequestTokenUsed"
    assert f"<cas:{name}>true</cas:{name}>" in answer.text
    answer = site.validate(ticket_of(browser.login_page()), path=path, format="JSON")
    assert answer.json["serviceResponse"]["authenticationSuccess"]["attributes"][name] is True


def test_a_service_that_refuses_long_sessions_asks_for_the_password(site: Site) -> None:
    browser = remembered(site)
    page = browser.login_page(VAULT)
    assert heading(page) == "Sign in"
    assert "rememberMe" not in page.text
    ticket = ticket_of(browser.fill(page, "ada"))
    assert "authenticationSuccess" in site.validate(ticket, VAULT).text


def test_a_service_that_refuses_long_sessions_takes_the_ticket_of_the_password_that_began_one(site: Site) -> None:
    browser = site.browser()
    browser.fill(browser.login_page(""), "ada", rememberMe="true")
    assert heading(browser.login_page(VAULT)) == "Sign in"
    ordinary = site.browser()
    ordinary.sign_in("ada")
    assert has_ticket(ordinary.login_page(VAULT))


def test_a_gateway_request_is_not_asked_for_a_password_either_way(site: Site) -> None:
    browser = remembered(site)
    answer = browser.get("/login" + query(service=VAULT, gateway="true"))
    # Neither a ticket nor a form: who may not be asked goes back as they came.
    assert (answer.status_int, answer.headers["Location"]) == (302, VAULT)


def test_a_service_can_want_a_younger_session(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada")
    site.clock.advance(29 * 60)
    assert has_ticket(browser.login_page(EXAM))
    site.clock.advance(2 * 60)
    page = browser.login_page(EXAM)
    assert heading(page) == "Sign in"
    assert has_ticket(browser.login_page(LIBRARY))
    assert has_ticket(browser.fill(page, "ada"))


def test_a_service_can_want_a_session_that_was_used_lately(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada")
    for _ in range(3):
        site.clock.advance(9 * 60)
        # Any use counts, and none of them writes more than the ticket it leads to.
        assert has_ticket(browser.login_page(LIBRARY))
    assert has_ticket(browser.login_page(DESK))
    site.clock.advance(11 * 60)
    assert heading(browser.login_page(DESK)) == "Sign in"


def test_signing_in_again_ends_the_long_session_or_begins_another_as_chosen(site: Site) -> None:
    browser = remembered(site)
    first = browser.session
    page = browser.login_page(LIBRARY, renew="true")
    assert not page.forms["login"]["rememberMe"].checked
    browser.fill(page, "ada")
    assert browser.session != first
    assert lives(site, browser)[1] < 8 * 3600 + 1


def test_my_account_tells_when_a_long_session_ends(site: Site) -> None:
    browser = site.browser()
    page = browser.fill(browser.login_page(""), "ada", rememberMe="true")
    assert heading(page) == "You are signed in"
    assert "Keep me signed in" not in words(page)
    assert PAYROLL not in page.text
    (row,) = browser.get("/account/").html.find("table").find("tbody").find_all("tr")
    assert "Kept signed in" in row.get_text()
    since, used, ends = (datetime.fromisoformat(time["datetime"]) for time in row.find_all("time"))
    assert since == used
    assert ends - used == timedelta(days=10)
