"""Telling applications that a session has ended: who is on the list, what the page says, how long it waits."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from webtest.response import TestResponse

from casduo.tickets.ledger import Ledger, State, Telling
from casduo.tickets.model import Visit
from casduo.tickets.signouts import SignOut
from tests.support.site import (
    BASE,
    LIBRARY,
    ORIGIN,
    Browser,
    Build,
    Site,
    has_ticket,
    heading,
    query,
    ticket_of,
    words,
)

REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
  - id: wiki
    name: Wiki
    url: https://wiki.example.edu/**
    logout: {type: front_channel}
  - id: notes
    name: Notes
    url: https://notes.example.edu/**
    logout: {type: none}
  - id: vault
    name: Vault
    url: https://vault.example.edu/**
"""
WIKI, NOTES, VAULT = (f"https://{name}.example.edu/" for name in ("wiki", "notes", "vault"))
WAIT = "logout: {wait: 0.3}\n"


@pytest.fixture
def site(build: Build) -> Site:
    return build(registry=REGISTRY, settings=WAIT)


def opened(site: Site, *services: str, username: str = "ada") -> Browser:
    """A browser whose person signed in and opened these applications, which validated their tickets."""
    browser = site.browser()
    browser.sign_in(username, "")
    for service in services:
        ticket = ticket_of(browser.login_page(service))
        assert "authenticationSuccess" in site.validate(ticket, service).text
    return browser


def rows(page: TestResponse) -> list[tuple[str, str]]:
    """Return the applications and their states as the page tells them."""
    found = re.findall(r'<th scope="row">(.*?)</th>\s*<td class="state ([a-z]+)">', page.text, re.S)
    return [(html.unescape(re.sub(r"<[^>]+>", "", name)).strip(), state) for name, state in found]


def news(page: TestResponse) -> str:
    found = re.search(r'http-equiv="refresh" content="3; url=([^"]+)"', page.text)
    return html.unescape(found[1]) if found else ""


def waiting(site: Site) -> dict[SignOut, list[Visit]]:
    """Return every sign-out that waits to be told, with its visits."""
    store = site.composed.parts.store
    found = {}
    for key in store.command("KEYS", "casduo:*:signout:*"):
        tag, name = re.fullmatch(r"casduo:\{(.{4})\}:signout:(.+)", key).groups()  # type: ignore[union-attr]
        found[SignOut(tag, name)] = [line.visit for line in Ledger(store).read(SignOut(tag, name))]
    return found


def tell(site: Site, state: State) -> None:
    """Do as a worker does with everything that waits."""
    store = site.composed.parts.store
    batch = store.batch()
    for sign_out, visits in waiting(site).items():
        for visit in visits:
            Ledger(store).write(batch, sign_out, visit, Telling(state, 200, attempts=1, at=site.clock()))
    batch.run()


@contextmanager
def worker(site: Site) -> Iterator[None]:
    """A worker that is alive, whatever it does."""
    site.composed.parts.store.command("SET", "casduo:worker:alive", "test", "PX", 20_000)
    yield


def test_the_page_lists_what_was_opened_and_asks_for_news(site: Site) -> None:
    browser = opened(site, LIBRARY, VAULT)
    page = browser.get("/logout")
    assert (page.status_int, heading(page)) == (200, "You are signed out")
    assert rows(page) == [("Library catalogue", "waiting"), ("Vault", "waiting")]
    again = browser.get(ORIGIN + news(page))
    assert rows(again) == rows(page)
    tell(site, "told")
    settled = browser.get(ORIGIN + news(again))
    assert rows(settled) == [("Library catalogue", "told"), ("Vault", "told")]
    assert not news(settled)
    assert "close all browser windows" not in words(settled)


def test_who_did_not_answer_is_named(site: Site) -> None:
    browser = opened(site, LIBRARY)
    page = browser.get("/logout")
    tell(site, "failed")
    settled = browser.get(ORIGIN + news(page))
    assert rows(settled) == [("Library catalogue", "failed")]
    assert "close all browser windows" in words(settled)


def test_several_sign_ins_to_one_application_are_one_line_with_the_worst_state(site: Site) -> None:
    browser = opened(site, LIBRARY, LIBRARY, f"{LIBRARY}&page=2")
    page = browser.get("/logout")
    assert rows(page) == [("Library catalogue", "waiting")]
    (visits,) = waiting(site).values()
    assert len({visit.ticket for visit in visits}) == 3


def test_with_a_worker_the_page_waits_for_the_answers(site: Site) -> None:
    browser = opened(site, LIBRARY)
    answering = threading.Timer(0.1, tell, (site, "told"))
    with worker(site):
        answering.start()
        page = browser.get("/logout")
    answering.join()
    assert rows(page) == [("Library catalogue", "told")]
    assert not news(page)


def test_a_worker_that_takes_its_time_does_not_hold_the_page_up(site: Site) -> None:
    browser = opened(site, LIBRARY)
    with worker(site):
        began = time.monotonic()
        page = browser.get("/logout")
    assert time.monotonic() - began < 5
    assert rows(page) == [("Library catalogue", "waiting")]


def test_an_application_that_validated_nothing_is_not_told(site: Site) -> None:
    browser = opened(site, VAULT)
    assert has_ticket(browser.login_page(LIBRARY))
    assert rows(browser.get("/logout")) == [("Vault", "waiting")]


