"""The ticket registry: sessions and tickets in Redis, each step atomic, each request as few round trips as can be.

Guarantees:

* A ticket is taken by one script that reads and deletes it: of fifty takers one gets it.
* A ticket is worth nothing once its session has ended, also when granting and ending race: taking it looks at the
  session in the same step.
* Everything expires by Redis's own clock; nothing is ever scanned or swept.
* Keys hold fingerprints of ids, never ids: a copy of the data lets nobody in.

Methods that take a ``Batch`` only add to it; the caller runs it and thereby decides what shares a round trip.
"""

from __future__ import annotations

from dataclasses import dataclass

from casduo.mfa.strength import Strength
from casduo.signing import fingerprint
from casduo.store import Batch, Reply, Store, load_script
from casduo.tickets.ids import TicketId, TicketKind, key_prefix, new_session_id, new_ticket_id, ticket_key
from casduo.tickets.model import (
    LiveSession,
    ServiceTicket,
    TakenTicket,
    TicketGrantingTicket,
    service_ticket_from,
    service_ticket_text,
    session_from,
    session_text,
    strength_text,
)

_OPEN = load_script(__file__, "open.lua")
_GRANT = load_script(__file__, "grant.lua")
_TAKE = load_script(__file__, "take.lua")
_STRENGTHEN = load_script(__file__, "strengthen.lua")
_CLOSE = load_script(__file__, "close.lua")


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds. ``session`` is the hard end of a session, ``idle`` its end without use, ``service_ticket`` the time an
    application has to validate.
    """

    session: float = 8 * 3600.0
    idle: float = 2 * 3600.0
    service_ticket: float = 30.0


@dataclass(frozen=True, slots=True)
class Granting:
    """A ticket about to be granted. ``granted`` is known once the batch has run: false when the session has ended."""

    id: TicketId
    reply: Reply

    @property
    def granted(self) -> bool:
        """Whether the ticket exists."""
        return bool(self.reply.value)


class TicketRegistry:
    """Sessions and tickets in one store."""

    def __init__(self, store: Store, lifetimes: Lifetimes) -> None:
        self._store = store
        self._session_ms = int(lifetimes.session * 1000)
        self._idle_ms = int(min(lifetimes.idle, lifetimes.session) * 1000)
        self._service_ticket_ms = int(lifetimes.service_ticket * 1000)

    def open_session(self, batch: Batch, ticket: TicketGrantingTicket, now: float) -> LiveSession:
        """Add the opening of a session under a new id, and its note in the user's index."""
        session = LiveSession(new_session_id(), ticket)
        arguments = (self._session_ms, self._idle_ms, session_text(ticket), strength_text(ticket.strength))
        batch.script(_OPEN, (session.id.key,), arguments)
        # The index only helps to find sessions; a member whose session is gone does no harm, so steps of their own do.
        index, moment = _index_key(ticket.principal_id), int(now * 1000)
        batch.command("ZREMRANGEBYSCORE", index, "-inf", moment)
        batch.command("ZADD", index, moment + self._session_ms, _member(session.id))
        batch.command("PEXPIRE", index, self._session_ms)
        return session

    def find_session(self, session: TicketId) -> TicketGrantingTicket | None:
        """Return the live session behind a TGT id, ``None`` when there is none. One round trip."""
        text, strength = self._store.command("HMGET", session.key, "session", "strength")
        return session_from(text, strength) if text is not None else None

    def raise_strength(self, batch: Batch, session: TicketId, strength: Strength) -> Reply:
        """Add what a second factor proved to a live session. The reply is 0 when the session has ended."""
        return batch.script(_STRENGTHEN, (session.key,), (strength_text(strength),))

    def grant_service_ticket(
        self, batch: Batch, session: TicketId, service: str, service_id: str, *, primary: bool, address: str = ""
    ) -> Granting:
        """Add the granting of a service ticket on a session that lives or that this batch opens."""
        ticket_id = new_ticket_id(TicketKind.SERVICE, session)
        ticket = ServiceTicket(service, service_id, primary, session.fingerprint, address)
        return Granting(
            ticket_id,
            batch.script(_GRANT, (session.key, ticket_id.key), (self._service_ticket_ms, service_ticket_text(ticket))),
        )

    def take(self, ticket: TicketId) -> TakenTicket | None:
        """Use up a service ticket and return it with its session; ``None`` when there is no such ticket (any more).

        One round trip. Whatever is done with the answer, the ticket is gone (CAS protocol 3.1.1: good for one attempt).
        """
        answer = self._store.call(_TAKE, (ticket.key,), (key_prefix(TicketKind.TICKET_GRANTING, ticket.tag),))
        if not answer:
            return None
        text, session, strength = (*answer, None, None)[:3]
        return TakenTicket(service_ticket_from(text), session_from(session, strength) if session else None)

    def close_session(self, batch: Batch, session: TicketId) -> Reply:
        """Add the end of a session. The reply is the stored session, nothing when it had ended before."""
        return batch.script(_CLOSE, (session.key,))

    def close_sessions_of(self, principal_id: str) -> int:
        """End every session of a user and return how many were live. Two round trips."""
        index = _index_key(principal_id)
        members = self._store.command("ZRANGE", index, 0, -1)
        if not members:
            return 0
        batch = self._store.batch()
        replies = []
        for member in members:
            tag, _, session_fingerprint = member.partition(":")
            replies.append(batch.script(_CLOSE, (ticket_key(TicketKind.TICKET_GRANTING, tag, session_fingerprint),)))
        batch.command("ZREM", index, *members)
        batch.run()
        return sum(1 for reply in replies if reply.value)

    def unindex(self, batch: Batch, principal_id: str, session: TicketId) -> None:
        """Add the removal of an ended session from its user's index."""
        batch.command("ZREM", _index_key(principal_id), _member(session))


def _index_key(principal_id: str) -> str:
    return f"casduo:{{u:{fingerprint(principal_id)[:32]}}}:sessions"


def _member(session: TicketId) -> str:
    return f"{session.tag}:{session.fingerprint}"
