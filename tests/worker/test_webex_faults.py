"""Requests for access between casduo and Webex while workers die, Redis hangs, disks are full and clocks are wrong."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from casduo.approvals.asking import requested_event
from casduo.approvals.build import build_requests
from casduo.approvals.model import ApprovalRequest, Decision, Target
from casduo.approvals.telling import decided_event
from casduo.events.audit_files import trail_files
from casduo.events.model import Subject, TicketGranted
from casduo.events.outbox_desk import OutboxDesk
from casduo.events.stream import STREAM, EventStream
from casduo.settings import load_settings
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.tickets.signouts import ORDERS
from casduo.webex.build import build_webex
from casduo.worker.press_desk import PressDesk
from tests.support.steered import DurableRedis, Gate, Plant, Space, open_space
from tests.support.waiting import until
from tests.webex.press_stage import stage
from tests.worker.applications import Application

HOUR = 3600.0
REGISTRY = """
services:
  - id: oracle-b
    name: OracleLinux_SystemB
    url: ["https://gateway.example.edu/targets/oracle-b", "http://localhost:*/oracle-b/**"]
    requires_approval: {approvers: [luke@example.edu, leia@example.edu], max_duration: 2h}
    target: {host: OracleLinux_SystemB, ip: 172.16.200.53, account: root}
"""


@pytest.fixture
def space() -> Iterator[Space]:
    with open_space() as found:
        yield found


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def plant(tmp_path: Path, valkey: EmbeddedValkey, space: Space) -> Iterator[Plant]:
    """Where workers have time to be killed while Webex does not answer."""
    with Plant(tmp_path, valkey.url, REGISTRY, space.settings(patience="20s")) as found:
        yield found


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[DurableRedis]:
    server = DurableRedis(tmp_path / "redis")
    yield server
    server.kill()


def ask(plant: Plant, space: Space, name: str = "ada", lasts: float = HOUR) -> ApprovalRequest:
    """Ask for access, as the login does."""
    now = time.time()
    made = ApprovalRequest(
        id=f"7f3k{name}",
        nonce=f"nonce{name}",
        principal=name,
        name=name.title(),
        emails=(f"{name}@example.edu",),
        service="oracle-b",
        service_name="OracleLinux_SystemB",
        url="https://gateway.example.edu/targets/oracle-b",
        target=Target("OracleLinux_SystemB", "172.16.200.53", "root"),
        start=now,
        end=now + lasts,
        reason="Patches",
        created=now,
        expires=now + HOUR,
        room=space.room.id,
    )
    requests = build_requests(load_settings(plant.settings_file, {}), plant.store)
    assert requests.create(made, requested_event(made, Subject(principal=name, service="oracle-b")), 5) == "created"
    return made


def now_of(plant: Plant, asked: ApprovalRequest) -> ApprovalRequest:
    found = build_requests(load_settings(plant.settings_file, {}), plant.store).get(asked.id)
    assert found is not None
    return found


def cards(space: Space, asked: ApprovalRequest) -> list[str]:
    """The messages with the request's buttons that are still there."""
    found = space.webex.messages_in(space.room.id)
    return [message.id for message in found if asked.nonce in str(message.card)]


def outcomes(space: Space, asked: ApprovalRequest) -> list[str]:
    return [text for text in space.said() if f"**{asked.name}**" in text and "Request was" in text]


def await_webhook(space: Space) -> None:
    until(lambda: len(space.webex.webhooks) == 1, "the webhook is known")


def assert_nothing_left(plant: Plant) -> None:
    assert OutboxDesk(plant.store, told=True).status().dead == 0
    kinds = ("approval.requested", "approval.approved", "approval.rejected", "approval.expired")
    counted = Counter((row["event"], row["facts"]["request"]) for row in plant.trail(*kinds))
    assert set(counted.values()) == {1}


# -- workers die -------------------------------------------------------------------------------------------------------


