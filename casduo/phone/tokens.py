"""How a phone names the login it is in: a short signed token in addresses, and a mark of it in a cookie.

Phones keep little: 255 octets a cookie, a few hundred an address. So a token is the key of the waiting flow and the
moment it was made, with a short signature, below 64 characters; the cookie holds a mark made of the same flow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from casduo.signing import Purpose, Signing, TokenInvalid, equal
from casduo.webflow.execution import Stored, parse_stored

COOKIE = "casduo-em"
_TOKEN = re.compile(r"([A-Za-z0-9]{4})([A-Za-z0-9]{16,40})-(\d{1,4})-([0-9a-f]{6,10})", re.ASCII)
_AHEAD = 60.0
"""Seconds by which the clock of another node may be ahead."""


@dataclass(frozen=True, slots=True)
class PhoneToken:
    """A token that this server made. ``expired`` says that it is too old; ``execution`` is the key it stands for."""

    execution: str = field(repr=False)
    made_at: float
    expired: bool


class PhoneTokens:
    """Makes and reads tokens.

    :param lifetime: seconds for which one is good
    """

    def __init__(self, signing: Signing, lifetime: float) -> None:
        self._signing = signing
        self._lifetime = lifetime

    def make(self, execution: str, now: float) -> str:
        """Return the token of a waiting flow.

        :param execution: its key
        """
        stored = _stored(execution)
        return self._signing.sign(Purpose.PHONE, f"{stored.slot}{stored.id}-{stored.version}-{int(now):x}")

    def read(self, token: str, now: float) -> PhoneToken | None:
        """Return what a token stands for, ``None`` for one that is not ours."""
        try:
            match = _TOKEN.fullmatch(self._signing.unsign(Purpose.PHONE, token))
        except TokenInvalid:
            return None
        if match is None:
            return None
        made_at = float(int(match[4], 16))
        stored = Stored(match[1], match[2], int(match[3]))
        return PhoneToken(stored.execution, made_at, not -_AHEAD <= now - made_at <= self._lifetime)

    def mark(self, execution: str) -> str:
        """Return what a cookie holds: it goes with one flow, whatever its version, and names none."""
        return self._signing.sign(Purpose.PHONE_COOKIE, _stored(execution).id).rpartition(".")[2]

    def fits(self, mark: str, execution: str) -> bool:
        """Say whether a cookie goes with a flow, also one that was signed with an older key."""
        try:
            return equal(
                self._signing.unsign(Purpose.PHONE_COOKIE, f"{_stored(execution).id}.{mark}"), _stored(execution).id
            )
        except TokenInvalid:
            return False


def _stored(execution: str) -> Stored:
    stored = parse_stored(execution)
    assert stored is not None
    return stored
