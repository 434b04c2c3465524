"""Who can sign in to the demo: one person for each thing that Duo can say, and one who approves requests for access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DOMAIN = "example.edu"
"""Behind the @ of everybody's address."""

DuoState = Literal["enrolled", "unenrolled", "deny", "bypass", "locked"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a phone becomes when somebody logs in with it. ``number`` is the line it gets."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a password that opens nothing but this demo.

    :param pin: for the telephones.
    :param duo: what Duo makes of this person.
    :param story: the same for the table that people read.
    :param profiles: for the telephones.
    :param default_profile: the name of one of them; empty for none.
    """

    username: str
    name: str
    password: str
    pin: str
    groups: tuple[str, ...]
    duo: DuoState
    story: str
    profiles: tuple[Profile, ...] = ()
    default_profile: str = ""

    @property
    def email(self) -> str:
        """Their address."""
        return f"{self.username}@{DOMAIN}"

    @property
    def attributes(self) -> Mapping[str, tuple[str, ...]]:
        """What the users file says of this person besides the name."""
        return {"mail": (self.email,), "groups": self.groups}


_ADAS_PROFILES = (Profile("ada-library", "4711"), Profile("ada-office", "4712"), Profile("ada-workshop", "4713"))

PEOPLE: tuple[Person, ...] = (
    Person(
        *("ada", "Ada Lovelace", "analytical", "1815", ("students",), "enrolled", "approves under Phones"),
        profiles=_ADAS_PROFILES,
        default_profile="ada-office",
    ),
    Person(
        *("grace", "Grace Hopper", "nanosecond", "1906", ("staff",), "unenrolled", "is not known to Duo yet"),
        profiles=(Profile("grace-office", "4720"),),
        default_profile="grace-office",
    ),
    Person(
        *("edsger", "Edsger Dijkstra", "semaphore", "1930", ("staff",), "deny", "denies every request at once"),
        profiles=(Profile("edsger-office", "4730"),),
    ),
    Person(
        *("alan", "Alan Turing", "enigma", "1912", ("staff",), "bypass", "may pass without being asked"),
        profiles=(Profile("alan-office", "4740"),),
    ),
    Person(
        *("linus", "Linus Torvalds", "penguin", "1969", ("students",), "locked", "is locked out by Duo"),
        profiles=(Profile("linus-office", "4750"),),
    ),
    Person("margaret", "Margaret Hamilton", "apollo", "1936", ("staff",), "enrolled", "decides who gets access"),
)

ADMINISTRATOR = PEOPLE[0]
"""Who may change things on the administration pages."""
APPROVER = PEOPLE[-1]
"""Who decides about requests for access. She has no profile for phones."""
