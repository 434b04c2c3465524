"""Requests for access: what pages and questions cost when there are many, and that a flood of them comes to an end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.security.steps import opened
from tests.security.test_approvals import form_of
from tests.support.redis_servers import CountingRelay
from tests.support.site import Browser, Build, Site, heading
from tests.web.asking import ORACLE, REGISTRY, ask, decide, signed_in

MANY = 500
ASKING = "Ask for access to OracleLinux_SystemB"


@pytest.fixture
def counted(build: Build, relay: CountingRelay) -> Callable[[], Site]:
    """A server whose round trips are counted."""
    return lambda: build(relay.url, registry=REGISTRY)


def cost(relay: CountingRelay, browser: Browser, path: str) -> tuple[int, int]:
    """Round trips and bytes of a page."""
    before = relay.round_trips
    answer = browser.get(path)
    assert answer.status_int == 200, path
    return relay.round_trips - before, len(answer.body)


def test_pages_cost_no_more_round_trips_when_there_are_many_requests(
    counted: Callable[[], Site], relay: CountingRelay
) -> None:
    """CWE-407 and CWE-400: pages that ask for each request by itself, or show all there ever were."""
    site = counted()
    mine = ask(site)
    ada, grace = signed_in(site), signed_in(site, "grace")
    paths = {"/requests": ada, f"/requests/{mine.id}": ada, f"/requests/{mine.id}/status": ada, "/login": ada}
    paths |= {"/approvals": grace, f"/approvals/{mine.id}": grace}
    for path, browser in paths.items():
        browser.get(path)
    few = {path: cost(relay, browser, path)[0] for path, browser in paths.items()}
    for number in range(MANY):
        other = ask(site, f"person{number}")
        if number % 2:
            decide(site, other, "rejected")
    many = {path: cost(relay, browser, path) for path, browser in paths.items()}
    assert {path: trips for path, (trips, _) in many.items()} == few
    assert few[f"/requests/{mine.id}/status"] <= 2
    assert max(trips for trips in few.values()) <= 5
    assert max(size for _, size in many.values()) < 300_000


def test_asking_and_taking_back_again_and_again_comes_to_an_end(build: Build) -> None:
    """CWE-770: a person who asks and withdraws in a loop, for each of which a card goes out, and everybody is told."""
    site = build(registry=REGISTRY)
    browser, headings = site.browser(), []
    browser.sign_in("ada", "")
    for _ in range(60):
        page = browser.follow(browser.get("/login?service=https%3A%2F%2Fgateway.example.edu%2Ftargets%2Foracle-b"))
        headings.append(heading(page))
        if headings[-1] != ASKING:
            break
        form = form_of(page)
        form["reason"] = "Again"
        review = browser.follow(form.submit(status="*"))
        page = browser.follow(form_of(review).submit("send", status="*"))
        headings.append(heading(page))
        if headings[-1] != "Waiting for a decision":
            break
        browser.follow(page.forms[0].submit(status="*"))
    assert len(site.journal.named("approval.requested")) <= 50
    assert headings[-1] not in (ASKING, "Waiting for a decision")


def test_one_persons_requests_do_not_hide_anothers_from_who_decides(build: Build) -> None:
    """CWE-400: a list that is full of one person's requests. What a person may have waiting is limited, over all
    spellings of their name.
    """
    two = REGISTRY + "".join(
        f"""  - id: oracle-{number}
    name: Oracle {number}
    url: https://gateway.example.edu/targets/oracle-{number}
    requires_approval: {{approvers: [grace@example.edu], max_duration: 2h}}
"""
        for number in range(8)
    )
    site = build(registry=two)
    for name in ("ada", "\u00e0da", "ADA"):
        browser = opened(site, name, {"mail": ("ada@example.edu",)})
        for number in range(8):
            page = browser.follow(browser.login_page(ORACLE.replace("oracle-b", f"oracle-{number}")))
            form = form_of(page)
            form["reason"] = "Again"
            review = browser.follow(form.submit(status="*"))
            browser.follow(form_of(review).submit("send", status="*"))
    assert len(site.composed.parts.approvals.waiting()) == 5
