"""Requests for access as they are kept: every step that must happen once is one script.

A request is a hash. Beside it, for each person and service, there is one line per request with what decides whether
somebody may enter, so that a sign-in reads one small key. Lists by person, by expiry and by creation find requests
again. All keys carry one slot tag with the events: a step and the event that tells of it are written together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Literal

from casduo.approvals.events import (
    ApprovalCancelled,
    ApprovalDecided,
    ApprovalEvent,
    ApprovalExpired,
    ApprovalRequested,
)
from casduo.approvals.keys import ALL, DEADLINES, WAITING, card_key, lines_key, open_key, person_key, record_key
from casduo.approvals.model import ApprovalRequest, Decision, Line, Standing, State, stand
from casduo.approvals.stored import decision_text, line_text, read_lines, read_request, request_text, still_noted
from casduo.approvals.violations import outside_window, too_many_refusals
from casduo.approvals.wording import cleaned, cleaned_comment
from casduo.events.model import Event, PolicyViolation, Subject
from casduo.events.record import record_of
from casduo.events.stream import STREAM
from casduo.signing import random_text
from casduo.store import Batch, Reply, Store, load_script

_CREATE = load_script(__file__, "request_create.lua")
_SETTLE = load_script(__file__, "request_settle.lua", confirmed=True)
_CARD = load_script(__file__, "request_card.lua")
_WARN = load_script(__file__, "request_warn.lua")

Created = Literal["created", "pending", "limit"]
"""What became of a new request: taken; not taken, because one of the same person for the same service waits; not taken,
because too many of the person wait, or were made of late.
"""

_ATTEMPT_LENGTH = 12
_TOGETHER = 200
_MOST_LINES = 50
"""Lines of one person for one service. Who cancels and asks anew has a line for each, too."""
_MOST_OF_PERSON = 500
_MOST_OF_ALL = 2000
_UNDER_WAY = 10.0
"""Seconds after which it is noted that a request has expired: of a button pressed in time we hear a little later."""
_SLACK = 86_400.0
"""Seconds longer that everything is kept: what is late is to find what it is about."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the wish to end a request's waiting.

    :param first: it was this one that did it; otherwise nothing was changed
    :param request: as it is now; ``None``: there is no such request
    :param violation: an event that was written along with the first one
    """

    first: bool
    request: ApprovalRequest | None
    violation: PolicyViolation | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The lines of one person for one service, on their way; readable once the batch has run."""

    reply: Reply
    refusal_window: float

    @property
    def lines(self) -> tuple[Line, ...]:
        """All that are noted."""
        return read_lines(self.reply.value)

    def standing(self, now: float) -> Standing:
        """Return how the person stands with the service.

        :param now: epoch seconds
        """
        return stand(still_noted(self.lines, now, self.refusal_window), now, self.refusal_window)


