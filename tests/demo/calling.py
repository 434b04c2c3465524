"""A person at the demo's IP phones, with everybody's own phones in other tabs of the same browser."""

from __future__ import annotations

from dataclasses import dataclass, replace

from playwright.sync_api import Locator, expect

from tests.demo.browsing import Visitor

RECEPTION, LABORATORY, READING_ROOM = "Reception", "Laboratory", "Reading room"
DUO_TITLE = "Confirm with Duo"
MENU_TITLE = "Choose a profile"

_PATIENCE = 45_000.0
"""Milliseconds: a phone asks for news every three seconds, and restarts within six."""


@dataclass(frozen=True)
class Caller(Visitor):
    """Somebody in front of an IP phone."""

    @property
    def display(self) -> Locator:
        """What the phone shows."""
        return self.page.get_by_role("region", name="Display")

    @property
    def facts(self) -> Locator:
        """What the page says of the phone beside it."""
        return self.page.get_by_label("This phone")

    def tab(self) -> Caller:
        """Open another tab of the same browser."""
        return replace(self, page=self.context.new_page())

    def goes_to(self, place: str) -> None:
        """Go to a phone that nobody uses."""
        self.page.goto(self.demo.ready["phone_url"])
        self.page.get_by_role("link", name=place).click()
        expect(self.facts).to_contain_text("Nobody", timeout=_PATIENCE)
        expect(self.display).not_to_contain_text("Restarting", timeout=_PATIENCE)

    def presses(self, key: str) -> None:
        """Press a key of the phone, or an item of the menu on its display."""
        self.page.get_by_role("button", name=key, exact=True).click()

    @property
    def softkeys(self) -> Locator:
        """The keys below the display, from the left, without those that do nothing now."""
        return self.page.get_by_role("group", name="Softkeys").get_by_role("button")

    def taps(self, softkey: str) -> None:
        """Press a key below the display."""
        self.softkeys.get_by_text(softkey, exact=True).click()

    def identifies(self, username: str, pin: str = "") -> None:
        """Fill in the form and send it; ``pin`` is that of one of the demo's people if empty."""
        self.page.get_by_label("User ID").fill(username)
        self.page.get_by_label("PIN").fill(pin or self.demo.pin(username))
        self.taps("Submit")

    def logs_in(self, username: str) -> None:
        """Press the services key, and say who it is."""
        self.presses("Services")
        self.identifies(username)

    def is_shown(self, title: str, *texts: str) -> None:
        """Wait for a page with that title, which a real phone would show, too."""
        try:
            expect(self.display.get_by_role("heading")).to_have_text(title, timeout=_PATIENCE)
        except AssertionError as error:
            raise AssertionError(f"{title} is not shown, but: {self.display.inner_text()}") from error
        for text in texts:
            expect(self.display).to_contain_text(text, timeout=_PATIENCE)
        expect(self.page.get_by_text("A real phone would refuse this")).to_have_count(0)

    def is_on_the_line(self, number: str, profile: str) -> None:
        """Wait until the phone has started anew with a profile."""
        expect(self.display).to_have_attribute("data-kind", "idle", timeout=_PATIENCE)
        expect(self.display).to_contain_text(number)
        expect(self.facts).to_contain_text(profile)

    def logged_in(self, place: str) -> tuple[str, str] | None:
        """Return user and profile that the UCM has for a phone."""
        login = self.demo.ucm(do="login_of", device=self.demo.device(place))
        return None if login is None else (login["user"], login["profile"])
