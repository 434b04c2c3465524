"""The objects a phone can show or carry out, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "menu", "input"]


@dataclass(frozen=True, slots=True)
class SoftKey:
    """A key under the display. ``position`` counts from 1; -1 is the Applications button."""

    name: str
    url: str = field(repr=False)
    position: int


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A line of a menu."""

    name: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class InputItem:
    """A field of a form. ``flags`` is one of ``A T N E U L``, with ``P`` behind it where the display masks it."""

    label: str
    name: str
    default: str = field(repr=False)
    flags: str

    @property
    def masked(self) -> bool:
        """Whether the display hides what is typed."""
        return self.flags.endswith("P")


@dataclass(frozen=True, slots=True)
class Displayable:
    """What CiscoIPPhoneText, CiscoIPPhoneMenu and CiscoIPPhoneInput hold.

    ``url`` and ``posts`` (the page asked for POST) belong to a form, ``text`` to a text, ``items`` to a menu.
    ``softkeys`` are only those the page brought.
    """

    kind: Kind
    title: str
    prompt: str
    text: str = ""
    items: tuple[MenuItem, ...] = ()
    url: str = field(default="", repr=False)
    posts: bool = False
    inputs: tuple[InputItem, ...] = ()
    softkeys: tuple[SoftKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Execution:
    """CiscoIPPhoneExecute: URIs to carry out one after the other."""

    uris: tuple[str, ...] = field(repr=False)