def test_an_application_that_was_refused_is_not_told(site: Site) -> None:
    browser = opened(site, VAULT)
    ticket = ticket_of(browser.login_page(LIBRARY))
    assert "INVALID_SERVICE" in site.validate(ticket, VAULT).text
    site.composed.parts.later.flush()
    assert rows(browser.get("/logout")) == [("Vault", "waiting")]


def test_nobody_to_tell_is_a_page_without_a_list(site: Site) -> None:
    page = opened(site).get("/logout")
    assert heading(page) == "You are signed out"
    assert rows(page) == []
    assert not news(page)


def test_applications_that_want_it_are_told_by_the_browser(site: Site) -> None:
    browser = opened(site, WIKI, LIBRARY)
    page = browser.get("/logout")
    (frame,) = re.findall(r'<iframe src="([^"]+)"', page.text)
    assert html.unescape(frame).startswith(f"{WIKI}?callback=")
    policy = page.headers["Content-Security-Policy"]
    assert "frame-src https://wiki.example.edu;" in policy
    again = browser.get(ORIGIN + news(page))
    assert "<iframe" not in again.text
    assert "frame-src" not in again.headers["Content-Security-Policy"]


def test_the_way_back_to_an_application_waits_for_the_browser_to_tell_others(site: Site) -> None:
    told = opened(site, WIKI).get("/logout" + query(service=LIBRARY))
    assert told.status_int == 200
    assert "<iframe" in told.text
    assert f'href="{html.escape(LIBRARY)}"' in told.text
    straight = opened(site, VAULT).get("/logout" + query(service=LIBRARY))
    assert (straight.status_int, straight.headers["Location"]) == (302, LIBRARY)
    assert len(waiting(site)) == 2


@pytest.mark.parametrize("key", ["", "x", "abcd.efgh", "WzEsMV0.x"])
def test_nobody_reads_a_ledger_with_a_key_of_their_own(site: Site, key: str) -> None:
    answer = site.browser().get("/logout/told" + query(key=key))
    assert (answer.status_int, answer.headers["Location"]) == (302, "/cas/login")


def test_news_are_to_be_had_for_some_minutes_only(site: Site) -> None:
    browser = opened(site, LIBRARY)
    address = ORIGIN + news(browser.get("/logout"))
    site.clock.advance(290)
    assert rows(browser.get(address))
    site.clock.advance(20)
    assert browser.get(address).status_int == 302


def test_somebody_else_signing_in_ends_the_session_before_and_its_applications_are_told(site: Site) -> None:
    browser = opened(site, LIBRARY)
    browser.sign_in("grace", VAULT, renew="true")
    ((visit,),) = waiting(site).values()
    assert visit.service_id == "library"
    (ended,) = site.journal.named("signout")
    assert (ended.principal, ended.cause) == ("ada", "other_user")


def test_the_same_person_signing_in_again_keeps_their_applications_until_they_sign_out(site: Site) -> None:
    browser = opened(site, LIBRARY)
    first = browser.session
    ticket = ticket_of(browser.sign_in("ada", VAULT, renew="true"))
    assert browser.session != first
    assert waiting(site) == {}
    assert "authenticationSuccess" in site.validate(ticket, VAULT).text
    assert rows(browser.get("/logout")) == [("Library catalogue", "waiting"), ("Vault", "waiting")]


def test_signing_out_everywhere_ends_the_sessions_on_all_devices(site: Site) -> None:
    here, there = opened(site, LIBRARY), opened(site, VAULT)
    stranger = opened(site, VAULT, username="grace")
    page = here.get("/login")
    form = next(form for form in page.forms.values() if "everywhere" in form.fields)
    settled = form.submit(status="*")
    assert rows(settled) == [("Library catalogue", "waiting")]
    assert heading(there.login_page(VAULT)) == "Sign in"
    assert has_ticket(stranger.login_page(VAULT))
    assert sorted(visit.service_id for visits in waiting(site).values() for visit in visits) == ["library", "vault"]


def test_a_button_of_an_earlier_session_never_passes_one_sign_out_for_all(site: Site) -> None:
    """A window left open while the password was asked for again in another one: the button in it is not this
    session's. Nothing ends until it is pressed on a page of this one.
    """
    here, there = opened(site, LIBRARY), opened(site, VAULT)
    old = next(form for form in here.get("/login").forms.values() if "everywhere" in form.fields)
    here.sign_in("ada", VAULT, renew="true")
    page = here.follow(old.submit(status="*"))
    assert heading(page) == "You are signed in"
    next(form for form in page.forms.values() if "everywhere" in form.fields).submit(status="*")
    assert heading(there.login_page(VAULT)) == "Sign in"


def test_a_link_elsewhere_ends_no_other_session(site: Site) -> None:
    here, there = opened(site), opened(site)
    here.get("/logout" + query(everywhere="true"))
    here.post("/logout", {"everywhere": "true"})
    assert has_ticket(there.login_page(VAULT))


def test_signing_out_names_no_ticket_on_the_page(site: Site) -> None:
    page = opened(site, LIBRARY, WIKI).get("/logout")
    (visits,) = waiting(site).values()
    assert len(visits) == 2
    assert all(visit.ticket not in page.text for visit in visits)
    assert BASE not in page.text
