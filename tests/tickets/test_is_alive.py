"""Looking at tickets without using them up."""

from __future__ import annotations

from casduo.store import Store
from casduo.tickets.ids import TicketId, TicketKind, new_proxy_granting, new_session_id, new_ticket_id
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry

NOW = 1_800_000_000.0


def open_session(registry: TicketRegistry, store: Store) -> TicketId:
    batch = store.batch()
    session = registry.open_session(batch, TicketGrantingTicket("ada", {}, "users_file", NOW), NOW)
    batch.run()
    return session.id


def grant(registry: TicketRegistry, store: Store, session: TicketId) -> TicketId:
    batch = store.batch()
    granting = registry.grant_service_ticket(
        batch, session, "https://library.example.edu/", "library", primary=False, now=NOW
    )
    batch.run()
    assert granting.granted
    return granting.id


def test_a_session_is_alive_until_it_ends(any_store: Store) -> None:
    registry = TicketRegistry(any_store, Lifetimes())
    session = open_session(registry, any_store)
    assert registry.is_alive(session)
    registry.close_sessions_of("ada", "administrator", NOW)
    assert not registry.is_alive(session)


def test_a_service_ticket_is_alive_until_it_is_taken_and_looking_takes_nothing(any_store: Store) -> None:
    registry = TicketRegistry(any_store, Lifetimes())
    ticket = grant(registry, any_store, open_session(registry, any_store))
    assert [registry.is_alive(ticket) for _ in range(3)] == [True] * 3
    taken = registry.take(ticket)
    assert taken is not None
    assert taken.session is not None
    assert not registry.is_alive(ticket)


def test_a_ticket_of_an_ended_session_is_not_alive(any_store: Store) -> None:
    registry = TicketRegistry(any_store, Lifetimes())
    session = open_session(registry, any_store)
    ticket, proxied = grant(registry, any_store, session), grant(registry, any_store, session)
    taken = registry.take(proxied)
    assert taken is not None
    granting, _ = new_proxy_granting(session)
    assert registry.grant_proxy_granting(granting, taken.ticket, ("https://library.example.edu/pgt",), NOW)
    assert registry.is_alive(granting)
    registry.close_sessions_of("ada", "logout", NOW)
    assert not registry.is_alive(ticket)
    assert not registry.is_alive(granting)


def test_what_never_was_is_not_alive(any_store: Store) -> None:
    registry = TicketRegistry(any_store, Lifetimes())
    session = new_session_id()
    assert not registry.is_alive(session)
    assert not any(registry.is_alive(new_ticket_id(kind, session)) for kind in TicketKind)
