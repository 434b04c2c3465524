"""Proxy-granting and proxy tickets, rows of tickets nobody validates, and how long things live, on both servers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.store import Store
from casduo.tickets.ids import TicketId, TicketKind, new_proxy_granting, new_session_id, new_ticket_id
from casduo.tickets.model import ProxyGrantingTicket, ServiceTicket
from casduo.tickets.registry import Grant, Lifetimes
from tests.support.desk import CALLBACK, LIBRARY, NOW, PORTAL, Desk, desk_at

CHAIN = ("https://gateway.example.edu/cb?x=1", CALLBACK)


@pytest.fixture
def desk(any_store: Store) -> Desk:
    return desk_at(any_store)


@pytest.fixture
def session(desk: Desk) -> TicketId:
    return desk.open()


# Proxy-granting tickets


def test_a_proxy_granting_ticket_is_found_with_its_session(desk: Desk, session: TicketId) -> None:
    pgt = desk.proxy_granting(session, CHAIN, address="192.0.2.7")
    for _ in range(3):
        found = desk.tickets.find_proxy_granting(pgt)
        assert found is not None
        assert found.ticket == ProxyGrantingTicket("portal", session.fingerprint, CHAIN, "192.0.2.7")
        assert found.session is not None
        assert found.session.principal_id == "ada"


def test_nobody_finds_a_proxy_granting_ticket_that_was_not_stored(desk: Desk, session: TicketId) -> None:
    pgt, _ = new_proxy_granting(session)
    assert desk.tickets.find_proxy_granting(pgt) is None


def test_no_other_kind_of_ticket_passes_for_one(desk: Desk, session: TicketId) -> None:
    ticket = desk.grant(session)
    for other in (session, ticket):
        # Spelled as it may be, the key holds the kind.
        respelled = TicketId(TicketKind.PROXY_GRANTING, other.tag, str(other))
        assert desk.tickets.find_proxy_granting(respelled) is None
    assert desk.tickets.take(ticket) is not None


def test_a_proxy_granting_ticket_is_no_ticket_to_take(desk: Desk, session: TicketId) -> None:
    pgt = desk.proxy_granting(session)
    assert desk.tickets.take(TicketId(TicketKind.SERVICE, pgt.tag, str(pgt))) is None
    assert desk.tickets.find_proxy_granting(pgt) is not None


def test_a_proxy_granting_ticket_finds_that_its_session_has_ended(desk: Desk, session: TicketId) -> None:
    pgt = desk.proxy_granting(session)
    desk.close(session)
    found = desk.tickets.find_proxy_granting(pgt)
    assert found is not None
    assert found.session is None


def test_none_is_stored_on_a_session_that_has_ended(desk: Desk, session: TicketId) -> None:
    desk.close(session)
    pgt, _ = new_proxy_granting(session)
    taken = ServiceTicket(PORTAL, "portal", False, session.fingerprint)
    assert not desk.tickets.grant_proxy_granting(pgt, taken, (CALLBACK,), NOW)
    assert desk.store.command("EXISTS", pgt.key) == 0


def test_it_lives_no_longer_than_its_session_can(desk: Desk, session: TicketId) -> None:
    assert 95_000 < desk.lifetime(desk.proxy_granting(session).key) <= 100_000
    remembered = desk.open(remembered=True)
    assert 995_000 < desk.lifetime(desk.proxy_granting(remembered).key) <= 1_000_000


def test_neither_it_nor_its_iou_is_stored(desk: Desk, session: TicketId) -> None:
    pgt, iou = new_proxy_granting(session)
    taken = ServiceTicket(PORTAL, "portal", False, session.fingerprint)
    assert desk.tickets.grant_proxy_granting(pgt, taken, (CALLBACK,), NOW)
    for key in desk.store.command("KEYS", "*"):
        value = desk.store.command("GET", key) if desk.store.command("TYPE", key) == "string" else ""
        for secret in (str(pgt), iou):
            assert secret.rpartition("-")[2] not in f"{key} {value}"


def test_an_iou_says_nothing_of_its_ticket(session: TicketId) -> None:
    seen = set()
    for _ in range(100):
        pgt, iou = new_proxy_granting(session)
        assert iou.startswith("PGTIOU-")
        # The specification lets clients take 64 characters; phpCAS wants these characters only.
        assert len(iou) <= 64
        assert len(str(pgt)) <= 64
        assert f"{iou}{pgt}".replace("-", "").isalnum()
        assert session.tag not in iou
        assert not any(str(pgt)[start : start + 6] in iou for start in range(9, len(str(pgt)) - 6))
        seen |= {iou, str(pgt)}
    assert len(seen) == 200


# Proxy tickets


def test_a_proxy_ticket_is_taken_once_with_its_chain(desk: Desk, session: TicketId) -> None:
    pgt = desk.proxy_granting(session, CHAIN, address="192.0.2.7")
    ticket = desk.proxy_ticket(pgt)
    assert ticket is not None
    assert (ticket.kind, ticket.tag, len(str(ticket))) == (TicketKind.PROXY, session.tag, 32)
    taken = desk.tickets.take(ticket)
    assert taken is not None
    assert taken.ticket == ServiceTicket(LIBRARY, "library", False, session.fingerprint, "192.0.2.7", CHAIN)
    assert taken.session is not None
    assert desk.tickets.take(ticket) is None


def test_a_proxy_ticket_is_as_short_lived_as_a_service_ticket(desk: Desk, session: TicketId) -> None:
    ticket = desk.proxy_ticket(desk.proxy_granting(session))
    assert ticket is not None
    assert 9_000 < desk.lifetime(ticket.key) <= 10_000


def test_no_proxy_ticket_is_granted_on_a_session_that_has_ended(desk: Desk, session: TicketId) -> None:
    pgt = desk.proxy_granting(session)
    owned = desk.owned(pgt)
    desk.close(session)
    assert desk.tickets.grant_proxy_ticket(pgt, owned, LIBRARY, "library", NOW) is None
    assert desk.store.command("KEYS", "*:pt:*") == []


def test_proxying_is_use_of_the_session(desk: Desk, session: TicketId) -> None:
    pgt = desk.proxy_granting(session)
    desk.store.command("PEXPIRE", session.key, 5_000)
    desk.proxy_ticket(pgt)
    assert desk.lifetime(session.key) > 35_000


def test_of_fifty_takers_exactly_one_gets_the_proxy_ticket(desk: Desk, session: TicketId) -> None:
    ticket = desk.proxy_ticket(desk.proxy_granting(session))
    assert ticket is not None
    gate = threading.Barrier(50)

    def take() -> bool:
        gate.wait()
        return desk.tickets.take(ticket) is not None

    with ThreadPoolExecutor(50) as pool:
        won = [future.result() for future in [pool.submit(take) for _ in range(50)]]
    assert won.count(True) == 1


def test_no_proxy_ticket_survives_a_race_of_asking_and_ending(desk: Desk) -> None:
    for _ in range(40):
        session = desk.open()
        pgt = desk.proxy_granting(session)
        owned = desk.owned(pgt)
        gate = threading.Barrier(5)

        def ask(
            pgt: TicketId = pgt, owned: ProxyGrantingTicket = owned, gate: threading.Barrier = gate
        ) -> TicketId | None:
            gate.wait()
            return desk.tickets.grant_proxy_ticket(pgt, owned, LIBRARY, "library", NOW)

        def end(session: TicketId = session, gate: threading.Barrier = gate) -> None:
            gate.wait()
            desk.close(session)

        with ThreadPoolExecutor(5) as pool:
            asking = [pool.submit(ask) for _ in range(4)]
            pool.submit(end).result()
            granted = [future.result() for future in asking]
        for ticket in granted:
            taken = desk.tickets.take(ticket) if ticket is not None else None
            assert taken is None or taken.session is None


# Rows of tickets that nobody validates


def test_eight_tickets_in_a_row_are_a_visit_and_the_ninth_is_a_loop(desk: Desk, session: TicketId) -> None:
    outcomes = [desk.granting(session).outcome for _ in range(9)]
    assert outcomes == [Grant.GRANTED] * 8 + [Grant.LOOPING]


def test_what_is_found_to_loop_gets_no_ticket_and_then_begins_anew(desk: Desk, session: TicketId) -> None:
    for _ in range(8):
        desk.grant(session)
    looping = desk.granting(session)
    assert not looping.granted
    assert desk.tickets.take(looping.id) is None
    assert desk.granting(session).granted


def test_a_ticket_that_is_taken_ends_the_row(desk: Desk, session: TicketId) -> None:
    for _ in range(4):
        for _ in range(7):
            desk.grant(session)
        desk.visit(session)
    assert desk.granting(session).granted


def test_a_proxy_ticket_that_is_taken_ends_the_row_of_its_service(desk: Desk, session: TicketId) -> None:
    for _ in range(8):
        desk.grant(session)
    ticket = desk.proxy_ticket(desk.proxy_granting(session))
    assert ticket is not None
    desk.tickets.take(ticket)
    assert desk.granting(session).granted


def test_each_service_has_a_row_of_its_own(desk: Desk, session: TicketId) -> None:
    for _ in range(8):
        desk.grant(session)
    assert desk.granting(session, PORTAL, "portal").granted
    desk.visit(session, PORTAL, "portal")
    assert desk.granting(session).outcome is Grant.LOOPING


def test_each_session_has_rows_of_its_own(desk: Desk, session: TicketId) -> None:
    for _ in range(8):
        desk.grant(session)
    assert desk.granting(desk.open()).granted


def test_a_row_counts_for_twenty_seconds_from_its_first_ticket(desk: Desk, session: TicketId) -> None:
    for second in range(0, 16, 2):
        desk.grant(session, now=NOW + second)
    assert desk.granting(session, now=NOW + 21).granted
    for _ in range(7):
        desk.grant(session, now=NOW + 22)
    assert desk.granting(session, now=NOW + 41).outcome is Grant.LOOPING


def test_a_node_whose_clock_is_behind_ends_no_row(desk: Desk, session: TicketId) -> None:
    for step in range(8):
        desk.grant(session, now=NOW - 3 * step)
    assert desk.granting(session, now=NOW - 40).outcome is Grant.LOOPING


def test_an_application_may_ask_for_proxy_tickets_as_often_as_it_likes(desk: Desk, session: TicketId) -> None:
    pgt = desk.proxy_granting(session)
    assert all(desk.proxy_ticket(pgt) is not None for _ in range(30))


def test_what_is_granted_on_a_session_that_has_ended_is_neither(desk: Desk, session: TicketId) -> None:
    desk.close(session)
    granting = desk.granting(session)
    assert granting.outcome is Grant.ENDED
    assert not granting.granted


def test_asking_revives_no_session(desk: Desk) -> None:
    session = new_session_id()
    assert desk.granting(session).outcome is Grant.ENDED
    assert desk.tickets.take(new_ticket_id(TicketKind.SERVICE, session)) is None
    assert desk.store.command("EXISTS", session.key) == 0


# How long sessions live


def test_a_remembered_session_has_lifetimes_of_its_own(desk: Desk, session: TicketId) -> None:
    remembered = desk.open(remembered=True)
    assert 35_000 < desk.lifetime(session.key) <= 40_000
    assert 395_000 < desk.lifetime(remembered.key) <= 400_000
    desk.store.command("PEXPIRE", remembered.key, 5_000)
    desk.grant(remembered)
    assert 395_000 < desk.lifetime(remembered.key) <= 400_000


def test_a_session_is_found_remembered_or_not(desk: Desk, session: TicketId) -> None:
    remembered = desk.open(remembered=True)
    for found, expected in ((desk.tickets.find_session(remembered), True), (desk.tickets.find_session(session), False)):
        assert found is not None
        assert found.remembered is expected
    taken = desk.tickets.take(desk.grant(remembered))
    assert taken is not None
    assert taken.session is not None
    assert taken.session.remembered


def test_the_list_of_a_persons_sessions_ends_with_the_longest_of_them(desk: Desk, session: TicketId) -> None:
    (index,) = desk.store.command("KEYS", "*:sessions")
    assert 95_000 < desk.lifetime(index) <= 100_000
    desk.open(remembered=True)
    desk.open()
    assert 995_000 < desk.lifetime(index) <= 1_000_000
    assert desk.tickets.close_sessions_of("ada", "administrator", NOW) == 3


def test_no_use_takes_a_session_beyond_its_hard_end(desk: Desk) -> None:
    remembered = desk.open(remembered=True)
    soon = int(desk.store.command("TIME")[0]) * 1000 + 3_000
    desk.store.command("HSET", remembered.key, "hard", soon)
    pgt = desk.proxy_granting(remembered)
    ticket = desk.proxy_ticket(pgt)
    assert ticket is not None
    for key in (remembered.key, pgt.key, ticket.key):
        assert desk.lifetime(key) <= 4_000


def test_nothing_is_granted_beyond_the_hard_end(desk: Desk, session: TicketId) -> None:
    pgt = desk.proxy_granting(session)
    owned = desk.owned(pgt)
    desk.store.command("HSET", session.key, "hard", int(desk.store.command("TIME")[0]) * 1000 - 1)
    assert desk.granting(session).outcome is Grant.ENDED
    assert desk.tickets.grant_proxy_ticket(pgt, owned, LIBRARY, "library", NOW) is None
    assert not desk.tickets.grant_proxy_granting(
        new_proxy_granting(session)[0], ServiceTicket(PORTAL, "portal", False, session.fingerprint), (CALLBACK,), NOW
    )


@pytest.mark.parametrize(
    ("lifetimes", "plain", "remembered"),
    [
        (Lifetimes(), (28_800.0, 7_200.0), (2_592_000.0, 1_209_600.0)),
        (Lifetimes(session=10.0, idle=20.0, remembered=30.0, remembered_idle=40.0), (10.0, 10.0), (30.0, 30.0)),
    ],
)
def test_idle_time_never_exceeds_the_hard_end(
    desk: Desk,
    session: TicketId,
    lifetimes: Lifetimes,
    plain: tuple[float, float],
    remembered: tuple[float, float],
) -> None:
    ticket = desk.tickets.find_session(session)
    long = desk.tickets.find_session(desk.open(remembered=True))
    assert ticket is not None
    assert long is not None
    assert lifetimes.of(ticket) == plain
    assert lifetimes.of(long) == remembered


def test_every_use_is_noted(desk: Desk, session: TicketId) -> None:
    desk.grant(session, now=NOW + 5)
    found = desk.tickets.find_session(session)
    assert found is not None
    assert found.used_at == NOW + 5
    pgt = desk.proxy_granting(session)
    desk.tickets.grant_proxy_ticket(pgt, desk.owned(pgt), LIBRARY, "library", NOW + 9)
    found = desk.tickets.find_session(session)
    assert found is not None
    assert found.used_at == NOW + 9


def test_a_row_that_a_clock_ahead_began_keeps_nobody_out_once_that_is_set_back(desk: Desk, session: TicketId) -> None:
    for _ in range(8):
        assert desk.granting(session, now=NOW + 3600).outcome is Grant.GRANTED
    assert desk.granting(session, now=NOW).outcome is Grant.GRANTED
