"""What the two scripts add, and that everything works without them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.pages.rendering import render
from tests.pages.serving import Pages
from tests.pages.states import FLOW, PAYROLL, Error, Form, login, signed_out

Open = Callable[..., Page]

FORM = render("login.html", login(service=PAYROLL, warn_offered=True))
ADA = {"username": "ada", "password": "correct horse"}


def refused(message_id: str = "login.error.credentials", **facts: Any) -> str:
    """Return the sign-in form after a try that failed."""
    return render("login.html", login(service=PAYROLL, username="ada", error=Error(message_id, facts)))


def fill_in(page: Page) -> None:
    """Type what Ada types."""
    for name, value in ADA.items():
        page.fill(f"#{name}", value)


def focus_order(page: Page, presses: int) -> list[str]:
    """Press Tab and return the ids, or else the texts, of what gets the focus."""
    order = []
    for _ in range(presses):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    return order


@pytest.mark.parametrize("scripts", [True, False])
def test_enter_sends_the_form_with_everything_in_it(open_page: Open, pages: Pages, scripts: bool) -> None:
    page = open_page(FORM, java_script_enabled=scripts)
    fill_in(page)
    with page.expect_navigation():
        page.press("#password", "Enter")
    assert pages.posted == [("/cas/login", {"execution": FLOW.execution, **dict(FLOW.hidden), **ADA})]


def test_the_choice_to_be_asked_first_is_sent(open_page: Open, pages: Pages) -> None:
    page = open_page(FORM, java_script_enabled=False)
    fill_in(page)
    page.get_by_label("Ask me before signing me in to other applications").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()
    assert pages.posted[0][1]["warn"] == "true"


def test_tab_goes_through_the_form_in_reading_order(open_page: Open) -> None:
    page = open_page(FORM)
    assert page.evaluate("document.activeElement.id") == "username"
    assert focus_order(page, 7) == [
        "password", "reveal", "warn", "Sign in", "Forgot your password?", "Help", "Privacy",
    ]  # fmt: skip


def test_after_a_wrong_password_the_focus_is_on_what_went_wrong(open_page: Open) -> None:
    page = open_page(refused())
    expect(page.get_by_role("alert")).to_be_focused()
    assert focus_order(page, 4) == ["User name or password is not right.", "username", "password", "reveal"]


@pytest.mark.parametrize("scripts", [True, False])
def test_the_link_in_the_summary_leads_to_the_field(open_page: Open, scripts: bool) -> None:
    page = open_page(refused(), java_script_enabled=scripts)
    page.get_by_role("link", name="User name or password is not right.").click()
    assert page.evaluate("document.activeElement.id") == "username"


def test_the_password_can_be_shown_and_is_hidden_when_sent(open_page: Open, pages: Pages) -> None:
    page = open_page(FORM)
    fill_in(page)
    button = page.get_by_role("button", name="Show password")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.press("Space")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    expect(page.locator("#password")).to_have_value(ADA["password"])
    page.evaluate("addEventListener('pagehide', () => sessionStorage.setItem('type', password.type))")
    with page.expect_navigation():
        page.press("#password", "Enter")
    assert page.evaluate("sessionStorage.getItem('type')") == "password"
    assert pages.posted[0][1]["password"] == ADA["password"]


def test_without_script_there_is_no_button_that_does_nothing(open_page: Open) -> None:
    page = open_page(FORM, java_script_enabled=False)
    expect(page.locator("#reveal")).to_be_hidden()
    assert page.get_by_role("button").count() == 1


def test_pressing_twice_sends_once(open_page: Open, pages: Pages) -> None:
    page = open_page(FORM)
    fill_in(page)
    answers: list[Route] = []
    page.route("**/cas/login", lambda route: answers.append(route))
    switched_off = page.evaluate(
        """() => new Promise(resolve => {
          const button = document.querySelector('button[type=submit]');
          button.click();
          setTimeout(() => { button.click(); resolve(button.disabled); }, 50);
        })"""
    )
    assert switched_off
    answers[0].fulfill(body="answered")
    expect(page.get_by_text("answered")).to_be_visible()
    assert len(answers) == 1


def test_the_button_works_again_after_coming_back(open_page: Open) -> None:
    page = open_page(FORM)
    fill_in(page)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()
    page.go_back()
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()


def test_caps_lock_is_noted_and_forgotten(open_page: Open) -> None:
    page = open_page(FORM)
    note = page.locator("#caps-lock")
    expect(note).to_have_attribute("aria-live", "polite")
    expect(note).to_be_empty()
    page.dispatch_event("#password", "keydown", {"key": "A", "modifierCapsLock": True})
    expect(note).to_have_text("Caps Lock is on.")
    page.dispatch_event("#password", "keyup", {"key": "a"})
    expect(note).to_be_empty()


def test_the_pause_counts_down_in_silence(open_page: Open, pages: Pages) -> None:
    page = open_page(FORM)
    page.clock.install(time=0)
    page.clock.pause_at(60)
    page.goto(pages.add("/throttled", refused("login.error.throttled", seconds=70)))
    page.evaluate(
        """() => {
          window.announced = [];
          for (const region of document.querySelectorAll('[role=alert], [role=status], [aria-live]'))
            new MutationObserver(() => announced.push(region.textContent))
              .observe(region, {childList: true, characterData: true, subtree: true});
        }"""
    )
    expect(page.get_by_role("alert")).to_contain_text("Try again in 70 seconds.")
    digits = page.locator("#countdown .digits")
    page.clock.run_for(5_000)
    expect(digits).to_have_text(re.compile("^1:0[45]$"))
    page.clock.run_for(50_000)
    expect(digits).to_have_text(re.compile("^0:1[45]$"))
    assert page.evaluate("announced") == []
    page.clock.run_for(16_000)
    expect(page.get_by_role("status")).to_have_text("You can try again now.")
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("#countdown")).to_be_hidden()
    assert page.evaluate("announced") == ["You can try again now."]


def test_without_script_the_pause_is_told_in_words(open_page: Open) -> None:
    page = open_page(refused("login.error.throttled", seconds=70), java_script_enabled=False)
    expect(page.get_by_role("alert")).to_contain_text("Try again in 70 seconds.")
    expect(page.locator("#countdown")).to_be_hidden()


def ticket_page(pages: Pages) -> str:
    """Return the page that carries a ticket to a service of the test server."""
    form = Form(f"{pages.origin}/in?a=1&a=2", hidden=(("ticket", "ST-1-Ab12"),))
    return render("post_response.html", {"service": PAYROLL, "form": form})


def test_a_ticket_is_posted_by_itself(open_page: Open, pages: Pages) -> None:
    page = open_page(ticket_page(pages))
    page.wait_for_url("**/in?a=1&a=2")
    assert pages.posted == [("/in", {"ticket": "ST-1-Ab12"})]


def test_without_script_a_ticket_is_posted_by_the_button(open_page: Open, pages: Pages) -> None:
    page = open_page(ticket_page(pages), java_script_enabled=False)
    assert pages.posted == []
    with page.expect_navigation():
        page.get_by_role("button", name="Continue").click()
    assert pages.posted == [("/in", {"ticket": "ST-1-Ab12"})]


def test_after_signing_out_the_way_on_is_taken_after_a_pause(open_page: Open, pages: Pages) -> None:
    go_on = {"name": "Payroll", "url": f"{pages.origin}/bye"}
    html = render("signed_out.html", signed_out(continue_to=go_on))
    page = open_page(FORM)
    page.clock.install(time=0)
    page.clock.pause_at(60)
    page.goto(pages.add("/signed-out", html))
    page.clock.run_for(1_500)
    assert page.url.endswith("/signed-out")
    page.clock.run_for(1_000)
    page.wait_for_url("**/bye")


def test_answers_of_applications_come_in_without_loading_the_page_again(open_page: Open, pages: Pages) -> None:
    waiting = signed_out(applications=[{"name": "Payroll", "state": "waiting"}], again_url="/cas/logout/told?key=a")
    told = signed_out(applications=[{"name": "Payroll", "state": "told"}])
    page = open_page(FORM)
    page.clock.install(time=0)
    page.clock.pause_at(60)
    page.goto(pages.add("/signed-out", render("signed_out.html", waiting)))
    page.evaluate("window.stays = true")
    expect(page.get_by_role("cell")).to_have_text("Being signed out")
    pages.add("/cas/logout/told", render("signed_out.html", waiting))
    page.clock.run_for(1_100)
    expect(page.get_by_role("cell")).to_have_text("Being signed out")
    pages.add("/cas/logout/told", render("signed_out.html", told))
    page.clock.run_for(2_100)
    expect(page.get_by_role("cell")).to_have_text("Signed out")
    assert page.evaluate("window.stays")
    assert page.evaluate("document.querySelector('[data-again]').dataset.again") == ""
