"""Whatever happens to requests, in whatever order: each ends once, is told of once, and opens what it should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from casduo.approvals.events import Decided
from casduo.approvals.model import ApprovalRequest
from casduo.store import Store
from tests.approvals.asked import NOW, TERMINAL, WINDOW, Desk, decision, request

REFUSALS = 2
MOST_OPEN = 1
PEOPLE, SERVICES = ("ada", "grace"), ("ward", "crypt")
lately_asked = st.integers(1, 4)
"""Which of the requests, counted from the last one: mostly one about which something is left to happen."""


@dataclass
class Told:
    """A request as a plain account of what was done keeps it."""

    asked: ApprovalRequest
    state: str = "pending"
    by: str = ""
    at: float = 0.0


class Requests(RuleBasedStateMachine):
    """Requests of two people, beside an account of them in plain Python."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.store.command("FLUSHALL")
        self.desk = Desk.of(self.store, refusals=REFUSALS)
        self.now = NOW
        self.account: dict[str, Told] = {}
        self.violations = 0

    # -- what happens

    @rule(seconds=st.sampled_from([1, 600, 1800, 3600, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(person=st.sampled_from(PEOPLE), service=st.sampled_from(SERVICES), start=st.sampled_from([0, 900, 7200]))
    def somebody_asks(self, person: str, service: str, start: int) -> None:
        made = request(f"request-{len(self.account)}", person, service, self.now)
        made = replace(made, start=made.start + start, end=made.end + start)
        waiting = [told.asked for told in self.account.values() if self.waits(told) and told.asked.principal == person]
        expected = (
            "pending"
            if any(asked.service == service for asked in waiting)
            else "limit"
            if len(waiting) >= MOST_OPEN
            else "created"
        )
        assert self.desk.ask(made, MOST_OPEN) == expected
        if expected == "created":
            self.account[made.id] = Told(made)

    @precondition(lambda self: self.account)
    @rule(
        which=lately_asked,
        word=st.sampled_from(["approved", "rejected", "rejected"]),
        by=st.sampled_from(["linus", "alan"]),
    )
    def somebody_decides(self, which: int, word: Decided, by: str) -> None:
        told = self.pick(which)
        settled = self.desk.decide(told.asked, decision(word, self.now, by))
        if self.ends(told, word, by):
            assert settled.first
            refused = self.refused(told.asked.principal, told.asked.service)
            too_many = word == "rejected" and refused >= REFUSALS
            assert (settled.violation is not None) == too_many
            self.violations += too_many
        else:
            assert not settled.first
            assert settled.violation is None
        assert settled.request is not None
        assert settled.request.state == told.state

    @precondition(lambda self: self.account)
    @rule(which=lately_asked)
    def somebody_cancels(self, which: int) -> None:
        told = self.pick(which)
        assert self.desk.cancel(told.asked, self.now).first == self.ends(told, "cancelled")

    @precondition(lambda self: self.account)
    @rule(which=lately_asked)
    def the_worker_expires(self, which: int) -> None:
        told = self.pick(which)
        assert self.desk.expire(told.asked, self.now).first == self.ends(told, "expired")

    # -- what holds at any time

    @invariant()
    def each_is_as_the_account_says(self) -> None:
        for name, told in self.account.items():
            found = self.desk.requests.get(name)
            assert found is not None
            assert found.state == told.state
            assert (found.decision.name.lower() if found.decision is not None else "") == told.by

    @invariant()
    def each_end_is_told_of_once(self) -> None:
        records = self.desk.events(*TERMINAL)
        ended = {name: told.state for name, told in self.account.items() if told.state != "pending"}
        assert len(records) == len(ended)
        assert {record.text("request"): record.kind.removeprefix("approval.") for record in records} == ended
        assert len(self.desk.events("policy.violation")) == self.violations

    @invariant()
    def everybody_stands_as_the_account_says(self) -> None:
        for person in PEOPLE:
            for service in SERVICES:
                standing = self.desk.requests.standing(person, service, self.now)
                assert standing.phase == self.phase(person, service)
                assert standing.refused == self.refused(person, service)

    @invariant()
    def those_that_wait_are_listed(self) -> None:
        waiting = {told.asked.id for told in self.account.values() if told.state == "pending"}
        assert {found.id for found in self.desk.requests.waiting()} == waiting

    # -- the account

    def pick(self, which: int) -> Told:
        return list(self.account.values())[-min(which, len(self.account))]

    def waits(self, told: Told) -> bool:
        return told.state == "pending" and self.now < told.asked.expires

    def ends(self, told: Told, state: str, by: str = "") -> bool:
        if told.state != "pending":
            return False
        told.state, told.by, told.at = state, by, self.now
        return True

    def of(self, person: str, service: str) -> list[Told]:
        asked = (told for told in self.account.values() if told.asked.principal == person)
        return [told for told in asked if told.asked.service == service]

    def refused(self, person: str, service: str) -> int:
        mine = self.of(person, service)
        return sum(1 for told in mine if told.state == "rejected" and self.now - told.at < WINDOW)

    def phase(self, person: str, service: str) -> str:
        mine = self.of(person, service)
        granted = [told for told in mine if told.state == "approved"]
        if any(told.asked.start <= self.now < told.asked.end for told in granted):
            return "open"
        if any(self.waits(told) for told in mine):
            return "pending"
        if any(self.now < told.asked.start for told in granted):
            return "early"
        recent = any(self.now < max(told.asked.end, told.at) + WINDOW for told in granted)
        return "over" if recent else "none"


@pytest.fixture
def machine(store: Store) -> Iterator[type[Requests]]:
    Requests.store = store
    yield Requests
    del Requests.store


def test_no_order_of_steps_decides_twice_or_opens_what_was_not_approved(machine: type[Requests]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
