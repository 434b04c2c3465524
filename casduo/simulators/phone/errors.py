"""What a person at an emulated phone cannot do, and what a strict phone does not accept."""

from __future__ import annotations

from typing import ClassVar

from casduo.errors import CasduoError

INVALID_OBJECT = "XML Error [4]"
UNSUPPORTED_OBJECT = "XML Error [5]"
HTTP_PROBLEM = "HTTP Error [8]"
NO_CONNECTION = "HTTP Error [10]"
HOST_NOT_FOUND = "Host not found"


class PhoneError(CasduoError):
    """Root of everything an emulated phone raises towards the program that holds it."""

    code: ClassVar[str] = "SIMULATED_PHONE"


class PhoneRefused(PhoneError):
    """The phone met pages or answers that a strict phone does not accept; ``violations`` lists them."""

    code: ClassVar[str] = "SIMULATED_PHONE_REFUSED"

    def __init__(self, violations: tuple[str, ...]) -> None:
        super().__init__("\n".join(violations))
        self.violations = violations


class NoSuchKey(PhoneError):
    """What was to be pressed or picked is not on the display. The message says what is."""

    code: ClassVar[str] = "SIMULATED_PHONE_NO_KEY"


class CannotType(PhoneError):
    """The keypad has no such field, or cannot write such characters into it."""

    code: ClassVar[str] = "SIMULATED_PHONE_CANNOT_TYPE"


class Refusal(PhoneError):
    """Inside the package: an answer is not shown. ``prompt`` is what the prompt line says instead.

    ``blame`` says whether the answer broke a rule (then ``str()`` tells which) or nobody was reached at all.
    """

    code: ClassVar[str] = "SIMULATED_PHONE_REFUSAL"

    def __init__(self, prompt: str, reason: str, *, blame: bool = True) -> None:
        super().__init__(reason)
        self.prompt = prompt
        self.blame = blame


def invalid(reason: str, line: int = 0) -> Refusal:
    """Return the refusal of an object that does not follow the rules; ``line`` counts from 1, 0 means none."""
    return Refusal(INVALID_OBJECT, f"{reason} (line {line})" if line else reason)
