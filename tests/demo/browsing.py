"""A person with a browser at the demo."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect

from tests.demo.running import DemoProcess

DUO_HEADING = "Check for a Duo push"


@dataclass(frozen=True)
class Visitor:
    """Somebody with one window; more pages are more tabs."""

    demo: DemoProcess
    context: BrowserContext
    page: Page

    def open(self, app: str) -> None:
        """Go to an application, and to wherever it leads."""
        self.page.goto(self.demo.app(app))

    def sign_in(self, username: str, password: str = "") -> None:
        """Fill in the form and send it."""
        self.page.fill("#username", username)
        self.page.fill("#password", password or self.demo.password(username))
        self.page.get_by_role("button", name="Sign in").click()

    def opens_in_time(self, app: str, heading: str) -> None:
        """Open ``app`` again and again until it shows ``heading``; fails after ten seconds."""
        for _ in range(20):
            self.open(app)
            if self.page.get_by_role("heading", level=1).inner_text() == heading:
                return
            self.page.wait_for_timeout(500)
        self.sees(heading)

    def sees(self, heading: str, page: Page | None = None) -> None:
        """Wait for the page with that heading."""
        expect((page or self.page).get_by_role("heading", level=1)).to_have_text(heading, timeout=15_000)

    def is_at(self, app: str, name: str) -> None:
        """Wait until an application greets its user."""
        self.sees(f"Hello, {name}")
        expect(self.page).to_have_url(self.demo.app(app))

    def answer_push(self, username: str, button: str) -> None:
        """Open the phone of ``username`` in another tab and press a button there."""
        phone = self.context.new_page()
        phone.goto(self.demo.phones_url)
        phone.get_by_role("link", name=username, exact=True).click()
        phone.get_by_role("button", name=button).click()
        expect(phone.get_by_text("No requests.")).to_be_visible()
        phone.close()

    def enrol(self) -> Page:
        """From the portal on, activate a simulated phone in another tab, and return that tab."""
        self.page.get_by_role("button", name="Set up a phone").click()
        with self.context.expect_page() as opened:
            self.page.get_by_role("link", name="Open the simulated phone").click()
        phone = opened.value
        phone.get_by_role("button", name="Activate").click()
        self.sees("This phone is ready", phone)
        expect(self.page.get_by_text("Your phone is ready.")).to_be_visible(timeout=15_000)
        return phone
