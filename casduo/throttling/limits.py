"""The limits on failed logins: by user, by address, and by the pair of both.

Tested before a password is looked at, hit only by failures, with pauses that grow. When Redis cannot be asked the
login fails closed: ``UpstreamUnavailable`` goes up and the person sees "try again later", nobody is let in unlimited.

* ``login.pair``: one person at one place who mistypes; small and quickly forgotten.
* ``login.user``: one account guessed at from many places; larger, so that an attacker cannot easily lock out its owner.
* ``login.address``: one place that guesses at many accounts; largest, because a campus may stand behind one address.

A success forgets the failures of user and pair, never those of the address: otherwise an attacker with an account of
his own could wash his address clean.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass

from casduo.signing import fingerprint
from casduo.store import Batch, Reply, load_script

_SCRIPT = load_script(__file__, "throttle.lua")
_UNDER_WAY_MS = 30_000
"""How long an attempt without an outcome counts; longer than any password check may take."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. ``failures`` are free within ``window`` seconds; each further one doubles the pause, which starts at
    ``pause`` and never exceeds ``max_pause`` seconds.
    """

    failures: int
    window: float
    pause: float
    max_pause: float

    def arguments(self) -> tuple[int, int, int, int]:
        """Return the limit as the script takes it, times in milliseconds."""
        return (self.failures, int(self.window * 1000), int(self.pause * 1000), int(self.max_pause * 1000))


class Verdict:
    """What the limits say, readable once the batch has run."""

    __slots__ = ("_replies",)

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        self._replies = replies

    @property
    def wait(self) -> int:
        """Whole seconds to wait before the next attempt; 0 means go on."""
        return math.ceil(max(int(reply.value) for reply in self._replies) / 1000)


class LoginThrottle:
    """The three limits on failed logins.

    :param user, address, pair: the limits, see the module's text
    """

    def __init__(self, user: Limit, address: Limit, pair: Limit) -> None:
        self._by_person = (*user.arguments(), *pair.arguments())
        self._by_address = address.arguments()

    def test(self, batch: Batch, username: str, address: str, now: float) -> Verdict:
        """Ask whether an attempt may begin and, if so, note that it is under way. Every test that answers 0 is to be
        followed by exactly one of ``fail``, ``forgive`` and ``release``.
        """
        return Verdict(
            (
                self._person(batch, "test", username, address, now),
                self._address(batch, "look", address, now),
            )
        )

    def fail(self, batch: Batch, username: str, address: str, now: float) -> Verdict:
        """Count a failure. The verdict is the pause that it earned."""
        return Verdict(
            (
                self._person(batch, "fail", username, address, now),
                self._address(batch, "fail", address, now),
            )
        )

    def forgive(self, batch: Batch, username: str, address: str, now: float) -> None:
        """Note a success: failures of this user and this pair are forgotten."""
        self._person(batch, "forgive", username, address, now)

    def release(self, batch: Batch, username: str, address: str, now: float) -> None:
        """Note that the attempt had no verdict, because the password could not be checked."""
        self._person(batch, "release", username, address, now)

    def _person(self, batch: Batch, step: str, username: str, address: str, now: float) -> Reply:
        # Directories compare leniently whatever our own rule says: one person must not have a limit per spelling.
        user = fingerprint(_folded(username))[:32]
        # User and pair share a slot, so that one atomic step counts both.
        keys = (
            f"casduo:{{u:{user}}}:login.user",
            f"casduo:{{u:{user}}}:login.pair:{fingerprint(address)[:32]}",
        )
        return batch.script(_SCRIPT, keys, (step, int(now * 1000), _UNDER_WAY_MS, *self._by_person))

    def _address(self, batch: Batch, step: str, address: str, now: float) -> Reply:
        key = f"casduo:{{a:{fingerprint(address)[:32]}}}:login.address"
        return batch.script(_SCRIPT, (key,), (step, int(now * 1000), _UNDER_WAY_MS, *self._by_address))


def _folded(username: str) -> str:
    """Return a name as the most lenient directory compares it: without case, width and style of letters, with single
    spaces (RFC 4518, section 2; OpenLDAP takes a full-width letter for the plain one), and without accents, which some
    leave out of account too.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", username).casefold())
    letters = "".join(character for character in plain if unicodedata.category(character) not in ("Mn", "Me"))
    return " ".join(letters.split())
