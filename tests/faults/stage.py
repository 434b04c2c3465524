"""What is broken in these tests: nodes and a worker as processes of their own, on whatever Redis a test brings."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.support.ports import free_ports
from tests.support.served import REGISTRY
from tests.support.site import BASE, write_site
from tests.support.waiting import PATIENCE, until

_ROOT = Path(__file__).parents[2]


@dataclass
class Process:
    """A ``casduo serve`` or ``casduo worker``, with all processes that it starts, as one group."""

    command: tuple[str, ...]
    log: Path
    running: subprocess.Popen[bytes]

    @property
    def serving(self) -> int:
        """The id of the process that answers requests: the child of the one that looks after it."""
        [child] = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children").read_text().split()
        return int(child)

    def signal(self, what: signal.Signals) -> None:
        """Send a signal to all its processes: ``SIGKILL``, ``SIGSTOP``, ``SIGCONT`` ..."""
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, what)

    def kill(self) -> None:
        """End it as a machine does that loses power: no process has a moment left."""
        self.signal(signal.SIGKILL)
        self.running.wait()

    def end(self) -> None:
        """End it as an operator does."""
        if self.running.poll() is None:
            self.signal(signal.SIGCONT)
            self.running.terminate()
            try:
                self.running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def start(self) -> None:
        """Start it once more, as it was started before."""
        self.running = _start(self.command, self.log)


@dataclass
class Node(Process):
    """A ``casduo serve``; ``base`` ends with a slash."""

    base: str = ""

    def answers(self) -> bool:
        """Whether it is ready."""
        assert self.running.poll() is None, self.log.read_text(encoding="utf-8")[-4000:]
        with suppress(requests.RequestException):
            return requests.get(f"{self.base}readyz", timeout=5).ok
        return False

    def reload(self) -> None:
        """Have it read its settings anew (SIGHUP), and wait until another process answers."""
        before = self.serving
        os.kill(self.running.pid, signal.SIGHUP)
        until(lambda: not Path(f"/proc/{before}").exists(), f"another process answers at {self.base}")

    def wait(self) -> None:
        """Wait until it is ready."""
        until(self.answers, f"{self.base} is ready")


@dataclass
class Stage:
    """Nodes and, maybe, a worker. ``trail`` is the directory of its audit trail; ``others`` are further workers, each
    with a trail of its own, as on another machine.
    """

    nodes: list[Node]
    worker: Process | None
    trail: Path
    others: list[Process] = field(default_factory=list)
    other_trails: list[Path] = field(default_factory=list)

    @property
    def bases(self) -> list[str]:
        """Where the nodes are."""
        return [node.base for node in self.nodes]

    @property
    def logs(self) -> list[Path]:
        """Everything that was logged, by whomever."""
        return [process.log for process in (*self.nodes, *([self.worker] if self.worker else []), *self.others)]

    @property
    def trails(self) -> list[Path]:
        """The directories of all audit trails."""
        return [self.trail, *self.other_trails]

    def another_worker(self) -> Process:
        """Start one more worker, as on another machine: with directories of its own."""
        assert self.worker is not None
        home = self.worker.log.parent.with_name(f"worker-{len(self.others) + 2}")
        shutil.copytree(self.worker.log.parent, home, ignore=shutil.ignore_patterns("log"))
        path = home / "casduo.yaml"
        state = str(self.trail.parent)
        path.write_text(path.read_text(encoding="utf-8").replace(state, f"{home}/state"), encoding="utf-8")
        command, log = (*self.worker.command[:-1], str(path)), home / "log"
        self.others.append(Process(command, log, _start(command, log)))
        self.other_trails.append(home / "state" / "audit")
        until(lambda: '"worker.started"' in log.read_text(encoding="utf-8"), "another worker is there")
        return self.others[-1]


@contextmanager
def on_stage(
    directory: Path,
    redis_url: str,
    *,
    nodes: int = 1,
    worker: bool = True,
    registry: str = REGISTRY,
    settings: str = "",
    server: str = "",
    handlers: str = "",
    ports: Sequence[int] = (),
    url: str = "http://localhost/cas",
    drain: float = 0,
) -> Iterator[Stage]:
    """Run nodes, and a worker, which have everything in common but their ports.

    :param redis_url: empty for the embedded Valkey of the (one) node
    :param server: more of the settings' ``server`` section, such as ``threads: 8``
    :param ports: where the nodes listen, one for each; any that are free, where none are given
    :param url: the address by which people know the server
    :param drain: ``server.drain`` in seconds
    :param handlers: see :func:`tests.support.site.write_site`
    """
    state = directory / "state"
    stage = Stage([], None, state / "audit")
    own = f"url: '{url}', insecure_http: true, worker: false, drain: {drain}s, "
    try:
        for port in ports or free_ports(nodes):
            base = f"http://localhost:{port}/cas/"
            more = f"bind: '127.0.0.1:{port}', {server}, " if server else f"bind: '127.0.0.1:{port}', "
            path = _write(directory / f"node-{port}", redis_url, registry, settings, handlers, own + more, state)
            command = (sys.executable, "-m", "casduo", "serve", "--config", str(path))
            log = path.parent / "log"
            stage.nodes.append(Node(command, log, _start(command, log), base))
        for node in stage.nodes:
            node.wait()
        if worker:
            path = _write(directory / "worker", redis_url, registry, settings, handlers, own, state)
            command = (sys.executable, "-m", "casduo", "worker", "--config", str(path))
            log = path.parent / "log"
            stage.worker = Process(command, log, _start(command, log))
            until((stage.trail / "audit.lock").exists, "the worker is there")
        yield stage
    finally:
        with ExitStack() as ending:
            # The worker last: it writes down what the nodes leave behind.
            for process in (*stage.others, *([stage.worker] if stage.worker else []), *stage.nodes):
                ending.callback(process.end)
            # All nodes at the same time; what is asked to end a second time does not drain.
            for node in stage.nodes:
                if node.running.poll() is None:
                    node.signal(signal.SIGCONT)
                    node.running.terminate()


def _write(home: Path, redis_url: str, registry: str, settings: str, handlers: str, server: str, state: Path) -> Path:
    home.mkdir(parents=True)
    path = write_site(home, redis_url, registry, settings, handlers=handlers)
    text = path.read_text(encoding="utf-8").replace(f"{home}/state", str(state)).replace(f"url: {BASE}, ", server, 1)
    path.write_text(text if redis_url else text.replace("redis: {url: ''}\n", ""), encoding="utf-8")
    return path


def _start(command: tuple[str, ...], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, cwd=_ROOT, start_new_session=True)
