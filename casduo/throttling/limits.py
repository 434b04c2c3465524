"""A limit on failures, and the steps in which several of them count one attempt.

Tested before a secret is looked at, hit only by failures, with pauses that grow. When Redis cannot be asked the attempt
fails closed: ``UpstreamUnavailable`` goes up and the person sees "try again later", nobody is let in unlimited.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from casduo.addresses import line_of
from casduo.authentication.names import folded_username
from casduo.signing import fingerprint
from casduo.store import Batch, Reply, load_script
from casduo.values import value_object

_SCRIPT = load_script(__file__, "throttle.lua")
_UNDER_WAY_MS = 30_000
"""How long an attempt without an outcome counts; longer than any check may take."""


_Step = Literal["look", "test", "fail", "forgive", "release"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. ``failures`` are free within ``window`` seconds; each further one doubles the pause, which starts at
    ``pause`` and never exceeds ``max_pause`` seconds. ``afresh``: when a pause is over all failures are forgotten.
    """

    failures: int
    window: float
    pause: float
    max_pause: float
    afresh: bool = False

    def arguments(self) -> tuple[int, ...]:
        """Return the limit as the script takes it, times in milliseconds."""
        times = (int(seconds * 1000) for seconds in (self.window, self.pause, self.max_pause))
        return (self.failures, *times, int(self.afresh))


class Verdict:
    """What the limits say, readable once the batch has run."""

    __slots__ = ("_replies",)

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        self._replies = replies

    @property
    def wait(self) -> int:
        """Whole seconds to wait before the next attempt; 0 means go on."""
        return math.ceil(max(0, *(int(reply.value) for reply in self._replies)) / 1000)

    @property
    def left(self) -> int:
        """After a failure: how many more may be made before the next one has to wait; 0 if it has to already."""
        return -max(int(reply.value) for reply in self._replies) if self.wait == 0 else 0


@value_object(frozen=True, slots=True)
class Counters:
    """The keys of the counters of one attempt, in the order of the limits they are for."""

    person: tuple[str, ...]
    around: tuple[str, ...]


class Limits:
    """Limits on one kind of attempt.

    :param person: on failures of one person. They lie in one slot, so that one atomic step counts them all; they know
        of attempts under way, and a success forgets their failures.
    :param around: on failures of many people together. A success leaves them alone: otherwise an attacker with an
        account of his own could wash them clean.
    """

    def __init__(self, person: Sequence[Limit], around: Sequence[Limit]) -> None:
        self._person = tuple(word for limit in person for word in limit.arguments())
        self._around = tuple(limit.arguments() for limit in around)

    def test(self, batch: Batch, counters: Counters, now: float) -> Verdict:
        """Ask whether an attempt may begin and, if so, note that it is under way."""
        return Verdict((self._count(batch, "test", counters, now), *self._count_around(batch, "look", counters, now)))

    def fail(self, batch: Batch, counters: Counters, now: float) -> Verdict:
        """Count a failure. The verdict is the pause that it earned."""
        return Verdict((self._count(batch, "fail", counters, now), *self._count_around(batch, "fail", counters, now)))

    def forgive(self, batch: Batch, counters: Counters, now: float) -> None:
        """Note a success."""
        self._count(batch, "forgive", counters, now)

    def release(self, batch: Batch, counters: Counters, now: float) -> None:
        """Note that the attempt had no verdict."""
        self._count(batch, "release", counters, now)

    def _count(self, batch: Batch, step: _Step, counters: Counters, now: float) -> Reply:
        return batch.script(_SCRIPT, counters.person, (step, int(now * 1000), _UNDER_WAY_MS, *self._person))

    def _count_around(self, batch: Batch, step: _Step, counters: Counters, now: float) -> list[Reply]:
        return [
            batch.script(_SCRIPT, (key,), (step, int(now * 1000), _UNDER_WAY_MS, *limit))
            for key, limit in zip(counters.around, self._around, strict=True)
        ]


def person_keys(username: str, place: str, kind: str) -> tuple[str, str]:
    """Return the keys of a person and of the pair of person and place, for guesses of a kind."""
    # Directories compare leniently whatever our own rule says: one person must not have a limit per spelling.
    user = fingerprint(folded_username(username))[:32]
    return f"casduo:{{u:{user}}}:{kind}.user", f"casduo:{{u:{user}}}:{kind}.pair:{fingerprint(place)[:32]}"


def address_key(address: str) -> str:
    """Return the key of an address, where guesses of all kinds are counted together."""
    return f"casduo:{{a:{fingerprint(line_of(address))[:32]}}}:login.address"
