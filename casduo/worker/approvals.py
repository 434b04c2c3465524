"""The job that keeps the deadlines of requests for access: they expire, others are reminded of them, access ends."""

from __future__ import annotations

from casduo.approvals.build import build_requests
from casduo.approvals.deadlines import Deadline, Deadlines, next_reminder
from casduo.approvals.deciding import GRACE
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.telling import expired_event, reminded_event
from casduo.cause import caused_by
from casduo.errors import UpstreamUnavailable
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.webex.inbox import Inbox
from casduo.worker.parts import Parts

LEASE = 30.0
"""Seconds after which others take over a deadline that a worker died over; longer than one takes."""
EVERY = 5.0
"""Seconds between two looks at most; what is known to be due sooner is done sooner."""
AFTERWARDS = 5.0
"""Seconds after which the end of access is seen to again: of a ticket that was validated in the very last moment."""
CLOCKS_DIFFER = 120.0
"""Seconds after which that is done for the last time: the clock of the server that somebody asked may be behind."""
_SHORTEST = 0.05
_AT_ONCE = 100


class ApprovalDeadlines:
    """Does what is due about requests for access, as long as the worker runs.

    The end of access is the end of what the service has of the person, unless they may stay by another request. That
    nobody gets in by then does not depend on this: it is checked whenever somebody wants to.

    :param lease: see :data:`LEASE`
    :param every: see :data:`EVERY`
    :param afterwards: see :data:`AFTERWARDS`
    """

    name = "approvals"

    def __init__(
        self, parts: Parts, lease: float = LEASE, every: float = EVERY, afterwards: float = AFTERWARDS
    ) -> None:
        self._parts = parts
        self._clock = parts.shared_clock
        self._requests = build_requests(parts.settings, parts.store)
        self._deadlines = Deadlines(parts.store)
        self._inbox = Inbox(parts.store)
        # Nothing is granted here, so how long tickets live does not matter.
        self._tickets = TicketRegistry(parts.store, Lifetimes())
        self._remind_every = parts.settings.approvals.remind or 0.0
        self._lease = lease
        self._every = every
        self._looks = (afterwards, CLOCKS_DIFFER)

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        stopping = self._parts.stopping
        while not stopping.is_set():
            now = self._clock()
            due = self._deadlines.due(now, _AT_ONCE, self._lease)
            for deadline in due.deadlines:
                if stopping.is_set():
                    return
                self._see_to(deadline)
            if not due.deadlines:
                rest = self._every if due.following is None else due.following - now
                stopping.wait(min(max(rest, _SHORTEST), self._every))

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. A claim ends by itself."""

    def _see_to(self, deadline: Deadline) -> None:
        try:
            request = self._requests.get(deadline.request)
            if request is None:
                self._deadlines.done(deadline)
                return
            # Applications that are told of the end are told because somebody asked then.
            with caused_by(request.reference):
                self._carry_out(deadline, request)
        except UpstreamUnavailable:
            raise
        except Exception as error:
            # The others are not to wait for it; this one falls due again when its lease is over.
            self._parts.fault(error, self.name)

    def _carry_out(self, deadline: Deadline, request: ApprovalRequest) -> None:
        if deadline.task == "expire":
            self._expire(request)
        elif deadline.task == "remind":
            self._remind(deadline, request)
        else:
            self._end(deadline, request)

    def _expire(self, request: ApprovalRequest) -> None:
        now, event = self._clock(), expired_event(request)
        if now < min(request.expires + GRACE, request.end) and self._inbox.waiting():
            # A press that waits to be looked at may have been in time. This falls due again when the lease is over.
            return
        if self._requests.expire(request.id, event, now).first:
            self._parts.journal.note(event)

    def _remind(self, deadline: Deadline, request: ApprovalRequest) -> None:
        now, event = self._clock(), reminded_event(request)
        again = next_reminder(request, self._remind_every, now) if self._remind_every else None
        if now >= request.expires or not self._remind_every:
            # Too late, because no worker ran; or the settings want none any more.
            self._deadlines.done(deadline)
        elif self._deadlines.remind(deadline, again, event, now):
            self._parts.journal.note(event)

    def _end(self, deadline: Deadline, request: ApprovalRequest) -> None:
        now = self._clock()
        if not self._requests.standing(request.principal, request.service, now).is_open:
            self._tickets.withdraw(request.principal, request.service, "approval_over", now)
        following = [request.end + pause for pause in self._looks if now < request.end + pause]
        if following:
            self._deadlines.put_off(deadline, following[0])
        else:
            self._deadlines.done(deadline)
