"""People who ask for access at the demo, and those who decide: in Webex, or on a page of the sign-in server."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.demo.browsing import DUO_HEADING, Visitor
from tests.demo.newcomers import PASSWORD, Newcomer

APP = "Database server"
MACHINE = "OracleLinux_SystemB"
"""What the registry calls it."""
FORM_HEADING = f"Ask for access to {MACHINE}"
REVIEW_HEADING = "Check your request"
WAITING_HEADING = "Waiting for a decision"
OUTCOME = "Request was {} by Margaret Hamilton"

_PATIENCE = 15_000.0
"""Milliseconds: a worker takes a request to Webex, another one takes the answer back."""


@dataclass(frozen=True)
class Asker(Visitor):
    """Somebody who wants to get at the machine."""

    def comes_to_the_form(self, person: Newcomer) -> None:
        """Open the application, and sign in with password and Duo."""
        self.open(APP)
        self.sign_in(person.username, PASSWORD)
        self.sees(DUO_HEADING)
        self.answer_push(person.username, "Approve")
        self.sees(FORM_HEADING)

    def checks(self, reason: str) -> None:
        """Give a reason, leave the time as it is proposed, and go on."""
        self.page.get_by_label("Reason", exact=True).fill(reason)
        self.page.get_by_role("button", name="Check the request").click()

    def sends(self) -> None:
        """Send the request, which was looked through once more."""
        self.sees(REVIEW_HEADING)
        self.page.get_by_role("button", name="Send the request").click()
        self.sees(WAITING_HEADING)

    def asks(self, person: Newcomer, reason: str) -> None:
        """Do all of it."""
        self.comes_to_the_form(person)
        self.checks(reason)
        self.sends()


@dataclass(frozen=True)
class Webex:
    """Somebody's spaces in Webex, in a window of their own.

    :param address: of the page on which one chooses who to be.
    :param scripts: whether the browser runs them.
    """

    page: Page
    address: str
    scripts: bool = True

    def looks_into(self, username: str, title: str) -> None:
        """Be somebody, and open one of their spaces once it is there."""
        self.page.goto(f"{self.address}as/{username}@example.edu")
        spaces = self.page.get_by_role("navigation", name="Spaces").get_by_role("link")
        space = spaces.filter(has=self.page.get_by_text(title, exact=True))
        expect(space).to_be_visible(timeout=_PATIENCE)
        space.click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)

    def said(self, *words: str) -> Locator:
        """Wait for a message with all of these words, and return it; without scripts, by looking again and again."""
        found = self.page.get_by_role("article")
        for word in words:
            found = found.filter(has_text=word)
        deadline = time.monotonic() + _PATIENCE / 1000
        while not self.scripts and found.count() == 0 and time.monotonic() < deadline:
            self.page.wait_for_timeout(500)
            self.page.reload()
        expect(found).to_have_count(1, timeout=_PATIENCE)
        return found

    def approves(self, reason: str) -> None:
        """Press the button of the card with this reason."""
        self.said(reason).get_by_role("button", name=re.compile("^Approve request")).click()

    def rejects(self, reason: str, why: str) -> None:
        """Open the part of the card in which one says why, and press the button there."""
        card = self.said(reason)
        card.get_by_text("Reject", exact=True).click()
        card.get_by_label("Reason (optional)").fill(why)
        card.get_by_role("button", name=re.compile("^Reject request")).click()
