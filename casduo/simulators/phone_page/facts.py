"""What is known of a phone on a desk, and of the people who come to it, besides what its display shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Family = Literal["7900", "7800", "8800"]

_LINE_KEYS: Mapping[Family, tuple[int, int]] = {"7900": (0, 6), "7800": (2, 2), "8800": (5, 5)}
"""Keys for lines left and right of the display."""


@dataclass(frozen=True, slots=True)
class PhoneFacts:
    """A phone and where it stands.

    :param device: its name at the UCM.
    :param model: the number of the model, such as ``8845``.
    :param place: where it stands; what people call it.
    :param number: its own line, which it has while nobody is logged in.
    """

    device: str
    model: str
    place: str
    number: str

    @property
    def family(self) -> Family:
        """Models that look alike."""
        if self.model.startswith("79"):
            return "7900"
        return "7800" if self.model.startswith("78") else "8800"

    @property
    def line_keys_left(self) -> int:
        """How many keys there are on the left of the display."""
        return _LINE_KEYS[self.family][0]

    @property
    def line_keys_right(self) -> int:
        """The same on the right."""
        return _LINE_KEYS[self.family][1]


@dataclass(frozen=True, slots=True)
class CardHolder:
    """Somebody who can log in: a row of the table beside the phones."""

    userid: str
    pin: str
    profiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What the phone shows of its line: the number, and whose it is."""

    number: str
    label: str


class Login(Protocol):
    """Who is logged in on a phone, as the UCM knows it."""

    @property
    def user(self) -> str:
        """The user id."""

    @property
    def profile(self) -> str:
        """The profile in use."""
