"""The job that writes the audit trail: every event once and in order, whoever dies, restarts, or has no room."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.events.audit_files import LOCK, take_lock, trail_files
from casduo.events.audit_head import AuditStatus, audit_status
from casduo.events.audit_verify import verify
from casduo.events.model import Fault, RequestRefused, SignedIn, Subject
from casduo.events.record import record_of
from casduo.events.stream import READERS, STREAM, EventReader
from casduo.store import Store
from casduo.store.store import client_for
from casduo.worker.audit import AuditTrailJob
from casduo.worker.parts import Parts
from tests.events.disks import small_disk
from tests.events.trails import ids, rows
from tests.worker.conftest import RestartableRedis
from tests.worker.working import ROOT, Site, eventually, fact, working

REGISTRY = "services:\n  - {id: library, name: Library, url: 'http://localhost:*/library/**'}\n"


@pytest.fixture
def directory(site: Site) -> Path:
    """Where the trail is; settings and registry are written."""
    found = site.directory / "audit"
    site.write(REGISTRY, f"audit: {{directory: {found}}}\n")
    return found


def quick(parts: Parts) -> AuditTrailJob:
    """A job that takes over after a second and does not rest for long."""
    return AuditTrailJob(parts, lease=1.0, every=0.05)


def add(store: Store, count: int, first: int = 1) -> list[str]:
    """Put events into the stream; return their names."""
    names = [f"event-{number}" for number in range(first, first + count)]
    for start in range(0, count, 500):
        batch = store.batch()
        for name in names[start : start + 500]:
            event = SignedIn(Subject(principal="ada", service="library"), handler="campus")
            batch.command("XADD", STREAM, "*", "record", record_of(event, time.time(), name).to_json())
        batch.run()
    return names


def waiting(store: Store) -> int:
    return int(store.command("XLEN", STREAM))


def status(store: Store) -> AuditStatus:
    batch = store.batch()
    reply = audit_status(batch)
    batch.run()
    return reply.value


def assert_written(directory: Path, names: list[str]) -> None:
    """Each once, in order, and the chain holds."""
    assert ids(directory) == names
    assert verify(trail_files(directory)).problems == ()


def written(directory: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in trail_files(directory)) if directory.is_dir() else 0


# --- every day -------------------------------------------------------------------------------------------------------


def test_events_are_in_the_trail_and_off_the_stream_within_a_second(site: Site, directory: Path) -> None:
    with working(site, AuditTrailJob) as worker:
        eventually(lambda: site.store.command("EXISTS", "casduo:{events}:lease:audit") == 1)
        began = time.monotonic()
        names = add(site.store, 3)
        eventually(lambda: waiting(site.store) == 0)
        assert time.monotonic() - began < 1.5
        assert worker.journal.events == []
    assert_written(directory, names)
    row = rows(directory)[0]
    assert (row["event"], row["principal"], row["service"]) == ("signin.ok", "ada", "library")


def test_what_happened_while_no_worker_ran_is_written(site: Site, directory: Path) -> None:
    names = add(site.store, 1200)
    with working(site, quick):
        eventually(lambda: waiting(site.store) == 0)
    assert_written(directory, names)


def test_redis_knows_where_the_trail_ends(site: Site, directory: Path) -> None:
    assert status(site.store) == AuditStatus()
    add(site.store, 3)
    with working(site, quick):
        eventually(lambda: waiting(site.store) == 0)
    found = status(site.store)
    assert found.last is not None
    assert (found.last.seq, found.last.hash) == (3, rows(directory)[-1]["hash"])
    assert found.file == "audit-000000000001.jsonl"
    assert found.place.endswith(f":{directory}")
    assert found.at == pytest.approx(time.time(), abs=60)
    assert found.trouble is None


def test_kinds_that_the_settings_leave_out_are_left_out(site: Site, directory: Path) -> None:
    site.write(REGISTRY, f"audit: {{directory: {directory}, without: [request.refused]}}\n")
    add(site.store, 1)
    line = record_of(RequestRefused(Subject(), code="NOT_FOUND"), time.time(), "event-2").to_json()
    site.store.command("XADD", STREAM, "*", "record", line)
    add(site.store, 1, first=3)
    with working(site, quick):
        eventually(lambda: waiting(site.store) == 0)
    assert_written(directory, ["event-1", "event-3"])


def test_what_cannot_be_read_is_noted_and_holds_nothing_up(site: Site, directory: Path) -> None:
    names = [str(site.store.command("XADD", STREAM, "*", *fields)) for fields in (("record", "{"), ("other", "x"))]
    add(site.store, 1)
    with working(site, quick):
        eventually(lambda: waiting(site.store) == 0)
    assert_written(directory, [*(f"unreadable-{name}" for name in names), "event-1"])
    assert rows(directory)[0]["facts"]["code"] == "EVENT_UNREADABLE"


def test_an_event_that_was_put_into_the_stream_twice_is_written_once(site: Site, directory: Path) -> None:
    names = add(site.store, 3)
    add(site.store, 3)
    with working(site, quick):
        eventually(lambda: waiting(site.store) == 0)
    assert_written(directory, names)


def test_what_another_reader_has_not_read_stays(site: Site, directory: Path) -> None:
    webex = "webex: {token: hopper, room: ROOM}\n"
    site.write(REGISTRY, f"audit: {{directory: {directory}}}\n{webex}")
    names = add(site.store, 3)
    with working(site, quick):
        eventually(lambda: written(directory) == 3)
        eventually(lambda: bool(site.store.command("HGET", READERS, "audit")))
        assert waiting(site.store) == 3
        other = EventReader(site.store, "outbox", ("audit", "outbox"), "a-worker")
        assert other.lead(10)
        entries = other.read(10)
        assert [entry.record.id for entry in entries if entry.record] == names
        assert other.advance(entries[1].id)
        assert waiting(site.store) == 1


def test_switched_off_nothing_is_written_and_what_is_new_stays_for_a_day(site: Site, directory: Path) -> None:
    site.write(REGISTRY, f"audit: {{enabled: false, directory: {directory}}}\n")
    add(site.store, 2)
    old = int((time.time() - 86_400 - 60) * 1000)
    site.store.command("DEL", STREAM)
    site.store.command("XADD", STREAM, f"{old}-1", "record", "{}")
    add(site.store, 2)
    with working(site, quick):
        eventually(lambda: waiting(site.store) == 2)
    assert not directory.exists()


# --- several workers -------------------------------------------------------------------------------------------------


def test_of_two_workers_one_writes(site: Site, directory: Path) -> None:
    with working(site, quick) as one, working(site, quick) as two:
        names = list(itertools.chain.from_iterable(add(site.store, 100, first=first) for first in range(1, 1001, 100)))
        eventually(lambda: waiting(site.store) == 0)
        assert (one.journal.events, two.journal.events) == ([], [])
    assert_written(directory, names)


def test_a_worker_that_ends_is_followed_at_once(site: Site, directory: Path) -> None:
    names = add(site.store, 10)
    with working(site, AuditTrailJob):
        eventually(lambda: waiting(site.store) == 0)
    assert site.store.command("EXISTS", "casduo:{events}:lease:audit") == 0
    names += add(site.store, 10, first=11)
    with working(site, AuditTrailJob):
        eventually(lambda: waiting(site.store) == 0)
    assert_written(directory, names)


def test_a_worker_that_lost_the_lease_while_it_wrote_leaves_the_trail_to_the_other(site: Site, directory: Path) -> None:
    with working(site, quick):
        names = add(site.store, 5)
        eventually(lambda: waiting(site.store) == 0)
        site.store.command("SET", "casduo:{events}:lease:audit", "grace", "PX", 700)
        names += add(site.store, 5, first=6)
        eventually(lambda: waiting(site.store) == 0)
    assert_written(directory, names)


_SCRIPT = """
from gevent import monkey
monkey.patch_all()
import pathlib, signal, sys, threading, gevent
from casduo.log import configure_log
from casduo.settings import load_settings
from casduo.worker.audit import AuditTrailJob
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs
configure_log("json", "debug")
stopping = threading.Event()
gevent.signal_handler(signal.SIGTERM, stopping.set)
parts = build_parts(load_settings(pathlib.Path(sys.argv[1]), {}), stopping)
run_jobs(parts, (lambda parts: AuditTrailJob(parts, lease=1.0, every=0.05),))
"""


@dataclass
class Process:
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def told(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def process(site: Site) -> Iterator[Process]:
    """A worker as a process of its own that does this job alone, with warnings as errors."""
    log = site.directory / f"worker-{time.monotonic_ns()}.log"
    command = [sys.executable, "-W", "error", "-c", _SCRIPT, str(site.settings_file)]
    with log.open("wb") as output:
        found = Process(subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT), log)
    try:
        yield found
    finally:
        found.kill()


def test_killed_again_and_again_every_event_is_written_once_and_in_order(site: Site, directory: Path) -> None:
    names = add(site.store, 5000)
    left = []
    for share in (1, 1500, 3200):
        with process(site) as worker:
            # Looked at without a pause: the whole takes it a tenth of a second.
            while written(directory) < share:
                assert worker.process.poll() is None, worker.told
            worker.kill()
            left.append(waiting(site.store))
    assert left[0] > 0
    with process(site) as worker:
        names += add(site.store, 50, first=5001)
        eventually(lambda: waiting(site.store) == 0)
        assert "Traceback" not in worker.told
    assert_written(directory, names)


def test_a_worker_that_hangs_is_followed_and_what_it_had_in_hand_is_written_once(site: Site, directory: Path) -> None:
    with process(site) as first, process(site) as second:
        names = add(site.store, 200)
        eventually(lambda: waiting(site.store) == 0)
        held = str(site.store.command("GET", "casduo:{events}:lease:audit"))
        leader, other = (first, second) if f"-{first.pid}-" in held else (second, first)
        os.kill(leader.pid, 19)
        names += add(site.store, 200, first=201)
        eventually(lambda: f"-{other.pid}-" in str(site.store.command("GET", "casduo:{events}:lease:audit")))
        # It cannot write yet: the one that hangs has the directory.
        eventually(lambda: (found := status(site.store).trouble) is not None and found.obstacle == "locked")
        os.kill(leader.pid, 18)
        eventually(lambda: waiting(site.store) == 0)
        eventually(lambda: status(site.store).trouble is None)
    assert [name for name in ids(directory) if name.startswith("event-")] == names
    assert verify(trail_files(directory)).problems == ()


# --- Redis -----------------------------------------------------------------------------------------------------------


def test_redis_restarts_in_the_middle(tmp_path: Path, redis_server: RestartableRedis) -> None:
    store = Store(client_for(redis_server.url, "", 2.0, 16, ""))
    redis_server.await_answer(store)
    site, directory = Site(tmp_path, redis_server.url, store), tmp_path / "audit"
    site.write(REGISTRY, f"audit: {{directory: {directory}}}\n")
    names = add(store, 3000)
    with working(site, quick):
        for share in (500, 1500):
            eventually(lambda share=share: written(directory) >= share)  # type: ignore[misc]
            redis_server.end()
            redis_server.start()
            redis_server.await_answer(store)
        names += add(store, 10, first=3001)

        def done() -> bool:
            with suppress(UpstreamUnavailable):
                return waiting(store) == 0
            return False

        eventually(done)
    store.close()
    assert_written(directory, names)


def test_a_redis_that_comes_back_empty_does_not_stop_the_trail(site: Site, directory: Path) -> None:
    with working(site, quick):
        names = add(site.store, 10)
        eventually(lambda: waiting(site.store) == 0)
        site.store.command("FLUSHALL")
        names += add(site.store, 10, first=11)
        eventually(lambda: written(directory) == 20)
    site.store.command("FLUSHALL")
    names += add(site.store, 1, first=21)
    with working(site, quick):
        eventually(lambda: written(directory) == 21)
    assert_written(directory, names)


# --- trouble ---------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_loud_loses_nothing_and_it_goes_on_by_itself(site: Site, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        directory = disk.directory / "audit"
        site.write(REGISTRY, f"audit: {{directory: {directory}}}\n")
        with working(site, quick) as worker:
            names = add(site.store, 20)
            eventually(lambda: waiting(site.store) == 0)
            disk.fill()
            names += add(site.store, 200, first=21)
            eventually(lambda: status(site.store).trouble is not None)
            trouble = status(site.store).trouble
            assert trouble is not None
            assert (trouble.obstacle, trouble.place.endswith(str(directory))) == ("full", True)
            eventually(lambda: bool(worker.named("fault")))
            assert waiting(site.store) == 200
            disk.free()
            eventually(lambda: waiting(site.store) == 0)
            eventually(lambda: status(site.store).trouble is None)
            # Once, however often it was tried.
            (fault,) = worker.named("fault")
            assert isinstance(fault, Fault)
            assert (fault.code, fault.path) == ("AUDIT_UNWRITABLE", "audit")
            assert fault.detail.startswith("full: ")
        assert_written(directory, names)


def test_a_limit_on_the_size_of_files_is_a_full_disk_too(site: Site, directory: Path) -> None:
    names = add(site.store, 20)
    with process(site) as worker:
        eventually(lambda: waiting(site.store) == 0)
        size = max(path.stat().st_size for path in trail_files(directory))
        _limit(worker.pid, size + 1000)
        names += add(site.store, 200, first=21)
        eventually(lambda: (found := status(site.store).trouble) is not None and found.obstacle == "full")
        _limit(worker.pid, -1)
        eventually(lambda: waiting(site.store) == 0)
    assert [name for name in ids(directory) if name.startswith("event-")] == names
    assert verify(trail_files(directory)).problems == ()


def _limit(pid: int, size: int) -> None:
    import resource

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_directory_that_is_not_ours_is_told(site: Site, directory: Path) -> None:
    directory.mkdir()
    directory.chmod(0o777)
    names = add(site.store, 3)
    with working(site, quick) as worker:
        eventually(lambda: bool(worker.named("fault")))
        assert worker.named("fault")[0].detail.startswith("foreign: ")
        directory.chmod(0o700)
        eventually(lambda: waiting(site.store) == 0)
    assert_written(directory, names)


def test_a_directory_in_which_somebody_else_writes_is_told_after_a_while(site: Site, directory: Path) -> None:
    directory.mkdir(0o700)
    lock = take_lock(directory)
    names = add(site.store, 3)
    with working(site, quick) as worker:
        began = time.monotonic()
        eventually(lambda: bool(worker.named("fault")))
        assert time.monotonic() - began > 0.9
        assert worker.named("fault")[0].detail.startswith("locked: ")
        os.close(lock)
        eventually(lambda: waiting(site.store) == 0)
    assert (directory / LOCK).exists()
    assert_written(directory, names)


def test_a_trail_that_was_cut_while_nobody_wrote_is_told_and_gone_on_with(site: Site, directory: Path) -> None:
    add(site.store, 5)
    with working(site, quick):
        eventually(lambda: waiting(site.store) == 0)
    (path,) = trail_files(directory)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    add(site.store, 1, first=6)
    with working(site, quick) as worker:
        eventually(lambda: waiting(site.store) == 0)
        (fault,) = worker.named("fault")
        assert fault.code == "AUDIT_DAMAGED"
    (problem,) = verify(trail_files(directory)).problems
    assert (problem.reason, problem.text.partition(",")[0]) == ("gap", "entries 4 to 5 are missing")


def test_a_file_that_is_removed_while_it_is_written_is_told_and_gone_on_with(site: Site, directory: Path) -> None:
    with working(site, quick) as worker:
        add(site.store, 5)
        eventually(lambda: waiting(site.store) == 0)
        trail_files(directory)[0].unlink()
        add(site.store, 5, first=6)
        eventually(lambda: waiting(site.store) == 0)
        assert [fault.code for fault in worker.named("fault")] == ["AUDIT_DAMAGED"]
    assert ids(directory) == [f"event-{number}" for number in range(6, 11)]


def test_a_mark_of_a_worker_that_died_over_it_is_taken_away(site: Site, directory: Path) -> None:
    with working(site, quick):
        eventually(lambda: directory.exists())
    trouble = '{"obstacle": "full", "detail": "No space left on device", "since": 1.0, "place": "host:/audit"}'
    site.store.command("SET", "casduo:{events}:audit:trouble", trouble)
    assert status(site.store).trouble is not None
    with working(site, quick):
        eventually(lambda: status(site.store).trouble is None)


def test_it_costs_little_memory(site: Site, directory: Path) -> None:
    with process(site) as worker:
        add(site.store, 200)
        eventually(lambda: waiting(site.store) == 0)
        few = fact(worker, "VmRSS")
        add(site.store, 12_000, first=201)
        eventually(lambda: waiting(site.store) == 0)
        assert fact(worker, "VmRSS") - few < 10_000


def test_ending_does_not_take_long(site: Site, directory: Path) -> None:
    add(site.store, 5)
    began = threading.Event()
    with working(site, AuditTrailJob):
        eventually(lambda: waiting(site.store) == 0)
        began.set()
        ended = time.monotonic()
    assert began.is_set()
    assert time.monotonic() - ended < 3
