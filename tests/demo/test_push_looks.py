"""Our Duo page as it really comes, in each state that a person can get it into: looks, keys, and what is read aloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.demo.browsing import PUSH_HEADING, TRUST_HEADING, Visitor
from tests.demo.critic import Critic
from tests.demo.newcomers import PASSWORD, Newcomer
from tests.demo.running import DemoProcess

_LISTEN = """
  document.addEventListener('DOMContentLoaded', () => {
    const heard = () => JSON.parse(sessionStorage.getItem('heard') || '[]');
    for (const region of document.querySelectorAll('[role=status]'))
      new MutationObserver(() => sessionStorage.setItem('heard', JSON.stringify([...heard(), region.textContent])))
        .observe(region, {childList: true, characterData: true, subtree: true});
  });
"""
_HEARD = "JSON.parse(sessionStorage.getItem('heard') || '[]')"
_FOCUSED = "(document.activeElement.labels?.[0] || document.activeElement).textContent.trim()"


@pytest.fixture
def visitor(demo: DemoProcess, chromium: Browser, critic: Critic) -> Iterator[Visitor]:
    """Somebody with scripts on, and with a screen reader."""
    context = chromium.new_context(ignore_https_errors=True)
    context.add_init_script(_LISTEN)
    context.on("console", critic.listen)
    yield Visitor(demo, context, context.new_page())
    context.close()


def test_each_state_of_the_page(visitor: Visitor, newcomer: Newcomer, critic: Critic) -> None:
    page = visitor.page
    visitor.is_asked("Timesheets", newcomer)
    critic.look(page, "push-waiting")
    visitor.use_passcode("000000")
    visitor.is_told("That passcode is not right.")
    critic.look(page, "push-wrong-passcode")
    visitor.answer_push(newcomer.username, "Deny")
    visitor.is_told("You refused the request on your device.")
    critic.look(page, "push-denied")
    page.get_by_role("button", name="Send codes as a text message to iPhone").click()
    expect(page.get_by_text("Codes were sent to iPhone as a text message.")).to_be_visible()
    critic.look(page, "push-codes-sent")
    page.get_by_role("button", name="Call iPhone").click()
    visitor.sees("Answer the call")
    critic.look(page, "push-call")
    visitor.use_passcode("push")
    visitor.is_told("You were sent too many requests.")
    critic.look(page, "push-limited")
    visitor.use_passcode(visitor.read_passcode(newcomer.username))
    visitor.sees(TRUST_HEADING)
    critic.look(page, "push-trust")


def test_running_out_and_reporting(
    visitor: Visitor, newcomer: Newcomer, critic: Critic, impatient_duo: DemoProcess
) -> None:
    visitor.is_asked("Timesheets", newcomer)
    visitor.is_told("Login timed out.")
    critic.look(visitor.page, "push-timeout")
    impatient_duo.duo(do="settings", request_timeout=60)
    visitor.use_passcode("push")
    visitor.sees(PUSH_HEADING)
    assert impatient_duo.asked(newcomer.username) == 2
    visitor.answer_push(newcomer.username, "It's fraud")
    visitor.sees("You were not let in to Timesheets")
    critic.look(visitor.page, "push-reported")


def test_somebody_waits_in_another_browser(
    visitor: Visitor, newcomer: Newcomer, critic: Critic, chromium: Browser
) -> None:
    with chromium.new_context(ignore_https_errors=True) as context:
        Visitor(visitor.demo, context, context.new_page()).is_asked("Timesheets", newcomer)
        visitor.open("Timesheets")
        visitor.sign_in(newcomer.username, PASSWORD)
        visitor.sees("Answer your other request first")
        critic.look(visitor.page, "push-pending")


def test_before_the_first_push(visitor: Visitor, newcomer: Newcomer, critic: Critic) -> None:
    visitor.open("Library")
    visitor.sign_in(newcomer.username, PASSWORD)
    visitor.is_at("Library", newcomer.name)
    # Else the script would press the button at once.
    visitor.page.route("**/push.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    visitor.open("Timesheets")
    expect(visitor.page.get_by_role("button", name="Send the request")).to_be_visible()
    critic.look(visitor.page, "push-ready")


def test_without_scripts(demo: DemoProcess, chromium: Browser, newcomer: Newcomer, critic: Critic) -> None:
    with chromium.new_context(java_script_enabled=False, ignore_https_errors=True) as context:
        visitor = Visitor(demo, context, context.new_page(), scripts=False)
        visitor.is_asked("Timesheets", newcomer)
        critic.look(visitor.page, "push-refreshing", scripts=False)
        visitor.page.get_by_role("link", name="Stop that while I type a passcode").click()
        expect(visitor.page.get_by_role("link", name="Look for my answer")).to_be_visible()
        critic.look(visitor.page, "push-still", scripts=False)
        visitor.answer_push(newcomer.username, "Approve")
        visitor.page.get_by_role("link", name="Look for my answer").click()
        visitor.sees(TRUST_HEADING)


def test_signing_in_takes_nothing_but_the_keyboard(visitor: Visitor, newcomer: Newcomer) -> None:
    page = visitor.page

    def tab_to(text: str) -> None:
        """Press Tab until the focus is on it: in the order of reading, so a few times at most."""
        for _ in range(12):
            if page.evaluate(_FOCUSED).startswith(text):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"the focus never comes to {text}")

    visitor.open("Timesheets")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type(newcomer.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    visitor.sees(PUSH_HEADING)
    assert page.evaluate("document.activeElement === document.body")
    tab_to("Send codes as a text message to iPhone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Codes were sent to iPhone as a text message.")).to_be_visible()
    expect(visitor.field).to_be_focused()
    page.keyboard.type("000000\n")
    visitor.is_told("That passcode is not right.")
    tab_to("That passcode is not right.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(visitor.field).to_be_focused()
    page.keyboard.type(visitor.demo.duo(do="messages", username=newcomer.username)[0] + "\n")
    visitor.sees(TRUST_HEADING)
    tab_to("No")
    page.keyboard.press("Space")
    visitor.is_at("Timesheets", newcomer.name)


def test_what_is_read_aloud_is_read_once(visitor: Visitor, newcomer: Newcomer) -> None:
    visitor.is_asked("Timesheets", newcomer)
    page, hurry, arrived = visitor.page, "You have about 60 seconds to answer.", "Approved. Taking you to Timesheets."
    # Several answers of the server: most bring no news, one may bring Duo's word that the request is out.
    for _ in range(2):
        with page.expect_response("**/duo/push/status**"):
            pass
    visitor.answer_push(newcomer.username, "Approve")
    visitor.sees(TRUST_HEADING)
    heard = page.evaluate(_HEARD)
    assert len(heard) == len(set(heard))
    assert heard[-1] == arrived
    assert hurry in heard
    assert all("Duo says" in text for text in set(heard) - {hurry, arrived})
