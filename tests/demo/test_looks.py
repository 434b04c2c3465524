"""Every page of the demo as it really comes, scripts on: accessible, no wider than a phone, quiet on the console."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.demo.browsing import DUO_HEADING, Visitor
from tests.demo.running import DemoProcess
from tests.pages import axe

VIEWS: Final[tuple[tuple[int, Literal["light", "dark"]], ...]] = ((1280, "light"), (320, "dark"))
_STATUS: Final = "Failed to load resource: the server responded with a status of"
_WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Critic:
    """Looks at pages, and collects what the browser complains about."""

    complaints: list[str] = field(default_factory=list)

    def look(self, page: Page, name: str) -> None:
        """Check the page as it is now, wide and light, narrow and dark.

        :param name: of the picture that is kept when CASDUO_SCREENSHOTS names a folder.
        """
        for width, scheme in VIEWS:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if folder := os.environ.get("CASDUO_SCREENSHOTS"):
                page.screenshot(path=Path(folder) / f"demo-{name}.{scheme}.{width}.png", full_page=True)
            assert page.evaluate(_WIDER) == 0, f"{name} at {width} px"
            assert axe.findings(page) == [], f"{name} at {width} px, {scheme}"

    def listen(self, message: ConsoleMessage) -> None:
        """Note a complaint. That a page has another status than 200 is none."""
        if message.type in ("error", "warning") and not message.text.startswith(_STATUS):
            self.complaints.append(message.text)


@pytest.fixture
def critic() -> Iterator[Critic]:
    critic = Critic()
    yield critic
    assert critic.complaints == []


@pytest.fixture
def visitor(demo: DemoProcess, chromium: Browser, critic: Critic) -> Iterator[Visitor]:
    """Somebody with scripts on."""
    context = chromium.new_context(ignore_https_errors=True)
    context.on("console", critic.listen)
    yield Visitor(demo, context, context.new_page())
    context.close()


def test_signing_in_and_out(visitor: Visitor, critic: Critic) -> None:
    page = visitor.page
    visitor.open("Library")
    visitor.sees("Sign in")
    critic.look(page, "sign-in")
    visitor.sign_in("ada", "difference")
    expect(page.get_by_role("alert")).to_be_visible()
    critic.look(page, "wrong-password")
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    critic.look(page, "library")
    page.goto(f"{visitor.demo.cas_url}/login")
    visitor.sees("You are signed in")
    critic.look(page, "signed-in")
    page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.sees("You are signed out")
    expect(page.get_by_role("row", name="Library")).to_contain_text("Signed out")
    critic.look(page, "signed-out")
    visitor.open("Library")
    visitor.sees("Sign in")
    visitor.sign_in("ada")
    visitor.is_at("Library", "Ada Lovelace")
    page.get_by_role("button", name="Sign out", exact=True).click()
    visitor.sees("You are signed out")
    critic.look(page, "signed-out-of-library")


def test_being_refused(visitor: Visitor, critic: Critic) -> None:
    page, stranger = visitor.page, f"mallory-{secrets.token_hex(4)}"
    visitor.open("Library")
    for _ in range(6):
        visitor.sign_in(stranger, "guess")
        expect(page.get_by_role("alert")).to_be_visible()
    critic.look(page, "throttled")
    page.goto(f"{visitor.demo.cas_url}/login?service=https://localhost:1/")
    visitor.sees("This application is not allowed to use this sign-in")
    critic.look(page, "unregistered")
    visitor.open("Payroll")
    visitor.sign_in("linus")
    visitor.sees("You were not let in to Payroll")
    critic.look(page, "locked-out")


def test_confirming_with_duo(visitor: Visitor, critic: Critic) -> None:
    page = visitor.page
    visitor.open("Payroll")
    visitor.sign_in("ada")
    visitor.sees(DUO_HEADING)
    critic.look(page, "duo-waiting")
    phone = visitor.context.new_page()
    phone.goto(visitor.demo.phones_url)
    critic.look(phone, "phones")
    phone.get_by_role("link", name="ada", exact=True).click()
    expect(phone.get_by_role("button", name="Approve")).to_be_visible()
    critic.look(phone, "phone-asked")
    phone.get_by_role("button", name="Deny").click()
    expect(phone.get_by_text("No requests.")).to_be_visible()
    critic.look(phone, "phone-idle")
    expect(page.get_by_role("alert")).to_be_visible(timeout=15_000)
    critic.look(page, "duo-denied")
    page.get_by_role("button", name="Try again on iPhone").click()
    visitor.sees(DUO_HEADING)
    visitor.answer_push("ada", "Approve")
    visitor.is_at("Payroll", "Ada Lovelace")
    critic.look(page, "payroll")


def test_enrolling(visitor: Visitor, critic: Critic) -> None:
    page = visitor.page
    visitor.open("Payroll")
    visitor.sign_in("grace")
    visitor.sees("One more step for Payroll")
    critic.look(page, "unenrolled")
    page.get_by_role("link", name="Set up a device").click()
    visitor.sees("Set up a device")
    critic.look(page, "portal")
    page.get_by_role("button", name="Set up a phone").click()
    with visitor.context.expect_page() as opened:
        page.get_by_role("link", name="Open the simulated phone").click()
    phone = opened.value
    visitor.sees("Add an account", phone)
    critic.look(page, "portal-scan")
    critic.look(phone, "activate")
    phone.get_by_role("button", name="Activate").click()
    visitor.sees("This phone is ready", phone)
    critic.look(phone, "activated")
    expect(page.get_by_text("Your phone is ready.")).to_be_visible(timeout=15_000)
    critic.look(page, "portal-done")


@pytest.mark.usefixtures("without_duo")
def test_going_without_duo(visitor: Visitor, critic: Critic) -> None:
    visitor.open("Payroll")
    visitor.sign_in("ada")
    visitor.sees("There was a problem accessing to DUO")
    critic.look(visitor.page, "duo-down")
    visitor.open("Timesheets")
    visitor.is_at("Timesheets", "Ada Lovelace")
    critic.look(visitor.page, "timesheets")
