"""A stage for the built-in Duo page on which anything may die: nodes, workers, Redis, and the line to Duo."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from casduo.mfa.duo.pushes import QUEUE
from casduo.outbound.breaker import BreakerState, BreakerTerms
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from casduo.store.breakers import RedisBreakerMemory
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.support.nodes import PEOPLE, Node, Window, running_nodes, write_files
from tests.support.silence import Line
from tests.support.waiting import until
from tests.worker.working import Process, worker_process
from tests.worker.working import Site as WorkerSite

TIME_OUT = 3.0
"""Seconds that a call to a silent Duo costs here."""
PAUSE = 4.0
"""Seconds for which nobody is asked after that."""
HEALTH_KEPT = 5.0
"""Seconds for which a node takes a good answer of Duo's for granted."""
SIGNS_OF_LIFE = "casduo:worker"
"""What the keys begin with by which workers show that they are alive."""


class Crew:
    """The workers."""

    def __init__(self, site: WorkerSite) -> None:
        self._site = site
        self._stack = ExitStack()
        self._workers: list[Process] = []

    def of(self, count: int) -> list[Process]:
        """Return so many workers that run; those that are missing are started."""
        alive = self.alive()
        while len(alive) < count:
            alive.append(self._stack.enter_context(worker_process(self._site)))
        self._workers = alive
        return alive

    def alive(self) -> list[Process]:
        return [worker for worker in self._workers if worker.process.poll() is None]

    def end(self) -> None:
        """End all of them in an orderly way."""
        for worker in self.alive():
            assert worker.end() == 0
        self._workers = []

    def holders(self) -> list[int]:
        """Return the process ids of those who follow a push."""
        rows = self._site.store.command("XPENDING", QUEUE, "workers", "-", "+", 100)
        return [int(row[1].split("-")[-2]) for row in rows if row[1] != "-"]

    def holder(self) -> Process:
        """Wait until the only push is followed. Returns the worker that does it."""
        until(lambda: len(self.holders()) == 1, "a worker follows the push")
        (pid,) = self.holders()
        (found,) = (worker for worker in self.alive() if worker.pid == pid)
        return found

    def close(self) -> None:
        self._stack.close()


@dataclass(frozen=True)
class Place:
    """All that runs. ``dying`` is a node that one test kills."""

    redis: EmbeddedValkey
    store: Store
    duo: DuoSimulator
    line: Line
    nodes: Sequence[Node]
    dying: Node
    crew: Crew

    def window(self) -> Window:
        return Window(*self.nodes)

    def forget_health(self) -> None:
        """Wait until no node goes by an answer that Duo gave before."""
        last = max((request.at for request in self.duo.requests()), default=0.0)
        until(lambda: time.time() - last > HEALTH_KEPT, "nobody remembers a good answer")

    def half_open(self) -> None:
        """Wait until Duo may be tried again."""
        terms = BreakerTerms(f"duo auth api localhost:{self.line.port}", 2, PAUSE, 60.0)
        breakers = RedisBreakerMemory(self.store)
        until(lambda: breakers.state(terms, time.time()) is BreakerState.HALF_OPEN, "the pause is over")

    def renew(self) -> None:
        """Make everything as new, but for the workers that run."""
        for name in PEOPLE:
            self.duo.add_user(name)
        for key in self.store.command("KEYS", "*"):
            if not key.startswith((SIGNS_OF_LIFE, QUEUE)):
                self.store.command("DEL", key)

    def mend(self) -> None:
        """Let everybody reach Duo again."""
        self.line.mend()
        self.duo.transport.clear()


@contextmanager
def push_stage(directory: Path, certificate: LeafFiles) -> Iterator[Place]:
    """Run nodes, Redis, Duo behind a line of its own, and nobody who follows pushes yet."""
    with (
        EmbeddedValkey(directory / "valkey") as redis,
        DuoSimulator(certificate) as duo,
        ExitStack() as stack,
    ):
        line = Line(duo.port)
        stack.callback(line.close)
        store = Store(client_for(redis.url, "", 5.0, 16, ""))
        stack.callback(store.close)
        keys = duo.add_application()
        settings = (
            f"duo: {{api_host: 'localhost:{line.port}', ca_file: {duo.ca_file}, prompt: push,\n"
            f"  connect_timeout: {TIME_OUT:.0f}s, read_timeout: {TIME_OUT:.0f}s,\n"
            f"  breaker: {{failures: 2, pause: {PAUSE:.0f}s}},\n"
            f"  universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}}}}\n"
        )
        (directory / "workers").mkdir()
        write_files(directory / "workers", redis.url, settings)
        crew = Crew(WorkerSite(directory / "workers", redis.url, store))
        stack.callback(crew.close)
        first, second, third = stack.enter_context(running_nodes(directory, redis.url, settings, 3))
        yield Place(redis, store, duo, line, (first, second), third, crew)
