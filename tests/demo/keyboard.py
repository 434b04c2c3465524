"""Somebody who has nothing but a keyboard: the focus is looked at wherever Tab brings it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

_MOST = 80
"""Presses of Tab; no page has more places to go."""

_PLACE = """
() => {
  const here = document.activeElement, before = window.lastFocused;
  const words = (element) => (element.textContent || '').replace(/\\s+/g, ' ').trim();
  const label = here.getAttribute('aria-label') || (here.labels?.[0] ? words(here.labels[0]) : '') || words(here);
  const style = getComputedStyle(here), box = here.getBoundingClientRect();
  const follows = !before || !before.isConnected ||
    Boolean(before.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING);
  window.lastFocused = here === document.body ? null : here;
  return {
    body: here === document.body,
    name: label,
    outlined: style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2,
    within: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0
      && box.left < innerWidth,
    follows,
  };
}
"""


@dataclass(frozen=True)
class Keyboard:
    """A keyboard, and the window that it types into."""

    page: Page

    def presses(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def types(self, text: str) -> None:
        """Type over whatever a field has."""
        self.presses("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def tabs_to(self, name: str) -> None:
        """Press Tab until the focus is on what is named so, or begins so.

        Every place on the way has to show the focus, stand in the window, and follow the one before in the order of
        reading.
        """
        for _ in range(_MOST):
            place = self._place()
            if not place["body"] and place["name"].startswith(name):
                return
            self.presses("Tab")
            place = self._place()
            if not place["body"]:
                assert place["outlined"], f"the focus cannot be seen: {place}"
                assert place["within"], f"it is outside of the window: {place}"
                assert place["follows"], f"the order is not that of reading: {place}"
        raise AssertionError(f"the focus never comes to {name}")

    def goes_by(self, name: str, key: str = "Enter") -> None:
        """Go to a link or a button and press it."""
        self.tabs_to(name)
        self.presses(key)

    def _place(self) -> Any:
        return self.page.evaluate(_PLACE)
