"""The page of a request in a browser: it follows the request, says each thing once, and goes on when it is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from casduo.approvals.model import ApprovalRequest
from tests.pages import axe
from tests.pages.approval_states import (
    NOBODY_S,
    NOW,
    PAGE,
    PAGES,
    STATUS,
    approval_form,
    approval_page,
    approval_review,
    at,
    data,
    problem,
    request_for,
    request_page,
)
from tests.pages.rendering import render
from tests.pages.serving import Pages
from tests.pages.states import DATABASE, FLOW
from tests.pages.watching import LISTEN

Open = Callable[..., Page]
Follow = Callable[..., Page]

_COUNT = """
  window.asking = 0;
  const plain = window.fetch;
  window.fetch = async (...given) => {
    window.asking += 1;
    try {
      const answer = await plain(...given);
      await answer.clone().arrayBuffer();
      return answer;
    } finally {
      window.asking -= 1;
    }
  };
"""
"""Tells when an answer has arrived as a whole: the clock of the page stands still, the network does not."""

_HIDE = """
  hidden => {
    Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
  }
"""


def serve(pages: Pages, request: ApprovalRequest, now: float = NOW, **more: Any) -> None:
    """Have the server show a request as it stands now, and tell the script the same."""
    shown = request_page(request, now, **more)
    pages.add(PAGE, render("request.html", shown))
    pages.news[STATUS] = (200, {"stage": shown["asked"].stage, "again": shown["again"]})


@pytest.fixture
def follow(open_page: Open, pages: Pages) -> Iterator[Follow]:
    """Open the page of a request; its clock stands until the test moves it."""
    pages.asked.clear()

    def opened(request: ApprovalRequest | None = None, now: float = NOW) -> Page:
        page = open_page("<!doctype html><title>before</title>")
        page.context.add_init_script(LISTEN + _COUNT)
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        serve(pages, request or request_for(), now)
        page.goto(pages.origin + PAGE)
        return page

    yield opened
    pages.news.clear()
    pages.bodies.pop(PAGE, None)


def wait(page: Page, seconds: float) -> None:
    """Let time pass, and let what was asked for arrive."""
    for _ in range(int(seconds * 4)):
        page.clock.run_for(250)
        page.wait_for_function("() => !window.asking")


def heard(page: Page) -> list[str]:
    """What a screen reader was given to say."""
    found: list[str] = page.evaluate("heard")
    return found


def test_it_asks_every_few_seconds_and_says_nothing_while_nothing_changes(follow: Follow, pages: Pages) -> None:
    page = follow()
    expect(page.get_by_text("This page changes by itself")).to_be_visible()
    wait(page, 30)
    assert 6 <= len(pages.asked) <= 10
    assert heard(page) == []


def test_a_rejection_is_shown_in_place_and_said_once(follow: Follow, pages: Pages) -> None:
    page = follow()
    page.evaluate("window.same = true")
    serve(pages, request_for("rejected"))
    wait(page, 8)
    expect(page.get_by_role("heading", level=1)).to_have_text("Not approved")
    assert page.title().startswith("Not approved")
    assert page.evaluate("window.same")
    assert heard(page) == ["Your request for OracleLinux_SystemB was not approved."]
    asked = len(pages.asked)
    wait(page, 30)
    assert len(pages.asked) == asked
    page.clock.resume()
    assert axe.findings(page) == []


def test_once_it_is_open_the_page_goes_on_by_itself(follow: Follow, pages: Pages) -> None:
    page = follow()
    serve(pages, request_for("approved"), at("wed 14:10"))
    wait(page, 4.5)
    expect(page.get_by_role("heading", level=1)).to_have_text("Approved")
    assert heard(page) == ["OracleLinux_SystemB is open for you. You go on to it now."]
    page.clock.run_for(2000)
    page.wait_for_url("**/cas/login?service=*")


def test_what_is_approved_for_later_waits_for_its_time(follow: Follow, pages: Pages) -> None:
    page = follow()
    serve(pages, request_for("approved"))
    wait(page, 8)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Opens on 4 March 2026, 14:00")
    asked = len(pages.asked)
    wait(page, 50)
    assert len(pages.asked) == asked
    serve(pages, request_for("approved"), at("wed 14:00"))
    wait(page, 26)
    page.clock.run_for(2000)
    page.wait_for_url("**/cas/login?service=*")


def test_a_page_that_is_opened_when_it_is_open_can_be_read(follow: Follow, pages: Pages) -> None:
    page = follow(request_for("approved"), at("wed 14:10"))
    wait(page, 70)
    assert page.url.endswith(PAGE)
    expect(page.get_by_role("link", name="Continue to OracleLinux_SystemB")).to_be_visible()
    serve(pages, request_for("approved"), at("wed 15:30"))
    wait(page, 75)
    expect(page.get_by_role("heading", level=1)).to_have_text("Access is over")


def test_what_is_open_but_no_longer_registered_leads_nowhere(follow: Follow, pages: Pages) -> None:
    page = follow()
    serve(pages, request_for("approved"), at("wed 14:10"), registry=NOBODY_S)
    wait(page, 10)
    expect(page.get_by_role("heading", level=1)).to_have_text("Approved")
    page.clock.run_for(5000)
    assert page.url.endswith(PAGE)


def test_nobody_asks_while_nobody_looks_and_at_once_when_somebody_does(follow: Follow, pages: Pages) -> None:
    page = follow()
    page.evaluate(_HIDE, True)
    wait(page, 30)
    assert pages.asked == []
    serve(pages, request_for("rejected"))
    page.evaluate(_HIDE, False)
    expect(page.get_by_role("heading", level=1)).to_have_text("Not approved")


def test_a_lost_connection_is_said_once_and_asked_less_and_less(follow: Follow, pages: Pages) -> None:
    page = follow()
    pages.news[STATUS] = (503, {})
    wait(page, 60)
    expect(page.locator("#line")).to_have_text("Connection lost, trying again.")
    assert len(pages.asked) <= 5
    assert heard(page) == ["Connection lost, trying again."]
    serve(pages, request_for())
    wait(page, 70)
    expect(page.locator("#line")).to_contain_text("This page changes by itself")


def test_a_focus_that_would_be_lost_goes_to_the_heading(follow: Follow, pages: Pages) -> None:
    page = follow()
    page.get_by_role("button", name="Withdraw the request").focus()
    serve(pages, request_for("rejected"))
    wait(page, 8)
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_what_is_gone_is_loaded_anew(follow: Follow, pages: Pages) -> None:
    page = follow()
    pages.news[STATUS] = (200, {"stage": "gone", "again": 0})
    pages.add(PAGE, "<!doctype html><title>signed out</title><p>elsewhere")
    pages.bodies.pop(PAGE)
    page.route(
        f"**{PAGE}", lambda route: route.fulfill(status=404, body="<title>gone</title>", content_type="text/html")
    )
    wait(page, 3.5)
    page.clock.run_for(500)
    expect(page).to_have_title("gone")


def test_withdrawing_is_a_form_that_is_sent(follow: Follow, pages: Pages) -> None:
    page = follow()
    with page.expect_navigation():
        page.get_by_role("button", name="Withdraw the request").click()
    assert pages.posted == [(f"{PAGE}/cancel", {"csrf": "made-for-this-session"})]


def test_without_a_script_everything_is_there(open_page: Open) -> None:
    pending = render("request.html", request_page(request_for())).replace("10; url=", "500; url=")
    page = open_page(pending, java_script_enabled=False)
    expect(page.get_by_role("link", name="Stop that")).to_be_visible()
    expect(page.get_by_text("This page changes by itself")).to_be_hidden()
    expect(page.get_by_role("button", name="Withdraw the request")).to_be_visible()
    page = open_page(render("request.html", request_page(request_for("approved"), at("wed 14:10"))))
    expect(page.get_by_role("link", name="Continue to OracleLinux_SystemB")).to_be_visible()


# -- the forms ---------------------------------------------------------------------------------------------------------


def focus_order(page: Page, presses: int) -> list[str]:
    """Press Tab and return the ids, or else the texts, of what gets the focus; parts of a date field count once."""
    order: list[str] = []
    for _ in range(presses):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        if not order or order[-1] != name:
            order.append(name)
    return order


def test_the_form_is_filled_in_by_the_keyboard_alone(open_page: Open, pages: Pages) -> None:
    page = open_page(render("approval_form.html", approval_form(DATABASE, FLOW)))
    order = focus_order(page, 24)
    assert order[:8] == [
        "Sign out",
        *("start_date", "start_time", "end_date", "end_time", "reason"),
        *("Check the request", "Cancel"),
    ]
    page.focus("#reason")
    page.keyboard.type("The disk is full.")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    (posted,) = pages.posted
    assert posted[1].items() >= {
        *{"start_date": "2026-03-04", "start_time": "10:22", "end_time": "11:22"}.items(),
        *{"reason": "The disk is full.", "execution": str(FLOW.execution)}.items(),
    }


@pytest.mark.parametrize("scripts", [True, False])
def test_links_of_what_is_wrong_lead_to_the_fields(open_page: Open, scripts: bool) -> None:
    wrong = [problem("too_far"), problem("too_long"), problem("reason_missing")]
    html = render("approval_form.html", approval_form(DATABASE, FLOW, problems=wrong))
    page = open_page(html, java_script_enabled=scripts)
    expect(page.get_by_role("alert")).to_be_focused()
    links = page.get_by_role("alert").get_by_role("link")
    for number, field in enumerate(("start_date", "end_date", "reason")):
        links.nth(number).click()
        assert page.evaluate("document.activeElement.id") == field


def test_a_new_line_in_front_of_a_reason_is_not_lost_or_added(open_page: Open) -> None:
    values = {**approval_form(DATABASE, FLOW)["values"], "reason": "\nThe disk is full."}
    page = open_page(render("approval_form.html", approval_form(DATABASE, FLOW, values=values)))
    assert page.input_value("#reason") == "\nThe disk is full."


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("approval_form.html", approval_form(DATABASE, FLOW, values=dict(
            start_date="2026-03-04", start_time="10:22", end_date="2026-03-04", end_time="11:22", reason="Disk"))),
        ("approval_review.html", approval_review(DATABASE, FLOW)),
        ("approval.html", approval_page(request_for())),
    ],
)  # fmt: skip
def test_pressing_twice_sends_once(open_page: Open, pages: Pages, view: str, shown: dict[str, Any]) -> None:
    page = open_page(render(view, shown))
    with page.expect_navigation():
        page.evaluate(
            """() => {
              const button = document.querySelector('form[data-once] button');
              button.click();
              setTimeout(() => button.click(), 20);
            }"""
        )
    assert len(pages.posted) == 1


@pytest.mark.parametrize("verdict", ["approved", "rejected"])
@pytest.mark.parametrize("scripts", [True, False])
def test_the_button_that_was_pressed_is_sent(open_page: Open, pages: Pages, verdict: str, scripts: bool) -> None:
    page = open_page(render("approval.html", approval_page(request_for())), java_script_enabled=scripts)
    page.fill("#comment", "Only until the backup begins.")
    with page.expect_navigation():
        page.get_by_role("button", name="Approve" if verdict == "approved" else "Reject").click()
    assert pages.posted[0][1] == {
        "csrf": "made-for-this-session",
        "comment": "Only until the backup begins.",
        "decision": verdict,
    }


def test_what_came_too_late_has_the_focus(open_page: Open) -> None:
    page = open_page(render("approval.html", approval_page(request_for("rejected"), late=True)))
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Grace Hopper rejected this request")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("view", "page"),
    [
        ("approval.html", approval_page(request_for())),
        ("approval_form.html", approval_form(DATABASE, FLOW)),
        ("request.html", request_page(request_for("approved"), at("wed 14:10"))),
        ("requests.html", data(PAGES.requests((request_for(),), NOW))),
    ],
)
def test_everything_is_easy_to_hit_and_shows_the_focus(
    open_page: Open, view: str, page: dict[str, Any], scheme: str
) -> None:
    shown = open_page(render(view, page), viewport={"width": 320, "height": 800}, color_scheme=scheme)
    for target in shown.locator("button, .button, .field input, textarea").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["height"], box["width"]) >= 44 - 0.5
    for target in shown.locator("a, button, input:not([type=hidden]), textarea").all():
        target.focus()
        shown.keyboard.press("Tab")
        shown.keyboard.press("Shift+Tab")
        style = target.evaluate("e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]")
        assert style == ["solid", "3px"]


def test_long_names_fit(open_page: Open) -> None:
    name = "Wirtschafts" * 1000
    asked = replace(request_for(), name=name, principal=name, service_name=name, reason=name, emails=(name,))
    service = replace(DATABASE, name=name, host=name, description=name)
    for view, shown in (
        ("request.html", request_page(asked)),
        ("requests.html", data(PAGES.requests((asked,), NOW))),
        ("approval.html", approval_page(asked)),
        ("approvals.html", data(PAGES.approvals((asked,), (), frozenset(), NOW))),
        ("approval_form.html", approval_form(service, FLOW)),
    ):
        page = open_page(render(view, shown), viewport={"width": 320, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
