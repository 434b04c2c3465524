"""An application that gets ticket after ticket and validates none: the person is shown a page instead of going on."""

from __future__ import annotations

import pytest
from webtest.response import TestResponse

from tests.support.site import LIBRARY, Browser, Build, Site, has_ticket, heading, ticket_of, words

ARCHIVE = "https://archive.example.edu/"
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**", owner: books@example.edu}
  - {id: archive, name: Archive, url: "https://archive.example.edu/**"}
"""
ROW = 8
"""Tickets in a row that are still granted."""
WITHIN = 20
"""Seconds in which they have to come to be taken for a loop."""


@pytest.fixture
def site(build: Build) -> Site:
    return build(registry=REGISTRY)


@pytest.fixture
def ada(site: Site) -> Browser:
    browser = site.browser()
    browser.sign_in("ada", "")
    return browser


def visit(browser: Browser, times: int, service: str = LIBRARY, pause: float = 0.0) -> list[TestResponse]:
    """Send the browser to the service ``times`` times, with a pause in seconds after each."""
    answers = []
    for _ in range(times):
        answers.append(browser.login_page(service))
        browser.site.clock.advance(pause)
    return answers


def granted(answers: list[TestResponse]) -> list[bool]:
    return [has_ticket(answer) for answer in answers]


def assert_loop_page(answer: TestResponse) -> None:
    assert answer.status_int == 409
    assert heading(answer) == "Library catalogue keeps sending you back here"


def test_the_ninth_ticket_in_a_row_is_not_granted(site: Site, ada: Browser) -> None:
    answers = visit(ada, ROW + 1, pause=1.0)

    assert granted(answers) == [True] * ROW + [False]
    assert_loop_page(answers[-1])
    (event,) = site.journal.named("ticket.loop")
    assert (event.host, event.returned) == ("library.example.edu", False)
    assert (event.about.principal, event.about.service) == ("ada", "library")
    assert event.about.reference in words(answers[-1])


def test_the_page_says_what_to_do_and_whom_to_ask(ada: Browser) -> None:
    page = visit(ada, ROW + 1)[-1]

    assert "Allow cookies for library.example.edu" in words(page)
    assert "The address for validating tickets cannot be reached from the application" in words(page)
    assert "books@example.edu" in words(page)
    assert "came back with a ticket" not in words(page)
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("parameter", ["ticket=ST-Ab12-0123456789abcdef01234567", "SAMLart=ST-Ab12-0123"])
def test_an_application_that_comes_back_with_a_ticket_is_told_so(site: Site, ada: Browser, parameter: str) -> None:
    page = visit(ada, ROW + 1, f"https://library.example.edu/?{parameter}")[-1]

    assert_loop_page(page)
    assert "It even came back with a ticket in its own address" in words(page)
    assert [event.returned for event in site.journal.named("ticket.loop")] == [True]


def test_after_the_page_the_person_can_try_again(ada: Browser) -> None:
    page = visit(ada, ROW + 1)[-1]

    again = page.click("Try again")

    assert again.headers["Location"].startswith(LIBRARY)
    assert has_ticket(again)
    # And the row begins anew.
    answers = visit(ada, ROW)
    assert granted(answers) == [True] * (ROW - 1) + [False]


def test_a_ticket_that_is_validated_ends_the_row(site: Site, ada: Browser) -> None:
    first = visit(ada, ROW - 1)
    assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(first[2])).text

    answers = visit(ada, ROW + 1)

    assert granted(answers) == [True] * ROW + [False]


def test_an_application_that_validates_is_never_taken_for_a_loop(site: Site, ada: Browser) -> None:
    for _ in range(3 * ROW):
        (answer,) = visit(ada, 1)
        assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(answer)).text


def test_other_applications_and_other_sessions_are_not_affected(site: Site, ada: Browser) -> None:
    visit(ada, ROW)
    grace = site.browser()
    grace.sign_in("grace", "")

    assert granted(visit(ada, ROW, ARCHIVE)) == [True] * ROW
    assert granted(visit(grace, ROW)) == [True] * ROW
    assert_loop_page(visit(ada, 1)[0])
    assert granted(visit(ada, 1, LIBRARY)) == [True]


def test_addresses_of_one_application_count_together(ada: Browser) -> None:
    # A loop need not come back with the same address each time: some applications add a counter or the time.
    answers = [ada.login_page(f"{LIBRARY}&n={number}") for number in range(ROW + 1)]
    assert granted(answers) == [True] * ROW + [False]


@pytest.mark.parametrize("pause", [WITHIN / ROW + 1, WITHIN + 1])
def test_tickets_that_come_slower_are_no_loop(ada: Browser, pause: float) -> None:
    assert granted(visit(ada, 3 * ROW, pause=pause)) == [True] * (3 * ROW)


def test_an_hour_of_single_visits_is_no_loop(ada: Browser) -> None:
    assert granted(visit(ada, 30, pause=120)) == [True] * 30


def test_a_gateway_request_in_a_loop_ends_in_the_page_as_well(ada: Browser) -> None:
    visit(ada, ROW)
    assert_loop_page(ada.login_page(LIBRARY, gateway="true"))
