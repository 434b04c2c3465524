"""The contract of the ticket registry, on Valkey from the wheel and on Debian's Redis 7.0."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from casduo.mfa.strength import Strength
from casduo.store import Store
from casduo.tickets.ids import TicketId, TicketKind, new_session_id, new_ticket_id
from casduo.tickets.model import LiveSession, TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry

SERVICE = "https://library.example.edu/?q=1"
ADA = TicketGrantingTicket(
    principal_id="ada",
    attributes={"mail": ("ada@example.edu", "a.l@example.edu"), "näme": ("Ümläut",)},
    handler="users_file",
    authenticated_at=1_790_000_000.25,
    strength=Strength.duo("duo_push", 1_790_000_001.5),
    ask_before=True,
    address="192.0.2.7",
    agent="Netscape",
)


@pytest.fixture
def tickets(any_store: Store) -> TicketRegistry:
    return TicketRegistry(any_store, Lifetimes(session=100.0, idle=40.0, service_ticket=10.0))


@pytest.fixture
def session(tickets: TicketRegistry, any_store: Store) -> LiveSession:
    return open_session(tickets, any_store)


def open_session(tickets: TicketRegistry, store: Store, ticket: TicketGrantingTicket = ADA) -> LiveSession:
    batch = store.batch()
    session = tickets.open_session(batch, ticket, time.time())
    batch.run()
    return session


def grant(tickets: TicketRegistry, store: Store, session: TicketId, *, primary: bool = False) -> TicketId | None:
    batch = store.batch()
    granting = tickets.grant_service_ticket(batch, session, SERVICE, "library", primary=primary, now=time.time())
    batch.run()
    return granting.id if granting.granted else None


def close(tickets: TicketRegistry, store: Store, session: TicketId) -> bool:
    batch = store.batch()
    closing = tickets.close_session(batch, session.name, "logout", time.time())
    batch.run()
    return closing.closed


def test_a_session_is_found_again_as_it_was_opened(tickets: TicketRegistry, session: LiveSession) -> None:
    found = tickets.find_session(session.id)
    assert found is not None
    assert abs(found.used_at - time.time()) < 30
    assert replace(found, used_at=0.0) == ADA


def test_an_unknown_session_is_none(tickets: TicketRegistry) -> None:
    assert tickets.find_session(new_session_id()) is None


def test_a_ticket_is_taken_with_its_session(tickets: TicketRegistry, any_store: Store, session: LiveSession) -> None:
    ticket = grant(tickets, any_store, session.id, primary=True)
    assert ticket is not None
    taken = tickets.take(ticket)
    assert taken is not None
    assert (taken.ticket.service, taken.ticket.service_id, taken.ticket.primary) == (SERVICE, "library", True)
    assert taken.session == ADA


def test_second_taking_of_a_ticket_gets_nothing(
    tickets: TicketRegistry, any_store: Store, session: LiveSession
) -> None:
    ticket = grant(tickets, any_store, session.id)
    assert ticket is not None
    assert tickets.take(ticket) is not None
    assert tickets.take(ticket) is None


def test_of_fifty_takers_exactly_one_gets_the_ticket(
    tickets: TicketRegistry, any_store: Store, session: LiveSession
) -> None:
    for _ in range(5):
        ticket = grant(tickets, any_store, session.id)
        assert ticket is not None
        gate = threading.Barrier(50)

        def take(ticket: TicketId = ticket, gate: threading.Barrier = gate) -> bool:
            gate.wait()
            return tickets.take(ticket) is not None

        with ThreadPoolExecutor(50) as pool:
            won = [future.result() for future in [pool.submit(take) for _ in range(50)]]
        assert won.count(True) == 1


def test_a_ticket_of_an_ended_session_brings_no_session(
    tickets: TicketRegistry, any_store: Store, session: LiveSession
) -> None:
    ticket = grant(tickets, any_store, session.id)
    assert ticket is not None
    assert close(tickets, any_store, session.id)
    taken = tickets.take(ticket)
    assert taken is not None
    assert taken.session is None


def test_nothing_is_granted_on_an_ended_session(
    tickets: TicketRegistry, any_store: Store, session: LiveSession
) -> None:
    close(tickets, any_store, session.id)
    assert grant(tickets, any_store, session.id) is None


def test_ending_a_session_twice_is_harmless(tickets: TicketRegistry, any_store: Store, session: LiveSession) -> None:
    assert close(tickets, any_store, session.id)
    assert not close(tickets, any_store, session.id)


def test_no_ticket_survives_a_race_of_granting_and_ending(tickets: TicketRegistry, any_store: Store) -> None:
    for _ in range(40):
        session = open_session(tickets, any_store)
        gate = threading.Barrier(5)

        def granting(session: LiveSession = session, gate: threading.Barrier = gate) -> TicketId | None:
            gate.wait()
            return grant(tickets, any_store, session.id)

        def ending(session: LiveSession = session, gate: threading.Barrier = gate) -> None:
            gate.wait()
            close(tickets, any_store, session.id)

        with ThreadPoolExecutor(5) as pool:
            grants = [pool.submit(granting) for _ in range(4)]
            pool.submit(ending).result()
            granted = [future.result() for future in grants]
        for ticket in granted:
            taken = tickets.take(ticket) if ticket is not None else None
            assert taken is None or taken.session is None


def test_strength_is_raised_on_a_live_session_only(
    tickets: TicketRegistry, any_store: Store, session: LiveSession
) -> None:
    stronger = Strength.duo("passcode", 1_790_000_900.0)
    batch = any_store.batch()
    alive = tickets.raise_strength(batch, session.id, stronger)
    dead = tickets.raise_strength(batch, new_session_id(), stronger)
    batch.run()
    assert (alive.value, dead.value) == (1, 0)
    found = tickets.find_session(session.id)
    assert found is not None
    assert found.strength == stronger


def test_all_sessions_of_a_user_end_together_and_nobody_elses(tickets: TicketRegistry, any_store: Store) -> None:
    mine = [open_session(tickets, any_store) for _ in range(3)]
    theirs = open_session(tickets, any_store, TicketGrantingTicket("grace", {}, "users_file", authenticated_at=1.0))
    assert tickets.close_sessions_of("ada", "fraud", time.time()) == 3
    assert all(tickets.find_session(session.id) is None for session in mine)
    assert tickets.find_session(theirs.id) is not None
    assert tickets.close_sessions_of("ada", "fraud", time.time()) == 0


def test_lifetimes_are_kept_by_redis(tickets: TicketRegistry, any_store: Store, session: LiveSession) -> None:
    ticket = grant(tickets, any_store, session.id)
    assert ticket is not None
    assert 9_000 < any_store.command("PTTL", ticket.key) <= 10_000
    assert 39_000 < any_store.command("PTTL", session.id.key) <= 40_000


def test_what_comes_between_the_password_and_the_session_makes_it_no_longer(any_store: Store) -> None:
    tickets, now = TicketRegistry(any_store, Lifetimes(session=100.0, idle=100.0)), time.time()
    waited = open_session(tickets, any_store, replace(ADA, authenticated_at=now - 30))
    assert 69_000 < any_store.command("PTTL", waited.id.key) <= 70_000
    other_clock = open_session(tickets, any_store, replace(ADA, authenticated_at=now + 30))
    assert 99_000 < any_store.command("PTTL", other_clock.id.key) <= 100_000


def test_use_begins_the_idle_time_anew_but_never_beyond_the_hard_end(
    tickets: TicketRegistry, any_store: Store, session: LiveSession
) -> None:
    any_store.command("PEXPIRE", session.id.key, 5_000)
    grant(tickets, any_store, session.id)
    assert any_store.command("PTTL", session.id.key) > 39_000
    soon = int(any_store.command("TIME")[0]) * 1000 + 3_000
    any_store.command("HSET", session.id.key, "hard", soon)
    grant(tickets, any_store, session.id)
    assert any_store.command("PTTL", session.id.key) <= 4_000


def test_every_key_expires_and_none_holds_an_id(
    tickets: TicketRegistry, any_store: Store, session: LiveSession
) -> None:
    ticket = grant(tickets, any_store, session.id)
    keys = any_store.command("KEYS", "*")
    assert keys
    dump = []
    for key in keys:
        assert any_store.command("PTTL", key) > 0
        kind = any_store.command("TYPE", key)
        read = {"hash": ("HGETALL", key), "zset": ("ZRANGE", key, 0, -1), "string": ("GET", key)}[kind]
        values = any_store.command(*read)
        dump.append(f"{key} {values}")
    whole = "\n".join(dump)
    for secret in (str(session.id), str(ticket)):
        assert secret not in whole
        assert secret.rpartition("-")[2] not in whole


def test_a_session_and_its_tickets_share_a_slot(session: LiveSession) -> None:
    ticket = new_ticket_id(TicketKind.SERVICE, session.id)
    slot = session.id.key[session.id.key.index("{") : session.id.key.index("}") + 1]
    assert slot in ticket.key


def test_a_restarted_redis_that_forgot_its_scripts_is_no_problem(
    tickets: TicketRegistry, any_store: Store, session: LiveSession
) -> None:
    any_store.command("SCRIPT", "FLUSH")
    ticket = grant(tickets, any_store, session.id)
    any_store.command("SCRIPT", "FLUSH")
    assert ticket is not None
    assert tickets.take(ticket) is not None
