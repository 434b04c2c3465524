"""Somebody who walks through pages, with or without scripts, and has each of them examined where they come by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Request, expect

from tests.demo.browsing import DUO_HEADING, PUSH_HEADING, TRUST_HEADING, Visitor
from tests.demo.critic import Critic
from tests.demo.newcomers import PASSWORD, Newcomer
from tests.demo.running import DemoProcess
from tests.support.waiting import until

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1"


@dataclass(frozen=True)
class Walker(Visitor):
    """Somebody with one window who looks at where they are.

    :param critic: examines each state once.
    :param been: addresses that were asked for, below the server's.
    """

    critic: Critic = field(default_factory=Critic)
    been: set[str] = field(default_factory=set)

    @classmethod
    def arriving(cls, demo: DemoProcess, browser: Browser, critic: Critic, *, scripts: bool, agent: str = "") -> Walker:
        """Return somebody with a fresh browser, whose context the caller closes."""
        context: BrowserContext = browser.new_context(
            ignore_https_errors=True, java_script_enabled=scripts, user_agent=agent or None
        )
        context.on("console", critic.listen)
        # Leaving a page on which something was typed asks first.
        context.on("dialog", lambda dialog: dialog.accept())
        walker = cls(demo, context, context.new_page(), scripts, critic)
        context.on("request", lambda request: walker.note(request))
        return walker

    def tab(self) -> Walker:
        """Open another tab of the same browser; what is asked for there counts too."""
        return type(self)(self.demo, self.context, self.context.new_page(), self.scripts, self.critic, self.been)

    def goes_to(self, path: str) -> None:
        """Type an address below the server's."""
        self.page.goto(self.demo.cas_url + path)

    def comes_to(self, heading: str, state: str = "") -> None:
        """Wait for the page with that heading, and have its state examined if it is named."""
        self.sees(heading)
        self.looks(state)

    def looks(self, state: str) -> None:
        """Have the page examined as it is now, once for each name of a state."""
        if state:
            self.critic.glance(self.page, state, scripts=self.scripts)

    def button(self, name: str, within: str = "main") -> Locator:
        """Return the button of that name."""
        return self.page.locator(within).get_by_role("button", name=name, exact=True)

    def presses(self, name: str, within: str = "main") -> None:
        """Press the button of that name."""
        self.button(name, within).click()

    def follows(self, name: str, within: str = "main") -> None:
        """Follow the first link whose name begins so."""
        self.page.locator(within).get_by_role("link", name=re.compile(f"^{re.escape(name)}")).first.click()

    def types(self, label: str, text: str, within: str = "main") -> None:
        """Type something into the field of that name."""
        self.page.locator(within).get_by_label(label, exact=True).fill(text)

    def searches(self, label: str, text: str) -> None:
        """Type something into that field of a search, and search."""
        self.types(label, text)
        self.presses("Search")

    def hears(self, news: str) -> None:
        """Wait for what has come of a form: a status, which has the focus."""
        status = self.page.get_by_role("status").filter(has_text=news)
        expect(status).to_be_visible()
        expect(status).to_be_focused()

    def reloads_until(self, news: str) -> None:
        """Look at the same page again until it says so."""

        def said() -> bool:
            self.page.reload()
            return news in self.page.locator("body").inner_text()

        until(said, news)

    def confirms(self, username: str) -> None:
        """Wait until the push is out, and approve it."""

        def is_asked() -> bool:
            return any(one["username"] == username for one in self.demo.duo(do="state")["pending"])

        until(is_asked, f"a push to {username}")
        self.demo.duo(do="reply", username=username, reply="approve")

    def signs_in(self, username: str, password: str = "") -> None:
        """Fill in the form, on the way to a page that asks for Duo."""
        self.sees("Sign in")
        self.sign_in(username, password)
        self.sees(DUO_HEADING)
        self.confirms(username)

    def signs_in_trusting(self, person: Newcomer) -> None:
        """Sign in at Timesheets, confirm with Duo, and say that the browser is one's own."""
        self.open("Timesheets")
        self.sign_in(person.username, PASSWORD)
        self.sees(PUSH_HEADING)
        self.confirms(person.username)
        self.sees(TRUST_HEADING)
        self.page.get_by_role("button", name="Yes").click()
        self.is_at("Timesheets", person.name)

    def signs_in_at_library(self, person: Newcomer) -> None:
        """Sign in where a password is enough."""
        self.open("Library")
        self.sign_in(person.username, PASSWORD)
        self.is_at("Library", person.name)

    def note(self, request: Request) -> None:
        """Note where a request goes, if it goes to the sign-in server."""
        if request.url.startswith(self.demo.cas_url + "/"):
            self.been.add(urlsplit(request.url.removeprefix(self.demo.cas_url)).path)


def never_seen(rows: list[str], been: set[str]) -> list[str]:
    """Return the rows of a list of addresses to which nobody came; ``{}`` in a row stands for one segment."""
    patterns = {row: re.compile(re.escape(row).replace(r"\{\}", "[^/]+")) for row in rows}
    return [row for row, pattern in patterns.items() if not any(pattern.fullmatch(path) for path in been)]
