"""What the script of the built-in Duo page adds, in a browser: the first request by itself, and forms sent once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.pages.rendering import render
from tests.pages.serving import Pages
from tests.pages.states import FLOW, IPHONE, STEP, Error, duo_push, request, ways
from tests.pages.watching import Watched

Open = Callable[..., Page]

SENT = {"execution": FLOW.execution, **dict(FLOW.hidden)}


def shown(state: str, **changes: Any) -> str:
    """Return the page in a state."""
    return render("duo_push.html", duo_push(state, **changes))


@pytest.mark.parametrize("name", ["#by-passcode button", "button[name=cancel]", "#again"])
def test_what_is_sent_is_sent_once_and_no_news_come_between(watched: Watched, name: str) -> None:
    watched.open(again_in=0)
    watched.page.fill("#passcode", "123 456")
    answered: list[str] = []

    def answer(route: Route) -> None:
        answered.append(route.request.post_data or "")
        route.fulfill(status=204)

    watched.page.route("**/cas/login", answer)
    press = "name => document.querySelector(name).click()"
    watched.page.evaluate(press, name)
    watched.wait(1)
    watched.page.evaluate(press, name)
    assert watched.page.eval_on_selector_all("button", "all => all.every(button => button.disabled)")
    watched.news("gone")
    watched.wait(10)
    assert (watched.asked, len(answered)) == (0, 1)


def test_the_buttons_work_again_after_coming_back(open_page: Open) -> None:
    page = open_page(shown("waiting", request=request()))
    with page.expect_navigation():
        page.get_by_role("button", name="Cancel").click()
    page.go_back()
    expect(page.get_by_role("button", name="Cancel")).to_be_enabled()
    expect(page.get_by_role("button", name="Send again")).to_be_disabled()


def test_a_page_that_was_only_put_aside_goes_on_asking(watched: Watched) -> None:
    watched.open()
    watched.page.route("**/cas/login", lambda route: route.fulfill(status=204))
    watched.page.evaluate("document.querySelector('button[name=cancel]').click()")
    watched.wait(1)
    watched.news("gone")
    watched.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    watched.page.wait_for_url(f"**{STEP}")


def test_the_first_request_goes_out_by_itself_and_once(open_page: Open, pages: Pages) -> None:
    page = open_page(shown("ready"))
    page.wait_for_url("**/cas/login")
    assert pages.posted == [("/cas/login", SENT | {"factor": "push:DP1"})]


def test_going_back_sends_nothing(open_page: Open, pages: Pages) -> None:
    page = open_page(shown("codes"))
    page.goto(f"{pages.origin}/start")
    pages.add("/opened", shown("ready"))
    page.go_back()
    button = page.get_by_role("button", name="Send the request")
    expect(button).to_be_enabled()
    assert page.evaluate("performance.getEntriesByType('navigation')[0].type") == "back_forward"
    assert pages.posted == []
    with page.expect_navigation():
        button.click()
    assert len(pages.posted) == 1


def test_the_first_request_leaves_no_page_behind_that_would_send_another(open_page: Open, pages: Pages) -> None:
    page = open_page(shown("codes"))
    page.goto(f"{pages.origin}/start")
    page.goto(pages.add("/push", shown("ready")))
    page.wait_for_url("**/cas/login")
    page.go_back()
    assert page.url.endswith("/start")
    assert len(pages.posted) == 1


def test_nothing_goes_out_from_a_window_that_nobody_sees(watched: Watched) -> None:
    watched.page.add_init_script("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    watched.open("ready", request=None)
    watched.wait(2)
    assert watched.pages.posted == []
    watched.hide(False)
    watched.page.wait_for_url("**/cas/login")
    assert len(watched.pages.posted) == 1


def test_sending_is_said(watched: Watched) -> None:
    watched.page.route("**/cas/login", lambda route: route.fulfill(status=204))
    watched.open("ready", request=None)
    expect(watched.page.locator("#line")).to_have_text("Sending the request.")
    assert watched.heard == ["Sending the request."]


@pytest.mark.parametrize("state", ["denied", "timeout", "codes", "limited", "pending"])
def test_no_other_state_sends_anything_by_itself(watched: Watched, state: str) -> None:
    watched.open(state, request=None)
    watched.wait(5)
    assert (watched.pages.posted, watched.asked, watched.heard) == ([], 0, [])


@pytest.mark.parametrize("scripts", [True, False])
def test_a_passcode_is_sent_as_it_was_typed(open_page: Open, pages: Pages, scripts: bool) -> None:
    page = open_page(shown("codes"), java_script_enabled=scripts)
    page.get_by_label("Passcode").fill("012 345")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert pages.posted == [("/cas/login", SENT | {"passcode": "012 345"})]


@pytest.mark.parametrize(
    ("button", "sent"),
    [
        ("Send again", {"factor": "push:DP1"}),
        ("Send a request to Tablet", {"factor": "push:DP2"}),
        ("Report that it was not me", {"report": "1"}),
        ("Cancel", {"cancel": "1"}),
    ],
)
@pytest.mark.parametrize("scripts", [True, False])
def test_every_button_says_what_it_sends(
    open_page: Open, pages: Pages, button: str, sent: dict[str, str], scripts: bool
) -> None:
    page = open_page(shown("denied", error=Error("duo_push.error.denied")), java_script_enabled=scripts)
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()
    assert pages.posted == [("/cas/login", SENT | sent)]


def test_without_scripts_the_first_request_is_a_button(open_page: Open, pages: Pages) -> None:
    page = open_page(shown("ready"), java_script_enabled=False)
    assert pages.posted == []
    with page.expect_navigation():
        page.get_by_role("button", name="Send the request").click()
    assert pages.posted == [("/cas/login", SENT | {"factor": "push:DP1"})]


def test_without_scripts_the_page_loads_itself_anew(open_page: Open) -> None:
    html = shown("waiting", request=request()).replace('content="5; url', 'content="0; url')
    open_page(html, java_script_enabled=False).wait_for_url(f"**{STEP}")


def focus_order(page: Page, presses: int) -> list[str]:
    """Press Tab and return the ids, or else the texts, of what gets the focus."""
    order = []
    for _ in range(presses):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    return order


def test_tab_goes_through_the_page_in_reading_order(watched: Watched) -> None:
    watched.open(again_in=0)
    assert focus_order(watched.page, 7) == [
        "again",
        "passcode",
        "Confirm",
        "Send a request to Tablet",
        f"Call {IPHONE}",
        f"Send codes as a text message to {IPHONE}",
        "Cancel",
    ]


def test_what_went_wrong_has_the_focus_and_leads_to_the_field(watched: Watched) -> None:
    watched.open(error=Error("duo_push.error.passcode"))
    watched.page.clock.run_for(100)
    expect(watched.page.get_by_role("alert")).to_be_focused()
    assert focus_order(watched.page, 1) == ["That passcode is not right."]
    watched.page.keyboard.press("Enter")
    expect(watched.page.locator("#passcode")).to_be_focused()


def test_who_asked_for_codes_can_type_one(watched: Watched) -> None:
    sent = Error("duo_push.notice.sent", {"device": IPHONE})
    watched.open("codes", request=None, notice=sent, ways=ways("sms:DP1"))
    expect(watched.page.locator("#passcode")).to_be_focused()
    expect(watched.page.locator("#passcode")).to_have_accessible_description(
        f"Codes were sent to {IPHONE} as a text message. Enter one of them here. to continue to Payroll "
        "From the Duo Mobile app, a text message, a token or the help desk. You can also type push, phone or sms."
    )
