"""A person with a browser of their own at the site."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.support.waiting import until
from tests.usecases.place import NAMES, PASSWORD, Place

PUSH_HEADING = "Check your device"
FORM_HEADING = "Ask for access to {}"
REVIEW_HEADING = "Check your request"
WAITING_HEADING = "Waiting for a decision"


@dataclass(frozen=True)
class Person:
    """Somebody with one window. More of them are more tabs of the same browser."""

    place: Place
    context: BrowserContext
    page: Page
    username: str

    @property
    def name(self) -> str:
        """What people call them."""
        return NAMES[self.username]

    def tab(self) -> Person:
        """Open another tab of the same browser."""
        return Person(self.place, self.context, self.context.new_page(), self.username)

    # -- the sign-in server and the applications -----------------------------------------------------------------------

    def open(self, app: str) -> None:
        """Go to an application, and to wherever it leads."""
        self.page.goto(self.place.apps[app])

    def sign_in(self) -> None:
        """Fill in the form and send it."""
        self.page.fill("#username", self.username)
        self.page.fill("#password", PASSWORD)
        self.presses("Sign in")

    def is_asked(self, app: str) -> None:
        """Open an application, sign in there, and wait until a push has gone out by itself."""
        self.open(app)
        self.sign_in()
        self.waits_for_a_push()

    def waits_for_a_push(self) -> None:
        """Wait until a push has gone out by itself."""
        self.sees(PUSH_HEADING)
        until(lambda: len(self.place.duo.pending(self.username)) == 1, "a push waits")

    def approves_the_push(self) -> None:
        """Wait for it, and approve it on the device."""
        self.waits_for_a_push()
        self.place.duo.phone(self.username).approve()

    def uses_a_passcode(self) -> str:
        """Wait for the page of a push, and type a passcode of the device there instead. Returns the passcode."""
        self.sees(PUSH_HEADING)
        passcode = self.place.duo.phone(self.username).passcode()
        self.page.get_by_role("textbox", name="Passcode").fill(passcode)
        self.presses("Confirm")
        return passcode

    def begins_anew(self) -> None:
        """Back at the sign-in page, where the password still counts, sign out and be asked for it again."""
        expect(self.page).to_have_url(f"{self.place.cas_url}/login")
        self.sees("You are signed in")
        self.presses("Sign out")
        self.sees("You are signed out")
        self.follows("Sign in again")
        self.sees("Sign in")

    def asks_for_access(self, reason: str, begins: str = "", ends: str = "") -> None:
        """Fill in the form that asks for access, look it through, and send it.

        :param begins: a date and time, ISO 8601; empty leaves those that are proposed.
        :param ends: the same
        """
        for field, moment in (("Start", begins), ("End", ends)):
            if moment:
                day, _, clock = moment.partition("T")
                self.page.get_by_label(f"{field} date").fill(day)
                self.page.get_by_label(f"{field} time").fill(clock)
        self.page.get_by_label("Reason", exact=True).fill(reason)
        self.presses("Check the request")
        self.sees(REVIEW_HEADING)
        self.presses("Send the request")
        self.sees(WAITING_HEADING)

    def presses(self, name: str) -> None:
        """Press a button of the page."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follows(self, name: str) -> None:
        """Follow a link of the page."""
        self.page.get_by_role("link", name=name, exact=True).click()

    # -- what is to be seen --------------------------------------------------------------------------------------------

    def sees(self, heading: str | re.Pattern[str]) -> None:
        """Wait for the page with that heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def sees_in_time(self, app: str, heading: str) -> None:
        """Open an application again and again until it shows something else than itself, and see that heading."""

        def elsewhere() -> bool:
            self.open(app)
            return self.page.get_by_role("heading", level=1).inner_text() != f"Hello, {self.name}"

        until(elsewhere, f"{app} does not greet {self.username} any more")
        self.sees(heading)

    def reads(self, words: str | re.Pattern[str]) -> Locator:
        """Wait for words on the page."""
        found = self.page.get_by_text(words).first
        expect(found).to_be_visible()
        return found

    def is_told(self, *words: str) -> None:
        """Wait for what went wrong: an alert that has the focus, with these words."""
        alert = self.page.get_by_role("alert")
        for each in words:
            expect(alert).to_contain_text(each)
        expect(alert).to_be_focused()

    def is_in(self, app: str) -> None:
        """Wait until an application greets its user."""
        self.sees(f"Hello, {self.name}")
        expect(self.page).to_have_url(self.place.apps[app])

    def keeps_a_picture(self, name: str) -> None:
        """Keep a picture of the page as it is."""
        picture(self.page, name)


def picture(page: Page, name: str) -> None:
    """Keep a picture of a page as it is, when CASDUO_SCREENSHOTS names a folder."""
    if folder := os.environ.get("CASDUO_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"use-case-{name}.png", full_page=True)
