"""Where the parts of a process tell how they fare, for whoever measures; as the log, there is one in each process.

Nothing here knows what becomes of it: :mod:`casduo.metrics` makes numbers of it where the settings want that. Until
then nobody listens, and telling costs a call of an empty function.
"""

from __future__ import annotations

from typing import Literal, Protocol

from casduo.events.model import Event

Outcome = Literal["ok", "refused", "timeout", "unavailable", "busy", "misconfigured", "error"]
"""How a call to somebody else ended: with an answer, with a refusal, not in time, not at all, not for want of a place,
because they say that we are set up wrongly, or in a way that nobody expected.
"""


class Gate(Protocol):
    """A breaker, as far as it is measured."""

    name: str

    def is_closed(self) -> bool:
        """Whether calls go through as if nothing had happened."""


class Places(Protocol):
    """A bulkhead, as far as it is measured."""

    name: str
    limit: int

    @property
    def inside(self) -> int:
        """How many of the places are taken."""


class Meter:
    """Takes what it is told, never fails and never waits. This one does nothing with it."""

    def request_began(self) -> None:
        """A request has come in."""

    def request_ended(self, route: str, status: int, seconds: float) -> None:
        """A request was answered.

        :param route: the name of its row in the URL table
        """

    def redis_called(self, seconds: float, *, answered: bool) -> None:
        """A round trip to Redis is over."""

    def upstream_called(self, name: str, outcome: Outcome, seconds: float) -> None:
        """A call behind the breaker ``name`` is over."""

    def left_alone(self, name: str) -> None:
        """A call was not made, because the breaker ``name`` is open."""

    def turned_away(self, name: str) -> None:
        """A thread found no place in the bulkhead ``name``."""

    def duo_answered(self, factor: str, outcome: str, seconds: float) -> None:
        """A person whom Duo asked answered, or did not.

        :param factor: ``prompt`` for Duo's own page, else Duo's name of it
        :param outcome: the word of :class:`~casduo.events.model.DuoAnswered`
        :param seconds: since the person was asked
        """

    def happened(self, event: Event) -> None:
        """An event was noted."""

    def registry_read(self, *, taken: bool) -> None:
        """A changed registry file was read, and taken over or rejected."""

    def watch_breaker(self, breaker: Gate) -> None:
        """A breaker was made."""

    def watch_bulkhead(self, bulkhead: Places) -> None:
        """A bulkhead was made."""


class _Present:
    meter = Meter()


def meter() -> Meter:
    """Return who measures in this process."""
    return _Present.meter


def measure_with(found: Meter) -> None:
    """Have ``found`` measure from now on. What was made before it stays unknown to it."""
    _Present.meter = found
