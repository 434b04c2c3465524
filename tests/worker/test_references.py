"""Who has the reference of a request finds in the worker's log what was done for it, however much later."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casduo.cause import Cause, caused_by, facts, stored
from casduo.events.messages import Delivered, Message, NotDelivered
from casduo.events.model import SignedIn, Subject
from casduo.events.outbox import OUTBOX
from casduo.events.outbox_model import message_in, text_of
from casduo.events.record import EventRecord, record_of
from casduo.events.stream import STREAM
from casduo.mfa.duo.reports import REPORTS, Reports
from casduo.phone.timers import LogoutTimers
from casduo.simulators.clock import VirtualClock
from casduo.store import Store
from casduo.store.streams import StreamQueue
from casduo.tickets.signouts import ORDERS
from casduo.tracecontext import continue_trace
from casduo.webex.inbox import INBOX, Inbox
from casduo.worker.approvals import ApprovalDeadlines
from casduo.worker.fan_out import FanOut
from casduo.worker.phone_logouts import PhoneLogouts
from casduo.worker.webex_presses import WebexPresses
from tests.approvals.asked import Desk
from tests.support import loggers
from tests.webex.press_stage import stage
from tests.worker.outboxing import AT_ONCE, REGISTRY, SETTINGS, OutboxStage
from tests.worker.test_approvals import Rooms, approved
from tests.worker.working import Site, eventually, working

lines = loggers.lines

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CAUSE = Cause("ABCD-2345", continue_trace(f"00-{TRACE}-00f067aa0ba902b7-01"))
OURS = {"reference": "ABCD-2345", "trace_id": TRACE}


@pytest.fixture
def outbox(site: Site) -> OutboxStage:
    return OutboxStage(site, VirtualClock(1_800_000_000.0))


def known(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("reference", "trace_id") if name in line}


def named(lines: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == event]


# -- messages --------------------------------------------------------------------------------------------------------


def test_a_message_is_delivered_for_the_request_by_which_it_became_due(
    outbox: OutboxStage, lines: list[dict[str, Any]]
) -> None:
    known_then: list[Mapping[str, str]] = []

    def answer(message: Message) -> Delivered | NotDelivered:
        known_then.append(facts())
        return Delivered() if len(known_then) > 1 else NotDelivered("retry", status=502, detail="http")

    outbox.postman.answer = answer
    with caused_by(CAUSE):
        outbox.put(outbox.message(1, "person:ada@example.edu"))
    with outbox.working():
        outbox.settle()
        outbox.advance(3600)
        outbox.emptied()

    assert known_then == [OURS, OURS]
    (waits,), (delivered,) = named(lines, "outbox.waits"), named(lines, "outbox.delivered")
    assert (known(waits), waits["status"], waits["detail"], waits["tries"]) == (OURS, 502, "http", 1)
    assert (known(delivered), delivered["tries"]) == (OURS, 2)
    assert (delivered["message"], delivered["to"], delivered["task"]) == ("m1", "person:a***@example.edu", "event")


def test_of_a_digest_each_message_has_its_line(site: Site, lines: list[dict[str, Any]]) -> None:
    clock = VirtualClock(1_800_000_000.0)
    outbox = OutboxStage(site, clock, terms=replace(AT_ONCE, digest_above=2))
    for number in range(4):
        with caused_by(f"REF-{number}"):
            outbox.put(outbox.message(number, task="signin"))
    with outbox.working():
        outbox.emptied()
    told = named(lines, "outbox.delivered")
    assert [(line["message"], line["reference"]) for line in told] == [(f"m{n}", f"REF-{n}") for n in range(4)]
    assert {line["together"] for line in told} == {4}


def test_messages_that_are_put_aside_are_told_of_one_by_one(outbox: OutboxStage, lines: list[dict[str, Any]]) -> None:
    for number in range(3):
        with caused_by(f"REF-{number}"):
            outbox.put(replace(outbox.message(number), expires=outbox.clock() + 1))
    outbox.clock.advance(2)
    with outbox.working():
        outbox.emptied()
    (dead,) = [
        record
        for _, flat in outbox.site.store.command("XRANGE", STREAM, "-", "+")
        if (record := EventRecord.from_json(flat[1])).kind == "message.dead"
    ]
    assert dead.about.reference == "REF-0"
    assert [line["reference"] for line in named(lines, "outbox.put_aside")] == ["REF-1", "REF-2"]


def test_what_an_event_is_told_by_has_the_events_reference(site: Site) -> None:
    site.write(REGISTRY, SETTINGS.replace("token:", "notify: {signin.ok: space}, token:"))
    with caused_by(CAUSE):
        record = record_of(SignedIn(Subject(principal="ada")), time.time())
    with working(site, FanOut):
        eventually(lambda: bool(site.store.command("EXISTS", "casduo:{events}:readers")))
        site.store.command("XADD", STREAM, "*", "record", record.to_json())
        eventually(lambda: bool(site.store.command("XLEN", f"{OUTBOX}:to:room:r1")))
    ((_, flat),) = site.store.command("XRANGE", f"{OUTBOX}:to:room:r1", "-", "+")
    assert message_in(flat[1]).cause == {"reference": "ABCD-2345"}


def test_a_message_of_before_is_for_nobody_that_is_known() -> None:
    message = Message("m", "room:r1", "event", {}, cause={"reference": "ABCD"})
    assert message_in(text_of(message)) == message
    members = json.loads(text_of(message))
    for cause in (None, [], "ABCD", {"reference": 1}):
        assert message_in(json.dumps({**members, "cause": cause})).cause == {}
    del members["cause"]
    assert message_in(json.dumps(members)).cause == {}


# -- presses, timers, ends -------------------------------------------------------------------------------------------


def test_from_the_notice_of_a_press_the_log_leads_to_the_request_for_access(
    tmp_path: Path, valkey_url: str, store: Store, lines: list[dict[str, Any]]
) -> None:
    with stage(tmp_path, valkey_url, store) as desk:
        asked = desk.ask(reference="ASKD-2345")
        press = desk.press(asked)
        with caused_by(CAUSE):
            Inbox(store).take(press, time.time())
        with working(desk.site, WebexPresses) as worker:
            eventually(lambda: store.command("XLEN", INBOX) == 0)
        assert desk.now(asked).state == "approved"
    (line,) = named(lines, "press.begun")
    assert (known(line), line["request"], line["asked"]) == (OURS, asked.id, "ASKD-2345")
    assert [event.reference for event in worker.named("approval.decided")] == ["ASKD-2345"]


def test_a_press_of_a_worker_before_has_none(store: Store) -> None:
    Inbox(store).take("press", 1.0)
    (entry,) = StreamQueue(store, INBOX, "worker").read(1, 0.1)
    assert entry.fields == {"action": "press", "received": "1.0"}


def test_a_phone_is_logged_out_for_the_request_in_which_somebody_logged_in(site: Site) -> None:
    site.write(REGISTRY, "ucm: {axl: {servers: ['localhost:9'], username: casduo, password: made-up}}\n")
    clock = VirtualClock()
    batch = site.store.batch()
    with caused_by(CAUSE):
        LogoutTimers(site.store).set(batch, "SEP001122334455", "ada", clock(), clock())
    LogoutTimers(site.store).set(batch, "SEP00AABBCCDDEE", "grace", clock(), clock())
    batch.run()
    with working(site, lambda parts: PhoneLogouts(replace(parts, clock=clock), every=0.02)) as worker:
        # Nobody answers there: that is told of, and tried again.
        eventually(lambda: len(worker.named("phone.logout_delayed")) == 2)
    references = {event.principal: event.reference for event in worker.named("phone.logout_delayed")}
    assert references == {"ada": "ABCD-2345", "grace": ""}


def test_a_timer_knows_the_trace(store: Store) -> None:
    batch = store.batch()
    with caused_by(CAUSE):
        expected = stored()
        LogoutTimers(store).set(batch, "SEP001122334455", "ada", 10.0, 0.0)
    batch.run()
    (timer,) = LogoutTimers(store).due(11.0, 1, 1.0)
    assert timer.cause == expected


def test_applications_hear_of_the_end_of_access_for_whom_asked_for_it(site: Site) -> None:
    site.write(
        "services: [{id: ward, name: Ward, url: 'https://ward.example.edu/**', "
        "requires_approval: {approvers: grace@example.edu}}]\n"
    )
    desk, rooms = Desk.of(site.store), Rooms(site)
    rooms.enter(approved(desk, "first", end=-1.0).principal, "ward")
    with working(site, ApprovalDeadlines):
        eventually(lambda: rooms.orders() == 1)
    ((_, flat),) = site.store.command("XRANGE", ORDERS, "-", "+")
    assert dict(zip(flat[::2], flat[1::2], strict=True))["reference"] == "ABCD"


def test_what_duo_would_have_said_is_asked_for_the_sign_in(store: Store) -> None:
    batch = store.batch()
    with caused_by(CAUSE):
        Reports(store).add(batch, "ada", "library", "", "192.0.2.7", ["always"])
    batch.run()
    (entry,) = StreamQueue(store, REPORTS, "worker").read(1, 0.1)
    assert entry.fields["reference"] == "ABCD-2345"
    assert TRACE in entry.fields["traceparent"]


# -- events ----------------------------------------------------------------------------------------------------------


def test_an_event_has_the_reference_of_what_it_is_written_for() -> None:
    with caused_by(CAUSE):
        assert Subject(principal="ada").reference == "ABCD-2345"
        assert Subject("ANOTHER").reference == "ANOTHER"
        # What is read again is as it was written.
        again = EventRecord.from_json('{"id": "a", "at": 1, "event": "signin.ok", "level": "info"}')
        assert again.about.reference == ""
    assert Subject().reference == ""
