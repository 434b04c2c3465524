"""The pages in a real browser: alive by themselves, usable without scripts or a mouse, no wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect

from casduo.simulators.webex import Person, Room, WebexSimulator
from tests.pages import axe
from tests.simulators.webex.conftest import REJECT, Api, attached, card, submit

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NARROW: ViewportSize = {"width": 320, "height": 640}
WIDE: ViewportSize = {"width": 1280, "height": 800}
Scheme = Literal["light", "dark"]

FORM = card(
    submit("Send"),
    REJECT,
    {"type": "Action.OpenUrl", "title": "Review", "url": "https://sso.example.edu/approvals/7F3K"},
    {"type": "Action.ToggleVisibility", "title": "Details", "targetElements": ["details"]},
    body=[
        {"type": "FactSet", "facts": [{"title": "Requestor", "value": "Ada Lovelace"}]},
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "**as written**", "weight": "Bolder"}]},
        {
            "type": "ColumnSet",
            "columns": [
                {"type": "Column", "width": "auto", "items": [{"type": "TextBlock", "text": "Risk"}]},
                {
                    "type": "Column",
                    "width": 3,
                    "items": [{"type": "TextBlock", "text": "**high**", "color": "Warning"}],
                },
            ],
        },
        {
            "type": "Container",
            "id": "details",
            "isVisible": False,
            "items": [{"type": "TextBlock", "text": "From here"}],
        },
        {"type": "Input.Text", "id": "text", "label": "Text", "isRequired": True, "errorMessage": "Write something."},
        {"type": "Input.Number", "id": "number", "label": "Number", "min": 1, "max": 9},
        {"type": "Input.Date", "id": "date", "label": "Date"},
        {"type": "Input.Time", "id": "time", "label": "Time"},
        {"type": "Input.Toggle", "id": "toggle", "title": "I am sure"},
        {"type": "Input.ChoiceSet", "id": "one", "label": "One", "choices": [{"title": "First", "value": "1"}]},
        {
            "type": "Input.ChoiceSet",
            "id": "many",
            "label": "Many",
            "isMultiSelect": True,
            "choices": [{"title": "Red", "value": "r"}, {"title": "Blue", "value": "b"}],
        },
    ],
)


@pytest.fixture
def context(chromium: Browser, webex: WebexSimulator) -> Iterator[BrowserContext]:
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    opened = chromium.new_context()
    opened.on("console", listen)
    yield opened
    opened.close()
    assert complaints == []


@pytest.fixture
def page(context: BrowserContext, webex: WebexSimulator, room: Room) -> Page:
    """Luke's view of the space."""
    opened = context.new_page()
    opened.goto(f"{webex.page_url}as/luke@example.edu/{room.id}")
    return opened


@pytest.fixture
def page_without_scripts(chromium: Browser, webex: WebexSimulator, room: Room) -> Iterator[Page]:
    opened = chromium.new_context(java_script_enabled=False)
    page = opened.new_page()
    page.goto(f"{webex.page_url}as/luke@example.edu/{room.id}")
    yield page
    opened.close()


def fill_in(page: Page) -> None:
    page.get_by_label("Text").fill("words")
    page.get_by_label("Number").fill("7")
    page.get_by_label("Date").fill("2026-05-10")
    page.get_by_label("Time").fill("19:41")
    page.get_by_label("I am sure").check()
    page.get_by_label("One").select_option("First")
    page.get_by_label("Red").check()
    page.get_by_label("Blue").check()


FILLED: dict[str, Any] = {
    "text": "words",
    "number": "7",
    "date": "2026-05-10",
    "time": "19:41",
    "toggle": "true",
    "one": "1",
    "many": "r,b",
}


def test_from_choosing_who_to_be_to_a_decision_and_its_news(
    page: Page, webex: WebexSimulator, as_bot: Api, room: Room, luke: Person
) -> None:
    page.goto(webex.page_url)
    page.get_by_role("link", name="Luke Skywalker").click()
    page.get_by_role("link", name="Access requests").click()
    posted = as_bot.post(roomId=room.id, text="Access request 7F3K", attachments=attached(card())).json()["id"]
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("You pressed Approve")).to_be_visible()
    assert [action.inputs for action in webex.actions(posted)] == [{"decision": "approve"}]
    as_bot.post(roomId=room.id, markdown="Request 7F3K was **approved** by Luke Skywalker")
    expect(page.get_by_role("log")).to_contain_text("was approved by Luke")
    as_bot("DELETE", f"messages/{posted}")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    as_bot.post(toPersonId=luke.id, text="Access approved")
    page.get_by_role("navigation", name="Spaces").get_by_role("link", name="Access approved").click()
    expect(page.get_by_role("log")).to_contain_text("Access approved")


