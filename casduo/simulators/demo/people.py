"""Who can sign in to the demo: one person for each thing that Duo can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DuoState = Literal["enrolled", "unenrolled", "deny", "bypass", "locked"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a password that opens nothing but this demo.

    :param pin: for the telephones.
    :param duo: what Duo makes of this person.
    :param story: the same for the table that people read.
    """

    username: str
    name: str
    password: str
    pin: str
    groups: tuple[str, ...]
    duo: DuoState
    story: str

    @property
    def attributes(self) -> Mapping[str, tuple[str, ...]]:
        """What the users file says of this person besides the name."""
        return {"mail": (f"{self.username}@example.edu",), "groups": self.groups}


PEOPLE: tuple[Person, ...] = (
    Person("ada", "Ada Lovelace", "analytical", "1815", ("students",), "enrolled", "approves on the phone page"),
    Person("grace", "Grace Hopper", "nanosecond", "1906", ("staff",), "unenrolled", "has no device in Duo yet"),
    Person("edsger", "Edsger Dijkstra", "semaphore", "1930", ("staff",), "deny", "denies every request at once"),
    Person("alan", "Alan Turing", "enigma", "1912", ("staff",), "bypass", "may pass without being asked"),
    Person("linus", "Linus Torvalds", "penguin", "1969", ("students",), "locked", "is locked out by Duo"),
)
