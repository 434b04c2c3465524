"""A worker that may open few files and has few connections to a slow Redis, with more pushes than it can follow."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Script
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.faults.conftest import Sound
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import Stream
from tests.support.redis_servers import CountingRelay
from tests.support.waiting import until
from tests.worker.pushing import PushDesk
from tests.worker.working import Site

OTHER_FILES = 256
"""What a worker keeps back for everything but pushes (casduo/worker/pushes.py)."""
PLACES, PUSHES = 12, 60


@dataclass
class Ground:
    """A stage whose worker is at its limits, whoever sends it pushes, and the relay between the stage and its Redis."""

    stage: Stage
    desk: PushDesk
    relay: CountingRelay


@pytest.fixture
def ground(tmp_path: Path, duo: DuoSimulator, duo_settings: str) -> Iterator[Ground]:
    with EmbeddedValkey(tmp_path / "valkey") as server:
        relay, store = CountingRelay(tmp_path, server.url), Store(client_for(server.url, "", 5.0, 16, ""))
        try:
            with on_stage(tmp_path / "stage", relay.url, settings=duo_settings) as stage:
                few_files(stage)
                site = Site(stage.nodes[0].log.parent, server.url, store)
                yield Ground(stage, PushDesk.of(site, duo), relay)
        finally:
            store.close()
            relay.close()


def few_files(stage: Stage) -> None:
    """Have the worker end, and start again where so few files can be opened that it follows a few pushes only."""
    assert stage.worker is not None
    stage.worker.end()
    limited = ("sh", "-c", f'ulimit -n {OTHER_FILES + PLACES}; exec "$@"', "sh", *stage.worker.command)
    stage.worker.command = limited
    before = started(stage)
    stage.worker.start()
    until(lambda: started(stage) > before, "the worker is there")


def started(stage: Stage) -> int:
    assert stage.worker is not None
    return stage.worker.log.read_text(encoding="utf-8").count('"worker.started"')


def answered(stage: Stage) -> Counter[str]:
    """How often the trail tells that a push was allowed, by its person."""
    lines = (line for path in stage.trail.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines())
    return Counter(one["principal"] for one in map(json.loads, lines) if one["event"] == "duo.allowed")


@pytest.mark.parametrize("delay", [0.0, 0.1], ids=["", "slow redis"])
def test_pushes_wait_for_a_worker_that_follows_as_many_as_it_can(
    ground: Ground, duo: DuoSimulator, delay: float, sound: Sound
) -> None:
    people = [f"person{number}" for number in range(PUSHES)]
    for person in people:
        duo.add_user(person, script=Script("approve", after=0.5))
    with Stream(ground.stage.bases) as stream:
        stream.flows(4)
        ground.relay.delay = delay
        names = [ground.desk.send(person) for person in people]
        most = 0

        def done() -> bool:
            nonlocal most
            most = max(most, len(ground.desk.holders()))
            return ground.desk.queued() == 0

        until(done, "every push has its verdict")
        ground.relay.delay = 0.0
        assert 0 < most <= PLACES
        pushes = [ground.desk.read(name) for name in names]
        assert {push.state for push in pushes if push is not None} == {"allowed"}
        assert None not in pushes
        until(lambda: answered(ground.stage).total() >= PUSHES, "the trail has every verdict")
        stream.recovers(time.monotonic())
        sound(stream, ground.stage)
    assert answered(ground.stage) == Counter(people)
    assert (stream.tally.clear, stream.tally.cut) == ({}, 0)
    assert ground.stage.worker is not None
    assert "Traceback" not in ground.stage.worker.log.read_text(encoding="utf-8")
