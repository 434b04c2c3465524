"""What a session keeps of the services it led to, on Valkey and Redis 7.0: who is told of its end, whatever races."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.store import Store
from casduo.tickets.ids import TicketId, new_session_id
from casduo.tickets.model import ServiceTicket, TakenTicket, Visit, service_ticket_text, visit_text
from casduo.tickets.registry import Closing
from casduo.tickets.signouts import KEPT_MS
from tests.support.desk import LIBRARY, NOW, PORTAL, Desk, desk_at


@pytest.fixture
def desk(any_store: Store) -> Desk:
    return desk_at(any_store)


@pytest.fixture
def session(desk: Desk) -> TicketId:
    return desk.open()


# Noted by taking


def test_a_ticket_that_was_taken_is_a_visit_and_one_that_waits_is_none(desk: Desk, session: TicketId) -> None:
    first = desk.visit(session)
    second = desk.visit(session, PORTAL, "portal")
    desk.grant(session)
    closing = desk.close(session)
    assert closing.visits == (Visit(str(first), LIBRARY, "library"), Visit(str(second), PORTAL, "portal"))


def test_every_ticket_of_an_application_is_a_visit_of_its_own(desk: Desk, session: TicketId) -> None:
    tickets = [str(desk.visit(session)) for _ in range(3)]
    assert desk.visits(session) == tickets


def test_a_proxy_ticket_is_a_visit_like_any_other(desk: Desk, session: TicketId) -> None:
    ticket = desk.proxy_ticket(desk.proxy_granting(session))
    assert ticket is not None
    assert desk.tickets.take(ticket) is not None
    (visit,) = desk.close(session).visits
    assert (visit.ticket, visit.service, visit.service_id) == (str(ticket), LIBRARY, "library")


def test_a_second_attempt_notes_nothing(desk: Desk, session: TicketId) -> None:
    ticket = desk.visit(session)
    assert desk.tickets.take(ticket) is None
    assert desk.visits(session) == [str(ticket)]


def test_a_session_that_has_ended_notes_nothing(desk: Desk, session: TicketId) -> None:
    ticket = desk.grant(session)
    desk.close(session)
    taken = desk.tickets.take(ticket)
    assert taken is not None
    assert taken.session is None
    assert desk.visits(session) == []
    assert desk.store.command("EXISTS", session.name.visits_key) == 0


def test_a_session_that_idled_away_notes_nothing(desk: Desk, session: TicketId) -> None:
    ticket = desk.grant(session)
    desk.store.command("PEXPIRE", session.key, 0)
    taken = desk.tickets.take(ticket)
    assert taken is not None
    assert taken.session is None
    assert desk.store.command("EXISTS", session.name.visits_key) == 0


def test_sessions_keep_their_visits_apart(desk: Desk, session: TicketId) -> None:
    theirs = desk.open("grace")
    mine = desk.visit(session)
    desk.visit(theirs)
    assert desk.visits(session) == [str(mine)]
    desk.close(theirs)
    assert desk.visits(session) == [str(mine)]


@pytest.mark.parametrize(
    "service",
    [
        "https://library.example.edu/a b?c= d",
        'https://library.example.edu/"quoted"\\',
        "https://library.example.edu/b\u00fccher/\U0001f4da",
        "imaps://mail.example.edu",
    ],
)
def test_the_service_is_kept_as_it_was_asked_for(desk: Desk, session: TicketId, service: str) -> None:
    ticket = desk.visit(session, service)
    assert desk.close(session).visits == (Visit(str(ticket), service, "library"),)


def test_the_visits_of_a_session_live_as_long_as_it_can(desk: Desk, session: TicketId) -> None:
    desk.visit(session)
    # Idle time may end the session sooner; a use of it would not touch its visits.
    assert 95_000 < desk.lifetime(session.name.visits_key) <= 100_000
    remembered = desk.open(remembered=True)
    desk.visit(remembered)
    assert 995_000 < desk.lifetime(remembered.name.visits_key) <= 1_000_000


def test_of_very_many_visits_the_latest_thousand_are_kept(desk: Desk, session: TicketId) -> None:
    first, second = desk.visit(session), desk.visit(session)
    filler = visit_text("ST-abcd-filler", ServiceTicket(LIBRARY, "library", False, session.fingerprint))
    desk.store.command("RPUSH", session.name.visits_key, *[filler] * 998)
    assert desk.visits(session)[:2] == [str(first), str(second)]
    latest = desk.visit(session)
    kept = desk.visits(session)
    assert (len(kept), kept[0], kept[-1]) == (1000, str(second), str(latest))


# Forgotten where the service was refused


def test_the_visit_of_a_refused_ticket_is_forgotten_and_no_other(desk: Desk, session: TicketId) -> None:
    kept, ticket = desk.visit(session), desk.grant(session)
    taken = desk.tickets.take(ticket)
    assert taken is not None
    later = desk.visit(session)
    forget(desk, ticket, taken)
    assert desk.visits(session) == [str(kept), str(later)]


def test_the_visit_of_a_refused_proxy_ticket_is_forgotten(desk: Desk, session: TicketId) -> None:
    ticket = desk.proxy_ticket(desk.proxy_granting(session, ("https://a.example.edu/\u00fc", "https://b.example.edu/")))
    assert ticket is not None
    taken = desk.tickets.take(ticket)
    assert taken is not None
    forget(desk, ticket, taken)
    assert desk.visits(session) == []


def test_forgetting_after_the_session_has_ended_is_harmless(desk: Desk, session: TicketId) -> None:
    ticket = desk.grant(session)
    taken = desk.tickets.take(ticket)
    assert taken is not None
    closing = desk.close(session)
    forget(desk, ticket, taken)
    # Told once too often: the service knows no such session and shrugs.
    assert desk.waiting(closing) == [str(ticket)]


def forget(desk: Desk, ticket: TicketId, taken: TakenTicket) -> None:
    batch = desk.store.batch()
    desk.tickets.forget_visit(batch, ticket, taken.ticket)
    batch.run()


# Set aside by ending


def test_ending_sets_the_visits_aside_and_queues_the_order_to_tell_them(desk: Desk, session: TicketId) -> None:
    ticket = desk.visit(session)
    closing = desk.close(session, "administrator")
    assert (closing.closed, closing.telling, closing.principal_id) == (True, True, "ada")
    assert desk.waiting(closing) == [str(ticket)]
    assert desk.orders() == [{"id": closing.sign_out.text, "cause": "administrator", "at": f"{NOW:.3f}"}]
    assert desk.store.command("EXISTS", session.key, session.name.visits_key) == 0
    assert KEPT_MS - 5_000 < desk.lifetime(closing.sign_out.waiting_key) <= KEPT_MS


def test_the_order_is_queued_in_the_same_breath(desk: Desk, session: TicketId) -> None:
    # What a batch sends together arrives together: between the two nobody can be cut off.
    batch = desk.store.batch()
    desk.visit(session)
    desk.tickets.close_session(batch, session.name, "logout", NOW)
    assert len(batch) == 2
    assert desk.orders() == []
    batch.run()
    assert len(desk.orders()) == 1


def test_a_session_without_visits_leaves_nothing_waiting(desk: Desk, session: TicketId) -> None:
    desk.grant(session)
    closing = desk.close(session)
    assert (closing.closed, closing.telling, closing.visits) == (True, False, ())
    assert desk.store.command("EXISTS", closing.sign_out.waiting_key) == 0


def test_ending_twice_tells_once(desk: Desk, session: TicketId) -> None:
    ticket = desk.visit(session)
    first, second = desk.close(session), desk.close(session)
    assert (second.closed, second.telling, second.visits, second.principal_id) == (False, False, (), "")
    assert desk.waiting(first) == [str(ticket)]
    assert desk.waiting(second) == []


def test_an_unknown_session_is_no_closing(desk: Desk) -> None:
    closing = desk.close(new_session_id())
    assert (closing.closed, closing.telling, closing.visits) == (False, False, ())


def test_a_redis_that_forgot_its_scripts_still_sets_aside_before_it_orders(desk: Desk, session: TicketId) -> None:
    ticket = desk.visit(session)
    desk.store.command("SCRIPT", "FLUSH")
    closing = desk.close(session)
    assert desk.waiting(closing) == [str(ticket)]
    assert [order["id"] for order in desk.orders()] == [closing.sign_out.text]


def test_a_sign_out_shares_the_slot_of_its_session(desk: Desk, session: TicketId) -> None:
    closing = desk.close(session)
    slot = f"{{{session.tag}}}"
    assert slot in closing.sign_out.waiting_key
    assert slot in closing.sign_out.ledger_key
    assert slot in session.name.visits_key


def test_all_sessions_of_a_person_end_with_an_order_each(desk: Desk) -> None:
    mine = [desk.open() for _ in range(3)]
    theirs, spared = desk.open("grace"), desk.open()
    tickets = {str(desk.visit(session)) for session in [*mine, spared]}
    kept = desk.visits(spared)
    assert desk.tickets.close_sessions_of("ada", "user", NOW, but=spared) == 3
    assert desk.tickets.find_session(spared) is not None
    assert desk.tickets.find_session(theirs) is not None
    assert [order["cause"] for order in desk.orders()] == ["user"] * 3
    told = set()
    for order in desk.orders():
        tag, _, name = order["id"].partition(".")
        told.update(desk.store.command("LRANGE", f"casduo:{{{tag}}}:signout:{name}", 0, -1))
    assert {text.partition(" ")[0] for text in told} == tickets - set(kept)
    assert desk.tickets.close_sessions_of("ada", "user", NOW) == 1


# Handed over where the same person signs in anew


def test_somebody_who_signs_in_anew_keeps_the_visits_and_nobody_is_told(desk: Desk, session: TicketId) -> None:
    tickets = [str(desk.visit(session)), str(desk.visit(session, PORTAL, "portal"))]
    closing = desk.close(session, "other_user", instead="ada")
    assert (closing.closed, closing.telling) == (True, False)
    assert desk.store.command("EXISTS", closing.sign_out.waiting_key, session.name.visits_key) == 0
    heir = desk.open()
    assert inherited(desk, heir, closing)
    assert 95_000 < desk.lifetime(heir.name.visits_key) <= 100_000
    later = desk.visit(heir)
    assert desk.visits(heir) == [*tickets, str(later)]
    assert [visit.ticket for visit in desk.close(heir).visits] == [*tickets, str(later)]


def test_where_somebody_else_signs_in_the_services_are_told(desk: Desk, session: TicketId) -> None:
    ticket = desk.visit(session)
    closing = desk.close(session, "other_user", instead="grace")
    assert closing.telling
    assert desk.waiting(closing) == [str(ticket)]


@pytest.mark.parametrize("other", ["Ada", "ad", "ada ", "", '"ada"'])
def test_the_same_person_is_the_same_to_the_letter(desk: Desk, session: TicketId, other: str) -> None:
    desk.visit(session)
    assert desk.close(session, "other_user", instead=other).telling


def test_names_beyond_ascii_are_recognised(desk: Desk) -> None:
    session = desk.open('j\u00f6rg\u2028\U0001f600"')
    desk.visit(session)
    closing = desk.close(session, instead='j\u00f6rg\u2028\U0001f600"')
    assert (len(closing.visits), closing.telling) == (1, False)


def test_nothing_is_handed_to_a_session_that_is_gone(desk: Desk, session: TicketId) -> None:
    desk.visit(session)
    closing = desk.close(session, instead="ada")
    heir = desk.open()
    desk.close(heir)
    assert not inherited(desk, heir, closing)
    assert desk.store.command("EXISTS", heir.name.visits_key) == 0


def inherited(desk: Desk, heir: TicketId, closing: Closing) -> bool:
    before = desk.visits(heir)
    batch = desk.store.batch()
    desk.tickets.inherit(batch, heir, closing)
    batch.run()
    return desk.visits(heir) != before


# Races


@pytest.mark.parametrize("instead", ["", "ada"], ids=["signs out", "signs in anew"])
def test_whoever_validated_before_the_end_is_told_and_nobody_else_holds_a_session(desk: Desk, instead: str) -> None:
    """Eight applications take tickets while the session ends: each was let in and is told, or was not let in."""
    outcomes = set()
    for _ in range(40):
        session = desk.open()
        tickets = [desk.grant(session, service_id=f"app-{number}") for number in range(8)]
        gate = threading.Barrier(len(tickets) + 1)

        def take(ticket: TicketId, gate: threading.Barrier = gate) -> bool:
            gate.wait()
            taken = desk.tickets.take(ticket)
            assert taken is not None
            return taken.session is not None

        def end(session: TicketId = session, gate: threading.Barrier = gate) -> Closing:
            gate.wait()
            return desk.close(session, instead=instead)

        with ThreadPoolExecutor(len(tickets) + 1) as pool:
            takers = [pool.submit(take, ticket) for ticket in tickets]
            closing = pool.submit(end).result()
            let_in = {str(ticket) for ticket, taker in zip(tickets, takers, strict=True) if taker.result()}
        assert {visit.ticket for visit in closing.visits} == let_in
        assert set(desk.waiting(closing)) == (set() if instead else let_in)
        assert desk.visits(session) == []
        outcomes.add(len(let_in))
    # Both sides won now and then, or nothing raced.
    assert len(outcomes) > 1


def test_of_two_ends_at_once_one_tells(desk: Desk) -> None:
    for _ in range(20):
        session = desk.open()
        desk.visit(session)
        gate = threading.Barrier(8)

        def end(session: TicketId = session, gate: threading.Barrier = gate) -> Closing:
            gate.wait()
            return desk.close(session)

        with ThreadPoolExecutor(8) as pool:
            closings = [future.result() for future in [pool.submit(end) for _ in range(8)]]
        assert [closing.telling for closing in closings].count(True) == 1


# What is stored


def test_only_used_up_tickets_are_stored_by_their_ids(desk: Desk, session: TicketId) -> None:
    """A copy of the data lets nobody in: what can still be used is there as a fingerprint."""
    used, waiting = desk.visit(session), desk.grant(session)
    whole = ""
    for key in desk.store.command("KEYS", "*"):
        kind = desk.store.command("TYPE", key)
        read = {
            "hash": ("HGETALL", key),
            "zset": ("ZRANGE", key, 0, -1),
            "string": ("GET", key),
            "list": ("LRANGE", key, 0, -1),
        }[kind]
        whole += f"{key} {desk.store.command(*read)}\n"
        assert desk.lifetime(key) > 0
    assert str(used) in whole
    for live in (waiting, session):
        assert str(live) not in whole
        assert str(live).rpartition("-")[2] not in whole


def test_a_visit_says_no_ticket_where_it_is_printed(desk: Desk, session: TicketId) -> None:
    ticket = desk.visit(session)
    (visit,) = desk.close(session).visits
    assert str(ticket) not in repr(visit)


def test_a_ticket_is_stored_behind_its_sessions_fingerprint_and_the_entrys_id(session: TicketId) -> None:
    text = service_ticket_text(ServiceTicket(LIBRARY, "library", False, session.fingerprint))
    assert text.startswith(f"{session.fingerprint}library [")
