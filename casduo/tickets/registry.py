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
from casduo.tickets.index import Until, note_address, note_service, note_spelling, note_user, user_index_key
from casduo.tickets.model import (
    FoundProxyGranting,
    LiveSession,
    Permit,
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
from casduo.tickets.use import LastUse
from casduo.values import value_object

_OPEN = load_script(__file__, "open.lua")
_GRANT = load_script(__file__, "grant.lua")
_TAKE = load_script(__file__, "take.lua", confirmed=True)
_FIND_PROXY_GRANTING = load_script(__file__, "find_proxy_granting.lua")
_STRENGTHEN = load_script(__file__, "strengthen.lua")
# Before the order to tell what it sets aside, always.
_CLOSE = load_script(__file__, "close.lua", spelled_out=True, confirmed=True)
_INHERIT = load_script(__file__, "inherit.lua", when_full=True)
_ENDED = load_script(__file__, "ended.lua", confirmed=True, when_full=True)
# Before the order to tell what it sets aside, as the one that ends a session.
_WITHDRAW = load_script(__file__, "withdraw.lua", spelled_out=True, confirmed=True)

_MOST_VISITS = 1000
"""Validated tickets that a session remembers; the oldest go first. An application that asks on each page has many."""
_SHOWN_VISITS = 200
"""Of these, as many as anybody looks at."""
_CLOSED_TOGETHER = 500
_ENDED_MS = 86_400_000
"""Longer than any login may take."""
_CLOCKS_DIFFER = 60.0
"""Seconds by which the clocks of nodes may differ before one of them is not believed."""
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


@value_object(frozen=True, slots=True)
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


@value_object(frozen=True, slots=True)
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


@value_object(frozen=True, slots=True)
class KnownSession:
    """A live session as its owner and administrators see it. ``visits`` are the latest of the tickets that services
    validated, the oldest first; ``expires`` is when it ends unless it is used again, in epoch seconds.
    """

    name: SessionName
    ticket: TicketGrantingTicket
    visits: tuple[Visit, ...] = ()
    expires: float = 0.0


class TicketRegistry:
    """Sessions and tickets in one store.

    :param any_case: whether people type their names in any letters, so that they have to be found by those
    """

    def __init__(self, store: Store, lifetimes: Lifetimes, *, any_case: bool = False) -> None:
        self._store = store
        self._lifetimes = lifetimes
        self._any_case = any_case
        self._uses = LastUse()
        self._service_ticket_ms = int(lifetimes.service_ticket * 1000)
        self._longest_ms = int(max(lifetimes.session, lifetimes.remembered) * 1000)

    def open_session(self, batch: Batch, ticket: TicketGrantingTicket, now: float) -> LiveSession:
        """Add the opening of a session under a new id, and its note in the user's index."""
        session = LiveSession(new_session_id(), ticket)
        hard, idle = (int(seconds * 1000) for seconds in self._lifetimes.of(ticket))
        moment, since = int(now * 1000), int((now - ticket.authenticated_at) * 1000)
        if 0 < since < hard:
            # What came after the password, such as Duo, is not added. Only by a clock that was wrong it is longer ago.
            hard -= since
        arguments = (hard, idle, session_text(ticket), strength_text(ticket.strength), moment)
        batch.script(_OPEN, (session.id.key,), arguments)
        # An index only helps to find sessions; a member whose session is gone does no harm, so steps of their own do.
        note_user(batch, ticket.principal_id, session.id.name, Until(now, now + hard / 1000))
        note_address(batch, ticket.address, session.id.name, self._until(now, ticket))
        if self._any_case:
            note_spelling(batch, ticket.principal_id)
        return session

    def find_session(self, session: TicketId) -> TicketGrantingTicket | None:
        """Return the live session behind a TGT id, ``None`` when there is none. One round trip."""
        text, strength, used = self._store.command("HMGET", session.key, "session", "strength", "used")
        return session_from(text, strength, used) if text is not None else None

    def sessions_of(self, principal_id: str) -> list[tuple[SessionName, TicketGrantingTicket]]:
        """Return the live sessions of a user, the oldest first. Two round trips."""
        members = self._store.command("ZRANGE", user_index_key(principal_id), 0, -1)
        names = [SessionName.parse(member) for member in members]
        batch = self._store.batch()
        replies = [batch.command("HMGET", name.key, "session", "strength", "used") for name in names]
        batch.run()
        found = [(name, reply.value) for name, reply in zip(names, replies, strict=True) if reply.value[0]]
        sessions = [(name, session_from(*texts)) for name, texts in found]
        return sorted(sessions, key=lambda session: session[1].authenticated_at)

    def known_sessions_of(self, principal_id: str) -> list[KnownSession]:
        """Return the live sessions of a user with what they led to, the oldest first. Two round trips."""
        names = [
            SessionName.parse(member) for member in self._store.command("ZRANGE", user_index_key(principal_id), 0, -1)
        ]
        batch = self._store.batch()
        replies = [batch.command("HMGET", name.key, "session", "strength", "used") for name in names]
        visits = [batch.command("LRANGE", name.visits_key, -_SHOWN_VISITS, -1) for name in names]
        batch.run()
        found = [
            (name, session_from(*reply.value), tuple(map(visit_from, visited.value)))
            for name, reply, visited in zip(names, replies, visits, strict=True)
            if reply.value[0]
        ]
        sessions = [KnownSession(name, ticket, visited, self.expiry_of(ticket)) for name, ticket, visited in found]
        return sorted(sessions, key=lambda session: session.ticket.authenticated_at)

    def expiry_of(self, ticket: TicketGrantingTicket) -> float:
        """Return when a session ends that is not used again, in epoch seconds."""
        hard, idle = self._lifetimes.of(ticket)
        used = max(ticket.used_at, ticket.authenticated_at)
        return min(ticket.authenticated_at + hard, used + idle)

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
        permit: Permit | None = None,
        opened: TicketGrantingTicket | None = None,
    ) -> Granting:
        """Add the granting of a service ticket on a session that lives or that this batch opens.

        A service that asks for ticket after ticket and validates none gets no more (``Grant.LOOPING``).

        :param permit: the approval by which the service is open, where it needs one; the ticket ends with it
        :param opened: the session, where the caller knows it, for how long it can be found by the service
        """
        note_service(batch, service_id, session.name, self._until(now, opened))
        self._uses.note(batch, service_id, now)
        ticket_id = new_ticket_id(TicketKind.SERVICE, session)
        ticket = ServiceTicket(service, service_id, primary, session.fingerprint, address, permit=permit)
        arguments = (
            self._lifetime_ms(permit, now),
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
        self,
        granting: TicketId,
        found: ProxyGrantingTicket,
        service: str,
        service_id: str,
        now: float,
        permit: Permit | None = None,
    ) -> TicketId | None:
        """Grant a proxy ticket and return its id; ``None`` when the session has ended meanwhile. One round trip.

        :param permit: as for :meth:`grant_service_ticket`
        """
        ticket_id = new_ticket_id(TicketKind.PROXY, granting)
        ticket = ServiceTicket(service, service_id, False, found.session, found.address, found.proxies, permit)
        session = SessionName(granting.tag, found.session)
        arguments = (self._lifetime_ms(permit, now), service_ticket_text(ticket), int(now * 1000))
        batch = self._store.batch()
        granted = batch.script(_GRANT, (session.key, ticket_id.key), arguments)
        note_service(batch, service_id, session, self._until(now, None))
        self._uses.note(batch, service_id, now)
        batch.run()
        return ticket_id if granted.value else None

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
        """End every session of a user, tell the services, and return how many were live; see :meth:`close_all_of`."""
        return sum(1 for closing in self.close_all_of(principal_id, cause, now, but=but) if closing.closed)

    def close_all_of(
        self, principal_id: str, cause: Cause, now: float, *, but: TicketId | None = None
    ) -> list[Closing]:
        """End every session of a user, tell the services, and return what was ended, some of it perhaps before. Two
        round trips, and one more for each 500 sessions.

        Logins of theirs that are under way end too, see :meth:`all_ended_since`.

        :param but: one that is to stay
        """
        index = user_index_key(principal_id)
        spared = but.name.text if but is not None else ""
        # Before the others are looked for: a login that waits for its second factor has no session yet.
        batch = self._store.batch()
        batch.script(_ENDED, (_ended_key(principal_id),), (int(now * 1000), _ENDED_MS))
        found = batch.command("ZRANGE", index, 0, -1)
        batch.run()
        members = [member for member in found.value if member != spared]
        closings: list[Closing] = []
        for start in range(0, len(members), _CLOSED_TOGETHER):
            some = members[start : start + _CLOSED_TOGETHER]
            batch = self._store.batch()
            names = [SessionName.parse(member) for member in some]
            closings += [self.close_session(batch, name, cause, now) for name in names]
            if batch.apart(index, *(name.key for name in names)):
                # What could not be ended has to be found again.
                batch.run()
            batch.command("ZREM", index, *some)
            batch.run()
        return closings

    def withdraw(self, principal_id: str, service_id: str, cause: Cause, now: float) -> int:
        """End what one service has of a user, and leave their sessions alone: it is told of every ticket that it
        validated, as if those sessions had ended. Two round trips.

        :return: in how many sessions there was something to tell
        """
        members = self._store.command("ZRANGE", user_index_key(principal_id), 0, -1)
        names = [SessionName.parse(member) for member in members]
        batch, replies = self._store.batch(), []
        for name in names:
            sign_out = new_sign_out(name.tag)
            keys = (name.visits_key, sign_out.waiting_key)
            replies.append(batch.script(_WITHDRAW, keys, (KEPT_MS, service_id)))
            add_sign_out(batch, sign_out, cause, now)
        batch.run()
        return sum(1 for reply in replies if reply.value)

    def _until(self, now: float, ticket: TicketGrantingTicket | None) -> Until:
        lifetime = self._lifetimes.of(ticket)[0] if ticket is not None else self._lifetimes.session
        began = ticket.authenticated_at if ticket is not None else now
        return Until(now, began + lifetime)

    def _lifetime_ms(self, permit: Permit | None, now: float) -> int:
        if permit is None:
            return self._service_ticket_ms
        return max(1, min(self._service_ticket_ms, int((permit.until - now) * 1000)))

    def drop_session(self, batch: Batch, principal_id: str, session: SessionName) -> None:
        """Add the removal of a session that led to nobody who would have to be told of its end."""
        batch.command("DEL", session.key, session.visits_key)
        self.unindex(batch, principal_id, session)

    def all_ended_since(self, principal_id: str, moment: float, now: float) -> bool:
        """Say whether all sessions of a user were ended at ``moment``, epoch seconds, or later. One round trip.

        Who ended them may have had a clock that was ahead, which is to keep nobody out: such a mark is as old as Redis
        says.
        """
        batch, key = self._store.batch(), _ended_key(principal_id)
        mark, left = batch.command("GET", key), batch.command("PTTL", key)
        batch.run()
        if mark.value is None:
            return False
        ended = int(mark.value)
        if ended > (now + _CLOCKS_DIFFER) * 1000:
            ended = int(now * 1000) - (_ENDED_MS - int(left.value))
        return ended >= int(moment * 1000)

    def unindex(self, batch: Batch, principal_id: str, session: SessionName) -> None:
        """Add the removal of an ended session from its user's index."""
        batch.command("ZREM", user_index_key(principal_id), session.text)


def _ended_key(principal_id: str) -> str:
    return f"casduo:{{u:{fingerprint(principal_id)[:32]}}}:ended"
