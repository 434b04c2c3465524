"""Processes that die or stand still under a stream of logins."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests.faults.conftest import Sound
from tests.faults.redises import RedisProcess, running_redis
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import Stream, ask, sign_in, ticket_of
from tests.support.site import LIBRARY
from tests.support.waiting import until

STATES = Path("/proc")
MANY = 20_000
LOADING = 10.0
"""Seconds in which so many keys are read."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, RedisProcess]]:
    """A node, a worker, and a Redis that loses nothing."""
    directory = tmp_path_factory.mktemp("processes")
    with running_redis(directory / "redis", "always") as redis, on_stage(directory / "stage", redis.url) as stage:
        yield stage, redis


@pytest.fixture
def stage(running: tuple[Stage, RedisProcess]) -> Stage:
    stage, _ = running
    stage.nodes[0].wait()
    return stage


@pytest.fixture
def redis(running: tuple[Stage, RedisProcess]) -> RedisProcess:
    return running[1]


def test_a_serving_process_that_is_killed_comes_back_and_nothing_is_lost(
    stage: Stage, rounds: range, sound: Sound
) -> None:
    with Stream(stage.bases) as stream:
        for _ in rounds:
            stream.flows()
            killed = time.monotonic()
            os.kill(stage.nodes[0].serving, signal.SIGKILL)
            stream.recovers(killed)
        sound(stream, stage, "ticket.validated")


def test_when_the_process_that_looks_after_it_is_killed_the_serving_one_ends_in_good_order(
    stage: Stage, rounds: range, sound: Sound
) -> None:
    """The service manager starts them again; as long as one answers, nobody else can have its port."""
    [node] = stage.nodes
    with Stream(stage.bases) as stream:
        for _ in rounds:
            stream.flows()
            left = node.serving
            killed = time.monotonic()
            node.running.kill()
            node.running.wait()
            until(lambda left=left: not (STATES / str(left)).exists(), "the serving process has ended")
            node.start()
            stream.recovers(killed)
        sound(stream, stage)


def test_a_serving_process_that_stands_still_goes_on_where_it_was(stage: Stage, rounds: range, sound: Sound) -> None:
    """Nobody but a proxy in front can tell; see test_nodes. Those who came meanwhile wait in the system's queue."""
    with Stream(stage.bases) as stream:
        for _ in rounds:
            stream.flows()
            serving = stage.nodes[0].serving
            os.kill(serving, signal.SIGSTOP)
            until(lambda pid=serving: _state(pid) == "T", "it stands still")
            os.kill(serving, signal.SIGCONT)
            stream.recovers()
        sound(stream, stage)
    assert (stream.tally.clear, stream.tally.cut) == ({}, 0)


def test_redis_is_killed_and_comes_back_with_all_it_had(
    stage: Stage, redis: RedisProcess, rounds: range, sound: Sound
) -> None:
    with Stream(stage.bases) as stream, requests.Session() as grace:
        sign_in(grace, stage.bases[0], "grace")
        for _ in rounds:
            stream.flows()
            redis.kill()
            stream.tells()
            redis.start()
            stream.recovers(time.monotonic())
            assert _has_session(grace, stage)
        sound(stream, stage)


def test_redis_that_reads_a_large_file_is_used_as_soon_as_it_has(
    stage: Stage, redis: RedisProcess, rounds: range, sound: Sound
) -> None:
    """LOADING: it takes connections and refuses everything."""
    with redis.client() as operator, operator.pipeline(transaction=False) as pipeline:
        for number in range(MANY):
            pipeline.set(f"another:{number}", number)
        pipeline.execute()
    try:
        with Stream(stage.bases) as stream, requests.Session() as grace:
            sign_in(grace, stage.bases[0], "grace")
            for _ in rounds:
                stream.flows()
                redis.kill()
                redis.start_slowly(LOADING / MANY)
                stream.tells(4)
                redis.wait()
                stream.recovers(time.monotonic())
                assert _has_session(grace, stage)
            sound(stream, stage)
    finally:
        with redis.client() as operator:
            operator.delete(*(f"another:{number}" for number in range(MANY)))


def test_redis_stands_still_and_everybody_is_told(
    stage: Stage, redis: RedisProcess, rounds: range, sound: Sound
) -> None:
    with Stream(stage.bases) as stream, requests.Session() as grace:
        sign_in(grace, stage.bases[0], "grace")
        for _ in rounds:
            stream.flows()
            redis.signal(signal.SIGSTOP)
            stream.tells()
            redis.signal(signal.SIGCONT)
            stream.recovers(time.monotonic())
            assert _has_session(grace, stage)
        sound(stream, stage)


def test_a_worker_that_stands_still_is_replaced_and_repeats_nothing_when_it_goes_on(
    stage: Stage, rounds: range, sound: Sound
) -> None:
    """Or, every other time, is killed."""
    assert stage.worker is not None
    workers = [stage.worker, stage.another_worker()]
    with Stream(stage.bases) as stream:
        for number in rounds:
            # Whoever writes the trail, and whoever does not by then.
            at_fault, other = workers[number % 2], stage.trails[1 - number % 2]
            stream.flows()
            begun = time.monotonic()
            if number % 4 < 2:
                at_fault.signal(signal.SIGSTOP)
            else:
                at_fault.kill()
            before = _size(other)
            until(lambda other=other, before=before: _size(other) > before, "the other worker writes the trail")
            stream.recovers(begun)
            if number % 4 < 2:
                at_fault.signal(signal.SIGCONT)
            else:
                at_fault.start()
        sound(stream, stage)
    assert (stream.tally.clear, stream.tally.cut) == ({}, 0)


def test_the_embedded_valkey_is_started_again_with_all_it_had(tmp_path: Path, rounds: range, sound: Sound) -> None:
    """Or, every other time, stands still, and is waited for: two on one file would spoil it."""
    with on_stage(tmp_path / "stage", "") as stage, Stream(stage.bases) as stream, requests.Session() as grace:
        sign_in(grace, stage.bases[0], "grace")
        for number in rounds:
            stream.flows()
            valkey = _valkey_of(stage)
            begun = time.monotonic()
            if number % 2 == 0:
                os.kill(valkey, signal.SIGKILL)
            else:
                os.kill(valkey, signal.SIGSTOP)
                stream.tells()
                assert _valkey_of(stage) == valkey
                os.kill(valkey, signal.SIGCONT)
            stream.recovers(begun)
            assert _has_session(grace, stage)
        sound(stream, stage)


def _has_session(browser: requests.Session, stage: Stage) -> bool:
    """Whether a ticket can be had without a password."""
    return bool(ticket_of(ask(browser, "GET", f"{stage.bases[0]}login?service={quote(LIBRARY, safe='')}")))


def _valkey_of(stage: Stage) -> int:
    # The one that was started again is a child of another thread.
    threads = (STATES / str(stage.nodes[0].running.pid) / "task").iterdir()
    children = [pid for thread in threads for pid in (thread / "children").read_text().split()]
    [found] = [int(pid) for pid in children if "valkey" in (STATES / pid / "comm").read_text()]
    return found


def _state(pid: int) -> str:
    return (STATES / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]


def _size(trail: Path) -> int:
    with suppress(FileNotFoundError):
        return sum(path.stat().st_size for path in trail.glob("*.jsonl"))
    return 0
