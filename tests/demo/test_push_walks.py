"""Duo without leaving the sign-in page, with scripts and without: pushes, passcodes, refusals, and second windows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.demo.browsing import DUO_HEADING, PUSH_HEADING, TRUST_HEADING, Visitor
from tests.demo.newcomers import PASSWORD, Newcomer
from tests.demo.running import DemoProcess

both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


@pytest.fixture
def scripts() -> bool:
    """Whether the browser runs scripts; some tests have it both ways."""
    return True


@pytest.fixture
def visitor(demo: DemoProcess, chromium: Browser, scripts: bool) -> Iterator[Visitor]:
    """Somebody without cookies."""
    context = chromium.new_context(java_script_enabled=scripts, ignore_https_errors=True)
    yield Visitor(demo, context, context.new_page(), scripts)
    context.close()


def asks_by_link(visitor: Visitor, app: str) -> None:
    """With a session nobody sends a form on the way to an application: the script does then, or the person."""
    visitor.open(app)
    if not visitor.scripts:
        visitor.page.get_by_role("button", name="Send the request").click()
    visitor.sees(PUSH_HEADING)


def lets_in(visitor: Visitor, app: str, person: Newcomer) -> None:
    """After Duo said yes: leave the browser untrusted, and be let in."""
    visitor.sees(TRUST_HEADING)
    visitor.page.get_by_role("button", name="No", exact=True).click()
    visitor.is_at(app, person.name)
    expect(visitor.page.get_by_text("Approved with Duo")).to_be_visible()


@both
def test_a_push_goes_out_by_itself_once_and_approving_it_opens(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    sent = visitor.page.get_by_text("We sent a request to iPhone. Approve it to continue to Timesheets.")
    expect(sent).to_be_visible()
    visitor.page.reload()
    expect(sent).to_be_visible()
    visitor.page.go_back()
    visitor.sees("Sign in")
    visitor.page.go_forward()
    visitor.sees(PUSH_HEADING)
    visitor.answer_push(newcomer.username, "Approve")
    lets_in(visitor, "Timesheets", newcomer)
    assert visitor.demo.asked(newcomer.username) == 1


@both
def test_who_refused_is_signed_in_elsewhere_and_can_have_it_sent_again(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    visitor.answer_push(newcomer.username, "Deny")
    visitor.is_told("You refused the request on your device.")
    expect(visitor.page.get_by_role("button", name="Report that it was not me")).to_be_visible()
    library = visitor.tab()
    library.open("Library")
    library.is_at("Library", newcomer.name)
    visitor.page.get_by_role("button", name="Send again").click()
    visitor.sees(PUSH_HEADING)
    visitor.answer_push(newcomer.username, "Approve")
    lets_in(visitor, "Timesheets", newcomer)
    assert visitor.demo.asked(newcomer.username) == 2


@both
def test_a_report_on_the_phone_ends_every_session(visitor: Visitor, newcomer: Newcomer) -> None:
    library = visitor.tab()
    library.open("Library")
    library.sign_in(newcomer.username, PASSWORD)
    library.is_at("Library", newcomer.name)
    asks_by_link(visitor, "Timesheets")
    visitor.answer_push(newcomer.username, "It's fraud")
    visitor.sees("You were not let in to Timesheets")
    assert "fraud" not in visitor.page.content().lower()
    library.opens_in_time("Library", "Sign in")


def test_a_report_in_the_browser_ends_every_session(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    visitor.answer_push(newcomer.username, "Deny")
    visitor.is_told("You refused the request on your device.")
    visitor.page.get_by_role("button", name="Report that it was not me").click()
    visitor.sees("You were not let in to Timesheets")
    visitor.open("Library")
    visitor.sees("Sign in")


@both
def test_in_a_session_one_push_goes_out_and_none_for_those_who_come_back(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.open("Library")
    visitor.sign_in(newcomer.username, PASSWORD)
    visitor.is_at("Library", newcomer.name)
    asks_by_link(visitor, "Timesheets")
    visitor.page.go_back()
    visitor.page.wait_for_load_state()
    visitor.page.go_forward()
    visitor.sees(PUSH_HEADING)
    assert visitor.demo.asked(newcomer.username) == 1
    visitor.answer_push(newcomer.username, "Approve")
    lets_in(visitor, "Timesheets", newcomer)


@both
def test_a_passcode_of_the_phone_opens_and_a_wrong_one_keeps_the_page(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    passcode = visitor.read_passcode(newcomer.username)
    visitor.use_passcode("000000" if passcode != "000000" else "000001")
    visitor.is_told("That passcode is not right.")
    expect(visitor.field).to_have_attribute("aria-invalid", "true")
    expect(visitor.field).to_have_value("")
    # The push still waits beside it.
    visitor.sees(PUSH_HEADING)
    visitor.use_passcode(f"{passcode[:3]} {passcode[3:]}")
    lets_in(visitor, "Timesheets", newcomer)


def test_the_words_known_from_duo_elsewhere_work_in_the_field(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    visitor.use_passcode("sms")
    expect(visitor.page.get_by_text("Codes were sent to iPhone as a text message.")).to_be_visible()
    expect(visitor.field).to_be_focused()
    visitor.use_passcode("Phone")
    visitor.sees("Answer the call")
    visitor.use_passcode("mail")
    visitor.is_told("That is not a passcode.")
    visitor.answer_push(newcomer.username, "Approve")
    lets_in(visitor, "Timesheets", newcomer)


def test_a_code_of_a_text_message_opens(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    visitor.page.get_by_role("button", name="Send codes as a text message to iPhone").click()
    expect(visitor.page.get_by_text("Codes were sent to iPhone as a text message.")).to_be_visible()
    code = visitor.demo.duo(do="messages", username=newcomer.username)[0]
    visitor.use_passcode(code)
    lets_in(visitor, "Timesheets", newcomer)


def test_cancelling_leads_to_the_form_and_an_answer_afterwards_opens_nothing(
    visitor: Visitor, newcomer: Newcomer
) -> None:
    visitor.is_asked("Timesheets", newcomer)
    visitor.page.get_by_role("button", name="Cancel").click()
    visitor.sees("Sign in")
    visitor.answer_push(newcomer.username, "Approve")
    visitor.page.go_back()
    expect(visitor.page).not_to_have_url(visitor.demo.app("Timesheets"))
    for app in ("Timesheets", "Library"):
        visitor.open(app)
        visitor.sees("Sign in")
    assert visitor.demo.asked(newcomer.username) == 1


def test_a_session_of_another_tab_changes_nothing_for_the_one_that_waits(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    library = visitor.tab()
    library.open("Library")
    library.sign_in(newcomer.username, PASSWORD)
    library.is_at("Library", newcomer.name)
    visitor.sees(PUSH_HEADING)
    visitor.answer_push(newcomer.username, "Approve")
    lets_in(visitor, "Timesheets", newcomer)
    assert visitor.demo.asked(newcomer.username) == 1


def test_a_tab_that_was_overtaken_says_so_and_goes_on(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    second = visitor.tab()
    second.is_asked("Timesheets", newcomer)
    second.answer_push(newcomer.username, "Approve")
    lets_in(second, "Timesheets", newcomer)
    visitor.page.reload()
    visitor.sees("You are already signed in")
    visitor.page.get_by_role("link", name="Continue to Timesheets").click()
    visitor.is_at("Timesheets", newcomer.name)


def test_a_browser_of_ones_own_is_not_asked_again_where_the_service_allows_it(
    visitor: Visitor, newcomer: Newcomer
) -> None:
    visitor.is_asked("Timesheets", newcomer)
    visitor.answer_push(newcomer.username, "Approve")
    visitor.sees(TRUST_HEADING)
    visitor.page.get_by_role("button", name="Yes, this is my own device").click()
    visitor.is_at("Timesheets", newcomer.name)
    visitor.page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.sees("You are signed out")
    visitor.open("Timesheets")
    visitor.sign_in(newcomer.username, PASSWORD)
    visitor.is_at("Timesheets", newcomer.name)
    assert visitor.demo.asked(newcomer.username) == 1
    visitor.open("Payroll")
    visitor.sees(DUO_HEADING)


@both
def test_who_registers_a_device_gets_into_the_application_first_asked_for(visitor: Visitor, stranger: Newcomer) -> None:
    visitor.open("Payroll")
    visitor.sign_in(stranger.username, PASSWORD)
    visitor.sees("One more step for Payroll")
    visitor.page.get_by_role("link", name="Set up a device").click()
    visitor.sees("Set up your device")
    visitor.page.get_by_role("button", name="Show the code").click()
    visitor.sees("Scan this code with Duo Mobile")
    picture = visitor.page.get_by_role("img", name="QR code for Duo Mobile")
    assert picture.evaluate("picture => picture.complete && picture.naturalWidth > 100")
    text = visitor.page.get_by_text("copy this one into it").locator("+ p").text_content() or ""
    assert re.fullmatch(r"\S{20,}", text.strip())
    visitor.activate_device().close()
    visitor.sees(DUO_HEADING)
    visitor.answer_push(stranger.username, "Approve")
    visitor.is_at("Payroll", stranger.name)
