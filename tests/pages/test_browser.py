"""Each page in each state in Chromium: accessibility, width, contrast, and that the content security policy holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, Page

from casduo.messages import ENGLISH, Catalogue, catalogue
from casduo.messages.upkeep import TRANSLATED
from tests.pages import axe
from tests.pages.pseudo import PSEUDO
from tests.pages.rendering import ALL_LANGUAGES, SITE, render
from tests.pages.serving import Pages
from tests.pages.states import (
    PAYROLL,
    STATES,
    Error,
    Service,
    State,
    duo_push,
    login,
    request,
    signed_out,
    ways,
)

Scheme = Literal["light", "dark"]

SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
WIDTHS = (320, 1280)
ACCENTS = ("#1f5aa8", "#000000", "#8a1538", "#00693e", "#4b2e83", "#757575", "#b45309")
"""Accents that reach 4.5:1 on white, from the darkest to the lightest."""

BROWSED = [state for state in STATES if state.browsed]
every_state = pytest.mark.parametrize("state", BROWSED, ids=lambda state: state.name)

_COLOURS = """
names => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const style = getComputedStyle(document.documentElement);
  return names.map(name => {
    canvas.fillStyle = '#fff';
    canvas.fillRect(0, 0, 1, 1);
    const probe = document.createElement('i');
    probe.style.color = name.startsWith('--') ? `var(${name})` : name;
    document.body.append(probe);
    canvas.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  });
}
"""

_SPREAD = """
() => document.querySelectorAll('*').forEach(element => {
  for (const [name, value] of [['line-height', '1.5'], ['letter-spacing', '0.12em'], ['word-spacing', '0.16em']])
    element.style.setProperty(name, value, 'important');
  if (element.tagName === 'P') element.style.setProperty('margin-bottom', '2em', 'important');
})
"""

_BROKEN_LABELS = """
() => [...document.querySelectorAll('td .label')].flatMap(label => {
  const range = document.createRange();
  return [...label.firstChild.data.matchAll(/\\S+/g)].map(word => {
    range.setStart(label.firstChild, word.index);
    range.setEnd(label.firstChild, word.index + word[0].length);
    return range.getClientRects().length === 1 ? '' : word[0];
  });
}).filter(word => word)
"""


@dataclass(slots=True)
class Viewer:
    """A page in a browser that shows one state after another, and what the browser complained about."""

    page: Page
    pages: Pages
    complaints: list[str] = field(default_factory=list)

    def show(self, state: State, catalogue: Catalogue = ENGLISH) -> Page:
        """Open a state with the scripts of its page, but for the one that would leave the page at once."""
        html = render(
            state.view,
            state.page,
            site=state.site,
            catalogue=catalogue,
            error_page=state.is_error_page,
            languages=ALL_LANGUAGES,
        )
        self.complaints.clear()
        self.page.goto(self.pages.add("/state", html))
        return self.page

    def sideways(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return wider

    def contrast(self, one: str, other: str) -> float:
        """Return the contrast ratio of two colours of the style sheet, as WCAG 2 defines it."""
        lighter, darker = sorted(map(_luminance, self.page.evaluate(_COLOURS, [one, other])), reverse=True)
        return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: list[int]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.fixture(scope="module")
def viewer(browser: Browser, pages: Pages) -> Iterator[Viewer]:
    """Return one window for all states of this module."""
    context = browser.new_context()
    page = context.new_page()
    page.route("**/continue.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    # What a page sends by itself is taken without a page in return, and there are no news: the state stays.
    page.route("**/cas/login", lambda route: route.fulfill(status=204))
    page.route("**/duo/push/status*", lambda route: None)
    made = Viewer(page, pages)
    page.on("console", lambda message: made.complaints.append(message.text))
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    yield made
    context.close()


def keep_picture(page: Page, name: str) -> None:
    """Keep a picture for people to look at, if CASDUO_SCREENSHOTS names a folder."""
    folder = os.environ.get("CASDUO_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / name, full_page=True)


@every_state
def test_every_state_is_accessible_and_fits(viewer: Viewer, state: State) -> None:
    page = viewer.show(state)
    # Each state in two of the four ways to look at it, the next one in the two others: what pages are made of stands in
    # many states, and the engine takes long.
    schemes = SCHEMES if BROWSED.index(state) % 2 else tuple(reversed(SCHEMES))
    for width, scheme in zip(WIDTHS, schemes, strict=True):
        page.set_viewport_size({"width": width, "height": 800})
        assert viewer.sideways() == 0
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        keep_picture(page, f"{state.name}.{scheme}.{width}.png")
        assert axe.findings(page) == [], f"{width} px, {scheme}"
    assert viewer.complaints == []


@every_state
def test_every_state_fits_in_a_longer_language_from_right_to_left(viewer: Viewer, state: State) -> None:
    viewer.page.set_viewport_size({"width": 320, "height": 800})
    viewer.show(state, PSEUDO)
    assert viewer.sideways() == 0


@pytest.mark.parametrize(
    "name",
    [
        "login-service",
        "login-error-credentials",
        "signed_in",
        "signed_out-mixed",
        "duo_push-waiting-number",
        "duo_push-denied",
        "approval_form-problems",
        "approval-risks",
        "approvals",
    ],
)
def test_the_longer_language_is_accessible_too(viewer: Viewer, name: str) -> None:
    state = next(state for state in STATES if state.name == name)
    page = viewer.show(state, PSEUDO)
    assert axe.findings(page) == []


@pytest.mark.parametrize(
    "name",
    [
        "login-service",
        "login-error-throttled",
        "signed_in",
        "signed_out-mixed",
        "duo_denied-reason-policy",
        "duo_push-waiting-long-number",
        "duo_push-calling",
        "duo_push-denied",
        "approval_form-problems",
        "approval-risks",
        "approvals",
        "signed_in-targets",
    ],
)
def test_widely_spaced_text_fits(viewer: Viewer, name: str) -> None:
    viewer.page.set_viewport_size({"width": 320, "height": 800})
    page = viewer.show(next(state for state in STATES if state.name == name))
    page.evaluate(_SPREAD)
    assert viewer.sideways() == 0


def long_states() -> Iterator[State]:
    """Yield pages with names of 10,000 characters without a blank."""
    name = "Wirtschafts" * 1000
    service = Service(name, name, name)
    listed = [{"name": name, "url": "https://payroll.example.edu/", "state": "failed"}]
    yield State("login", "login.html", login(service=service, username=name))
    yield State("unregistered", "service_unregistered.html", {"host": name})
    yield State("signed out", "signed_out.html", signed_out(continue_to=listed[0], applications=listed))
    listed_ways = [way | {"device": name} for way in ways()]
    waiting = duo_push("waiting", service=service, ways=listed_ways, request=request(device=name, said=name))
    yield State("push", "duo_push.html", waiting)
    sent = Error("duo_push.notice.sent", {"device": name}, name)
    yield State("codes", "duo_push.html", duo_push("codes", service=service, ways=listed_ways, notice=sent))
    refused = Error("duo_push.error.denied", said=name)
    yield State("denied", "duo_push.html", duo_push("denied", service=service, ways=listed_ways, error=refused))
    signed_in = next(state for state in STATES if state.name == "signed_in")
    yield State("signed in", "signed_in.html", {**signed_in.page, "display_name": name, "applications": listed})


@pytest.mark.parametrize("state", list(long_states()), ids=lambda state: state.name)
def test_long_names_fit(viewer: Viewer, state: State) -> None:
    viewer.page.set_viewport_size({"width": 320, "height": 800})
    viewer.show(state)
    assert viewer.sideways() == 0


def test_labels_of_cards_are_broken_between_words_only(viewer: Viewer) -> None:
    viewer.page.set_viewport_size({"width": 320, "height": 800})
    shown = [state for state in STATES if state.name in ("account", "requests", "approvals")]
    for language in TRANSLATED:
        for state in shown:
            assert viewer.show(state, catalogue(language)).evaluate(_BROKEN_LABELS) == [], f"{state.name}, {language}"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("accent", ACCENTS)
def test_any_accent_that_is_dark_enough_can_be_read(viewer: Viewer, accent: str, scheme: Scheme) -> None:
    viewer.pages.accent = accent
    viewer.page.emulate_media(color_scheme=scheme)
    viewer.show(State("login", "login.html", login(service=PAYROLL)))
    viewer.pages.accent = SITE.accent_colour
    assert viewer.contrast("--accent", "#fff") >= 4.5
    assert viewer.contrast("--action", "--card") >= 4.5
    assert viewer.contrast("--action", "--ground") >= 3
    assert viewer.contrast("--action", "--info-ground") >= 3


@pytest.mark.parametrize("scheme", SCHEMES)
def test_borders_and_signs_can_be_seen(viewer: Viewer, scheme: Scheme) -> None:
    viewer.page.emulate_media(color_scheme=scheme)
    viewer.show(State("login", "login.html", login(service=PAYROLL)))
    for one, other in [
        ("--edge", "--card"),
        ("--stop", "--card"),
        ("--stop", "--stop-ground"),
        ("--wait", "--wait-ground"),
        ("--done", "--done-ground"),
        ("--action", "--ground"),
        ("--action", "--info-ground"),
    ]:
        assert viewer.contrast(one, other) >= 3, (one, other)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    "state",
    [
        State("login", "login.html", login(service=PAYROLL, warn_offered=True)),
        State("push", "duo_push.html", duo_push("waiting", request=request(), again_in=0)),
    ],
    ids=lambda state: state.name,
)
def test_buttons_are_easy_to_hit_and_show_the_focus(viewer: Viewer, scheme: Scheme, state: State) -> None:
    viewer.page.emulate_media(color_scheme=scheme)
    viewer.page.set_viewport_size({"width": 320, "height": 800})
    page = viewer.show(state)
    for button in page.locator("button, .button, .field input").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["height"], box["width"]) >= 44 - 0.5
    for target in page.locator("a, button, input:not([type=hidden])").all():
        target.focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        style, width = target.evaluate("e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]")
        assert (style, width) == ("solid", "3px")


def test_states_that_only_scripts_reach_are_accessible(viewer: Viewer) -> None:
    page = viewer.show(State("login", "login.html", login(error=Error("login.error.throttled", {"seconds": 0}))))
    page.locator("#try-now", has_text="You can try again now.").wait_for()
    page.fill("#password", "correct horse")
    page.click("#reveal")
    page.dispatch_event("#password", "keydown", {"key": "A", "modifierCapsLock": True})
    assert page.text_content("#caps-lock") == "Caps Lock is on."
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert viewer.sideways() == 0
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert axe.findings(page) == []
    assert viewer.complaints == []


@pytest.mark.parametrize("name", ["ticket_loop", "ticket_loop-returned", "admin_outbox"])
def test_what_is_folded_is_accessible_and_fits_when_it_is_opened(viewer: Viewer, name: str) -> None:
    page = viewer.show(next(state for state in STATES if state.name == name))
    page.focus("summary")
    page.keyboard.press("Enter")
    page.locator("details[open] > :not(summary)").first.wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert viewer.sideways() == 0
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            keep_picture(page, f"{name}-open.{scheme}.{width}.png")
            assert axe.findings(page) == [], f"{width} px, {scheme}"


@pytest.mark.parametrize(
    "name",
    [
        *("signed_in", "duo_push-waiting-number", "duo_push-pending"),
        *("signed_in-targets", "request-pending", "approval-risks"),
    ],
)
def test_forced_colours_keep_borders_and_signs(browser: Browser, pages: Pages, name: str) -> None:
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    state = next(state for state in STATES if state.name == name)
    page.goto(pages.add("/state", render(state.view, state.page)))
    sign = page.locator(".mark")
    assert sign.evaluate("e => getComputedStyle(e).borderTopStyle") == "solid"
    sign_colour, ground = sign.evaluate(
        "e => [getComputedStyle(e, '::before').backgroundColor, getComputedStyle(document.body).backgroundColor]"
    )
    assert sign_colour != ground
    assert axe.findings(page) == []
    context.close()