def test_a_request_is_seen_through_though_a_worker_dies_at_every_step(plant: Plant, space: Space) -> None:
    workers = iter([plant.worker(waits=True, lease=0.5) for _ in range(10)])
    plant.serve()
    asked, webex = ask(plant, space), space.webex

    # The card is posted; that it was, the worker never learns.
    webex.faults.hang("POST /messages", done=True)
    worker = next(workers)
    worker.begin()
    await_webhook(space)
    until(lambda: len(cards(space, asked)) == 1, "a card is posted")
    worker.kill()
    assert now_of(plant, asked).cards == ()

    # Noted with the request, not with the outbox.
    worker = next(workers)
    worker.begin("after approval.card")
    plant.await_halt("after approval.card")
    worker.kill()
    assert len(cards(space, asked)) == 2
    assert now_of(plant, asked).cards == tuple(cards(space, asked)[1:])

    # Decided, by a press of the card that nobody knows of, and not told to anybody.
    worker = next(workers)
    worker.begin("before approval.approved")
    until(lambda: len(cards(space, asked)) == 3, "the card is posted once more")
    webex.press(cards(space, asked)[0], "luke@example.edu", {"decision": "approve"})
    plant.await_halt("before approval.approved")
    worker.kill()
    assert now_of(plant, asked).state == "approved"
    assert (outcomes(space, asked), len(cards(space, asked))) == ([], 3)

    # Before, between and behind the messages that follow. Who asked is told by none of these.
    for place, posted, left in (
        ("before approval.outcome", 0, 3),
        ("after approval.outcome", 1, 3),
        ("before approval.withdraw", 2, 3),
        ("after approval.withdraw", 2, 2),
    ):
        worker = next(workers)
        worker.begin(place, "before approval.told")
        plant.await_halt(place)
        worker.kill()
        assert (len(outcomes(space, asked)), len(cards(space, asked))) == (posted, left)
        assert webex.direct_messages("ada@example.edu") == []
    worker = next(workers)
    worker.begin("before approval.told")
    until(lambda: cards(space, asked) == [], "every card is withdrawn")
    plant.await_halt("before approval.told")
    worker.kill()
    worker = next(workers)
    worker.begin("after approval.told")
    plant.await_halt("after approval.told")
    worker.kill()

    next(workers).begin()
    plant.sent_out()
    until(lambda: plant.store.command("XLEN", "casduo:{events}:inbox") == 0, "the press is done")
    # Once in casduo, and as often more at Webex as a worker died over the answer.
    assert (len(outcomes(space, asked)), len(webex.direct_messages("ada@example.edu"))) == (2, 2)
    assert len(webex.deleted) == 3
    assert plant.trail("approval.refused") == []
    assert_nothing_left(plant)


@pytest.mark.parametrize("lost", ["question", "answer"])
def test_access_ends_though_the_worker_dies_over_it(
    tmp_path: Path, plant: Plant, space: Space, app: Application, lost: Literal["question", "answer"]
) -> None:
    gate = Gate(tmp_path, plant.redis_url, b"approval_over", lost)
    doomed = plant.worker(waits=True, redis_url=gate.url)
    other = plant.worker(waits=True)
    asked = ask(plant, space)
    ticket = enter(plant, "ada", f"{app.url}/oracle-b/")
    plant.serve()
    doomed.begin()
    await_webhook(space)
    until(lambda: len(cards(space, asked)) == 1, "the card is posted")
    space.webex.press(cards(space, asked)[0], "luke@example.edu", {"decision": "approve"})
    until(lambda: now_of(plant, asked).state == "approved", "the request is approved")
    plant.set_ahead(HOUR + 300)
    assert gate.holding.wait(30)
    doomed.kill()
    assert plant.store.command("XLEN", ORDERS) == (lost == "answer")
    other.begin()
    until(lambda: app.tickets == [ticket], "the application is told")
    until(lambda: plant.store.command("ZCARD", "casduo:{events}:approval:deadlines") == 0, "nothing is to be done")
    until(lambda: plant.store.command("XLEN", ORDERS) == 0, "no order is left")
    plant.sent_out()
    assert app.tickets == [ticket]
    until(lambda: len(plant.trail("signout.told")) == 1, "that is in the trail")
    gate.close()


def enter(plant: Plant, person: str, service: str) -> str:
    """Have somebody be in the service; returns the ticket it validated."""
    tickets, batch = TicketRegistry(plant.store, Lifetimes()), plant.store.batch()
    session = TicketGrantingTicket(person, {}, "users_file", time.time())
    opened = tickets.open_session(batch, session, time.time())
    batch.run()
    granting = tickets.grant_service_ticket(batch, opened.id, service, "oracle-b", primary=False, now=time.time())
    batch.run()
    assert granting.granted
    tickets.take(granting.id)
    return str(granting.id)


# -- Redis hangs -------------------------------------------------------------------------------------------------------


def test_presses_that_a_redis_hangs_over_are_each_decided_and_told_once(
    tmp_path: Path, durable: DurableRedis, space: Space
) -> None:
    names = [f"asker{number}" for number in range(6)]
    for name in names:
        space.webex.add_person(f"{name}@example.edu", name.title())
    with Plant(tmp_path, durable.url, REGISTRY, space.settings(patience="20s")) as plant:
        plant.serve()
        workers = [plant.worker(waits=True, lease=5.0) for _ in range(3)]
        asked = [ask(plant, space, name) for name in names]
        workers[0].begin()
        await_webhook(space)
        until(lambda: all(len(cards(space, each)) == 1 for each in asked), "the cards are posted")
        plant.sent_out()
        workers[0].end()
        for each in asked:
            for who in ("luke", "leia"):
                space.webex.press(cards(space, each)[0], f"{who}@example.edu", {"decision": "approve"})
        space.webex.wait_for_deliveries()
        for worker in workers[1:]:
            worker.begin()
        until(lambda: any(now_of(plant, each).state == "approved" for each in asked), "the first one is decided")
        durable.hang(3.0)
        until(lambda: plant.store.command("XLEN", "casduo:{events}:inbox") == 0, "every press is seen to")
        plant.sent_out()
        assert {now_of(plant, each).state for each in asked} == {"approved"}
        for each in asked:
            assert (len(outcomes(space, each)), cards(space, each)) == (1, [])
            assert len(space.webex.direct_messages(each.emails[0])) == 1
        assert len(space.webex.deleted) == len(asked)
        # Of two approvers one was second, and was told so.
        too_late = [len(space.webex.direct_messages(f"{who}@example.edu")) for who in ("luke", "leia")]
        assert sum(too_late) == len(asked)
        assert [row["facts"]["reason"] for row in plant.trail("approval.refused")] == ["already_decided"] * len(asked)
        assert_nothing_left(plant)


