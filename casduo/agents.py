"""What a browser calls itself, in words: "Firefox on Linux". Pure.

Only words of our own are ever returned, nothing of the text: it is from outside, and anybody can send any. It says what
a browser claims to be, good enough for people to know their own browsers again, and never to decide anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PHONE: Final = "IP phone"
"""What an IP phone is called where a browser would be."""

_HEADLESS: Final = "Chrome without a window"
_WORDS: Final = {PHONE: "agent.phone", _HEADLESS: "agent.headless"}
"""Browsers that are described and not named, with the id of the text for each; ``_on`` behind it: and its system."""

_LONGEST = 400
"""Characters that are looked at. Sessions keep fewer."""

_Row = tuple[str, tuple[str, ...]]
"""A name, and the marks of which one is in the text. The first row that fits counts."""

_BROWSERS: Final[Sequence[_Row]] = (
    # Most call themselves Chrome and Safari as well, so those two come last.
    ("Microsoft Edge", ("Edg/", "EdgA/", "EdgiOS/", "Edge/")),
    ("Opera", ("OPR/", "OPX/", "OPT/", "Opera")),
    ("Vivaldi", ("Vivaldi/",)),
    ("Samsung Internet", ("SamsungBrowser/",)),
    ("DuckDuckGo", ("DuckDuckGo/", "Ddg/")),
    ("Brave", ("Brave/",)),
    ("Yandex Browser", ("YaBrowser/",)),
    ("UC Browser", ("UCBrowser/",)),
    ("MIUI Browser", ("MiuiBrowser/",)),
    ("Huawei Browser", ("HuaweiBrowser/",)),
    ("Silk", ("Silk/",)),
    ("SeaMonkey", ("SeaMonkey/",)),
    ("Pale Moon", ("PaleMoon/",)),
    ("Falkon", ("Falkon/",)),
    ("GNOME Web", ("Epiphany/",)),
    ("Konqueror", ("Konqueror/",)),
    ("Firefox", ("Firefox/", "FxiOS/", "Focus/")),
    ("Chromium", ("Chromium/",)),
    (_HEADLESS, ("HeadlessChrome/",)),
    ("Chrome", ("Chrome/", "CriOS/")),
    ("Internet Explorer", ("MSIE ", "Trident/")),
    ("Safari", ("Safari/",)),
    ("Lynx", ("Lynx/",)),
    ("Links", ("Links ",)),
    ("w3m", ("w3m/",)),
    ("curl", ("curl/",)),
    ("Wget", ("Wget/",)),
    ("Python", ("python-requests/", "Python-urllib/", "python-httpx/", "aiohttp/")),
    ("Java", ("Java/", "Java-http-client/", "okhttp/", "Apache-HttpClient/")),
)

_SYSTEMS: Final[Sequence[_Row]] = (
    # Android calls itself Linux, and iPhones say that they are like Mac OS X. iPads may say that they are Macs.
    ("iPhone", ("iPhone", "iPod")),
    ("iPad", ("iPad",)),
    ("Android", ("Android",)),
    ("ChromeOS", ("CrOS ",)),
    ("Windows", ("Windows", "Win64", "Win32")),
    ("macOS", ("Macintosh", "Mac OS X", "Darwin/")),
    ("FreeBSD", ("FreeBSD",)),
    ("OpenBSD", ("OpenBSD",)),
    ("NetBSD", ("NetBSD",)),
    ("Linux", ("Linux", "X11;", "linux")),
)


@dataclass(frozen=True, slots=True)
class Agent:
    """A browser as people call it. Either name is empty where the text did not tell; ``str()`` gives both in English,
    pages say :attr:`text_id` with :attr:`facts` in the language of the page.
    """

    browser: str = ""
    system: str = ""

    @property
    def text_id(self) -> str:
        """Id of the text for it."""
        if self.browser in _WORDS:
            return f"{_WORDS[self.browser]}_on" if self.system else _WORDS[self.browser]
        if self.browser and self.system:
            return "agent.both"
        return "agent.browser" if self.browser else "agent.system" if self.system else "agent.unknown"

    @property
    def facts(self) -> dict[str, str]:
        """What that text holds."""
        named = "" if self.browser in _WORDS else self.browser
        return {name: value for name, value in (("browser", named), ("system", self.system)) if value}

    def __str__(self) -> str:
        if self.browser and self.system:
            return f"{self.browser} on {self.system}"
        return self.browser or (f"Unknown browser on {self.system}" if self.system else "Unknown browser")


def agent_of(text: str) -> Agent:
    """Return what a browser is called that sends ``text`` as its ``User-Agent`` (RFC 9110 section 10.1.5).

    Any text will do; of what tells nothing both names are empty.
    """
    told = text[:_LONGEST]
    return Agent(_first(_BROWSERS, told), _first(_SYSTEMS, told))


def agent_words(text: str) -> str:
    """Return the words for what a browser calls itself, ``Firefox on Linux``; empty where it says nothing."""
    return str(agent_of(text)) if text else ""


def agent_named(words: str) -> Agent:
    """Return what :func:`agent_words` spelled, or a phone. Words that are not of this module tell nothing."""
    return _NAMED.get(words, Agent())


def _first(rows: Sequence[_Row], told: str) -> str:
    return next((name for name, marks in rows if any(mark in told for mark in marks)), "")


_NAMED: Final = {
    str(agent): agent
    for agent in (
        Agent(PHONE),
        *(
            Agent(browser, system)
            for browser in ("", *(name for name, _ in _BROWSERS))
            for system in ("", *(name for name, _ in _SYSTEMS))
        ),
    )
}
