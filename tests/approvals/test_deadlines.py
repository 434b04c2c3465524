"""Deadlines of requests for access, on both servers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.approvals.deadlines import Deadline, Deadlines, Due, next_reminder
from casduo.approvals.keys import DEADLINES, record_key
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.telling import reminded_event
from casduo.store import Store
from tests.approvals.asked import HOUR, NOW, Desk, decision, later, request

LEASE = 30.0
REMIND = 600.0
LATE = 10.0
"""Seconds after which it is noted that a request has expired."""


@pytest.fixture
def desk(any_store: Store) -> Desk:
    return Desk.of(any_store, remind=REMIND)


@pytest.fixture
def deadlines(any_store: Store) -> Deadlines:
    return Deadlines(any_store)


def due(deadlines: Deadlines, now: float, most: int = 100) -> list[tuple[str, str]]:
    return [(deadline.task, deadline.request) for deadline in deadlines.due(now, most, LEASE).deadlines]


def remind(deadlines: Deadlines, deadline: Deadline, asked: ApprovalRequest, now: float) -> bool:
    return deadlines.remind(deadline, next_reminder(asked, REMIND, now), reminded_event(asked), now)


def test_where_nothing_was_asked_for_nothing_is_due(deadlines: Deadlines) -> None:
    assert deadlines.due(NOW, 100, LEASE) == Due((), None)


def test_a_request_that_waits_is_reminded_of_and_expires(desk: Desk, deadlines: Deadlines) -> None:
    asked = desk.asked()
    assert deadlines.due(NOW, 100, LEASE) == Due((), NOW + REMIND)
    assert due(deadlines, NOW + REMIND) == [("remind", "first")]
    assert ("expire", "first") in due(deadlines, asked.expires + LATE)


def test_what_is_decided_is_neither_reminded_of_nor_expires(desk: Desk, deadlines: Deadlines) -> None:
    asked = desk.asked()
    desk.decide(asked, decision())
    assert deadlines.due(NOW, 100, LEASE) == Due((), asked.end)
    assert due(deadlines, asked.end) == [("end", "first")]


@pytest.mark.parametrize("word", ["rejected", "cancelled", "expired"])
def test_what_was_not_approved_has_no_end(desk: Desk, deadlines: Deadlines, word: str) -> None:
    asked = desk.asked()
    if word == "rejected":
        desk.decide(asked, decision("rejected"))
    else:
        desk.cancel(asked) if word == "cancelled" else desk.expire(asked)
    assert deadlines.due(NOW + 9 * HOUR, 100, LEASE) == Due((), None)


def test_there_is_no_reminder_of_what_expires_before(desk: Desk, deadlines: Deadlines) -> None:
    desk.ask(later(request(), expires=NOW + REMIND))
    assert deadlines.due(NOW, 100, LEASE) == Due((), NOW + REMIND + LATE)
    assert due(deadlines, NOW + REMIND + LATE) == [("expire", "first")]


def test_a_deadline_is_claimed_once_until_its_lease_ends(desk: Desk, deadlines: Deadlines) -> None:
    desk.asked()
    at = NOW + REMIND
    (claimed,) = deadlines.due(at, 100, LEASE).deadlines
    assert claimed == Deadline("remind", "first", at, at + LEASE)
    assert due(deadlines, at + LEASE - 0.1) == []
    assert due(deadlines, at + LEASE) == [("remind", "first")]


def test_the_oldest_come_first_and_no_more_than_asked_for(desk: Desk, deadlines: Deadlines) -> None:
    for number in (3, 1, 2):
        desk.ask(later(request(f"r{number}", f"p{number}"), expires=NOW + number))
    found = deadlines.due(NOW + LATE + 9, 2, LEASE)
    assert [deadline.request for deadline in found.deadlines] == ["r1", "r2"]
    assert found.following == NOW + LATE + 3


def test_each_is_claimed_once_whoever_asks(desk: Desk, deadlines: Deadlines) -> None:
    for number in range(100):
        desk.ask(later(request(f"r{number}", f"p{number}"), expires=NOW + 1))
    with ThreadPoolExecutor(4) as workers:
        found = [name for part in workers.map(lambda _: due(deadlines, NOW + LATE + 1, 10), range(16)) for name in part]
    assert sorted(found) == sorted(("expire", f"r{number}") for number in range(100))


def test_reminders_are_told_of_one_after_the_other(desk: Desk, deadlines: Deadlines) -> None:
    asked = desk.asked()
    for at in (NOW + REMIND, NOW + 2 * REMIND):
        (claimed,) = deadlines.due(at, 100, LEASE).deadlines
        assert remind(deadlines, claimed, asked, at)
    assert [record.at for record in desk.events("approval.reminded")] == [NOW + REMIND, NOW + 2 * REMIND]
    assert due(deadlines, NOW + 3 * REMIND + LATE) == [("expire", "first")]


def test_a_reminder_that_somebody_else_took_over_is_theirs(desk: Desk, deadlines: Deadlines) -> None:
    asked, at = desk.asked(), NOW + REMIND
    (mine,) = deadlines.due(at, 100, LEASE).deadlines
    (theirs,) = deadlines.due(at + LEASE, 100, LEASE).deadlines
    assert not remind(deadlines, mine, asked, at + LEASE)
    assert remind(deadlines, theirs, asked, at + LEASE)
    assert not remind(deadlines, theirs, asked, at + LEASE)
    assert len(desk.events("approval.reminded")) == 1


def test_what_was_decided_meanwhile_is_not_reminded_of(desk: Desk, deadlines: Deadlines) -> None:
    asked, at = desk.asked(), NOW + REMIND
    (claimed,) = deadlines.due(at, 100, LEASE).deadlines
    desk.cancel(asked)
    assert not remind(deadlines, claimed, asked, at)
    # Redis forgot the request, not the deadline.
    desk.store.command("ZADD", DEADLINES, claimed.lease, claimed.member)
    desk.store.command("DEL", record_key(asked.id))
    assert not remind(deadlines, claimed, asked, at)
    assert desk.store.command("ZCARD", DEADLINES) == 0
    assert desk.events("approval.reminded") == []


def test_what_is_done_is_not_due_again(desk: Desk, deadlines: Deadlines) -> None:
    desk.decide(desk.asked(), decision())
    (claimed,) = deadlines.due(NOW + HOUR, 100, LEASE).deadlines
    deadlines.done(claimed)
    deadlines.done(claimed)
    assert deadlines.due(NOW + 9 * HOUR, 100, LEASE) == Due((), None)


@pytest.mark.parametrize(
    ("now", "again"),
    [(0, 600), (599, 600), (600, 1200), (601, 1200), (1199.9, 1200), (1200, None), (9999, None), (-5, 600)],
)
def test_reminders_come_at_even_intervals_until_it_expires(now: float, again: float | None) -> None:
    asked = request()
    assert next_reminder(asked, 600.0, NOW + now) == (NOW + again if again is not None else None)
