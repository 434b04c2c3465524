"""The page in a real browser: alive by itself, usable without scripts and without a mouse, no wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, ConsoleMessage, Page, Route, expect

from casduo.simulators.clock import VirtualClock
from tests.pages import axe
from tests.simulators.phone_page.conftest import RECEPTION
from tests.simulators.phone_page.desk_service import DeskService, Login

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NARROW = {"width": 320, "height": 640}
PHONE = f"/phones/{RECEPTION.device}"
LISTEN = """() => {
  window.heard = [];
  const near = (node) => (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
  new MutationObserver((changes) => {
    for (const change of changes) {
      const place = near(change.target);
      const live = place && place.closest("[aria-live]");
      if (live && live.getAttribute("aria-live") !== "off" && !place.closest("[aria-hidden]")) {
        window.heard.push(...Array.from(change.addedNodes, (node) => node.textContent.trim()));
      }
    }
  }).observe(document.getElementById("display"), { childList: true, characterData: true, subtree: true });
}"""
"""Notes what a screen reader would read out of the display by itself."""


@pytest.fixture
def context(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    """A browser, closed before the phones are: pages look at them all the time."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    opened = chromium.new_context(ignore_https_errors=True)
    opened.on("console", listen)
    yield opened
    opened.close()
    assert complaints == []


@pytest.fixture
def page(context: BrowserContext, site: str) -> Page:
    """The phone at the reception."""
    opened = context.new_page()
    opened.goto(site + PHONE)
    return opened


@pytest.fixture
def page_without_scripts(chromium: Browser, site: str) -> Iterator[Page]:
    opened = chromium.new_context(ignore_https_errors=True, java_script_enabled=False)
    page = opened.new_page()
    page.goto(site + PHONE)
    yield page
    opened.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_login_from_the_services_key_to_the_new_line(page: Page, service: DeskService, clock: VirtualClock) -> None:
    expect(page.get_by_text("Nobody is logged in")).to_be_visible()
    press(page, "Services")
    expect(page.get_by_label("User ID")).to_be_focused()
    page.get_by_label("User ID").fill("ada")
    page.get_by_label("PIN").fill("1815")
    press(page, "Submit")
    expect(page.get_by_text("Approve the request")).to_be_visible()
    service.approved = True
    clock.advance(3)
    expect(page.get_by_role("heading", name="Choose a profile")).to_be_visible()
    press(page, "2 ada-library")
    expect(page.get_by_text("The phone restarts now.")).to_be_visible()
    clock.advance(4)
    expect(page.get_by_text("Restarting")).to_be_visible()
    clock.advance(2)
    expect(page.get_by_role("region", name="Display")).to_contain_text("4712")
    expect(page.get_by_label("This phone")).to_contain_text("ada-library")
    assert service.forms == [{"userid": "ada", "pin": "1815"}]


def test_a_login_with_the_keyboard_alone(page: Page, service: DeskService, clock: VirtualClock) -> None:
    page.get_by_role("button", name="Services").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("User ID")).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Enter")
    expect(page.get_by_label("PIN")).to_be_focused()
    page.keyboard.type("1815")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Approve the request")).to_be_visible()
    service.approved = True
    clock.advance(3)
    expect(page.get_by_role("button", name="1 ada-office")).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="2 ada-library")).to_have_attribute("aria-current", "true")
    page.keyboard.press("1")
    expect(page.get_by_text("The phone restarts now.")).to_be_visible()
    assert service.logins[RECEPTION.device] == Login("ada", "ada-office")


