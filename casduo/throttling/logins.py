"""The limits on failed logins: by user, by address, and by the pair of both.

* ``login.pair``: one person at one place who mistypes; small and quickly forgotten.
* ``login.user``: one account guessed at from many places; larger, so that an attacker cannot easily lock out its owner.
* ``login.address``: one place that guesses at many accounts; largest, because a campus may stand behind one address.

A success forgets the failures of user and pair, never those of the address.
"""

from __future__ import annotations

from typing import Literal

from casduo.addresses import line_of
from casduo.store import Batch
from casduo.throttling.limits import Counters, Limit, Limits, Verdict, address_key, person_keys

Kind = Literal["login", "passcode"]
"""What was guessed at. Each is counted for itself, but for the address, which counts all together."""


class LoginThrottle:
    """The three limits on failed logins.

    :param user, address, pair: the limits, see the module's text
    """

    def __init__(self, user: Limit, address: Limit, pair: Limit) -> None:
        self._limits = Limits(person=(user, pair), around=(address,))

    def test(self, batch: Batch, username: str, address: str, now: float, kind: Kind = "login") -> Verdict:
        """Ask whether an attempt may begin and, if so, note that it is under way. Every test that answers 0 is to be
        followed by exactly one of ``fail``, ``forgive`` and ``release``.
        """
        return self._limits.test(batch, _counters(username, address, kind), now)

    def fail(self, batch: Batch, username: str, address: str, now: float, kind: Kind = "login") -> Verdict:
        """Count a failure. The verdict is the pause that it earned."""
        return self._limits.fail(batch, _counters(username, address, kind), now)

    def forgive(self, batch: Batch, username: str, address: str, now: float, kind: Kind = "login") -> None:
        """Note a success: failures of this user and this pair are forgotten."""
        self._limits.forgive(batch, _counters(username, address, kind), now)

    def release(self, batch: Batch, username: str, address: str, now: float, kind: Kind = "login") -> None:
        """Note that the attempt had no verdict, because the password could not be checked."""
        self._limits.release(batch, _counters(username, address, kind), now)


def _counters(username: str, address: str, kind: Kind) -> Counters:
    return Counters(person_keys(username, line_of(address), kind), (address_key(address),))
