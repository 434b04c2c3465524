"""The job that keeps the deadlines of requests for access."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from casduo.approvals.deadlines import Deadlines
from casduo.approvals.keys import DEADLINES, record_key
from casduo.approvals.model import ApprovalRequest
from casduo.store import Store
from casduo.store.store import client_for
from casduo.tickets.ids import SessionName
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.tickets.signouts import ORDERS
from casduo.webex.inbox import INBOX, Inbox
from casduo.worker.approvals import ApprovalDeadlines
from tests.approvals.asked import Desk, decision, request
from tests.worker.conftest import RestartableRedis
from tests.worker.working import Site, Working, eventually, working

REGISTRY = """
services:
  - {id: ward, name: Ward, url: "https://ward.example.edu/**", requires_approval: {approvers: grace@example.edu}}
"""
LATE = 10.0
"""Seconds after which it is noted that a request has expired."""
JOB = partial(ApprovalDeadlines, lease=1.0, every=0.1, afterwards=0.5)


@pytest.fixture
def desk(site: Site) -> Desk:
    site.write(REGISTRY, "approvals: {remind: 1h}\n")
    return Desk.of(site.store, remind=3600.0)


def asked_for(
    desk: Desk, name: str, since: float, expires: float, start: float = 0.0, end: float = 60.0
) -> ApprovalRequest:
    """Ask, by moments relative to now."""
    now = time.time()
    made = replace(
        request(name, person=f"ada-{name}", now=now - since), expires=now + expires, start=now + start, end=now + end
    )
    assert desk.ask(made) == "created"
    return made


def is_idle(desk: Desk, beyond: float = 30.0) -> Callable[[], bool]:
    """Nothing is due, nor claimed for the moment."""
    return lambda: desk.store.command("ZCOUNT", DEADLINES, "-inf", time.time() + beyond) == 0


def told(worker: Working, name: str) -> list[str]:
    return [getattr(event, "request", "") for event in worker.named(name)]


def test_what_nobody_decides_expires(site: Site, desk: Desk) -> None:
    late, soon = asked_for(desk, "late", 600, -15), asked_for(desk, "soon", 0, 0.3 - LATE)
    waits = asked_for(desk, "waits", 0, 600)
    with working(site, JOB) as worker:
        eventually(lambda: desk.state(late) == desk.state(soon) == "expired")
        eventually(lambda: sorted(told(worker, "approval.expired")) == ["late", "soon"])
    assert desk.state(waits) == "pending"
    assert sorted(record.text("request") for record in desk.events("approval.expired")) == ["late", "soon"]
    assert [record.about.principal for record in desk.events("approval.expired")] == ["ada-late", "ada-soon"]


def test_two_workers_expire_each_request_once(site: Site, desk: Desk) -> None:
    asked = [asked_for(desk, f"request-{number}", 600, -15) for number in range(30)]
    with working(site, JOB), working(site, JOB):
        eventually(lambda: all(desk.state(one) == "expired" for one in asked))
    assert len(desk.events("approval.expired")) == 30


def test_a_press_that_was_in_time_is_looked_at_before(site: Site, desk: Desk) -> None:
    asked, old = asked_for(desk, "first", 600, -15), asked_for(desk, "old", 3600, -1000)
    inbox = Inbox(site.store)
    assert inbox.take("press", time.time())
    with working(site, JOB):
        # No press counts that long.
        eventually(lambda: desk.state(old) == "expired")
        assert desk.state(asked) == "pending"
        assert desk.decide(asked, decision(at=time.time())).first
    assert desk.events("approval.expired")[-1].text("request") == "old"


def test_no_press_is_waited_for_when_what_was_asked_for_is_over(site: Site, desk: Desk) -> None:
    asked = asked_for(desk, "first", 600, -15, end=-1)
    Inbox(site.store).take("press", time.time())
    with working(site, JOB):
        eventually(lambda: desk.state(asked) == "expired")


def test_what_no_press_decided_expires_when_all_are_looked_at(site: Site, desk: Desk) -> None:
    asked = asked_for(desk, "first", 600, -15)
    Inbox(site.store).take("press", time.time())
    with working(site, JOB):
        eventually(is_idle(desk, 0.0))
        assert desk.state(asked) == "pending"
        desk.store.command("DEL", INBOX)
        eventually(lambda: desk.state(asked) == "expired")


def test_of_what_waits_somebody_is_reminded(site: Site, desk: Desk) -> None:
    asked = asked_for(desk, "first", 3600, 7200)
    with working(site, JOB) as worker:
        eventually(lambda: told(worker, "approval.reminded") == ["first"])
        eventually(is_idle(desk))
    assert len(desk.events("approval.reminded")) == 1
    following = Deadlines(site.store).due(time.time(), 10, 1.0).following
    assert following == asked.created + 2 * 3600


def test_after_a_time_without_workers_there_is_one_reminder(site: Site, desk: Desk) -> None:
    asked_for(desk, "first", 10 * 3600, 600)
    with working(site, JOB) as worker:
        eventually(lambda: bool(worker.named("approval.reminded")))
        eventually(is_idle(desk))
    assert len(desk.events("approval.reminded")) == 1


def test_nobody_is_reminded_of_what_is_about_to_expire_or_where_nobody_wants_to_be(site: Site, desk: Desk) -> None:
    asked_for(desk, "late", 10 * 3600, -15)
    with working(site, JOB):
        eventually(is_idle(desk))
    site.write(REGISTRY, "approvals: {remind: null}\n")
    asked_for(desk, "unwanted", 10 * 3600, 600)
    with working(site, JOB):
        eventually(is_idle(desk))
    assert desk.events("approval.reminded") == []


def test_a_worker_whose_clock_is_ahead_does_nothing_before_its_time(site: Site, desk: Desk) -> None:
    late, waits = asked_for(desk, "late", 600, -15), asked_for(desk, "waits", 0, 3600, end=3600)
    opened = asked_for(desk, "opened", 0, 3600, end=3600)
    assert desk.decide(opened, decision(at=time.time())).first
    with working(site, lambda parts: JOB(replace(parts, clock=lambda: time.time() + 7200))):
        eventually(lambda: desk.state(late) == "expired")
    assert desk.state(waits) == "pending"
    # Else nobody would tell the application when access ends.
    left = Deadlines(site.store).due(time.time() + 3601, 10, 1.0).deadlines
    assert ("end", opened.id) in [(deadline.task, deadline.request) for deadline in left]


# -- ends of access ----------------------------------------------------------------------------------------------------


class Rooms:
    """Sessions of people, with the services they are in."""

    def __init__(self, site: Site) -> None:
        self.store, self.tickets = site.store, TicketRegistry(site.store, Lifetimes())

    def enter(self, person: str, *services: str) -> SessionName:
        batch = self.store.batch()
        ticket = TicketGrantingTicket(person, {}, "users_file", time.time())
        session = self.tickets.open_session(batch, ticket, time.time())
        batch.run()
        for service in services:
            granting = self.tickets.grant_service_ticket(
                batch, session.id, f"https://{service}.example.edu/", service, primary=False, now=time.time()
            )
            batch.run()
            self.tickets.take(granting.id)
        return session.id.name

    def visits(self, session: SessionName) -> int:
        return int(self.store.command("LLEN", session.visits_key))

    def orders(self) -> int:
        return int(self.store.command("XLEN", ORDERS))


@pytest.fixture
def rooms(site: Site, desk: Desk) -> Rooms:
    return Rooms(site)


def approved(desk: Desk, name: str, end: float, start: float = -60.0) -> ApprovalRequest:
    made = asked_for(desk, name, 120, 600, start, end)
    assert desk.decide(made, decision(at=made.created)).first
    return made


def test_access_ends_with_its_time_and_the_session_goes_on(site: Site, desk: Desk, rooms: Rooms) -> None:
    approved(desk, "over", 0.3)
    session = rooms.enter("ada-over", "ward", "library")
    other = rooms.enter("ada-open", "ward")
    approved(desk, "open", 600)
    with working(site, JOB):
        eventually(lambda: rooms.visits(session) == 1)
        eventually(is_idle(desk))
    assert rooms.orders() >= 1
    assert rooms.visits(other) == 1
    assert len(rooms.tickets.sessions_of("ada-over")) == 1


def test_a_ticket_that_was_validated_in_the_last_moment_is_no_way_to_stay(site: Site, desk: Desk, rooms: Rooms) -> None:
    approved(desk, "over", 0.2)
    first = rooms.enter("ada-over", "ward")
    with working(site, partial(ApprovalDeadlines, lease=1.0, every=0.1, afterwards=2.0)):
        eventually(lambda: rooms.visits(first) == 0)
        second = rooms.enter("ada-over", "ward")
        eventually(lambda: rooms.visits(second) == 0)


def test_who_may_stay_by_another_request_stays(site: Site, desk: Desk, rooms: Rooms) -> None:
    first = approved(desk, "over", -1)
    second = replace(request("second", first.principal), start=time.time() - 60, end=time.time() + 600)
    desk.ask(second)
    desk.decide(second, decision())
    session = rooms.enter(first.principal, "ward")
    with working(site, JOB):
        eventually(is_idle(desk))
    assert (rooms.visits(session), rooms.orders()) == (1, 0)


def test_what_another_worker_died_over_is_done(site: Site, desk: Desk, rooms: Rooms) -> None:
    approved(desk, "over", -1)
    session = rooms.enter("ada-over", "ward")
    (claimed,) = Deadlines(site.store).due(time.time(), 10, 0.5).deadlines
    assert claimed.task == "end"
    with working(site, JOB):
        eventually(lambda: rooms.visits(session) == 0)


def test_what_redis_has_forgotten_is_forgotten(site: Site, desk: Desk) -> None:
    lost = approved(desk, "over", -1)
    site.store.command("DEL", record_key(lost.id))
    with working(site, JOB) as worker:
        eventually(is_idle(desk))
    assert worker.named("fault") == []


def test_one_that_cannot_be_read_keeps_no_other_waiting(site: Site, desk: Desk) -> None:
    broken, late = asked_for(desk, "broken", 600, -20), asked_for(desk, "late", 600, -15)
    site.store.command("HSET", record_key(broken.id), "record", "{}")
    with working(site, JOB) as worker:
        eventually(lambda: desk.state(late) == "expired")
        eventually(lambda: bool(worker.named("fault")))


def test_it_goes_on_when_redis_is_back(
    tmp_path_factory: pytest.TempPathFactory, redis_server: RestartableRedis
) -> None:
    store = Store(client_for(redis_server.url, "", 5.0, 8, ""))
    site = Site(tmp_path_factory.mktemp("site"), redis_server.url, store)
    redis_server.await_answer(store)
    site.write(REGISTRY)
    desk = Desk.of(store)
    with working(site, JOB):
        first = asked_for(desk, "first", 600, -15)
        eventually(lambda: desk.state(first) == "expired")
        second = asked_for(desk, "second", 600, 1 - LATE)
        redis_server.end()
        redis_server.start()
        redis_server.await_answer(store)
        eventually(lambda: desk.state(second) == "expired")
    store.close()
