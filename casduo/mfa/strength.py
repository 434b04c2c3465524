"""How strongly the person behind a session has been authenticated beyond the password."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["none", "bypassed", "duo"]

DUO_BYPASS = "duo_bypass"
"""``why`` of a bypass that Duo itself granted: preauth said ``allow``."""
UNAVAILABLE = "unavailable"
"""``why`` of a bypass granted because Duo could not be asked and the service fails open."""


@dataclass(frozen=True, slots=True)
class Strength:
    """The mark that a second factor leaves on a session; kept apart from the session's existence.

    ``level`` is ``duo`` only when the person answered Duo; ``bypassed`` says that Duo was due and did not happen,
    ``why`` says for what reason (:data:`DUO_BYPASS`, :data:`UNAVAILABLE`). ``factor`` is Duo's name for it, ``push`` or
    ``passcode``. ``at`` is the moment in epoch seconds. A bypass never counts as Duo later.
    """

    level: Level = "none"
    factor: str = ""
    at: float = 0.0
    why: str = ""

    @classmethod
    def duo(cls, factor: str, at: float) -> Strength:
        """Return the mark of a Duo authentication that succeeded with ``factor`` at ``at``."""
        return cls("duo", factor, at)

    @classmethod
    def bypassed(cls, why: str, at: float) -> Strength:
        """Return the mark of a service entered without the Duo it demands, for the reason ``why``."""
        return cls("bypassed", "", at, why)

    @classmethod
    def from_fields(cls, fields: Mapping[str, str]) -> Strength:
        """Read what :meth:`to_fields` wrote. Whatever cannot be read is no strength at all."""
        try:
            at = float(fields.get("mfa_at", ""))
        except ValueError:
            return NO_STRENGTH
        factor, why = fields.get("mfa_factor", ""), fields.get("mfa_why", "")
        match fields.get("mfa_level"):
            # A moment that is no number would be neither too old nor too new.
            case ("duo" | "bypassed") as level if math.isfinite(at):
                return cls(level, factor, at, why)
            case _:
                return NO_STRENGTH

    def to_fields(self) -> dict[str, str]:
        """Return the mark as text fields of a session record: always all of them, so that a new mark hides the old."""
        return {"mfa_level": self.level, "mfa_factor": self.factor, "mfa_at": repr(self.at), "mfa_why": self.why}


NO_STRENGTH = Strength()
"""A password and nothing more."""
