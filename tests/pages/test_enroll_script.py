"""The page with the code, in a browser: it follows the code, goes on by itself, and says each thing once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.pages import axe
from tests.pages.enroll_states import CODE_PAGE, STATUS, enroll_code, enroll_devices, enroll_start
from tests.pages.rendering import render
from tests.pages.serving import Pages
from tests.pages.states import Form

Open = Callable[..., Page]
FORM = Form("/cas/enroll/code", csrf="made-for-this-session")
NEWS = "[role=status]"

_LISTEN = """
() => {
  window.announced = [];
  const region = document.getElementById('news');
  new MutationObserver(() => announced.push(region.textContent))
    .observe(region, {childList: true, characterData: true, subtree: true});
}
"""


@pytest.fixture
def follow(open_page: Open, pages: Pages) -> Iterator[Callable[..., Page]]:
    """Open the page with a code; its clock stands until the test moves it."""
    pages.asked.clear()

    def opened(**changes: Any) -> Page:
        page = open_page("<!doctype html><title>before</title>")
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        tell(pages)
        page.goto(pages.add(CODE_PAGE, render("enroll_code.html", enroll_code(**changes))))
        page.evaluate(_LISTEN)
        return page

    yield opened
    pages.news.clear()
    pages.bodies.pop(CODE_PAGE, None)


def tell(pages: Pages, status: int = 200, **facts: Any) -> None:
    """Say what the next look brings."""
    news = {"state": "waiting", "confirming": False, "trouble": False, "seconds": 500}
    pages.news[STATUS] = (status, news | facts)


def look(page: Page, pages: Pages) -> None:
    """Let time pass until the page has looked once more."""
    before = len(pages.asked)
    with page.expect_response(f"**{STATUS}"):
        for _ in range(120):
            page.clock.run_for(200)
            if len(pages.asked) > before:
                break


def test_it_looks_every_three_seconds_and_goes_on_when_the_device_is_set_up(
    follow: Callable[..., Page], pages: Pages
) -> None:
    page = follow()
    look(page, pages)
    expect(page.locator("#line")).to_have_text("Waiting for your device.")
    assert pages.asked == [STATUS]
    pages.add(CODE_PAGE, "<!doctype html><title>gone on</title>")
    tell(pages, state="done")
    page.clock.run_for(3_600)
    expect(page).to_have_title("gone on")


@pytest.mark.parametrize("state", ["over", "none", "gone"])
def test_a_code_that_is_no_good_any_more_leads_on_too(follow: Callable[..., Page], pages: Pages, state: str) -> None:
    page = follow()
    pages.add(CODE_PAGE, "<!doctype html><title>ran out</title>")
    tell(pages, state=state)
    page.clock.run_for(3_600)
    expect(page).to_have_title("ran out")


def test_each_change_is_seen_and_said_once(follow: Callable[..., Page], pages: Pages) -> None:
    page = follow()
    for facts in ({}, {"confirming": True}, {"confirming": True}, {"trouble": True}, {"trouble": True}, {}):
        tell(pages, **facts)
        look(page, pages)
    expect(page.locator("#line")).to_have_text("Waiting for your device.")
    assert page.evaluate("announced") == [
        "Your device has taken the code. Duo is confirming it.",
        "Duo does not answer right now. The code stays good, and this page keeps asking.",
        "Waiting for your device.",
    ]


def test_a_lost_connection_is_said_once_and_asked_less_and_less(follow: Callable[..., Page], pages: Pages) -> None:
    page = follow()
    tell(pages, status=503)
    look(page, pages)
    expect(page.locator("#line")).to_have_text("Connection lost, trying again.")
    page.clock.run_for(5_900)
    assert len(pages.asked) == 1
    look(page, pages)
    assert len(pages.asked) == 2
    page.clock.run_for(11_000)
    assert len(pages.asked) == 2
    tell(pages)
    look(page, pages)
    expect(page.locator("#line")).to_have_text("Waiting for your device.")


def test_the_time_left_is_counted_in_silence_but_for_two_moments(follow: Callable[..., Page], pages: Pages) -> None:
    page = follow(seconds=85)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    page.clock.run_for(5_000)
    expect(page.locator("#left")).to_have_text("1:20")
    page.clock.run_for(75_000)
    expect(page.locator("#left")).to_have_text("0:05")
    assert page.evaluate("announced") == [
        "The code works for one more minute.",
        "The code works for ten more seconds.",
    ]


def test_at_first_it_says_how_long_the_code_works(open_page: Open, pages: Pages) -> None:
    page = open_page(render("enroll_code.html", enroll_code()))
    expect(page.locator(NEWS)).to_have_text("The code works for about 10 minutes.")


def test_somebody_who_comes_back_from_the_app_is_not_kept_waiting(follow: Callable[..., Page], pages: Pages) -> None:
    """Phones stop a tab while another app is open."""
    page = follow()
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.clock.run_for(20_000)
    assert pages.asked == []
    pages.add(CODE_PAGE, "<!doctype html><title>gone on</title>")
    tell(pages, state="done")
    page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', {value: false}); "
        "document.dispatchEvent(new Event('visibilitychange')); }"
    )
    expect(page).to_have_title("gone on")


def test_without_a_script_everything_is_there(open_page: Open, pages: Pages) -> None:
    page = open_page(
        render("enroll_code.html", enroll_code()).replace("5; url=", "500; url="), java_script_enabled=False
    )
    expect(page.locator("#left")).to_have_text("about 10 minutes")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    expect(page.get_by_role("link", name="I have scanned it")).to_be_visible()
    page.get_by_text("Use the code as text").click()
    expect(page.locator(".code")).to_be_visible()


def test_the_picture_is_large_enough_and_white_around_in_both_schemes(open_page: Open) -> None:
    for scheme in ("light", "dark"):
        window = {"width": 320, "height": 700}
        page = open_page(render("enroll_code.html", enroll_code()), color_scheme=scheme, viewport=window)
        picture = page.get_by_role("img", name="QR code")
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] == box["height"] >= 200
        assert picture.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
        pixel = page.evaluate(
            """async () => {
              const picture = document.querySelector('.scan img');
              await picture.decode();
              const canvas = new OffscreenCanvas(450, 450).getContext('2d');
              canvas.drawImage(picture, 0, 0, 450, 450);
              return [[2, 2], [60, 60]].map(([x, y]) => [...canvas.getImageData(x, y, 1, 1).data].slice(0, 3));
            }"""
        )
        assert pixel == [[255, 255, 255], [0, 0, 0]]


def test_the_keyboard_reaches_everything_in_reading_order(open_page: Open) -> None:
    page = open_page(render("enroll_code.html", enroll_code()))
    reached = []
    for _ in range(2):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert reached == ["Open Duo Mobile here", "Use the code as text"]
    page.keyboard.press("Enter")
    expect(page.locator(".code")).to_be_visible()


@pytest.mark.parametrize("view", ["enroll_start", "enroll_devices"])
def test_pressing_twice_sends_once(open_page: Open, pages: Pages, view: str) -> None:
    data = enroll_start(FORM) if view == "enroll_start" else enroll_devices(form=FORM)
    page = open_page(render(f"{view}.html", data))
    with page.expect_navigation():
        page.evaluate(
            """() => {
              const button = document.querySelector('form[data-once] button');
              button.click();
              setTimeout(() => button.click(), 20);
            }"""
        )
    assert pages.posted == [("/cas/enroll/code", {"csrf": "made-for-this-session"})]


def test_what_went_wrong_has_the_focus(open_page: Open) -> None:
    error = {"id": "enroll.error.unavailable", "facts": {}}
    page = open_page(render("enroll_start.html", enroll_start(FORM, error=error)))
    expect(page.get_by_role("alert")).to_be_focused()


def test_what_is_folded_is_accessible_and_fits_when_it_is_opened(open_page: Open) -> None:
    for scheme in ("light", "dark"):
        window = {"width": 320, "height": 700}
        page = open_page(render("enroll_code.html", enroll_code()), color_scheme=scheme, viewport=window)
        page.get_by_text("Use the code as text").click()
        expect(page.locator(".code")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        assert axe.findings(page) == []
