"""How strongly the person behind a session has been authenticated beyond the password."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from casduo.values import value_object

Level = Literal["none", "bypassed", "trusted", "duo"]

DUO_BYPASS = "duo_bypass"
"""``why`` of a bypass that Duo itself granted: preauth said ``allow``."""
UNAVAILABLE = "unavailable"
"""``why`` of a bypass granted because Duo could not be asked and the service fails open."""
UNENROLLED = "unenrolled"
"""``why`` of a bypass granted to somebody without a device, where the service asks only those who have one."""


@value_object(frozen=True, slots=True)
class Strength:
    """The mark that a second factor leaves on a session; kept apart from the session's existence.

    ``level`` is ``duo`` only when the person answered Duo; ``trusted`` when they did so before, in this browser, and
    chose to be asked no more for a while; ``bypassed`` says that Duo was due and did not happen, ``why`` says for what
    reason (:data:`DUO_BYPASS`, :data:`UNAVAILABLE`, :data:`UNENROLLED`). ``factor`` is Duo's name for it, ``push`` or
    ``passcode``. ``at`` is the moment of Duo's yes, or of the bypass, in epoch seconds. ``application`` names the Duo
    application of the settings that said yes, empty for the main one. ``why_at`` is the moment of a bypass that stands
    beside an older yes, 0 for none. A bypass never counts as Duo later.
    """

    level: Level = "none"
    factor: str = ""
    at: float = 0.0
    why: str = ""
    application: str = ""
    why_at: float = 0.0

    @property
    def passed_over_at(self) -> float:
        """The moment at which Duo did not happen, where ``why`` says that; epoch seconds."""
        return self.why_at or self.at

    @classmethod
    def duo(cls, factor: str, at: float, application: str = "") -> Strength:
        """Return the mark of a Duo authentication that succeeded with ``factor`` at ``at``."""
        return cls("duo", factor, at, application=application)

    @classmethod
    def trusted(cls, at: float, application: str = "") -> Strength:
        """Return the mark of a browser in which Duo said yes at ``at`` and that has been trusted since."""
        return cls("trusted", "", at, application=application)

    @classmethod
    def bypassed(cls, why: str, at: float) -> Strength:
        """Return the mark of a service entered without the Duo it demands, for the reason ``why``."""
        return cls("bypassed", "", at, why)

    def after_bypass(self, why: str, at: float) -> Strength:
        """Return the mark that is left when a service was entered without the Duo that it demands.

        A yes of Duo's is worth more than a bypass: it stays, for the services that it is good enough for, and ``why``
        stands beside it, for the one that it was not.
        """
        return replace(self, why=why, why_at=at) if self.level in ("duo", "trusted") else Strength.bypassed(why, at)

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> Strength:
        """Read what :meth:`to_fields` wrote. Whatever cannot be read is no strength at all."""
        try:
            at, why_at = float(fields.get("mfa_at", "")), float(fields.get("mfa_why_at", "0"))
        except ValueError:
            return NO_STRENGTH
        factor, why = fields.get("mfa_factor", ""), fields.get("mfa_why", "")
        application = fields.get("mfa_application", "")
        match fields.get("mfa_level"):
            # A moment that is no number would be neither too old nor too new.
            case ("duo" | "trusted" | "bypassed") as level if math.isfinite(at) and math.isfinite(why_at):
                return cls(level, factor, at, why, application, why_at)
            case _:
                return NO_STRENGTH

    def to_fields(self) -> dict[str, str]:
        """Return the mark as text fields of a session record: always all of them, so that a new mark hides the old."""
        return {
            "mfa_level": self.level,
            "mfa_factor": self.factor,
            "mfa_at": repr(self.at),
            "mfa_why": self.why,
            "mfa_application": self.application,
            "mfa_why_at": repr(self.why_at),
        }


NO_STRENGTH = Strength()
"""A password and nothing more."""
