"""Workers for tests: in threads of the test's process, or as processes of their own; and sessions for them to end."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from casduo.settings import load_settings
from casduo.store import Store
from casduo.tickets.ledger import Ledger, LedgerLine
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.tickets.signouts import ORDERS, Cause, SignOut
from casduo.worker.parts import Parts, build_parts
from casduo.worker.process import Job, run_jobs
from casduo.worker.signouts import SignOuts
from tests.support.site import Recorder

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""Seconds after which what has not come will not come."""

Visits = Sequence[tuple[str, str]]
"""Pairs of registry id and service URL."""


@dataclass
class Site:
    """The files of one installation, and the Redis it uses."""

    directory: Path
    redis_url: str
    store: Store

    def write(self, registry: str, settings: str = "") -> None:
        """Write settings and registry."""
        (self.directory / "registry.yaml").write_text(textwrap.dedent(registry), encoding="utf-8")
        self.settings_file.write_text(f"redis: {{url: '{self.redis_url}'}}\n" + settings, encoding="utf-8")

    @property
    def settings_file(self) -> Path:
        return self.directory / "casduo.yaml"

    def sign_out(self, visits: Visits, cause: Cause = "logout") -> SignOut:
        """Open a session, have its tickets validated by services, and end it."""
        tickets, batch = TicketRegistry(self.store, Lifetimes()), self.store.batch()
        session = tickets.open_session(batch, TicketGrantingTicket("ada", {}, "users_file", time.time()), time.time())
        batch.run()
        for service_id, service in visits:
            granting = tickets.grant_service_ticket(
                batch, session.id, service, service_id, primary=False, now=time.time()
            )
            batch.run()
            assert granting.granted
            tickets.take(granting.id)
        closing = tickets.close_session(batch, session.id.name, cause, time.time())
        batch.run()
        assert closing.telling == bool(visits)
        return closing.sign_out

    def lines(self, sign_out: SignOut) -> list[LedgerLine]:
        return Ledger(self.store).read(sign_out)

    def tickets(self, sign_out: SignOut) -> list[str]:
        return [line.visit.ticket for line in self.lines(sign_out)]

    def settled(self, sign_out: SignOut) -> list[LedgerLine]:
        """Wait until every visit has a record and the order is off the queue; return the ledger."""
        eventually(lambda: all(line.state != "waiting" for line in self.lines(sign_out)))
        eventually(lambda: self.orders() == 0)
        return self.lines(sign_out)

    def orders(self) -> int:
        """How many orders are not done."""
        return int(self.store.command("XLEN", ORDERS))


@dataclass
class Working:
    """A worker in threads of this process, with all it wrote to its journal."""

    parts: Parts
    journal: Recorder

    def named(self, name: str) -> list[object]:
        return self.journal.named(name)


@contextmanager
def working(site: Site, *jobs: Callable[[Parts], Job]) -> Iterator[Working]:
    """Run a worker in threads; it is asked to end on the way out, and has to."""
    journal = Recorder()
    parts = replace(build_parts(load_settings(site.settings_file, {}), threading.Event()), journal=journal)
    thread = threading.Thread(target=run_jobs, args=(parts, jobs or (SignOuts,)))
    thread.start()
    try:
        yield Working(parts, journal)
    finally:
        parts.stopping.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


_SCRIPT = """
from gevent import monkey
monkey.patch_all()
import functools, pathlib, signal, sys, threading, gevent
from casduo.log import configure_log
from casduo.settings import load_settings
from casduo.worker.heartbeat import Heartbeat
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs
from casduo.worker.pushes import DuoPushes
from casduo.worker.signouts import SignOuts
configure_log("json", "debug")
stopping = threading.Event()
gevent.signal_handler(signal.SIGTERM, stopping.set)
parts = build_parts(load_settings(pathlib.Path(sys.argv[1]), {}), stopping)
run_jobs(parts, (Heartbeat, *(functools.partial(job, lease=1.0) for job in (SignOuts, DuoPushes))))
"""
"""``casduo worker``, but for others taking over after a second."""


@dataclass
class Process:
    """A worker as a process of its own. ``told`` is what it has written so far."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def told(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def await_start(self) -> None:
        eventually(lambda: self.process.poll() is not None or "worker.started" in self.told)
        assert self.process.poll() is None, self.told

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def worker_process(site: Site, *, impatient: bool = False) -> Iterator[Process]:
    """Run a worker with warnings as errors; it is killed on the way out if it has not ended.

    :param impatient: take over from others after a second of silence
    """
    log = site.directory / f"worker-{time.monotonic_ns()}.log"
    program = ("-c", _SCRIPT) if impatient else ("-m", "casduo", "worker", "--config")
    command = [sys.executable, "-W", "error", *program, str(site.settings_file)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT)
    found = Process(process, log)
    try:
        found.await_start()
        yield found
    finally:
        found.kill()


def fact(worker: Process, name: str) -> int:
    """Return a number that the system knows of a worker, such as ``VmRSS`` in kilobytes."""
    found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{worker.pid}/status").read_text())
    assert found is not None
    return int(found[1])


def eventually(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.01)
