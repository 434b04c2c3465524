"""The editor and My account with nothing but a keyboard: Tab, Enter, Space and arrow keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.demo.browsing import DUO_HEADING
from tests.demo.critic import Critic
from tests.demo.keyboard import Keyboard
from tests.demo.newcomers import PASSWORD, Newcomer
from tests.demo.running import DemoProcess
from tests.demo.walking import SAFARI, Walker


@pytest.fixture
def walker(demo: DemoProcess, chromium: Browser, critic: Critic) -> Iterator[Walker]:
    """Somebody whose hands stay on the keyboard."""
    walker = Walker.arriving(demo, chromium, critic, scripts=True)
    yield walker
    walker.context.close()


@pytest.fixture
def registry(demo: DemoProcess) -> Iterator[Path]:
    """The file of the demo's services, which is the same again afterwards."""
    path = demo.state / "registry.yaml"
    before = path.read_text()
    yield path
    path.write_text(before)


def signs_in(walker: Walker, username: str, password: str) -> None:
    walker.sees("Sign in")
    expect(walker.page.get_by_label("User name")).to_be_focused()
    keys = Keyboard(walker.page)
    keys.types(username)
    keys.tabs_to("Password")
    keys.types(password)
    keys.presses("Enter")


def test_the_editor(walker: Walker, registry: Path) -> None:
    page, keys = walker.page, Keyboard(walker.page)
    walker.goes_to("/admin/")
    signs_in(walker, "ada", walker.demo.password("ada"))
    walker.sees(DUO_HEADING)
    walker.confirms("ada")
    walker.sees("Administration")
    keys.goes_by("Services")
    walker.sees("Services")

    keys.goes_by("Skip to the main part")
    keys.tabs_to("Search, or a URL")
    keys.types("time")
    keys.tabs_to("Duo")
    keys.presses("ArrowDown")
    expect(page.get_by_label("Duo", exact=True)).to_have_value("yes")
    keys.goes_by("Find")
    expect(page.get_by_text("1 service found")).to_be_visible()
    keys.goes_by("Timesheets")
    walker.sees("Timesheets")

    keys.tabs_to("URL patterns, one a line")
    address = page.get_by_label("URL patterns, one a line").input_value()
    keys.types("http//nonsense")
    keys.goes_by("Look at the change")
    walker.is_told("There is a problem")
    # From the summary, one press leads to the field.
    keys.presses("Tab", "Enter")
    expect(page.get_by_label("URL patterns, one a line")).to_be_focused()
    keys.types(address)
    keys.tabs_to("Switched on")
    keys.presses("Space")
    expect(page.get_by_label("Switched on")).not_to_be_checked()
    keys.presses("Space")
    keys.goes_by("Session and sign-out")
    keys.tabs_to("Ask people before each sign-in")
    keys.presses("Space")
    keys.goes_by("Look at the change")
    walker.sees("Change Timesheets")
    keys.tabs_to("Differences")
    keys.presses("ArrowRight", "ArrowDown")
    keys.tabs_to("Reason")
    keys.types("nobody should be surprised")
    keys.goes_by("Save", "Space")
    walker.hears("Saved as change")
    assert "warn: true" in registry.read_text()
    keys.goes_by("Show the change")
    page.wait_for_url("**/history/*")
    keys.goes_by("Return to before this change")
    walker.sees("Take back an earlier text of the whole registry")


def test_the_account(walker: Walker, demo: DemoProcess, chromium: Browser, critic: Critic, newcomer: Newcomer) -> None:
    keys = Keyboard(walker.page)
    other = Walker.arriving(demo, chromium, critic, scripts=True, agent=SAFARI)
    other.signs_in_at_library(newcomer)
    walker.goes_to("/account/")
    signs_in(walker, newcomer.username, PASSWORD)
    walker.sees("My account")
    keys.goes_by("End session on Safari on iPhone", "Space")
    walker.hears("The session was ended.")
    other.goes_to("/account/")
    other.sees("Sign in")
    other.sign_in(newcomer.username, PASSWORD)
    other.sees("My account")
    walker.page.reload()
    keys.goes_by("End all other sessions")
    walker.sees("End all other sessions?")
    keys.goes_by("End all other sessions")
    walker.hears("All other sessions were ended.")
    keys.goes_by("This was not me: Signed in with password")
    walker.sees("Was this somebody else?")
    keys.goes_by("It was me")
    walker.sees("Recent sign-ins")
    keys.goes_by("This was not me: Signed in with password")
    walker.sees("Was this somebody else?")
    keys.goes_by("This was not me")
    walker.sees("Thank you for telling us")
    keys.goes_by("Back to recent sign-ins")
    expect(walker.page.get_by_text("You said that this was not you.")).to_be_visible()
    other.context.close()
