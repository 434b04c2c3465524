"""The ticket registry: sessions and tickets in Redis, each step atomic, each request as few round trips as can be.

Guarantees:

* A ticket is taken by one script that reads and deletes it: of fifty takers one gets it.
* A ticket is worth nothing once its session has ended, also when granting and ending race: taking it looks at the
  session in the same step.
* What a service has validated is noted in the step that used the ticket up, and set aside in the step that ends the
  session: whatever races, a service that began a session of its own is told of the end.
* Everything expires by Redis's own clock; nothing is ever scanned or swept.
* Keys hold fingerprints of ids, never ids: a copy of the data lets nobody in.

Methods that take a ``Batch`` only add to it; the caller runs it and thereby decides what shares a round trip.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from casduo.mfa.strength import Strength
from casduo.signing import fingerprint
from casduo.store import Batch, Reply, Store, load_script
from casduo.tickets.ids import (
    SessionName,
    TicketId,
    TicketKind,
    key_prefix,
    new_session_id,
    new_ticket_id,
    visits_prefix,
)
from casduo.tickets.model import (
    FoundProxyGranting,
    LiveSession,
    ProxyGrantingTicket,
    ServiceTicket,
    TakenTicket,
    TicketGrantingTicket,
    Visit,
    principal_of,
    proxy_granting_from,
    proxy_granting_text,
    service_ticket_from,
    service_ticket_text,
    session_from,
    session_text,
    strength_text,
    visit_from,
    visit_text,
)
from casduo.tickets.signouts import KEPT_MS, Cause, SignOut, add_sign_out, new_sign_out

_OPEN = load_script(__file__, "open.lua")
_GRANT = load_script(__file__, "grant.lua")
_TAKE = load_script(__file__, "take.lua")
_FIND_PROXY_GRANTING = load_script(__file__, "find_proxy_granting.lua")
_STRENGTHEN = load_script(__file__, "strengthen.lua")
# Before the order to tell what it sets aside, always.
_CLOSE = load_script(__file__, "close.lua", spelled_out=True)
_INHERIT = load_script(__file__, "inherit.lua")

_MOST_VISITS = 1000
"""Validated tickets that a session remembers; the oldest go first. An application that asks on each page has many."""
_ROW = 8
_ROW_MS = 20_000
"""A row of tickets for one service, none of them validated, is a loop between browser and application."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds. ``session`` is the hard end of a session, ``idle`` its end without use, ``service_ticket`` the time an
    application has to validate; ``remembered`` and ``remembered_idle`` hold for people who asked to be remembered.
    """

    session: float = 8 * 3600.0
    idle: float = 2 * 3600.0
    service_ticket: float = 30.0
    remembered: float = 30 * 86400.0
    remembered_idle: float = 14 * 86400.0

    def of(self, ticket: TicketGrantingTicket) -> tuple[float, float]:
        """Return the hard and the idle lifetime of a session."""
        hard, idle = (self.remembered, self.remembered_idle) if ticket.remembered else (self.session, self.idle)
        return hard, min(hard, idle)


class Grant(Enum):
    """What became of a ticket that was asked for."""

    ENDED = 0
    """The session has ended."""
    GRANTED = 1
    LOOPING = 2
    """Too many tickets for this service in a row, none of which it validated."""


@dataclass(frozen=True, slots=True)
class Granting:
    """A ticket about to be granted. ``outcome`` is known once the batch has run."""

    id: TicketId
    reply: Reply

    @property
    def outcome(self) -> Grant:
        """What became of it."""
        return Grant(self.reply.value)

    @property
    def granted(self) -> bool:
        """Whether the ticket exists."""
        return self.outcome is Grant.GRANTED


@dataclass(frozen=True, slots=True)
class Closing:
    """A session about to be ended. Its facts are known once the batch has run.

    ``sign_out`` is under which name the services it led to wait to be told, if ``telling``.
    """

    sign_out: SignOut
    reply: Reply

    @property
    def closed(self) -> bool:
        """Whether there was a session."""
        return bool(self.reply.value)

    @property
    def principal_id(self) -> str:
        """Whose session it was, empty for none."""
        return principal_of(self.reply.value[0]) if self.reply.value else ""

    @property
    def telling(self) -> bool:
        """Whether services are going to be told."""
        return bool(self.reply.value and self.reply.value[1])

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The services that validated a ticket of the session, in that order."""
        return tuple(visit_from(text) for text in self.visit_texts)

    @property
    def visit_texts(self) -> tuple[str, ...]:
        """The visits as they are stored."""
        return tuple(self.reply.value[2]) if self.reply.value else ()


