"""The built-in Duo page in a browser whose clock a test turns, with a server that has the news."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.pages.rendering import render
from tests.pages.serving import Pages
from tests.pages.states import STATUS, duo_push, request

NEWS = STATUS.partition("?")[0]

LISTEN = """
  window.heard = [];
  document.addEventListener('DOMContentLoaded', () => {
    for (const region of document.querySelectorAll('[role=status]'))
      new MutationObserver(() => heard.push(region.textContent))
        .observe(region, {childList: true, characterData: true, subtree: true});
  });
"""
"""Keeps what the live region was given to say."""

COUNT = """
  window.asking = 0;
  const plain = window.fetch;
  window.fetch = async (...given) => {
    window.asking += 1;
    try {
      const answer = await plain(...given);
      const facts = answer.ok ? await answer.json() : null;
      return {ok: answer.ok, json: async () => facts};
    } finally {
      window.asking -= 1;
    }
  };
"""
"""Tells when an answer has arrived as a whole: the clock of the page stands still, the network does not."""


_HIDDEN = """
  hidden => {
    Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
  }
"""


class Watched:
    """The page in a browser whose clock the test turns, and the server that has the news."""

    def __init__(self, page: Page, pages: Pages) -> None:
        self.page = page
        self.pages = pages
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, state: str = "waiting", **changes: Any) -> None:
        """Show a state; a request to Ada's phone is under way unless ``request`` says otherwise."""
        changes.setdefault("request", request(seconds=60))
        self.page.goto(self.pages.add("/push", render("duo_push.html", duo_push(state, **changes))))
        # Waiting then ends between two ticks of the page, never in one.
        self.page.clock.run_for(100)

    def news(self, state: str = "waiting", status: str = "pushed", code: int = 200, **facts: Any) -> None:
        """Have the server answer this from now on."""
        told = {"state": state, "status": status, "said": request()["said"], "seconds": 60}
        self.pages.news[NEWS] = (code, told | facts)

    def wait(self, seconds: float) -> None:
        """Let time pass, and let what was asked for arrive."""
        for _ in range(int(seconds * 2)):
            self.page.clock.run_for(500)
            self.page.wait_for_function("() => !window.asking")

    def hide(self, hidden: bool) -> None:
        """Put the page behind another window, or to the front again."""
        self.page.evaluate(_HIDDEN, hidden)

    @property
    def asked(self) -> int:
        """How often the script has asked for news."""
        return len(self.pages.asked)

    @property
    def heard(self) -> list[str]:
        """What a screen reader was given to say."""
        heard: list[str] = self.page.evaluate("heard")
        return heard