def test_every_input_is_sent(page: Page, webex: WebexSimulator, room: Room) -> None:
    webex.post("casduo@webex.bot", room.id, card=FORM)
    fill_in(page)
    page.get_by_role("button", name="Send", exact=True).first.click()
    expect(page.get_by_text("You pressed Send")).to_be_visible()
    assert webex.actions()[0].inputs == FILLED


def test_every_input_is_sent_without_scripts(page_without_scripts: Page, webex: WebexSimulator, room: Room) -> None:
    page = page_without_scripts
    webex.post("casduo@webex.bot", room.id, card=FORM)
    page.reload()
    expect(page.get_by_text("From here")).to_be_hidden()
    page.get_by_role("link", name="Details").click()
    expect(page.get_by_text("From here")).to_be_visible()
    fill_in(page)
    page.get_by_text("Reject", exact=True).click()
    page.get_by_label("Why not?").fill("not now")
    page.get_by_role("button", name="Reject request").click()
    expect(page.get_by_text("You pressed Reject request")).to_be_visible()
    assert webex.actions()[0].inputs == {**FILLED, "reason": "not now", "decision": "reject", "casduo": "1"}
    page.get_by_label("Message to Access requests").fill("written without scripts")
    page.get_by_role("button", name="Send", exact=True).last.click()
    expect(page.get_by_role("log")).to_contain_text("written without scripts")


def test_what_is_typed_open_and_focused_stays_while_news_come(
    page: Page, webex: WebexSimulator, as_bot: Api, room: Room
) -> None:
    webex.post("casduo@webex.bot", room.id, card=FORM)
    page.get_by_text("Reject", exact=True).click()
    page.get_by_role("link", name="Details").click()
    page.get_by_label("Why not?").fill("half a sent")
    gone = as_bot.post(roomId=room.id, text="soon gone").json()["id"]
    expect(page.get_by_text("soon gone")).to_have_count(2)
    as_bot("DELETE", f"messages/{gone}")
    expect(page.get_by_text("soon gone")).to_have_count(0)
    expect(page.get_by_label("Why not?")).to_have_value("half a sent")
    expect(page.get_by_label("Why not?")).to_be_focused()
    expect(page.get_by_text("From here")).to_be_visible()


def test_enter_in_a_field_presses_no_button(page: Page, webex: WebexSimulator, room: Room) -> None:
    webex.post("casduo@webex.bot", room.id, card=FORM)
    page.get_by_label("Text").fill("words")
    page.get_by_label("Text").press("Enter")
    page.get_by_label("Number").press("Enter")
    page.get_by_label("Number").fill("3")
    expect(page.get_by_label("Text")).to_have_value("words")
    assert webex.actions() == []


def test_what_is_missing_is_said_where_it_is_missing(page: Page, webex: WebexSimulator, room: Room) -> None:
    webex.post("casduo@webex.bot", room.id, card=FORM)
    page.get_by_label("Number").fill("7")
    page.get_by_role("button", name="Send", exact=True).first.click()
    expect(page.get_by_text("Write something.")).to_be_visible()
    expect(page.get_by_label("Text")).to_be_focused()
    expect(page.get_by_label("Number")).to_have_value("7")


def test_with_the_keyboard_alone(page: Page, webex: WebexSimulator, room: Room, posted_card: str) -> None:
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    page.get_by_text("Reject", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Why not?")).to_be_focused()
    page.keyboard.type("no")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You pressed Reject request")).to_be_visible()
    page.get_by_label("Message to Access requests").focus()
    page.keyboard.type("said")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("and done")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("and done")
    assert webex.messages_in(room.id)[-1].markdown == "said\nand done"


@pytest.mark.parametrize(("scheme", "size"), [("light", NARROW), ("dark", NARROW), ("dark", WIDE)])
def test_every_page_fits_its_window_and_everybody_can_use_it(
    page: Page, webex: WebexSimulator, as_bot: Api, room: Room, luke: Person, scheme: Scheme, size: ViewportSize
) -> None:
    def fits(what: str) -> None:
        assert page.evaluate(WIDER) == 0, what
        if size == WIDE or scheme == "light":
            assert axe.findings(page) == [], what

    message = webex.post("casduo@webex.bot", room.id, card=FORM)
    webex.press(message.id, luke.email, "Reject request", {"text": "x", "reason": "y"})
    webex.post(luke.email, room.id, f"`{'x' * 200}` <@all> **b**\n```\n{'y' * 200}\n```", parent_id=message.id)
    as_bot.post(toPersonId=luke.id, text="w" * 300)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size(size)
    page.goto(webex.page_url)
    fits("people")
    page.goto(f"{webex.page_url}as/luke@example.edu")
    fits("spaces")
    page.get_by_role("link", name="Access requests").click()
    page.get_by_text("Reject", exact=True).click()
    page.get_by_role("link", name="Details").click()
    page.get_by_role("button", name="Reject request").click()
    expect(page.get_by_text("Write something.")).to_be_visible()
    fits("a space, with what is missing")
