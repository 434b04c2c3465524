"""The pages of people who ask for access: whom they show what, how they follow a request, and how it is withdrawn."""

from __future__ import annotations

import pytest

from tests.support.site import BASE, Build, Site, has_ticket, heading, words
from tests.web.asking import ORACLE, REGISTRY, ask, decide, facts, signed_in, state


@pytest.fixture
def site(build: Build) -> Site:
    """A server with a machine that somebody has to approve, and no Duo."""
    return build(registry=REGISTRY)


def test_the_list_and_the_page_want_somebody_who_is_signed_in(site: Site) -> None:
    asked, browser = ask(site), site.browser()
    for path in ("/requests", f"/requests/{asked.id}"):
        answer = browser.get(path)
        assert answer.status_int == 302
        assert answer.headers["Location"].startswith(
            "/cas/login?service=https%3A%2F%2Fsso.example.edu%2Fcas%2Frequests"
        )


def test_signing_in_leads_back_to_the_page_and_the_ticket_leaves_the_address(site: Site) -> None:
    asked, browser = ask(site), site.browser()
    back = browser.fill(browser.follow(browser.get(f"/requests/{asked.id}")), "ada")
    assert has_ticket(back)
    clean = browser.get(back.headers["Location"])
    assert (clean.status_int, clean.headers["Location"]) == (302, f"/cas/requests/{asked.id}")
    assert heading(browser.follow(clean)) == "Waiting for a decision"


def test_a_browser_without_cookies_does_not_go_round_for_ever(site: Site) -> None:
    answer = site.browser().get("/requests?ticket=ST-abcd-1")
    assert answer.status_int == 400
    assert "cookies" in words(answer).lower()


def test_the_list_shows_one_s_own_requests_the_newest_first(site: Site) -> None:
    first = ask(site)
    decide(site, first, "rejected")
    site.clock.advance(60)
    second = ask(site)
    site.clock.advance(60)
    ask(site, "linus")
    page = signed_in(site).get("/requests")
    places = [page.text.index(f"/cas/requests/{one.id}") for one in (second, first)]
    assert places == sorted(places)
    assert page.text.count("/cas/requests/") == 2
    assert "Not approved" in words(page)


def test_an_empty_list_says_how_something_comes_onto_it(site: Site) -> None:
    assert "You have not asked for anything yet." in words(signed_in(site).get("/requests"))


@pytest.mark.parametrize("rest", ["", "/status"])
def test_somebody_else_s_request_is_not_there(site: Site, rest: str) -> None:
    asked = ask(site)
    answer = signed_in(site, "linus").get(f"/requests/{asked.id}{rest}")
    if rest:
        assert facts(answer) == {"stage": "gone", "again": 0}
        return
    assert answer.status_int == 404
    assert "Oracle" not in answer.text
    assert [event.code for event in site.journal.named("request.refused")] == ["NOT_FOUND"]


@pytest.mark.parametrize("path", ["/requests/short", "/requests/k3Jq9sLxA0vB7dQe/other", "/requests/k3Jq9sLxA0vB7dQe"])
def test_what_does_not_exist_looks_the_same(site: Site, path: str) -> None:
    assert signed_in(site).get(path).status_int == 404


def test_a_name_that_looks_alike_is_somebody_else_s(site: Site) -> None:
    asked = ask(site, principal="ADA")
    assert signed_in(site).get(f"/requests/{asked.id}").status_int == 404


def test_a_slash_at_the_end_does_no_harm(site: Site) -> None:
    assert signed_in(site).get("/requests/").headers["Location"] == "/cas/requests"


def test_the_script_is_told_how_a_request_stands_and_when_to_ask_again(site: Site) -> None:
    asked, browser = ask(site, begins=600), signed_in(site)
    path = f"/requests/{asked.id}/status"
    assert facts(browser.get(path)) == {"stage": "pending", "again": 3}
    decide(site, asked)
    assert facts(browser.get(path)) == {"stage": "early", "again": 60}
    site.clock.advance(590)
    assert facts(browser.get(path)) == {"stage": "early", "again": 10}
    site.clock.advance(10)
    assert facts(browser.get(path)) == {"stage": "open", "again": 60}
    site.clock.advance(3600)
    assert facts(browser.get(path)) == {"stage": "over", "again": 0}


def test_without_a_session_the_script_learns_that_there_is_nothing(site: Site) -> None:
    assert facts(site.browser().get(f"/requests/{ask(site).id}/status")) == {"stage": "gone", "again": 0}


def test_what_nobody_decided_in_time_shows_as_expired_at_once(site: Site) -> None:
    asked, browser = ask(site), signed_in(site)
    site.clock.advance(3600)
    assert state(site, asked) == "pending"
    page = browser.get(f"/requests/{asked.id}")
    assert heading(page) == "Expired"
    assert "Ask again" in words(page)


