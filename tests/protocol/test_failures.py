"""The failure log: whose a failure is, what is kept of it, and that it costs neither a round trip nor memory."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

import pytest

from casduo.protocol.errors import InvalidRequest, InvalidService, InvalidTicket, ProtocolError, UnauthorizedService
from casduo.protocol.failures import (
    KEPT_SECONDS,
    MOST,
    UNREGISTERED,
    Attempt,
    Failure,
    FailureLog,
    Noted,
    failure_of,
    noted,
)
from casduo.protocol.mismatch import compare
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.urls import parse_service
from casduo.store import Store
from casduo.store.later import LaterWrites
from casduo.store.store import client_for
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id
from tests.support.redis_servers import CountingRelay

NOW = 1_790_000_000.0
SECRET = "s3cret"
PAYROLL = "https://payroll.example.edu/slips"
TICKET = str(new_ticket_id(TicketKind.SERVICE, new_session_id()))
REGISTRY = Registry(
    [
        RegisteredService.model_validate({"id": name, "name": name, "url": f"https://{name}.example.edu/**"})
        for name in ("payroll", "library")
    ],
    "test",
)


def attempt(service: str = PAYROLL, ticket: str = TICKET, at: float = NOW) -> Attempt:
    return Attempt(at, "/p3/serviceValidate", service, ticket, "10.0.0.5", "K7QF-2M9D")


def failure(error: ProtocolError, **asked: Any) -> Failure:
    return failure_of(noted(error, attempt(**asked), REGISTRY))


def mismatch(granted: str, presented: str) -> InvalidService:
    url = parse_service(presented)
    return InvalidService(mismatch=compare(granted, url, "payroll", REGISTRY.schemes))


# Whose a failure is, and what is kept of it


def test_everything_worth_knowing_is_kept() -> None:
    assert failure(InvalidTicket("unknown, expired or used before")) == Failure(
        at=NOW,
        service_id="payroll",
        endpoint="/p3/serviceValidate",
        code="INVALID_TICKET",
        cause="unknown",
        why="unknown, expired or used before",
        address="10.0.0.5",
        reference="K7QF-2M9D",
        ticket=f"ST-…{TICKET[-4:]}",
        presented=PAYROLL,
    )


def test_a_failure_belongs_to_the_entry_of_the_presented_service() -> None:
    wrong = "https://library.example.edu/catalogue"
    found = failure(mismatch(PAYROLL, wrong), service=wrong)
    assert (found.service_id, found.granted, found.presented) == ("library", PAYROLL, wrong)


def test_a_service_that_no_entry_has_goes_to_the_entry_of_the_ticket() -> None:
    plain = PAYROLL.replace("https", "http")
    found = failure(mismatch(PAYROLL, plain), service=plain)
    assert (found.service_id, found.cause) == ("payroll", "https_lost")
    assert (found.granted, found.presented, found.difference) == (PAYROLL, plain, "scheme: https and http")
    # One that has left the registry since the login.
    gone = failure(UnauthorizedService("not registered", "unregistered", "games"), service="https://games.example.net/")
    assert gone.service_id == "games"


@pytest.mark.parametrize("service", ["https://games.example.net/", "no url", "", "https://a@payroll.example.edu/"])
def test_a_service_that_nobody_knows_goes_to_the_common_list(service: str) -> None:
    assert failure(InvalidTicket("unknown"), service=service).service_id == UNREGISTERED


def test_what_is_no_ticket_is_not_kept() -> None:
    found = failure(InvalidTicket("not a ticket", "foreign"), ticket=f"ST-{SECRET}")
    assert (found.ticket, found.cause) == ("", "foreign")


def test_no_value_of_a_query_and_no_ticket_is_kept() -> None:
    service = f"{PAYROLL}?user=ada&key={SECRET}&{SECRET}#{SECRET}"
    asked = attempt(service)
    for error in (InvalidRequest("no"), mismatch(f"{PAYROLL}?key=x{SECRET}", service)):
        refusal = noted(error, asked, REGISTRY)
        kept = json.dumps(asdict(failure_of(refusal)))
        assert SECRET not in kept
        assert TICKET not in kept
    assert SECRET not in repr(refusal)
    assert TICKET not in repr(refusal)


def test_a_note_holds_on_to_nothing_of_the_request() -> None:
    # An error holds its traceback, and that holds every value of the request.
    assert not any(isinstance(part, BaseException) for part in noted(InvalidTicket("x"), attempt(), REGISTRY))


# Keeping and reading


@pytest.fixture
def later(any_store: Store) -> LaterWrites:
    return LaterWrites(any_store)


@pytest.fixture
def log(any_store: Store, later: LaterWrites) -> FailureLog:
    return FailureLog(any_store, later)


def refusal(number: int = 0, service: str = PAYROLL, at: float = NOW) -> Noted:
    return noted(InvalidTicket(f"number {number}"), attempt(service, at=at), REGISTRY)


def whys(failures: list[Failure]) -> list[str]:
    return [failure.why for failure in failures]


def test_what_was_noted_can_be_read_after_the_flush(log: FailureLog, later: LaterWrites) -> None:
    first, second = refusal(1), refusal(2, at=NOW + 60)
    log.note(first)
    log.note(second)
    assert log.of_service("payroll", NOW) == []

    later.flush()

    assert log.of_service("payroll", NOW) == [failure_of(second), failure_of(first)]
    assert log.of_service("library", NOW) == []


def test_the_newest_come_first_also_over_several_flushes(log: FailureLog, later: LaterWrites) -> None:
    for number in range(5):
        log.note(refusal(number))
        if number % 2:
            later.flush()
    later.flush()
    assert whys(log.of_service("payroll", NOW)) == [f"number {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("at_once", [True, False])
def test_twenty_are_kept_of_each_service(log: FailureLog, later: LaterWrites, at_once: bool) -> None:
    log.note(refusal(99, "https://library.example.edu/"))
    log.note(refusal(99, "https://games.example.net/"))
    for number in range(50):
        log.note(refusal(number))
        if not at_once:
            later.flush()
    later.flush()

    assert whys(log.of_service("payroll", NOW)) == [f"number {number}" for number in range(49, 49 - MOST, -1)]
    assert whys(log.of_service("library", NOW)) == whys(log.of_service(UNREGISTERED, NOW)) == ["number 99"]


def test_a_failure_is_kept_for_seven_days(log: FailureLog, later: LaterWrites, any_store: Store) -> None:
    log.note(refusal(1))
    later.flush()
    (key,) = any_store.command("KEYS", "casduo:*")
    assert KEPT_SECONDS - 5 <= any_store.command("TTL", key) <= KEPT_SECONDS
    assert whys(log.of_service("payroll", NOW + KEPT_SECONDS - 1)) == ["number 1"]
    assert log.of_service("payroll", NOW + KEPT_SECONDS) == []

    # The next failure keeps the list alive, but not what has become too old in it.
    log.note(refusal(2, at=NOW + KEPT_SECONDS))
    later.flush()

    assert any_store.command("LLEN", key) == 1
    assert whys(log.of_service("payroll", NOW + KEPT_SECONDS)) == ["number 2"]


def test_a_note_costs_no_round_trip_and_a_flood_one_for_all_services(relay: CountingRelay, store: Store) -> None:
    far = Store(client_for(relay.url, "", 5.0, 4, ""))
    later = LaterWrites(far)
    log = FailureLog(far, later)
    far.ping()
    relay.reset()

    for number in range(5000):
        log.note(refusal(number, PAYROLL if number % 2 else "https://library.example.edu/"))
    assert relay.round_trips == 0
    later.flush()
    assert relay.round_trips == 1

    # What travelled is what is kept, not the flood.
    assert store.command("LLEN", "casduo:{failures:payroll}") == MOST
    later.flush()
    assert relay.round_trips == 1
    far.close()


def test_a_flood_that_cannot_be_sent_does_not_grow(relay: CountingRelay, store: Store) -> None:
    far = Store(client_for(relay.url, "", 5.0, 4, ""))
    later = LaterWrites(far)
    log = FailureLog(far, later)
    relay.cut()
    for number in range(1000):
        log.note(refusal(number))
    later.flush()
    relay.mend()

    log.note(refusal(7))
    later.flush()

    # What gathered while Redis was away is gone; what comes after it is kept again.
    assert whys(log.of_service("payroll", NOW)) == ["number 7"]
    far.close()


def test_a_write_that_was_pushed_out_of_the_queue_is_made_up_for(any_store: Store) -> None:
    later = LaterWrites(any_store, most=2)
    log = FailureLog(any_store, later)
    log.note(refusal(1))
    for _ in range(5):
        later.add(lambda batch: None)
    later.flush()
    assert log.of_service("payroll", NOW) == []

    log.note(refusal(2))
    later.flush()

    assert whys(log.of_service("payroll", NOW)) == ["number 2", "number 1"]


def test_threads_note_and_flush_at_once_and_nothing_is_lost(log: FailureLog, later: LaterWrites) -> None:
    def work(worker: int) -> None:
        log.note(refusal(worker))
        later.flush()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(MOST)))
    later.flush()

    assert sorted(whys(log.of_service("payroll", NOW))) == sorted(f"number {number}" for number in range(MOST))


def test_what_another_version_wrote_is_read_as_far_as_it_is_understood(log: FailureLog, any_store: Store) -> None:
    known = failure_of(refusal(1))
    richer = {**asdict(replace(known, why="richer")), "colour": "green"}
    poorer = {"at": NOW, "why": "poorer"}
    for text in (json.dumps(asdict(known)), json.dumps(richer), json.dumps(poorer), "no json"):
        any_store.command("RPUSH", "casduo:{failures:payroll}", f"{int(NOW)} {text}")
    assert whys(log.of_service("payroll", NOW)) == ["number 1", "richer"]
