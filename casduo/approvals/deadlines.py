"""What is to be done about requests for access at a moment: to expire, to remind of them, to end access.

The steps of a request set its deadlines. A worker claims those that are due; what it dies over falls due again when
the lease of its claim ends. Everything that is done with a deadline can be done twice without harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from casduo.approvals.events import ApprovalReminded
from casduo.approvals.keys import DEADLINES, record_key
from casduo.approvals.model import ApprovalRequest
from casduo.events.record import record_of
from casduo.events.stream import STREAM
from casduo.store import Store, fields_of, load_script

_DUE = load_script(__file__, "deadlines_due.lua")
_REMIND = load_script(__file__, "deadlines_remind.lua")

Task = Literal["expire", "remind", "end"]
"""Give the request up; remind of it; end the access that it gave."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline that was claimed.

    :param request: the id of the request
    :param at: when it was due, ``lease`` until when it is claimed, in epoch seconds
    """

    task: Task
    request: str
    at: float
    lease: float

    @property
    def member(self) -> str:
        """The name under which it is kept."""
        return f"{self.task}:{self.request}"


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now, and when the next look is worth while; ``None``: nothing is to come that is known of."""

    deadlines: tuple[Deadline, ...]
    following: float | None


class Deadlines:
    """The deadlines in one store. Everything is one round trip and may raise ``UpstreamUnavailable``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def due(self, now: float, most: int, lease: float) -> Due:
        """Claim deadlines that are due, those first that have been so for longest.

        :param most: how many at most
        :param lease: seconds after which they are given to the next one who asks, unless they are done by then
        """
        until = now + lease
        following, *flat = self._store.call(_DUE, (DEADLINES,), (now, most, until))
        found = tuple(_deadline(name, at, until) for name, at in fields_of(flat).items())
        return Due(found, float(following) if following else None)

    def remind(self, deadline: Deadline, again: float | None, event: ApprovalReminded, now: float) -> bool:
        """Write the event that reminds of a request, and set when to remind of it again.

        :param again: epoch seconds, ``None`` for never
        :return: whether it was written: the request still waits, and nobody has taken the deadline over
        """
        arguments = (
            deadline.member,
            deadline.lease,
            again if again is not None else "",
            record_of(event, now).to_json(),
        )
        return bool(self._store.call(_REMIND, (record_key(deadline.request), DEADLINES, STREAM), arguments))

    def put_off(self, deadline: Deadline, until: float) -> None:
        """Have a deadline fall due again at ``until``, unless it is done by then."""
        self._store.command("ZADD", DEADLINES, "XX", until, deadline.member)

    def done(self, deadline: Deadline) -> None:
        """Say that what was to be done is done."""
        self._store.command("ZREM", DEADLINES, deadline.member)


def next_reminder(request: ApprovalRequest, every: float, now: float) -> float | None:
    """Return when to remind of a request again, ``None`` for never: it expires before. Pure.

    After a time in which nobody could remind there is one reminder for all that were missed.

    :param every: seconds between two
    :param now: epoch seconds
    """
    passed = max(0.0, now - request.created) // every
    again = request.created + (passed + 1) * every
    return again if again < request.expires else None


def _deadline(name: str, at: str, lease: float) -> Deadline:
    task, _, request = name.partition(":")
    return Deadline(cast(Task, task), request, float(at), lease)
