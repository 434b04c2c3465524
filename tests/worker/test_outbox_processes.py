"""Workers that die while they send: killed as processes of their own, at each moment that matters."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casduo.simulators.clock import VirtualClock
from tests.worker.outboxing import OutboxStage
from tests.worker.working import ROOT, Process, Site, eventually

_WORKER = """
from gevent import monkey
monkey.patch_all()
import pathlib, sys, threading, time
from casduo.events.messages import Delivered
from casduo.events.outbox_rules import Terms
from casduo.log import configure_log
from casduo.settings import load_settings
from casduo.worker.outbox import OutboxSender, OutboxTimes, UrgentOutboxSender
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs

directory, stops_at, stops_when = pathlib.Path(sys.argv[1]), *sys.argv[2:]

class Postman:
    def deliver(self, message):
        self._halt(message, "before")
        with (directory / "sent").open("a") as sent:
            sent.write(f"{message.to} {message.id}\\n")
        self._halt(message, "after")
        return Delivered()

    def _halt(self, message, moment):
        if (message.id, moment) == (stops_at, stops_when):
            (directory / "halted").touch()
            time.sleep(3600)

    def digestible(self, message):
        return False

    def buried(self, message):
        return ()

configure_log("json", "debug")
terms = Terms(per_space=1e9, per_token=1e9)
parts = build_parts(load_settings(directory / "casduo.yaml", {}), threading.Event())

def sender(make):
    return lambda parts: make(parts, lambda *_: Postman(), terms, lease=1.0, every=0.01)

run_jobs(parts, (sender(OutboxSender), sender(UrgentOutboxSender), lambda parts: OutboxTimes(parts, terms, 0.01)))
"""
"""A worker that writes down what it sends, and on request stops dead at one message, before or after that."""


@pytest.fixture
def stage(site: Site) -> OutboxStage:
    return OutboxStage(site, VirtualClock(rate=1))


@contextmanager
def worker(site: Site, message: str = "", moment: str = "") -> Iterator[Process]:
    log = site.directory / f"worker-{message}-{moment}.log"
    command = [sys.executable, "-W", "error", "-c", _WORKER, str(site.directory), message, moment]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT)
    found = Process(process, log)
    try:
        found.await_start()
        yield found
    finally:
        found.kill()


def sent(site: Site, to: str = "room:r1") -> list[str]:
    lines = (site.directory / "sent").read_text(encoding="utf-8").splitlines()
    return [name for destination, name in map(str.split, lines) if destination == to]


def killed_at(site: Site, message: str, moment: str) -> None:
    """Have a worker killed while it is at a message."""
    with worker(site, message, moment) as doomed:
        eventually(Path(site.directory / "halted").exists)
        doomed.kill()


@pytest.mark.parametrize("kind", ["calm", "urgent"])
def test_a_worker_killed_before_it_sends_doubles_nothing(stage: OutboxStage, kind: str) -> None:
    stage.put(*(stage.message(number, urgent=kind == "urgent") for number in range(20)))
    killed_at(stage.site, "m10", "before")
    assert sent(stage.site) == [f"m{number}" for number in range(10)]
    with worker(stage.site):
        stage.emptied()
    assert sent(stage.site) == [f"m{number}" for number in range(20)]


def test_a_worker_killed_before_it_could_say_that_it_sent_doubles_that_message_alone(stage: OutboxStage) -> None:
    for number in range(20):
        stage.put(*(stage.message(f"{number}-{room}", f"room:r{room}") for room in (1, 2, 3)))
    killed_at(stage.site, "m10-1", "after")
    with worker(stage.site):
        stage.emptied()
    names = [f"m{number}-1" for number in range(20)]
    assert sent(stage.site) == names[:11] + names[10:]
    for room in (2, 3):
        # Of what it was sending to others at that moment, one each.
        counted = Counter(sent(stage.site, f"room:r{room}"))
        assert list(counted) == [f"m{number}-{room}" for number in range(20)]
        assert counted.total() <= 21


def test_while_one_hangs_the_others_see_to_other_destinations_and_nobody_takes_what_it_holds(
    stage: OutboxStage,
) -> None:
    stage.put(stage.message("stuck", "room:r9"), stage.message("stuck2", "room:r9"))
    with worker(stage.site, "mstuck", "before"), worker(stage.site):
        eventually(Path(stage.site.directory / "halted").exists)
        stage.put(*(stage.message(number) for number in range(200)))
        eventually(lambda: (stage.site.directory / "sent").exists() and len(sent(stage.site)) == 200)
        assert sent(stage.site, "room:r9") == []
    with worker(stage.site):
        stage.emptied()
    assert sent(stage.site, "room:r9") == ["mstuck", "mstuck2"]
