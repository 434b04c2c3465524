"""Somebody who looks closely at pages: accessible, no wider than a phone, quiet on the console."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import ConsoleMessage, Page

from tests.pages import axe

VIEWS: Final[tuple[tuple[int, Literal["light", "dark"]], ...]] = ((1280, "light"), (320, "dark"))
WAYS: Final[tuple[tuple[int, Literal["light", "dark"]], ...]] = (
    (320, "light"),
    (1280, "dark"),
    (320, "dark"),
    (1280, "light"),
)
_ZOOMED: Final = {"width": 320, "height": 256}
"""A window of 1280 by 1024 pixels at 400 %."""
_STATUS: Final = "Failed to load resource: the server responded with a status of"
_WIDER: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Critic:
    """Looks at pages, and collects what the browser complains about."""

    complaints: list[str] = field(default_factory=list)
    glanced: set[str] = field(default_factory=set)

    def look(self, page: Page, name: str, *, scripts: bool = True) -> None:
        """Check the page as it is now: wide and light, narrow and dark, and at 400 %.

        :param name: of the picture that is kept when CASDUO_SCREENSHOTS names a folder.
        :param scripts: whether the page runs any; the accessibility engine is one.
        """
        for width, scheme in VIEWS:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if folder := os.environ.get("CASDUO_SCREENSHOTS"):
                page.screenshot(path=Path(folder) / f"demo-{name}.{scheme}.{width}.png", full_page=True)
            assert page.evaluate(_WIDER) == 0, f"{name} at {width} px"
            assert not scripts or axe.findings(page) == [], f"{name} at {width} px, {scheme}"
        page.set_viewport_size(_ZOOMED)
        assert page.evaluate(_WIDER) == 0, f"{name} at 400 %"
        page.set_viewport_size({"width": 1280, "height": 800})

    def glance(self, page: Page, name: str, *, scripts: bool = True) -> None:
        """Check the page as it is now, if none of this name was: that it is no wider than a phone, and whether it is
        accessible in one of four ways to look at it, the next page in the next one.

        The window stays as it was looked at, so that whoever walks on does it on narrow pages too.
        """
        if name in self.glanced:
            return
        width, scheme = WAYS[len(self.glanced) % len(WAYS)]
        self.glanced.add(name)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": 320, "height": 800})
        assert page.evaluate(_WIDER) == 0, f"{name} at 320 px"
        page.set_viewport_size({"width": width, "height": 800})
        if folder := os.environ.get("CASDUO_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"walk-{name}.{scheme}.{width}.png", full_page=True)
        assert not scripts or axe.findings(page) == [], f"{name} at {width} px, {scheme}"

    def listen(self, message: ConsoleMessage) -> None:
        """Note a complaint. That a page has another status than 200 is none."""
        if message.type in ("error", "warning") and not message.text.startswith(_STATUS):
            self.complaints.append(message.text)