# -- the disk is full --------------------------------------------------------------------------------------------------


def test_a_full_disk_under_the_audit_trail_stops_no_request(plant: Plant, space: Space) -> None:
    plant.serve()
    worker = plant.worker()
    await_webhook(space)
    fill_trail(plant, 2000)
    plant.read_out()
    # More than the worker's log will have: the limit is for all of its files.
    size = max(path.stat().st_size for path in trail_files(plant.audit))
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
    asked = ask(plant, space)
    until(lambda: len(cards(space, asked)) == 1, "the card is posted")
    assert plant.trail("approval.requested") == []
    space.webex.press(cards(space, asked)[0], "leia@example.edu", {"decision": "reject"})
    until(lambda: len(space.webex.direct_messages("ada@example.edu")) == 1, "who asked is told")
    until(lambda: cards(space, asked) == [], "the card is withdrawn")
    assert now_of(plant, asked).state == "rejected"
    assert plant.waiting() > 0
    until(lambda: "AUDIT_UNWRITABLE" in worker.told, "that is loud")
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    plant.sent_out()
    assert len(outcomes(space, asked)) == 1
    assert len(plant.trail("approval.requested", "approval.rejected")) == 2
    assert_nothing_left(plant)


def fill_trail(plant: Plant, count: int) -> None:
    stream, batch = EventStream(plant.store), plant.store.batch()
    for number in range(count):
        stream.add(batch, TicketGranted(Subject(principal=f"person{number}", service="library", address="192.0.2.7")))
    batch.run()
    assert plant.store.command("XLEN", STREAM) > 0


# -- clocks are wrong --------------------------------------------------------------------------------------------------

SKEW = 90.0


def test_workers_whose_clocks_are_minutes_apart_decide_each_request_once(
    tmp_path: Path, valkey_url: str, store: Store
) -> None:
    with stage(tmp_path, valkey_url, store) as desk:
        desks = []
        for skew in (SKEW, -SKEW):
            parts = replace(desk.parts, clock=lambda skew=skew: desk.clock() + skew)
            client = build_webex(parts.settings, parts.clock)
            assert client is not None
            desks.append(PressDesk(parts, client))
        asked = [desk.ask(f"person{number}") for number in range(20)]
        for each in asked:
            presses = [desk.press(each, "luke@example.edu"), desk.press(each, "leia@example.edu", "reject")]
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda by, press: by.see_through(press), desks, presses))
        assert Counter(record.text("request") for record in desk.decisions()) == {each.id: 1 for each in asked}
        assert desk.refusals() == ["already_decided"] * len(asked)


def test_a_card_of_a_server_whose_clock_is_ahead_can_be_pressed_at_once(
    tmp_path: Path, valkey_url: str, store: Store
) -> None:
    with stage(tmp_path, valkey_url, store) as desk:
        now = desk.clock() + SKEW
        asked = desk.ask(created=now, start=now, end=now + HOUR, expires=now + HOUR)
        desk.see(desk.press(asked))
        assert (desk.now(asked).state, desk.refusals()) == ("approved", [])


def test_a_worker_whose_clock_is_ahead_ends_what_others_still_let_in(
    plant: Plant, space: Space, app: Application
) -> None:
    """By their clocks the time of access is not over; who got in by then is told of its end nevertheless."""
    asked = ask(plant, space)
    request = now_of(plant, asked)
    requests = build_requests(load_settings(plant.settings_file, {}), plant.store)
    decision = Decision("approved", "luke@example.edu", "Luke", "luke", "portal", time.time())
    assert requests.decide(asked.id, decision, decided_event(request, decision)).first
    tickets = [enter(plant, "ada", f"{app.url}/oracle-b/")]
    plant.set_ahead(HOUR)
    plant.worker()
    until(lambda: app.tickets == tickets, "the application is told when it is time by the worker's clock")
    plant.set_ahead(HOUR + 30)
    deadlines = "casduo:{events}:approval:deadlines"
    until(lambda: plant.store.command("ZCOUNT", deadlines, "-inf", asked.end + 60) == 0, "nothing is due")
    tickets.append(enter(plant, "ada", f"{app.url}/oracle-b/"))
    plant.set_ahead(HOUR + 2 * SKEW)
    until(lambda: app.tickets == tickets, "and once more when it is by that of the others")
    plant.set_ahead(2 * HOUR)
    until(lambda: plant.store.command("ZCARD", deadlines) == 0, "nothing is to be done any more")
