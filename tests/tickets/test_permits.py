"""Tickets for services that somebody has to approve: they end with what was approved, and so does what came of them."""

from __future__ import annotations

import time

import pytest

from casduo.store import Store
from casduo.store.streams import StreamQueue
from casduo.tickets.ids import TicketId
from casduo.tickets.ledger import Ledger
from casduo.tickets.model import LiveSession, Permit, TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.tickets.signouts import ORDERS, order_from

ADA = TicketGrantingTicket("ada", {}, "users_file", 1_790_000_000.0)


@pytest.fixture
def tickets(any_store: Store) -> TicketRegistry:
    return TicketRegistry(any_store, Lifetimes(session=100.0, idle=40.0, service_ticket=10.0))


def opened(tickets: TicketRegistry, store: Store) -> LiveSession:
    batch = store.batch()
    session = tickets.open_session(batch, ADA, time.time())
    batch.run()
    return session


def granted(
    tickets: TicketRegistry, store: Store, session: TicketId, service: str, permit: Permit | None = None
) -> TicketId:
    batch = store.batch()
    url = f"https://{service}.example.edu/"
    granting = tickets.grant_service_ticket(batch, session, url, service, primary=False, now=time.time(), permit=permit)
    batch.run()
    assert granting.granted
    return granting.id


def test_a_ticket_carries_the_approval_by_which_it_was_granted(tickets: TicketRegistry, any_store: Store) -> None:
    permit = Permit("7f3k", time.time() + 60.0)
    ticket = granted(tickets, any_store, opened(tickets, any_store).id, "oracle", permit)

    taken = tickets.take(ticket)

    assert taken is not None
    assert taken.ticket.permit == permit


def test_a_ticket_without_an_approval_carries_none(tickets: TicketRegistry, any_store: Store) -> None:
    taken = tickets.take(granted(tickets, any_store, opened(tickets, any_store).id, "library"))
    assert taken is not None
    assert taken.ticket.permit is None


@pytest.mark.parametrize(("left", "longest"), [(3.0, 3_000), (60.0, 10_000), (-5.0, 1)])
def test_a_ticket_never_outlives_the_time_that_was_approved(
    tickets: TicketRegistry, any_store: Store, left: float, longest: int
) -> None:
    session = opened(tickets, any_store).id
    ticket = granted(tickets, any_store, session, "oracle", Permit("7f3k", time.time() + left))
    assert int(any_store.command("PTTL", ticket.key)) <= longest


def test_withdrawing_tells_one_service_of_all_its_tickets_and_leaves_sessions_and_others_alone(
    tickets: TicketRegistry, any_store: Store
) -> None:
    any_store.command("FLUSHALL")
    sessions = [opened(tickets, any_store).id for _ in range(2)]
    expected = []
    for session in sessions:
        for service in ("oracle", "library", "oracle"):
            ticket = granted(tickets, any_store, session, service)
            tickets.take(ticket)
            expected += [str(ticket)] if service == "oracle" else []

    assert tickets.withdraw("ada", "oracle", "approval_over", time.time()) == 2

    orders = [order_from(entry.fields) for entry in StreamQueue(any_store, ORDERS, "test").read(10, 0.1)]
    assert {order.cause for order in orders} == {"approval_over"}
    told = [line.visit for order in orders for line in Ledger(any_store).read(order.sign_out)]
    assert sorted(visit.ticket for visit in told) == sorted(expected)
    assert {visit.service_id for visit in told} == {"oracle"}
    assert len(tickets.sessions_of("ada")) == 2
    batch = any_store.batch()
    closing = tickets.close_session(batch, sessions[0].name, "logout", time.time())
    batch.run()
    assert [visit.service_id for visit in closing.visits] == ["library"]


def test_withdrawing_twice_tells_nobody_twice(tickets: TicketRegistry, any_store: Store) -> None:
    tickets.take(granted(tickets, any_store, opened(tickets, any_store).id, "oracle"))
    assert tickets.withdraw("ada", "oracle", "approval_over", time.time()) == 1
    assert tickets.withdraw("ada", "oracle", "approval_over", time.time()) == 0
    assert tickets.withdraw("nobody", "oracle", "approval_over", time.time()) == 0