def test_an_open_request_leads_to_our_own_login_for_the_service(site: Site) -> None:
    asked, browser = ask(site), signed_in(site)
    decide(site, asked)
    page = browser.get(f"/requests/{asked.id}")
    assert heading(page) == "Approved"
    way = page.html.find(id="continue")["href"]
    assert way == "/cas/login?service=https%3A%2F%2Fgateway.example.edu%2Ftargets%2Foracle-b"
    assert browser.get(f"https://sso.example.edu{way}").headers["Location"].startswith(f"{ORACLE}?ticket=ST-")


@pytest.mark.parametrize(
    "url", ["https://evil.example.net/", "https://library.example.edu/", "javascript:alert(1)", "//evil.example.net"]
)
def test_an_address_that_is_not_that_service_s_is_led_to_by_nothing(site: Site, url: str) -> None:
    asked, browser = ask(site, url=url), signed_in(site)
    decide(site, asked)
    page = browser.get(f"/requests/{asked.id}")
    assert page.html.find(id="continue") is None
    assert "evil" not in page.text
    assert "login?service" not in page.text
    assert "nothing opens here" in words(page)


def test_the_page_follows_by_script_and_without(site: Site) -> None:
    asked, browser = ask(site), signed_in(site)
    page = browser.get(f"/requests/{asked.id}")
    assert "connect-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.html.find(id="request")["data-status"] == f"/cas/requests/{asked.id}/status"
    assert page.html.find("meta", {"http-equiv": "refresh"})["content"] == f"10; url=/cas/requests/{asked.id}"
    still = browser.get(f"/requests/{asked.id}?still=1")
    assert still.html.find("meta", {"http-equiv": "refresh"}) is None


def test_a_request_is_withdrawn_by_who_made_it(site: Site) -> None:
    asked, browser = ask(site), signed_in(site)
    page = browser.get(f"/requests/{asked.id}")
    answer = page.forms[0].submit(status="*")
    assert (answer.status_int, answer.headers["Location"]) == (303, f"/cas/requests/{asked.id}")
    assert heading(browser.follow(answer)) == "Withdrawn"
    assert state(site, asked) == "cancelled"
    (event,) = site.journal.named("approval.cancelled")
    assert (event.request, event.principal, event.service) == (asked.id, "ada", "oracle-b")


def test_withdrawing_what_was_decided_meanwhile_changes_nothing(site: Site) -> None:
    asked, browser = ask(site), signed_in(site)
    page = browser.get(f"/requests/{asked.id}")
    decide(site, asked)
    assert heading(browser.follow(page.forms[0].submit(status="*"))) == "Approved"
    assert site.journal.named("approval.cancelled") == []


def test_withdrawing_takes_the_form_of_the_page_and_its_own_person(site: Site) -> None:
    asked, browser = ask(site), signed_in(site)
    path = f"/requests/{asked.id}/cancel"
    assert browser.get(path).status_int == 405
    assert browser.post(path, {"csrf": "made-up"}).status_int == 303
    assert browser.post(path, {}, headers={"Origin": "https://evil.example.net"}).status_int == 403
    token = browser.get(f"/requests/{asked.id}").forms[0]["csrf"].value
    linus = signed_in(site, "linus")
    assert linus.post(path, {"csrf": token}).status_int == 303
    own = ask(site, "linus")
    other = linus.get(f"/requests/{own.id}").forms[0]["csrf"].value
    assert linus.post(path, {"csrf": other}).status_int == 404
    assert site.browser().post(path, {"csrf": token}).status_int == 303
    assert state(site, asked) == "pending"


def test_where_nothing_needs_an_approval_any_more_old_requests_are_still_listed(site: Site) -> None:
    asked, browser = ask(site), signed_in(site)
    registry = site.settings_file.parent / "registry.yaml"
    registry.write_text("services:\n  - {id: library, name: L, url: 'https://library.example.edu/**'}\n")
    assert site.composed.parts.services.poll() or site.composed.parts.services.poll()
    page = browser.get(f"/requests/{asked.id}")
    assert "nothing opens here" in words(page)
    assert site.browser().get("/requests").headers["Location"] == "/cas/login"
    assert browser.get("/approvals").headers["Location"] == "/cas/login"


def test_no_answer_is_kept_by_anybody(site: Site) -> None:
    asked, browser = ask(site), signed_in(site)
    for path in ("/requests", f"/requests/{asked.id}", f"/requests/{asked.id}/status"):
        assert browser.get(f"{BASE}{path}").headers["Cache-Control"] == "no-store"