def test_escape_goes_back(page: Page) -> None:
    press(page, "Services")
    expect(page.get_by_label("User ID")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nobody is logged in")).to_be_visible()


def test_the_keypad_writes_letters_and_digits_as_phones_do(page: Page) -> None:
    press(page, "Services")
    expect(page.get_by_label("User ID")).to_be_focused()
    key = page.get_by_role("group", name="Keypad").get_by_role("button", name="2", exact=True)
    key.dblclick()
    expect(page.get_by_label("User ID")).to_have_value("a")
    press(page, "Down")
    expect(page.get_by_label("PIN")).to_be_focused()
    key.dblclick()
    expect(page.get_by_label("PIN")).to_have_value("22")


def test_what_is_typed_stays_while_the_page_looks(page: Page) -> None:
    press(page, "Services")
    page.get_by_label("User ID").fill("ad")
    with page.expect_response("**/state"):
        pass
    expect(page.get_by_label("User ID")).to_have_value("ad")
    expect(page.get_by_label("User ID")).to_be_focused()


def test_news_that_come_late_do_not_take_the_place_of_what_a_key_brought(
    page: Page, service: DeskService, clock: VirtualClock
) -> None:
    press(page, "Services")
    page.get_by_label("User ID").fill("ada")
    page.get_by_label("PIN").fill("1815")
    press(page, "Submit")
    expect(page.get_by_text("Approve the request")).to_be_visible()
    late: list[tuple[Route, APIResponse]] = []
    page.route("**" + PHONE, lambda route: late.append((route, route.fetch())), times=1)
    service.lines = "The request did not arrive."
    clock.advance(3)
    while not late:
        page.wait_for_timeout(50)
    press(page, "Services")
    expect(page.get_by_label("User ID")).to_be_focused()
    page.evaluate(LISTEN)
    [(route, answer)] = late
    assert "The request did not arrive." in answer.text()
    route.fulfill(response=answer)
    with page.expect_response("**/state"):
        pass
    assert page.evaluate("window.heard") == []
    expect(page.get_by_label("User ID")).to_be_focused()


def test_a_wrong_pin_is_said_and_the_cursor_is_in_the_form_again(page: Page) -> None:
    press(page, "Services")
    page.get_by_label("User ID").fill("ada")
    page.get_by_label("PIN").fill("0000")
    press(page, "Submit")
    expect(page.get_by_text("Login failed.")).to_be_visible()
    expect(page.get_by_label("User ID")).to_be_focused()
    expect(page.get_by_label("PIN")).to_have_value("")


def test_a_new_page_and_news_on_it_are_read_out_and_a_countdown_is_not(
    page: Page, service: DeskService, clock: VirtualClock
) -> None:
    def refreshed(lines: str) -> str:
        page.evaluate("window.heard.length = 0")
        service.lines = lines
        clock.advance(3)
        expect(page.get_by_role("region", name="Text")).to_contain_text(lines.splitlines()[-1])
        return " ".join(page.evaluate("window.heard"))

    press(page, "Services")
    page.get_by_label("User ID").fill("ada")
    page.get_by_label("PIN").fill("1815")
    page.evaluate(LISTEN)
    service.lines = "60 seconds left."
    press(page, "Submit")
    expect(page.get_by_text("60 seconds left.")).to_be_visible()
    assert "Approve the request" in " ".join(page.evaluate("window.heard"))
    page.get_by_role("region", name="Text").focus()
    assert refreshed("57 seconds left.") == ""
    assert refreshed("9 seconds left.") == ""
    expect(page.get_by_role("region", name="Text")).to_be_focused()
    assert "The request did not arrive." in refreshed("6 seconds left.\nThe request did not arrive.")
    assert refreshed("3 seconds left.\nThe request did not arrive.") == ""


def test_it_all_works_without_scripts(page_without_scripts: Page, service: DeskService, clock: VirtualClock) -> None:
    page = page_without_scripts
    press(page, "Services")
    page.get_by_label("User ID").fill("ada")
    press(page, "Down")
    for digit in "1815":
        press(page, digit)
    expect(page.get_by_label("PIN")).to_have_value("1815")
    press(page, "Select")
    expect(page.get_by_text("Approve the request")).to_be_visible()
    service.approved = True
    clock.advance(3)
    expect(page.get_by_role("heading", name="Choose a profile")).to_be_visible()
    press(page, "1 ada-office")
    expect(page.get_by_text("The phone restarts now.")).to_be_visible()
    assert service.logins[RECEPTION.device] == Login("ada", "ada-office")


def test_a_phone_is_chosen_from_the_list_and_from_beside_another(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_role("link", name="Laboratory").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Laboratory")
    page.get_by_role("link", name="Reading room").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reading room")
    expect(page.get_by_role("link", name="Reading room")).to_have_attribute("aria-current", "page")


def test_the_list_shows_a_login_by_itself(page: Page, site: str, service: DeskService) -> None:
    page.goto(site)
    service.logins[RECEPTION.device] = Login("ada", "ada-office")
    expect(page.get_by_role("listitem").filter(has_text="Reception")).to_contain_text("ada-office")


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_display_fits_the_smallest_window_and_everybody_can_use_it(
    page: Page,
    site: str,
    service: DeskService,
    clock: VirtualClock,
    place: int,
    scheme: Literal["light", "dark"],
) -> None:
    def fits(what: str) -> None:
        expect(page.get_by_role("region", name="Display")).to_contain_text(what)
        assert page.evaluate(WIDER) == 0, what
        assert axe.findings(page) == [], what

    page.set_viewport_size({**NARROW})  # type: ignore[typeddict-item]
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(site)
    assert page.evaluate(WIDER) == 0
    assert axe.findings(page) == []
    page.get_by_role("listitem").nth(place).get_by_role("link").click()
    fits("Nobody is logged in")
    press(page, "Services")
    fits("User ID")
    page.get_by_label("User ID").fill("ada")
    page.get_by_label("PIN").fill("1815")
    press(page, "Submit")
    fits("Approve the request")
    service.strange = True
    press(page, "Update")
    fits("XML Error [4]")
    expect(page.get_by_role("alert")).to_contain_text("A real phone would refuse this")
    service.strange, service.approved = False, True
    press(page, "Update")
    fits("Choose a profile")
