"""The ledger of sign-outs: what became of each visit, and what a service was told lately."""

from __future__ import annotations

import time

import pytest

from casduo.store import Store
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id
from casduo.tickets.ledger import Ledger, Telling, masked
from casduo.tickets.model import ServiceTicket, TicketGrantingTicket, Visit, visit_text
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.tickets.signouts import KEPT_MS, ORDERS, Order, SignOut, new_sign_out, order_from

TOLD = Telling("told", 200, "", 12, 1, 1_790_000_000.5)
FAILED = Telling("failed", 0, "refused", 3, 2, 1_790_000_001.5)


@pytest.fixture
def ledger(any_store: Store) -> Ledger:
    return Ledger(any_store)


@pytest.fixture
def sign_out(any_store: Store) -> SignOut:
    """One whose session led to the library, to payroll, and to the library again."""
    tickets = TicketRegistry(any_store, Lifetimes())
    batch = any_store.batch()
    session = tickets.open_session(batch, TicketGrantingTicket("ada", {}, "users_file", 0.0), time.time())
    granted = [
        tickets.grant_service_ticket(
            batch, session.id, f"https://{name}.example.edu/", name, primary=False, now=time.time()
        )
        for name in ("library", "payroll", "library")
    ]
    batch.run()
    for granting in granted:
        tickets.take(granting.id)
    closing = tickets.close_session(batch, session.id.name, "logout", time.time())
    batch.run()
    assert closing.telling
    return closing.sign_out


def write(store: Store, sign_out: SignOut, visit: Visit, telling: Telling) -> None:
    batch = store.batch()
    Ledger(store).write(batch, sign_out, visit, telling)
    batch.run()


def test_what_has_no_record_waits(ledger: Ledger, sign_out: SignOut) -> None:
    lines = ledger.read(sign_out)
    assert [(line.visit.service_id, line.visit.service, line.state) for line in lines] == [
        ("library", "https://library.example.edu/", "waiting"),
        ("payroll", "https://payroll.example.edu/", "waiting"),
        ("library", "https://library.example.edu/", "waiting"),
    ]


def test_a_record_is_that_of_its_visit_alone(ledger: Ledger, any_store: Store, sign_out: SignOut) -> None:
    _, second, third = [line.visit for line in ledger.read(sign_out)]
    write(any_store, sign_out, third, TOLD)
    write(any_store, sign_out, second, FAILED)
    assert [line.telling for line in ledger.read(sign_out)] == [Telling("waiting"), FAILED, TOLD]


def test_a_later_record_takes_the_place_of_an_earlier_one(ledger: Ledger, any_store: Store, sign_out: SignOut) -> None:
    visit = ledger.read(sign_out)[0].visit
    write(any_store, sign_out, visit, FAILED)
    write(any_store, sign_out, visit, TOLD)
    assert ledger.read(sign_out)[0].telling == TOLD


def test_a_ledger_and_another_question_share_a_round_trip(ledger: Ledger, any_store: Store, sign_out: SignOut) -> None:
    batch = any_store.batch()
    reading, other = ledger.reading(batch, sign_out), batch.command("PING")
    batch.run()
    assert (len(reading.lines), other.value) == (3, "PONG")


def test_an_unknown_sign_out_has_no_lines(ledger: Ledger) -> None:
    assert ledger.read(new_sign_out("a1B2")) == []


def test_a_ledger_is_kept_as_long_as_its_sign_out(ledger: Ledger, any_store: Store, sign_out: SignOut) -> None:
    write(any_store, sign_out, ledger.read(sign_out)[0].visit, TOLD)
    for key in (sign_out.ledger_key, sign_out.waiting_key):
        assert KEPT_MS - 60_000 < any_store.command("PTTL", key) <= KEPT_MS


def test_a_service_shows_what_it_was_told_the_newest_first(ledger: Ledger, any_store: Store, sign_out: SignOut) -> None:
    first, second, third = [line.visit for line in ledger.read(sign_out)]
    for visit, telling in ((first, TOLD), (second, TOLD), (third, FAILED)):
        write(any_store, sign_out, visit, telling)
    lines = ledger.of_service("library")
    assert [line.telling for line in lines] == [FAILED, TOLD]
    assert [line.ticket for line in lines] == [f"ST-…{third.ticket[-4:]}", f"ST-…{first.ticket[-4:]}"]
    assert ledger.of_service("unknown") == []


def test_a_service_shows_the_last_hundred(ledger: Ledger, any_store: Store, sign_out: SignOut) -> None:
    visit = ledger.read(sign_out)[0].visit
    for number in range(105):
        write(any_store, sign_out, visit, Telling("told", 200, milliseconds=number))
    assert [line.telling.milliseconds for line in ledger.of_service("library")] == list(range(104, 4, -1))


def test_what_is_written_ends_no_session(ledger: Ledger, any_store: Store, sign_out: SignOut) -> None:
    for line in ledger.read(sign_out):
        write(any_store, sign_out, line.visit, TOLD)
    written = str(any_store.command("HGETALL", sign_out.ledger_key)) + repr(ledger.of_service("library"))
    for line in ledger.read(sign_out):
        assert line.visit.ticket not in written + repr(line)
        assert line.visit.ticket[8:-4] not in written


def test_an_order_names_its_sign_out(any_store: Store, sign_out: SignOut) -> None:
    ((_, flat),) = any_store.command("XRANGE", ORDERS, "-", "+")
    order = order_from(dict(zip(flat[::2], flat[1::2], strict=True)))
    assert order == Order(sign_out, "logout", order.at)
    assert abs(order.at - time.time()) < 30


@pytest.mark.parametrize("kind", [TicketKind.SERVICE, TicketKind.PROXY])
def test_tickets_are_masked(kind: TicketKind) -> None:
    ticket = new_ticket_id(kind, new_session_id())
    assert masked(str(ticket)) == ticket.masked == f"{kind.value}-…{str(ticket)[-4:]}"
    assert masked("ST-somebody-elses") == ""


def test_a_visit_of_a_proxy_ticket_is_one_like_any_other(ledger: Ledger, any_store: Store) -> None:
    sign_out = new_sign_out("a1B2")
    ticket = new_ticket_id(TicketKind.PROXY, new_session_id())
    taken = ServiceTicket("https://mail.example.edu/", "mail", False, "f" * 64, proxies=("https://portal/pgt",))
    any_store.command("RPUSH", sign_out.waiting_key, visit_text(str(ticket), taken))
    assert ledger.read(sign_out)[0].visit == Visit(str(ticket), "https://mail.example.edu/", "mail")
