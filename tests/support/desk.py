"""A ticket registry with a person's steps around it: open a session, get a ticket, sign out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from casduo.store import Store
from casduo.tickets.ids import TicketId, new_proxy_granting
from casduo.tickets.model import ProxyGrantingTicket, ServiceTicket, TicketGrantingTicket
from casduo.tickets.registry import Closing, Granting, Lifetimes, TicketRegistry
from casduo.tickets.signouts import ORDERS, Cause

LIBRARY = "https://library.example.edu/?q=1"
PORTAL = "https://portal.example.edu/"
CALLBACK = "https://portal.example.edu/pgt"
NOW = 1_790_000_000.0

LIFETIMES = Lifetimes(session=100.0, idle=40.0, service_ticket=10.0, remembered=1000.0, remembered_idle=400.0)


@dataclass(frozen=True)
class Desk:
    """One registry of tickets on one store, driven step by step."""

    tickets: TicketRegistry
    store: Store

    def open(self, principal: str = "ada", **more: Any) -> TicketId:
        """Open a session of somebody; ``more`` are fields of the session."""
        more.setdefault("authenticated_at", NOW)
        session = TicketGrantingTicket(principal, {"groups": ("students",)}, "users_file", **more)
        batch = self.store.batch()
        opened = self.tickets.open_session(batch, session, time.time())
        batch.run()
        return opened.id

    def granting(
        self, session: TicketId, service: str = LIBRARY, service_id: str = "library", *, now: float = NOW, **more: Any
    ) -> Granting:
        """Ask for a service ticket; what became of it is in the answer."""
        batch = self.store.batch()
        more.setdefault("primary", False)
        granting = self.tickets.grant_service_ticket(batch, session, service, service_id, now=now, **more)
        batch.run()
        return granting

    def grant(self, session: TicketId, service: str = LIBRARY, service_id: str = "library", **more: Any) -> TicketId:
        """Get a service ticket."""
        granting = self.granting(session, service, service_id, **more)
        assert granting.granted
        return granting.id

    def visit(self, session: TicketId, service: str = LIBRARY, service_id: str = "library") -> TicketId:
        """Get a ticket and let the service take it."""
        ticket = self.grant(session, service, service_id)
        assert self.tickets.take(ticket) is not None
        return ticket

    def proxy_granting(
        self, session: TicketId, proxies: tuple[str, ...] = (CALLBACK,), service_id: str = "portal", address: str = ""
    ) -> TicketId:
        """Give a service a proxy-granting ticket."""
        pgt, _ = new_proxy_granting(session)
        taken = ServiceTicket(PORTAL, service_id, False, session.fingerprint, address)
        assert self.tickets.grant_proxy_granting(pgt, taken, proxies, NOW)
        return pgt

    def proxy_ticket(self, pgt: TicketId, service: str = LIBRARY, service_id: str = "library") -> TicketId | None:
        """Get a proxy ticket with a proxy-granting ticket that exists."""
        return self.tickets.grant_proxy_ticket(pgt, self.owned(pgt), service, service_id, NOW)

    def owned(self, pgt: TicketId) -> ProxyGrantingTicket:
        """Return what is stored of a proxy-granting ticket."""
        found = self.tickets.find_proxy_granting(pgt)
        assert found is not None
        return found.ticket

    def close(self, session: TicketId, cause: Cause = "logout", *, instead: str = "") -> Closing:
        """End a session."""
        batch = self.store.batch()
        closing = self.tickets.close_session(batch, session.name, cause, NOW, instead=instead)
        batch.run()
        return closing

    def visits(self, session: TicketId) -> list[str]:
        """Return the used-up tickets that a session keeps in mind, oldest first."""
        return [text.partition(" ")[0] for text in self.store.command("LRANGE", session.name.visits_key, 0, -1)]

    def waiting(self, closing: Closing) -> list[str]:
        """Return the used-up tickets whose services wait to be told."""
        waiting = self.store.command("LRANGE", closing.sign_out.waiting_key, 0, -1)
        return [text.partition(" ")[0] for text in waiting]

    def orders(self) -> list[dict[str, str]]:
        """Return the orders to tell services, oldest first."""
        found = self.store.command("XRANGE", ORDERS, "-", "+")
        return [dict(zip(fields[::2], fields[1::2], strict=True)) for _, fields in found]

    def lifetime(self, key: str) -> int:
        """Return the milliseconds that Redis will keep a key; negative for never or for no such key."""
        return int(self.store.command("PTTL", key))


def desk_at(store: Store, lifetimes: Lifetimes = LIFETIMES) -> Desk:
    """Return a desk whose registry is in ``store``."""
    return Desk(TicketRegistry(store, lifetimes), store)
