"""What is kept of a sign-in for the person whose name was used, and how it is read. Pure.

A line is made of an event, so that every way in is in the list: browsers, programs, phones, and what a worker hears
from Duo. What is alike within one hour is one line that counts: neither somebody who guesses passwords nor a program
that signs in each minute pushes out what else there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal, cast, get_args

from casduo.agents import PHONE
from casduo.events.model import DuoAnswered, Event, SignedIn, SignInRefused
from casduo.events.phone import PhoneLoggedIn, PhoneLoginRefused
from casduo.signing import fingerprint
from casduo.values import value_object

# fmt: off
Outcome = Literal[
    "signed_in", "confirmed", "phone",
    "denied", "timeout", "fraud", "code", "locked_out", "expired", "phone_refused",
    "refused", "barred",
]
# fmt: on
"""``signed_in``: the password was right; ``confirmed``: so was the second factor, in a session that was there before;
``phone``: somebody was logged in on an IP phone. ``denied``, ``timeout``, ``fraud``, ``locked_out``: what came of a
question by Duo, ``code``: a wrong passcode; ``expired``: the right password, which has to be changed first; ``barred``:
an account that may not sign in; ``phone_refused``: the right PIN, and no login all the same. ``refused``: a wrong
password, or no such name.
"""
ENTERED: Final = frozenset[Outcome]({"signed_in", "confirmed", "phone"})
"""Somebody came in."""
GUESSED: Final = frozenset[Outcome]({"refused", "barred"})
"""Nobody has shown that they know the password."""

MOST: Final = 20
"""Lines that a person sees of what showed a right password."""
MOST_GUESSED: Final = 10
"""Lines of what did not: however many guess, the others are seen."""
HOUR: Final = 3600
_TOGETHER = 600.0
"""Seconds between Duo's yes and the sign-in that it was for: as long as a login may take."""
_DUO_OUTCOMES: Final = frozenset({"denied", "timeout", "fraud", "locked_out"})


@value_object(frozen=True, slots=True)
class SignIn:
    """One line.

    :param outcome: what came of it
    :param agent: the browser in words of ours, empty where it is not known
    :param address: where from
    :param service: registry id of what it was for, empty for nothing in particular
    :param strength: what a second factor had proved by then, as in a session
    :param factor: Duo's name of the factor, empty for none
    :param device: the phone that somebody logged in on
    """

    outcome: Outcome
    agent: str = ""
    address: str = ""
    service: str = ""
    strength: str = ""
    factor: str = ""
    device: str = ""

    @property
    def entered(self) -> bool:
        """Whether somebody came in."""
        return self.outcome in ENTERED

    @property
    def guessed(self) -> bool:
        """Whether nobody has shown that they know the password."""
        return self.outcome in GUESSED

    def name(self, principal: str, now: float) -> str:
        """Return what all lines of a person within this hour are called that say the same; it tells nothing by
        itself.
        """
        return fingerprint(f"{int(now // HOUR)} {principal} {self.text}")[:16]

    @property
    def text(self) -> str:
        """The line as it is stored; see :meth:`parse`."""
        told = (self.outcome, self.agent, self.address, self.service, self.strength, self.factor, self.device)
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> SignIn | None:
        """Return the line that ``text`` holds, ``None`` where another version wrote what cannot be read."""
        try:
            outcome, *rest = json.loads(text)
        except ValueError:
            return None
        if outcome not in get_args(Outcome) or len(rest) != len(cls.__slots__) - 1:
            return None
        return cls(cast(Outcome, outcome), *map(str, rest))


@value_object(frozen=True, slots=True)
class ListedSignIn:
    """A line in the list.

    :param name: by which it is found again
    :param times: how often within the hour
    :param first, last: when the first and the last of them was, epoch seconds
    :param disowned: when its owner said that it was not them, epoch seconds, 0 for never
    """

    name: str
    told: SignIn
    times: int
    first: float
    last: float
    disowned: float = 0.0


def sign_in_of(event: Event) -> SignIn | None:
    """Return the line that an event makes, ``None`` for none.

    What says nothing about who knows the password makes none: attempts that nobody looked at, and directories that did
    not answer.
    """
    match event:
        case SignedIn() if event.about.agent != PHONE:
            # A phone's session is over at once; that somebody was logged in on it has an event of its own.
            return _line(event, "signed_in")
        case SignInRefused(reason="wrong" | "unknown"):
            return _line(event, "refused")
        case SignInRefused(reason="expired" | "must_change"):
            return _line(event, "expired")
        case SignInRefused(reason="locked" | "disabled" | "not_permitted_now"):
            return _line(event, "barred")
        case DuoAnswered(outcome="allowed", factor=factor) if factor != "trusted_browser":
            return _line(event, "confirmed", factor)
        case DuoAnswered(outcome="denied", factor="passcode"):
            return _line(event, "code", "passcode")
        case DuoAnswered(outcome=outcome, factor=factor) if outcome in _DUO_OUTCOMES:
            return _line(event, cast(Outcome, outcome), factor)
        case PhoneLoggedIn(already=False):
            return replace(_line(event, "phone"), agent=PHONE, device=event.device)
        case PhoneLoginRefused():
            return replace(_line(event, "phone_refused"), agent=PHONE, device=event.device)
    return None


def listed(
    lines: Iterable[ListedSignIn], since: float, most: int = MOST, most_guessed: int = MOST_GUESSED
) -> list[ListedSignIn]:
    """Return what a person sees of all lines that are kept, the newest first.

    Duo's yes within a login is told by the line of that login.

    :param since: older ones are left out, epoch seconds
    :param most: lines of what showed a right password, ``most_guessed`` of what did not
    """
    found = sorted((line for line in lines if line.last >= since), key=lambda line: line.last, reverse=True)
    for line in [line for line in found if line.told.outcome == "confirmed"]:
        into = next((other for other in found if _belongs(line, other)), None)
        if into is not None:
            found.remove(line)
            if not into.told.factor:
                found[found.index(into)] = replace(into, told=replace(into.told, factor=line.told.factor))
    passed = [line for line in found if not line.told.guessed][:most]
    guessed = [line for line in found if line.told.guessed][:most_guessed]
    return [line for line in found if line in passed or line in guessed]


def _belongs(confirmed: ListedSignIn, other: ListedSignIn) -> bool:
    """Whether Duo's yes was part of that login: it came from the same address a moment before."""
    told = other.told
    same = told.address == confirmed.told.address and (told.strength == "duo" or told.outcome.startswith("phone"))
    return told.outcome != "confirmed" and same and 0 <= other.last - confirmed.last <= _TOGETHER


def _line(event: Event, outcome: Outcome, factor: str = "") -> SignIn:
    about = event.about
    strength = about.strength if outcome == "signed_in" else ""
    return SignIn(outcome, about.agent, about.address, about.service, strength, factor)
