"""The job that tells services of ended sessions: takes orders, delivers, and writes down how it went."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from contextvars import copy_context

from casduo.events.model import Event, ServiceNotTold, ServiceTold, Subject
from casduo.protocol.destination import Destination, Untold, destination
from casduo.store import Reply
from casduo.store.streams import Entry
from casduo.tickets.ledger import Ledger, Telling, masked
from casduo.tickets.model import Visit
from casduo.tickets.signouts import ORDERS, Cause, Order, SignOut, order_from
from casduo.worker.errands import Errands
from casduo.worker.parts import Parts, Stopped
from casduo.worker.sender import PER_HOST, build_sender

LEASE = 20.0
"""Seconds without a sign of life of a worker after which others take over what it held."""
_MOST_ORDERS = 256
"""Orders in hand at a time. Many, for one that waits for a slow application keeps its place meanwhile."""

_BY_BROWSER: frozenset[Cause] = frozenset({"logout"})
"""Ends of a session after which the browser shows the page that tells services."""

_Call = tuple[Visit, Destination]


class SignOuts:
    """Takes orders from the stream as long as the worker runs.

    An order is done when every visit has a record in the ledger, and only then leaves the queue. Whoever takes over an
    order that a worker died over tells those services that have no record: at worst one hears of it twice, which ends
    nothing more than once.

    :param lease: see :data:`LEASE`
    """

    name = "sign-outs"

    def __init__(self, parts: Parts, lease: float = LEASE) -> None:
        settings = parts.settings
        ca_file = str(settings.outbound.ca_file) if settings.outbound.ca_file else None
        self._parts = parts
        self._ledger = Ledger(parts.store)
        self._sender = build_sender(settings.logout.timeout, ca_file, parts.clock)
        self._errands = Errands(
            parts, self.name, ORDERS, self._carry_out, lease=lease, most=_MOST_ORDERS, idle_of=self._without_visits
        )

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        self._errands.run()

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`."""
        self._errands.finish(seconds)

    def _without_visits(self, entries: Sequence[Entry]) -> frozenset[str]:
        """Return the orders, by their ids, of sessions that no application was visited from. One round trip.

        Most orders may be such: a session gets one in the step that ends it, when nobody can know yet. What cannot be
        read is none of them.
        """

        def ask() -> list[tuple[str, Reply]]:
            batch = self._parts.store.batch()
            orders = [(entry.id, SignOut.parse(entry.fields["id"])) for entry in entries if "id" in entry.fields]
            replies = [(name, batch.command("EXISTS", sign_out.waiting_key)) for name, sign_out in orders]
            batch.run()
            return replies

        return frozenset(name for name, reply in self._parts.insist(ask) if not reply.value)

    def _carry_out(self, entry: Entry) -> bool:
        return self._tell_all(order_from(entry.fields))

    def _tell_all(self, order: Order) -> bool:
        """Tell every service that has no record yet. Returns whether all have one now."""
        waiting = self._waiting(order)
        if waiting and not self._tell_those(waiting, order):
            return False
        self._parts.insist(lambda: self._ledger.settle(order.sign_out))
        return True

    def _tell_those(self, waiting: Sequence[Visit], order: Order) -> bool:
        calls, others = self._sorted(waiting, order)
        if others:
            self._record(order, others)
        crew = [
            threading.Thread(target=copy_context().run, args=(self._work_off, order, queue), daemon=True)
            for queue in calls.values()
            for _ in range(min(PER_HOST, len(queue)))
        ]
        for member in crew:
            member.start()
        for member in crew:
            member.join()
        return not self._waiting(order)

    def _waiting(self, order: Order) -> list[Visit]:
        lines = self._parts.insist(lambda: self._ledger.read(order.sign_out))
        return [line.visit for line in lines if line.state == "waiting"]

    def _sorted(
        self, visits: Sequence[Visit], order: Order
    ) -> tuple[dict[str, deque[_Call]], list[tuple[Visit, Telling]]]:
        """Return the visits to call about, by host, and the others with what is to be said of them."""
        registry, now = self._parts.services.current(), self._parts.clock()
        calls: dict[str, deque[_Call]] = {}
        others: list[tuple[Visit, Telling]] = []
        for visit in visits:
            to = destination(visit, registry.by_id(visit.service_id))
            if isinstance(to, Untold):
                others.append((visit, Telling("unsupported", detail=to, at=now)))
            elif to.channel == "back_channel":
                calls.setdefault(to.origin, deque()).append((visit, to))
            elif order.cause in _BY_BROWSER:
                others.append((visit, Telling("browser", at=now)))
            else:
                others.append((visit, Telling("unsupported", detail=Untold.NO_BROWSER, at=now)))
        return calls, others

    def _work_off(self, order: Order, queue: deque[_Call]) -> None:
        """Call the services of one host, one after the other, as others of the crew do."""
        with suppress(IndexError, Stopped):
            while True:
                visit, to = queue.popleft()
                telling = self._told(visit, to)
                if telling is None:
                    return
                self._record(order, [(visit, telling)])

    def _told(self, visit: Visit, to: Destination) -> Telling | None:
        try:
            return self._sender.tell(visit.ticket, to, self._parts.stopping)
        except Exception as error:
            self._parts.fault(error, self.name)
            return Telling("failed", detail="fault", at=self._parts.clock())

    def _record(self, order: Order, tellings: Sequence[tuple[Visit, Telling]]) -> None:
        def write() -> None:
            batch = self._parts.store.batch()
            for visit, telling in tellings:
                self._ledger.write(batch, order.sign_out, visit, telling)
            batch.run()

        self._parts.insist(write)
        for visit, telling in tellings:
            event = _event(visit, telling)
            if event is not None:
                self._parts.journal.write(event)


def _event(visit: Visit, telling: Telling) -> Event | None:
    """Return what the journal is told; nothing where nobody was to be called."""
    if telling.state == "browser" or telling.detail == Untold.SWITCHED_OFF:
        return None
    kind = ServiceTold if telling.state == "told" else ServiceNotTold
    return kind(
        Subject(service=visit.service_id),
        ticket=masked(visit.ticket),
        status=telling.status,
        detail=telling.detail,
        milliseconds=telling.milliseconds,
        attempts=telling.attempts,
    )
