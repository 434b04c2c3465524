"""What a display can show: a text, a menu or a form, within the limits of Cisco's phone objects.

Texts from outside are cleaned and cut when a screen is made, so that no screen can be one that a phone refuses.
Limits: IP Phone Services Application Development Notes, chapter on objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from casduo.messages import presentable
from casduo.phone.models import Role
from casduo.phone.urls import LONGEST_URL

LONGEST_NAME = 64
"""Characters of a title, a prompt, a menu item, the name of a field."""
LONGEST_TEXT = 1000
"""Characters of a text. Phones take more, people do not."""
MOST_ITEMS = 99
"""Items of a menu besides the one that leads to further ones."""
MOST_FIELDS = 5

_NOT_XML = re.compile("[\ufffe\uffff]")
_ADDRESS = re.compile(r"https?://[!-~]+|(?:SoftKey|Init):[A-Za-z<]+")


def line(value: str, limit: int = LONGEST_NAME) -> str:
    """Return ``value`` on one line of ``limit`` characters at most, without anything that is not to be seen."""
    # Cut here and not there: a name is known by its beginning, a host by its end.
    clean = _NOT_XML.sub("", presentable(value, len(value))).strip()
    return clean if len(clean) <= limit else clean[: limit - 3].rstrip() + "..."


def paragraphs(value: str, limit: int = LONGEST_TEXT) -> str:
    """Return ``value`` with its line breaks, cleaned and cut like :func:`line`."""
    clean = "\n".join(line(each, limit) for each in value.splitlines())
    return clean if len(clean) <= limit else clean[: limit - 3].rstrip() + "..."


def _address(url: str) -> str:
    if len(url) > LONGEST_URL or not _ADDRESS.fullmatch(url):
        raise ValueError("not an address that a phone takes")
    return url


@dataclass(frozen=True, slots=True)
class SoftKey:
    """A key below the display: what it is called, what it does, and by ``role`` where it is."""

    name: str
    url: str = field(repr=False)
    role: Role

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", line(self.name))
        _address(self.url)


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A line of a menu. ``name`` is never empty: phones refuse that."""

    name: str
    url: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", line(self.name) or "-")
        _address(self.url)


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of a form.

    ``name`` is the parameter, ``label`` what people read. ``flags`` is what can be typed, ``A`` for anything or ``N``
    for digits, with ``P`` behind it where the display hides it. A ``value`` too long for a phone is not filled in: half
    of one would be wrong.
    """

    name: str
    label: str
    flags: str
    value: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z_]+", self.name) or not re.fullmatch(r"[AN]P?", self.flags):
            raise ValueError("not a field that a phone takes")
        object.__setattr__(self, "label", line(self.label))
        object.__setattr__(self, "value", self.value if line(self.value) == self.value else "")


@dataclass(frozen=True, slots=True)
class Refresh:
    """After ``seconds``, 2 or more, the phone fetches ``url``."""

    seconds: int
    url: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", max(2, self.seconds))
        _address(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What every screen has. ``kept`` pages are those that the phone's back key may return to."""

    title: str
    prompt: str
    softkeys: tuple[SoftKey, ...]
    kept: bool = False

    def _clean(self) -> None:
        object.__setattr__(self, "title", line(self.title))
        object.__setattr__(self, "prompt", line(self.prompt))
        if len({key.role for key in self.softkeys}) < len(self.softkeys):
            raise ValueError("two softkeys for one place")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextScreen(_Page):
    """``CiscoIPPhoneText``. The only one that may refresh: a form would lose what was typed."""

    text: str
    refresh: Refresh | None = None

    def __post_init__(self) -> None:
        self._clean()
        object.__setattr__(self, "text", paragraphs(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuScreen(_Page):
    """``CiscoIPPhoneMenu``. An item is chosen by its number on the keypad, too."""

    items: tuple[MenuItem, ...]

    def __post_init__(self) -> None:
        self._clean()
        if not 0 < len(self.items) <= MOST_ITEMS + 1:
            raise ValueError("not as many items as a phone takes")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputScreen(_Page):
    """``CiscoIPPhoneInput``: a form whose fields are sent to ``url``."""

    url: str = field(repr=False)
    fields: tuple[InputField, ...]

    def __post_init__(self) -> None:
        self._clean()
        _address(self.url)
        if not 0 < len(self.fields) <= MOST_FIELDS:
            raise ValueError("not as many fields as a phone takes")


Screen: TypeAlias = TextScreen | MenuScreen | InputScreen
