"""A person with a browser at the demo."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.demo.newcomers import PASSWORD, Newcomer
from tests.demo.running import DemoProcess

DUO_HEADING = "Check for a Duo push"
"""Of Duo's own page."""
PUSH_HEADING = "Check your device"
"""Of ours, while a push waits."""
TRUST_HEADING = "Is this your own device?"


@dataclass(frozen=True)
class Visitor:
    """Somebody with one window; more pages are more tabs.

    :param scripts: whether the browser runs them.
    """

    demo: DemoProcess
    context: BrowserContext
    page: Page
    scripts: bool = True

    def open(self, app: str) -> None:
        """Go to an application, and to wherever it leads."""
        self.page.goto(self.demo.app(app))

    def tab(self) -> Visitor:
        """Open another tab of the same browser."""
        return Visitor(self.demo, self.context, self.context.new_page(), self.scripts)

    def sign_in(self, username: str, password: str = "") -> None:
        """Fill in the form and send it.

        :param password: empty for that of one of the demo's people.
        """
        self.page.fill("#username", username)
        self.page.fill("#password", password or self.demo.password(username))
        self.page.get_by_role("button", name="Sign in").click()

    def opens_in_time(self, app: str, heading: str) -> None:
        """Open ``app`` again and again until it shows ``heading``; fails after ten seconds."""
        for _ in range(60):
            self.open(app)
            if self.page.get_by_role("heading", level=1).inner_text() == heading:
                return
            self.page.wait_for_timeout(500)
        self.sees(heading)

    def sees(self, heading: str, page: Page | None = None) -> None:
        """Wait for the page with that heading."""
        expect((page or self.page).get_by_role("heading", level=1)).to_have_text(heading, timeout=15_000)

    def is_asked(self, app: str, person: Newcomer) -> None:
        """Open an application, sign in there, and wait until a push goes out by itself."""
        self.open(app)
        self.sign_in(person.username, PASSWORD)
        self.sees(PUSH_HEADING)

    def is_told(self, problem: str) -> None:
        """Wait for what went wrong: an alert, which has the focus, on a page whose title says so too."""
        alert = self.page.get_by_role("alert")
        expect(alert).to_contain_text(problem, timeout=15_000)
        expect(alert).to_be_focused()
        expect(self.page).to_have_title(re.compile("^Error: "))

    def is_at(self, app: str, name: str) -> None:
        """Wait until an application greets its user."""
        self.sees(f"Hello, {name}")
        expect(self.page).to_have_url(self.demo.app(app))

    def phone(self, username: str) -> Page:
        """Open the phone of ``username`` in another tab."""
        phone = self.context.new_page()
        phone.goto(self.demo.phones_url)
        phone.get_by_role("link", name=username, exact=True).click()
        return phone

    def answer_push(self, username: str, button: str) -> None:
        """Press a button on the phone of ``username``, for the newest request there."""
        phone = self.phone(username)
        waiting = phone.get_by_role("article")
        expect(waiting).not_to_have_count(0)
        before = waiting.count()
        waiting.last.get_by_role("button", name=button).click()
        expect(waiting).to_have_count(before - 1)
        phone.close()

    def read_passcode(self, username: str) -> str:
        """Have the app on the phone of ``username`` show a passcode."""
        phone = self.phone(username)
        phone.get_by_role("button", name="New passcode from iPhone").click()
        passcode = phone.get_by_role("status").inner_text()
        phone.close()
        return passcode

    @property
    def field(self) -> Locator:
        """The field for passcodes."""
        return self.page.get_by_role("textbox", name="Passcode")

    def use_passcode(self, passcode: str) -> None:
        """Type something into the field for passcodes and send it."""
        self.field.fill(passcode)
        self.page.get_by_role("button", name="Confirm", exact=True).click()

    def enrol(self) -> Page:
        """From the enrolment page on, activate a simulated phone in another tab, and return that tab."""
        self.page.get_by_role("button", name="Show the code").click()
        self.sees("Scan this code with Duo Mobile")
        return self.activate_device()

    def activate_device(self) -> Page:
        """Follow the link beside the code in another tab, activate a simulated phone there, and return that tab."""
        address = self.page.get_by_role("link", name="Open Duo Mobile here").get_attribute("href")
        assert address
        phone = self.context.new_page()
        phone.goto(address)
        phone.get_by_role("button", name="Activate").click()
        self.sees("This phone is ready", phone)
        return phone
