"""Pushes followed by ``casduo worker`` as processes of their own: killed, ended, without Redis, with many at once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from casduo.mfa.duo.pushes import QUEUE
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Script
from casduo.store import Store
from casduo.store.store import client_for
from casduo.worker.pushes import LEASE
from tests.worker.conftest import RestartableRedis
from tests.worker.pushing import REGISTRY, PushDesk
from tests.worker.working import Site, eventually, fact, worker_process


def test_a_worker_follows_pushes(desk: PushDesk) -> None:
    with worker_process(desk.site) as worker:
        name = desk.send()
        desk.reaches(name, "pushed")
        desk.duo.phone("ada").approve()
        assert desk.settled(name).state == "allowed"
        eventually(lambda: "duo.answered" in worker.told)
        assert worker.end() == 0
        assert "Traceback" not in worker.told


def test_what_a_killed_worker_followed_another_one_settles(desk: PushDesk) -> None:
    with worker_process(desk.site) as first, worker_process(desk.site) as second:
        name = desk.send()
        desk.reaches(name, "pushed")
        (holder,) = desk.holders()
        dead, living = (first, second) if holder == first.pid else (second, first)
        os.kill(holder, signal.SIGKILL)
        killed = time.monotonic()
        dead.process.wait()
        desk.duo.phone("ada").approve()
        assert desk.settled(name).state == "allowed"
        assert time.monotonic() - killed < LEASE + 5
        eventually(lambda: "duo.answered" in living.told)
        assert "duo.answered" not in dead.told


def test_who_takes_over_goes_on_following(desk: PushDesk) -> None:
    with worker_process(desk.site, impatient=True) as first:
        name = desk.send()
        desk.reaches(name, "pushed")
        first.kill()
        with worker_process(desk.site, impatient=True) as second:
            desk.held_by(second.pid)
            push = desk.read(name)
            assert push is not None
            assert (push.state, push.status) == ("waiting", "pushed")
            desk.duo.phone("ada").deny()
            assert desk.settled(name).state == "denied"


def test_a_report_is_heard_though_the_worker_was_killed(desk: PushDesk) -> None:
    with worker_process(desk.site, impatient=True) as first:
        name = desk.send()
        desk.reaches(name, "pushed")
        desk.duo.phone("ada").report_fraud()
        first.kill()
    with worker_process(desk.site, impatient=True):
        assert desk.settled(name).state == "fraud"


def test_what_a_worker_still_follows_at_its_end_the_next_one_takes_at_once(desk: PushDesk) -> None:
    with worker_process(desk.site) as first, worker_process(desk.site) as second:
        name = desk.send()
        desk.reaches(name, "pushed")
        (holder,) = desk.holders()
        ending, staying = (first, second) if holder == first.pid else (second, first)
        began = time.monotonic()
        assert ending.end() == 0
        assert time.monotonic() - began < 4
        # Long before its silence would be noticed.
        desk.held_by(staying.pid)
        assert time.monotonic() - began < LEASE
        desk.duo.phone("ada").approve()
        assert desk.settled(name).state == "allowed"
        assert "Traceback" not in ending.told


def test_redis_may_go_and_come_back(
    tmp_path: Path, redis_server: RestartableRedis, duo: DuoSimulator, duo_settings: str
) -> None:
    store = Store(client_for(redis_server.url, "", 2.0, 16, ""))
    site = Site(tmp_path, redis_server.url, store)
    site.write(REGISTRY, duo_settings)
    desk = PushDesk.of(site, duo)
    redis_server.await_answer(store)
    with worker_process(site) as worker:
        name = desk.send()
        desk.reaches(name, "pushed")
        redis_server.end()
        # The person answers while nobody can write it down.
        duo.phone("ada").approve()
        eventually(lambda: "worker.waiting" in worker.told)
        redis_server.start()
        redis_server.await_answer(store)
        assert desk.settled(name).state == "allowed"
        other = desk.send()
        duo.phone("ada").deny()
        assert desk.settled(other).state == "denied"
        assert worker.end() == 0
        assert "Traceback" not in worker.told
    store.close()


def test_a_redis_that_forgot_everything_ends_no_worker(desk: PushDesk) -> None:
    with worker_process(desk.site) as worker:
        name = desk.send()
        desk.reaches(name, "pushed")
        desk.site.store.command("FLUSHALL")
        desk.duo.phone("ada").approve()
        other = desk.send()
        desk.duo.phone("ada").approve()
        assert desk.settled(other).state == "allowed"
        assert desk.read(name) is None
        assert worker.end() == 0
        assert "Traceback" not in worker.told


def test_two_hundred_pushes_at_once_cost_no_threads(desk: PushDesk, duo_clock: VirtualClock) -> None:
    people = [f"person{number}" for number in range(200)]
    for person in people:
        desk.duo.add_user(person, script=Script("approve", after=5.0))
    with worker_process(desk.site) as first, worker_process(desk.site) as second:
        names = [desk.send(person) for person in people]
        desk.duo.await_polls(200)
        for name in names:
            desk.reaches(name, "pushed")
        desk.duo.await_polls(200)
        assert min(desk.holders().count(first.pid), desk.holders().count(second.pid)) > 0
        assert max(fact(first, "Threads"), fact(second, "Threads")) < 15
        duo_clock.advance(6)
        assert {desk.settled(name).state for name in names} == {"allowed"}
        eventually(lambda: first.told.count("duo.answered") + second.told.count("duo.answered") == 200)


def test_what_two_hundred_pushes_lose_with_a_killed_worker_another_one_takes(
    desk: PushDesk, duo_clock: VirtualClock
) -> None:
    people = [f"person{number}" for number in range(200)]
    for person in people:
        desk.duo.add_user(person, script=Script("approve", after=5.0))
    with worker_process(desk.site, impatient=True) as first:
        names = [desk.send(person) for person in people]
        desk.held_by(first.pid, 200)
        first.kill()
        with worker_process(desk.site, impatient=True) as second:
            desk.held_by(second.pid, 200)
            duo_clock.advance(6)
            assert {desk.settled(name).state for name in names} == {"allowed"}


def test_neither_transactions_nor_names_of_pushes_are_in_the_log(desk: PushDesk) -> None:
    with worker_process(desk.site, impatient=True) as worker:
        name = desk.send()
        desk.reaches(name, "pushed")
        transaction = desk.duo.phone("ada").approve().txid
        desk.settled(name)
        unknown = desk.note("ada", "45f7c92b-f45f-4862-8545-e0f58e78075a")
        desk.settled(unknown)
        worker.end()
        log = worker.told
    assert log.count("duo.answered") == 2
    for secret in (transaction, transaction[9:], "f45f-4862", name.id, unknown.id, name.fingerprint):
        assert secret not in log
    assert transaction[:8] in log


@pytest.mark.parametrize("setting", ["with Duo", "without"])
def test_an_idle_worker_is_small(desk: PushDesk, setting: str) -> None:
    if setting == "without":
        desk.site.write(REGISTRY.replace(", requires_duo: true", ""))
    with worker_process(desk.site) as worker:
        eventually(lambda: setting == "without" or bool(desk.site.store.command("EXISTS", QUEUE)))
        assert fact(worker, "VmRSS") < 66_000
