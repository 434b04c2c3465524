"""Passcodes people type: generated on a device, sent by SMS, or handed out to get around a lost phone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

_LOOK_AHEAD = 20
"""How many codes a person may generate without using them before the server loses track (RFC 4226 section 7.4)."""

_REMEMBERED = 20
"""How many used codes are recognised as used rather than wrong."""


class Verdict(Enum):
    """What the server thinks of a passcode."""

    VALID = "valid"
    USED = "used"
    WRONG = "wrong"


@dataclass(slots=True)
class CodeGenerator:
    """Event-based six-digit codes (HOTP, RFC 4226), as Duo Mobile and hardware tokens make them."""

    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(20), repr=False)
    _shown: int = 0
    _expected: int = 0

    def next_code(self) -> str:
        """Show a code that was not shown before."""
        code = self._code(self._shown)
        self._shown += 1
        return code

    def check(self, passcode: str) -> Verdict:
        """Judge a passcode; a valid one is used up, together with all that were shown before it."""
        for counter in range(self._expected, self._expected + _LOOK_AHEAD):
            if hmac.compare_digest(self._code(counter), passcode):
                self._expected = counter + 1
                self._shown = max(self._shown, self._expected)
                return Verdict.VALID
        used = range(max(0, self._expected - _REMEMBERED), self._expected)
        return Verdict.USED if passcode in {self._code(counter) for counter in used} else Verdict.WRONG

    def _code(self, counter: int) -> str:
        # SHA-1 is what RFC 4226 prescribes.
        digest = hmac.digest(self._secret, counter.to_bytes(8, "big"), hashlib.sha1)
        offset = digest[-1] & 0x0F
        return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


@dataclass(slots=True)
class CodeList:
    """Codes given out in advance, each for one use."""

    _unused: list[str] = field(default_factory=list, repr=False)
    _used: set[str] = field(default_factory=set, repr=False)

    @property
    def unused(self) -> tuple[str, ...]:
        """The codes that still work, in the order of the list."""
        return tuple(self._unused)

    def replace(self, codes: list[str]) -> None:
        """Put new codes in the place of all old ones."""
        self._unused = list(codes)
        self._used.clear()

    def check(self, passcode: str) -> Verdict:
        """Judge a passcode; a valid one is used up."""
        if passcode in self._unused:
            self._unused.remove(passcode)
            self._used.add(passcode)
            return Verdict.VALID
        return Verdict.USED if passcode in self._used else Verdict.WRONG


@dataclass(slots=True)
class BypassCode:
    """A code that an administrator handed out.

    :param uses: how often it still works; None for without end.
    :param expires: epoch seconds; None for never.
    """

    code: str = field(repr=False)
    uses: int | None = 1
    expires: float | None = None

    def works(self, now: float) -> bool:
        """Whether somebody can still log in with it."""
        return self.uses != 0 and (self.expires is None or now < self.expires)


@dataclass(slots=True)
class BypassCodes:
    """The bypass codes of a user (Admin API, "Create Bypass Codes for User")."""

    _codes: list[BypassCode] = field(default_factory=list, repr=False)

    def unused(self, now: float) -> tuple[BypassCode, ...]:
        """Return the codes that still work."""
        return tuple(each for each in self._codes if each.works(now))

    def add(self, codes: Iterable[str], *, uses: int | None = 1, expires: float | None = None) -> None:
        """Hand out more codes, all on the same terms."""
        self._codes += [BypassCode(code, uses, expires) for code in codes]

    def replace(self, codes: Iterable[str]) -> None:
        """Put new codes, for one use each, in the place of all old ones."""
        self._codes.clear()
        self.add(codes)

    def check(self, passcode: str, now: float) -> Verdict:
        """Judge a passcode; a valid one has one use less."""
        known = [each for each in self._codes if each.code == passcode]
        valid = next((each for each in known if each.works(now)), None)
        if valid is None:
            return Verdict.USED if any(each.uses == 0 for each in known) else Verdict.WRONG
        if valid.uses is not None:
            valid.uses -= 1
        return Verdict.VALID


def random_digits(length: int) -> str:
    """Return so many random decimal digits."""
    return "".join(secrets.choice("0123456789") for _ in range(length))


def sms_batch(size: int) -> list[str]:
    """Return seven-digit codes, the first beginning with 1, the second with 2 and so on (``sms_nextcode``)."""
    return [f"{(number % 9) + 1}{random_digits(6)}" for number in range(size)]
