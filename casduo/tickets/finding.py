"""Finds sessions for operators: by user, address and service, with everything that each of them has; and ends them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from casduo.addresses import parse_address
from casduo.errors import UpstreamUnavailable
from casduo.fieldtypes import Network
from casduo.store import Store
from casduo.tickets import index
from casduo.tickets.ids import SessionName
from casduo.tickets.model import TicketGrantingTicket, Visit, session_from, visit_from
from casduo.tickets.registry import Closing, TicketRegistry

MOST = 5000
"""Sessions that one question finds; enough for any that a person asks, and bounded."""
LOOKED_AT = index.MOST
"""Members of indexes that one question looks at. Many of them are of sessions that have ended."""
_AT_ONCE = 500
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions; every part that is given must fit, and at least one must be.

    :param user: the principal's id, or the name that its person types
    :param network: where they began
    :param service: registry id of a service that they led to
    :param name: how one is called in a list of those of a user, see :attr:`FoundSession.short`
    """

    user: str = ""
    network: Network | None = None
    service: str = ""
    name: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is given."""
        return not self.user and self.network is None and not self.service

    @property
    def whole_person(self) -> bool:
        """Whether everything of one person is meant."""
        return bool(self.user) and not self.name and not self.service and self.network is None


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A live session.

    :param ends: when it ends, at the latest, if it is not used any more, in epoch seconds
    :param visits: the tickets of it that services validated
    """

    name: SessionName
    ticket: TicketGrantingTicket
    ends: float
    visits: tuple[Visit, ...]

    @property
    def short(self) -> str:
        """What it is called in lists: enough to tell a person's sessions apart, and of no use to anybody else."""
        return self.name.fingerprint[:_SHOWN]

    @property
    def services(self) -> tuple[str, ...]:
        """Registry ids of the services it led to, each once."""
        return tuple(dict.fromkeys(visit.service_id for visit in self.visits))


@dataclass(frozen=True, slots=True)
class Found:
    """What was found. ``more`` says that there may be others: then not everything was looked at."""

    sessions: tuple[FoundSession, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended.

    :param counts: how many sessions of whom
    :param visits: how many tickets services had validated, which are told now
    """

    counts: Mapping[str, int]
    visits: int

    @property
    def sessions(self) -> int:
        """How many sessions in all."""
        return sum(self.counts.values())


class SessionFinder:
    """Looks for sessions in one store."""

    def __init__(self, store: Store, tickets: TicketRegistry) -> None:
        self._store = store
        self._tickets = tickets

    def find(self, query: SessionQuery) -> Found:
        """Return the live sessions that ``query`` means, those of whom the index expects the latest end first.

        The narrowest index is read and the rest filtered. A network that is too wide to be looked for on its own needs
        a user or a service beside it; :func:`searchable` says so before.

        :raises ValueError: the query is empty, or not searchable
        """
        if not searchable(query):
            raise ValueError("nothing that can be looked for")
        users = self.ids_of(query.user) if query.user else ()
        names, found, looked = _once(self._candidates(query, users)), list[FoundSession](), 0
        while looked < LOOKED_AT and len(found) <= MOST and (some := tuple(islice(names, _AT_ONCE))):
            looked += len(some)
            found += [session for session in self._read(some) if _fits(session, query, users)]
        return Found(tuple(found[:MOST]), len(found) > MOST or looked >= LOOKED_AT)

    def ids_of(self, user: str) -> tuple[str, ...]:
        """Return the principals' ids that ``user`` stands for: as it is, and as the directory has spelled it."""
        return index.spellings_of(self._store, user)

    def end(self, sessions: Iterable[FoundSession], now: float) -> Ended:
        """End sessions by an administrator's order; the worker tells the services they led to.

        :return: what was ended, for the events that tell of it: where Redis goes away in between, that is a part
        :raises UpstreamUnavailable: nothing was ended
        """
        closings: list[Closing] = []
        for some in _portions(tuple(sessions)):
            batch = self._store.batch()
            these = [self._tickets.close_session(batch, session.name, "administrator", now) for session in some]
            try:
                batch.run()
            except UpstreamUnavailable:
                if not closings:
                    raise
                break
            closings += these
            # Not before: on a cluster indexes lie apart, and what could not be ended has to be found again.
            for session in some:
                self._tickets.unindex(batch, session.ticket.principal_id, session.name)
            with suppress(UpstreamUnavailable):
                batch.run()
        return ended_of(closings)

    def _candidates(self, query: SessionQuery, users: Sequence[str]) -> Iterator[SessionName]:
        if users:
            return map(SessionName.parse, index.members_of(self._store, list(map(index.user_index_key, users))))
        blocks = index.blocks_of(query.network) if query.network is not None else None
        if blocks is not None and query.network is not None:
            return index.in_network(self._store, query.network, blocks)
        return index.of_service(self._store, query.service)

    def _read(self, names: Sequence[SessionName]) -> Iterable[FoundSession]:
        batch = self._store.batch()
        facts = [batch.command("HMGET", name.key, "session", "strength", "used", "hard", "idle") for name in names]
        batch.run()
        # Most names of an index may be of sessions that have ended: those cost no second question.
        live = [(name, reply.value) for name, reply in zip(names, facts, strict=True) if reply.value[0] is not None]
        batch = self._store.batch()
        visits = [batch.command("LRANGE", name.visits_key, 0, -1) for name, _ in live]
        batch.run()
        for (name, (text, strength, used, hard, idle)), visited in zip(live, visits, strict=True):
            ends = min(int(hard), int(used) + int(idle)) / 1000
            yield FoundSession(name, session_from(text, strength, used), ends, tuple(map(visit_from, visited.value)))


def ended_of(closings: Iterable[Closing]) -> Ended:
    """Return what was ended, once the batches have run."""
    closed = [closing for closing in closings if closing.closed]
    counts = Counter(closing.principal_id for closing in closed)
    return Ended(counts, sum(len(closing.visits) for closing in closed))


def searchable(query: SessionQuery) -> bool:
    """Say whether sessions can be looked for in this way: not by nothing, nor by a very wide network alone."""
    if query.user or query.service:
        return True
    return query.network is not None and index.blocks_of(query.network) is not None


def _fits(session: FoundSession, query: SessionQuery, users: Sequence[str]) -> bool:
    if users and session.ticket.principal_id not in users:
        return False
    if query.name and session.short != query.name:
        return False
    if query.service and query.service not in session.services:
        return False
    if query.network is None:
        return True
    address = parse_address(session.ticket.address)
    return address is not None and address in query.network


def _once(names: Iterable[SessionName]) -> Iterator[SessionName]:
    seen: set[str] = set()
    for name in names:
        if name.text not in seen:
            seen.add(name.text)
            yield name


def _portions(items: Sequence[FoundSession]) -> Iterator[Sequence[FoundSession]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