class TicketRegistry:
    """Sessions and tickets in one store."""

    def __init__(self, store: Store, lifetimes: Lifetimes) -> None:
        self._store = store
        self._lifetimes = lifetimes
        self._service_ticket_ms = int(lifetimes.service_ticket * 1000)
        self._longest_ms = int(max(lifetimes.session, lifetimes.remembered) * 1000)

    def open_session(self, batch: Batch, ticket: TicketGrantingTicket, now: float) -> LiveSession:
        """Add the opening of a session under a new id, and its note in the user's index."""
        session = LiveSession(new_session_id(), ticket)
        hard, idle = (int(seconds * 1000) for seconds in self._lifetimes.of(ticket))
        moment = int(now * 1000)
        arguments = (hard, idle, session_text(ticket), strength_text(ticket.strength), moment)
        batch.script(_OPEN, (session.id.key,), arguments)
        # The index only helps to find sessions; a member whose session is gone does no harm, so steps of their own do.
        index = _index_key(ticket.principal_id)
        batch.command("ZREMRANGEBYSCORE", index, "-inf", moment)
        batch.command("ZADD", index, moment + hard, session.id.name.text)
        batch.command("PEXPIRE", index, self._longest_ms)
        return session

    def find_session(self, session: TicketId) -> TicketGrantingTicket | None:
        """Return the live session behind a TGT id, ``None`` when there is none. One round trip."""
        text, strength, used = self._store.command("HMGET", session.key, "session", "strength", "used")
        return session_from(text, strength, used) if text is not None else None

    def sessions_of(self, principal_id: str) -> list[tuple[SessionName, TicketGrantingTicket]]:
        """Return the live sessions of a user, the oldest first. Two round trips."""
        names = [SessionName.parse(member) for member in self._store.command("ZRANGE", _index_key(principal_id), 0, -1)]
        batch = self._store.batch()
        replies = [batch.command("HMGET", name.key, "session", "strength", "used") for name in names]
        batch.run()
        found = [(name, reply.value) for name, reply in zip(names, replies, strict=True) if reply.value[0]]
        sessions = [(name, session_from(*texts)) for name, texts in found]
        return sorted(sessions, key=lambda session: session[1].authenticated_at)

    def is_alive(self, ticket: TicketId) -> bool:
        """Say whether a ticket could still be used, without using it up. One round trip.

        A ticket granted on a session counts only while the session lives.
        """
        if ticket.kind is TicketKind.TICKET_GRANTING:
            return bool(self._store.command("EXISTS", ticket.key))
        sessions = key_prefix(TicketKind.TICKET_GRANTING, ticket.tag)
        answer = self._store.call(_FIND_PROXY_GRANTING, (ticket.key,), (sessions,))
        return bool(answer and len(answer) > 1 and answer[1])

    def exists(self, batch: Batch, session: SessionName) -> Reply:
        """Add the question whether a session lives; the reply is 1 or 0."""
        return batch.command("EXISTS", session.key)

    def raise_strength(self, batch: Batch, session: TicketId, strength: Strength) -> Reply:
        """Add what a second factor proved to a live session. The reply is 0 when the session has ended."""
        return batch.script(_STRENGTHEN, (session.key,), (strength_text(strength),))

    def grant_service_ticket(
        self,
        batch: Batch,
        session: TicketId,
        service: str,
        service_id: str,
        *,
        primary: bool,
        now: float,
        address: str = "",
    ) -> Granting:
        """Add the granting of a service ticket on a session that lives or that this batch opens.

        A service that asks for ticket after ticket and validates none gets no more (``Grant.LOOPING``).
        """
        ticket_id = new_ticket_id(TicketKind.SERVICE, session)
        ticket = ServiceTicket(service, service_id, primary, session.fingerprint, address)
        arguments = (
            self._service_ticket_ms,
            service_ticket_text(ticket),
            int(now * 1000),
            service_id,
            _ROW,
            _ROW_MS,
        )
        return Granting(ticket_id, batch.script(_GRANT, (session.key, ticket_id.key), arguments))

    def take(self, ticket: TicketId) -> TakenTicket | None:
        """Use up a service or proxy ticket and return it with its session; ``None`` when there is no such ticket (any
        more). The session keeps in mind that this service is to be told of its end.

        One round trip. Whatever is done with the answer, the ticket is gone (CAS protocol 3.1.1: good for one attempt).
        """
        sessions = key_prefix(TicketKind.TICKET_GRANTING, ticket.tag)
        arguments = (sessions, visits_prefix(ticket.tag), str(ticket), _MOST_VISITS)
        answer = self._store.call(_TAKE, (ticket.key,), arguments)
        if not answer:
            return None
        text, session, strength = (*answer, None, None)[:3]
        return TakenTicket(service_ticket_from(text), session_from(session, strength) if session else None)

    def forget_visit(self, batch: Batch, ticket_id: TicketId, ticket: ServiceTicket) -> None:
        """Add that the service need not be told: it was refused and has begun no session of its own."""
        session = SessionName(ticket_id.tag, ticket.session)
        batch.command("LREM", session.visits_key, -1, visit_text(str(ticket_id), ticket))

    def grant_proxy_granting(
        self, ticket_id: TicketId, taken: ServiceTicket, proxies: tuple[str, ...], now: float
    ) -> bool:
        """Store a proxy-granting ticket for the service that validated ``taken``. One round trip.

        :param proxies: the chain, newest first
        :return: ``False`` when the session has ended meanwhile
        """
        ticket = ProxyGrantingTicket(taken.service_id, taken.session, proxies, taken.address)
        session = SessionName(ticket_id.tag, taken.session)
        arguments = (self._longest_ms, proxy_granting_text(ticket), int(now * 1000))
        return bool(self._store.call(_GRANT, (session.key, ticket_id.key), arguments))

    def find_proxy_granting(self, ticket: TicketId) -> FoundProxyGranting | None:
        """Return a proxy-granting ticket with its session, ``None`` when there is none. One round trip."""
        sessions = key_prefix(TicketKind.TICKET_GRANTING, ticket.tag)
        answer = self._store.call(_FIND_PROXY_GRANTING, (ticket.key,), (sessions,))
        if not answer:
            return None
        text, session, strength, used = (*answer, None, None, None)[:4]
        return FoundProxyGranting(proxy_granting_from(text), session_from(session, strength, used) if session else None)

    def grant_proxy_ticket(
        self, granting: TicketId, found: ProxyGrantingTicket, service: str, service_id: str, now: float
    ) -> TicketId | None:
        """Grant a proxy ticket and return its id; ``None`` when the session has ended meanwhile. One round trip."""
        ticket_id = new_ticket_id(TicketKind.PROXY, granting)
        ticket = ServiceTicket(service, service_id, False, found.session, found.address, found.proxies)
        session = SessionName(granting.tag, found.session)
        arguments = (self._service_ticket_ms, service_ticket_text(ticket), int(now * 1000))
        return ticket_id if self._store.call(_GRANT, (session.key, ticket_id.key), arguments) else None

    def close_session(
        self, batch: Batch, session: SessionName, cause: Cause, now: float, *, instead: str = ""
    ) -> Closing:
        """Add the end of a session, and the order to tell the services it led to.

        :param cause: why it ends, for those who read about it later
        :param instead: who signs in anew in its place. If it is the same person nobody is told; hand the visits over
            with :meth:`inherit`.
        """
        sign_out = new_sign_out(session.tag)
        keys = (session.key, session.visits_key, sign_out.waiting_key)
        closing = Closing(sign_out, batch.script(_CLOSE, keys, (KEPT_MS, instead)))
        # In the same breath, whether anybody is to be told or not: what was set aside is never left without an order.
        add_sign_out(batch, sign_out, cause, now)
        return closing

    def inherit(self, batch: Batch, session: TicketId, closing: Closing) -> None:
        """Add that a new session is to tell the services of the one it took the place of."""
        batch.script(_INHERIT, (session.key, session.name.visits_key), closing.visit_texts)

    def close_sessions_of(self, principal_id: str, cause: Cause, now: float, *, but: TicketId | None = None) -> int:
        """End every session of a user, tell the services, and return how many were live. Two round trips.

        :param but: one that is to stay
        """
        index = _index_key(principal_id)
        spared = but.name.text if but is not None else ""
        members = [member for member in self._store.command("ZRANGE", index, 0, -1) if member != spared]
        if not members:
            return 0
        batch = self._store.batch()
        closings = [self.close_session(batch, SessionName.parse(member), cause, now) for member in members]
        batch.command("ZREM", index, *members)
        batch.run()
        return sum(1 for closing in closings if closing.closed)

    def unindex(self, batch: Batch, principal_id: str, session: SessionName) -> None:
        """Add the removal of an ended session from its user's index."""
        batch.command("ZREM", _index_key(principal_id), session.text)


def _index_key(principal_id: str) -> str:
    return f"casduo:{{u:{fingerprint(principal_id)[:32]}}}:sessions"
