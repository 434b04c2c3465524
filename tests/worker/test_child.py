"""The worker that a server starts for itself: begun again when it dies, gone when the server goes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from casduo.worker.child import WorkerChild
from tests.worker.working import PATIENCE, ROOT, Site, eventually

REGISTRY = "services:\n  - {id: library, name: Library, url: 'http://localhost:*/library/**'}\n"
_PARENT = """
import os, pathlib, sys, time
from casduo.worker.child import WorkerChild
WorkerChild(pathlib.Path(sys.argv[1]), print).start()
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.write(REGISTRY)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def child(site: Site, said: list[str]) -> Iterator[WorkerChild]:
    found = WorkerChild(site.settings_file, said.append)
    found.start()
    yield found
    found.stop()


def workers_of(parent: int) -> list[int]:
    listing = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in listing.splitlines() if " casduo worker " in line]


def the_worker() -> int:
    eventually(lambda: len(workers_of(os.getpid())) == 1)
    return workers_of(os.getpid())[0]


def runs(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_it_runs_until_it_is_stopped(child: WorkerChild, said: list[str]) -> None:
    pid = the_worker()
    child.stop()
    assert not runs(pid)
    assert said == []


def test_one_that_dies_is_started_again_and_that_is_said(child: WorkerChild, said: list[str]) -> None:
    first = the_worker()
    os.kill(first, signal.SIGKILL)
    eventually(lambda: workers_of(os.getpid()) not in ([], [first]))
    assert said == ["the worker ended (status -9) and is started again in 1s"]


def test_one_that_cannot_be_started_is_tried_again(
    child: WorkerChild, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, start = the_worker(), subprocess.Popen
    refused: list[Any] = []

    def full(command: list[str], **options: Any) -> Any:
        if "worker" in command and not refused:
            refused.append(command)
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return start(command, **options)

    monkeypatch.setattr(subprocess, "Popen", full)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: workers_of(os.getpid()) not in ([], [first]))
    assert said[1] == "the worker could not be started (Resource temporarily unavailable) and is started again in 2s"


def test_it_stands_back_behind_the_server(child: WorkerChild) -> None:
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    pid = the_worker()
    eventually(lambda: os.getpriority(os.PRIO_PROCESS, pid) == min(19, mine + 10))


def test_the_pauses_grow(site: Site, child: WorkerChild, said: list[str]) -> None:
    (site.directory / "registry.yaml").write_text("services: nonsense\n")
    os.kill(the_worker(), signal.SIGKILL)
    eventually(lambda: len(said) >= 3)
    assert [sentence.rpartition(" ")[2] for sentence in said[:3]] == ["1s", "2s", "4s"]
    assert "status 2" in said[1]


def test_during_a_pause_it_is_stopped_at_once(child: WorkerChild, said: list[str]) -> None:
    os.kill(the_worker(), signal.SIGKILL)
    eventually(lambda: len(said) == 1)
    child.stop()
    assert workers_of(os.getpid()) == []


def test_ctrl_c_is_left_to_the_server(child: WorkerChild, site: Site) -> None:
    pid = the_worker()
    os.kill(pid, signal.SIGINT)
    eventually(lambda: bool(site.store.command("EXISTS", "casduo:worker:alive")))
    os.kill(pid, signal.SIGINT)
    assert runs(pid)
    child.stop()
    assert not runs(pid)


def test_it_does_not_outlive_a_server_that_is_killed(site: Site) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(site.settings_file)], cwd=ROOT)
    try:
        eventually(lambda: bool(workers_of(parent.pid)))
        (pid,) = workers_of(parent.pid)
        eventually(lambda: bool(site.store.command("EXISTS", "casduo:worker:alive")))
    finally:
        parent.kill()
        parent.wait(PATIENCE)
    eventually(lambda: not runs(pid))


def test_it_ends_also_when_the_server_was_killed_before_it_came_up(site: Site) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(site.settings_file)], cwd=ROOT)
    try:
        eventually(lambda: bool(workers_of(parent.pid)))
        (pid,) = workers_of(parent.pid)
    finally:
        parent.kill()
        parent.wait(PATIENCE)
    eventually(lambda: not runs(pid))