class ApprovalRequests:
    """The requests in one store. What takes no batch is one round trip and may raise ``UpstreamUnavailable``.

    :param kept: seconds for which requests are kept when they are over
    :param refusal_window: seconds for which a refusal counts, and for which lines stay that are over
    :param refusals: how many refusals within that time are a violation; 0: never
    :param remind: seconds between reminders of a request that waits; 0: none
    """

    def __init__(
        self, store: Store, *, kept: float, refusal_window: float, refusals: int = 0, remind: float = 0.0
    ) -> None:
        self._store = store
        self._kept = kept
        self._refusal_window = refusal_window
        self._refusals = refusals
        self._remind = remind

    def standing(self, principal: str, service: str, now: float) -> Standing:
        """Return how somebody stands with a service, by its registry id."""
        batch = self._store.batch()
        reading = self.reading(batch, principal, service)
        batch.run()
        return reading.standing(now)

    def reading(self, batch: Batch, principal: str, service: str) -> Reading:
        """Add the question of :meth:`standing` to a batch."""
        return Reading(batch.command("HGETALL", lines_key(principal, service)), self._refusal_window)

    def create(self, request: ApprovalRequest, event: ApprovalRequested, most_open: int) -> Created:
        """Take a request, and write the event that tells of it.

        :param most_open: requests of the person that may wait at a time
        """
        now, over = request.created, max(request.end, request.expires)
        remind = now + self._remind
        line = Line(request.id, "pending", request.start, request.end, request.expires, now)
        keys = (
            record_key(request.id),
            lines_key(request.principal, request.service),
            open_key(request.principal),
            person_key(request.principal),
            *(WAITING, ALL, DEADLINES, STREAM),
        )
        arguments = (
            *(request.id, request_text(request), line_text(line), request.start, request.end),
            *(now, request.expires, request.expires + _UNDER_WAY),
            remind if self._remind and remind < request.expires else "",
            *(most_open, _MOST_LINES),
            self._refusal_window,
            _ms(over - now + self._kept + _SLACK),
            _ms(over - now + self._refusal_window + _SLACK),
            *(_MOST_OF_PERSON, _MOST_OF_ALL),
            record_of(event, now).to_json(),
        )
        created: Created = self._store.call(_CREATE, keys, arguments)
        return created

    def get(self, request_id: str) -> ApprovalRequest | None:
        """Return a request, ``None`` where there is none of that id.

        :raises ValueError: it cannot be read
        """
        return read_request(self._store.command("HGETALL", record_key(request_id)))

    def many(self, ids: Sequence[str]) -> list[ApprovalRequest]:
        """Return requests in the order of their ids, without those that there are not or that cannot be read."""
        batch = self._store.batch()
        replies = [batch.command("HGETALL", record_key(name)) for name in ids]
        batch.run()
        found = []
        for reply in replies:
            with suppress(ValueError):
                found.append(read_request(reply.value))
        return [request for request in found if request is not None]

    def of_person(self, principal: str, most: int = 50) -> list[ApprovalRequest]:
        """Return somebody's requests, the newest first. Two round trips."""
        return self.many(self._store.command("ZREVRANGE", person_key(principal), 0, most - 1))

    def waiting(self, most: int = 200, services: Collection[str] | None = None) -> list[ApprovalRequest]:
        """Return everybody's requests that wait, those first that expire first. Two round trips, one more for each 200
        that have to be looked through.

        :param services: those for which they are, by their registry ids; ``None``: all
        """
        names = self._store.command("ZRANGE", WAITING, 0, -1)
        return self._picked(names, most, lambda one: one.state == "pending" and _among(one, services))

    def recent(self, most: int = 100, services: Collection[str] | None = None) -> list[ApprovalRequest]:
        """Return everybody's requests, the newest first; as :meth:`waiting`."""
        return self._picked(self._store.command("ZREVRANGE", ALL, 0, -1), most, lambda one: _among(one, services))

    def _picked(
        self, names: Sequence[str], most: int, wanted: Callable[[ApprovalRequest], bool]
    ) -> list[ApprovalRequest]:
        found: list[ApprovalRequest] = []
        for first in range(0, len(names), _TOGETHER):
            found += [one for one in self.many(names[first : first + _TOGETHER]) if wanted(one)]
            if len(found) >= most:
                break
        return found[:most]

    def decide(self, request_id: str, decision: Decision, event: ApprovalDecided) -> Settled:
        """Decide a request that waits, whatever its expiry: whether it is too late is for the caller to judge.

        What others wrote in the decision is kept cleaned and cut.
        """
        decision = replace(decision, name=cleaned(decision.name), comment=cleaned_comment(decision.comment))
        violation = too_many_refusals(event, self._refusals)
        return self._settle(request_id, decision.decision, decision.at, event, decision, violation)

    def cancel(self, request_id: str, event: ApprovalCancelled, now: float) -> Settled:
        """Cancel a request that waits."""
        return self._settle(request_id, "cancelled", now, event)

    def expire(self, request_id: str, event: ApprovalExpired, now: float) -> Settled:
        """Give up a request that waits."""
        return self._settle(request_id, "expired", now, event)

    def add_card(self, request_id: str, message: str) -> bool:
        """Note a message with the request's buttons, by its id at Webex. ``False``: there is no such request."""
        return bool(self._store.call(_CARD, (record_key(request_id), card_key(message)), (request_id, message)))

    def request_of_card(self, message: str) -> str:
        """Return the id of the request whose buttons a message shows, empty for none that is known."""
        return self._store.command("GET", card_key(message)) or ""

    def warn_once(self, request_id: str, what: str, event: Event, now: float) -> bool:
        """Write an event about a request, unless it has been written before. Returns whether it was now.

        :param what: tells it from other events about the same request, such as a phase
        """
        arguments = (what, record_of(event, now).to_json())
        return bool(self._store.call(_WARN, (record_key(request_id), STREAM), arguments))

    def warn_outside(self, about: Subject, standing: Standing, zone: tzinfo, now: float) -> PolicyViolation | None:
        """Write, once for each request and phase, that somebody wants to enter outside the time that was approved.

        :param zone: in which moments are told
        :return: what was written, ``None`` for nothing
        """
        violation = outside_window(about, standing, zone)
        if violation is None or not self.warn_once(violation.request, standing.phase, violation, now):
            return None
        return violation

    def _settle(
        self,
        request_id: str,
        state: State,
        now: float,
        event: ApprovalEvent,
        decision: Decision | None = None,
        violation: PolicyViolation | None = None,
    ) -> Settled:
        arguments = (
            *(request_id, state, now, random_text(_ATTEMPT_LENGTH)),
            decision_text(decision) if decision is not None else "",
            record_of(event, now).to_json(),
            record_of(violation, now).to_json() if violation is not None else "",
            *(self._refusals, self._refusal_window),
        )
        keys = (record_key(request_id), WAITING, DEADLINES, STREAM)
        first, too_many, flat = self._store.call(_SETTLE, keys, arguments)
        return Settled(bool(first), read_request(flat), violation if too_many else None)


def _among(request: ApprovalRequest, services: Collection[str] | None) -> bool:
    return services is None or request.service in services


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
