"""``python -m benchmarks.pushes``: what thousands of open Duo pushes cost: the worker that follows them, and the server
beside it, whose requests must not notice.

``casduo serve``, the worker that it starts and Redis share the subjects' core. The simulated Duo runs on the driver's,
in a process of its own. In each round the server is measured while nothing is open, while all pushes are, and once more
when everybody has approved: how much the two quiet figures differ tells what the ratio is worth.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles

from benchmarks import machine, subjects
from benchmarks.driver import Measurement, SocketDriver
from benchmarks.scenarios import Target, validation, whole_login
from casduo.mfa.duo.applications import build_applications
from casduo.mfa.duo.gateway import DuoGateway
from casduo.mfa.duo.pushes import QUEUE, Pushes, PushName, PushRequest
from casduo.request import FLOW_COOKIE
from casduo.settings import ensure_secret_key, load_settings
from casduo.signing import Purpose, Signing, fingerprint
from casduo.store import Store
from casduo.store.store import client_for

SCENARIOS = {"whole login": whole_login, "validation": validation}
GOAL = 1.2
"""How many times its p95 on a quiet server a request may take while all pushes are open."""

_APPROVED_AFTER = 1000.0
"""Seconds, by Duo's clock, which is moved there once everything is measured."""
_AHEAD = 3600.0
"""Pushes are sent as if so many seconds from now, so that none times out while it is measured."""
_POLL_HOLD = 30.0
_PATIENCE = 180.0
_LOOK_EVERY = 2.0
"""Seconds between two questions of a page's script."""
_BROWSER = "b" * 24
"""The flow cookie of all browsers; to the server it makes no difference."""
_ADDRESS = "192.0.2.7"


class Duo:
    """The simulated Duo in a process of its own, steered by its control interface."""

    def __init__(self, process: subprocess.Popen[str], scratch: Path) -> None:
        assert process.stdout is not None
        # The last thing it says when it starts.
        last = next(line for line in process.stdout if line.startswith("control"))
        self._control = last.split()[1]
        keys = json.loads((scratch / "keys.json").read_text(encoding="utf-8"))
        application = keys["applications"]["websdk"]
        self.settings = {
            "api_host": keys["api_host"],
            "ca_file": keys["ca_file"],
            "universal": {
                "client_id": application["integration_key"],
                "client_secret": application["secret_key"],
            },
        }

    def do(self, command: str, **members: object) -> None:
        """Give the simulator a command."""
        body = json.dumps({"do": command, **members}).encode()
        request = urllib.request.Request(self._control, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=_PATIENCE):
            return


@contextlib.contextmanager
def running_duo(scratch: Path, people: int) -> Iterator[Duo]:
    """Run the simulated Duo on the driver's core, with people who approve when its clock is moved.

    It has what the driver leaves of that core: the true Duo's work is not on this machine.
    """
    command = ["nice", "-n", "5", sys.executable, "-u", "-m", "casduo", "simulate", "duo", "--state", str(scratch)]
    with subprocess.Popen(command, cwd=subjects.REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            duo = Duo(process, scratch)
            duo.do("settings", request_timeout=2 * _APPROVED_AFTER, poll_hold=_POLL_HOLD)
            for number in range(people):
                duo.do("add_user", username=_person(number), script={"reply": "approve", "after": _APPROVED_AFTER})
            yield duo
        finally:
            process.terminate()


class Browser(asyncio.Protocol):
    """The page of one push: asks for news every few seconds, on a connection that it keeps."""

    def __init__(self, request: bytes, first: float, found: list[float]) -> None:
        self._request = request
        self._first = first
        self._found = found
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time after a while: not all do so at the same moment."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        asyncio.get_running_loop().call_later(self._first, self._ask)

    def data_received(self, data: bytes) -> None:
        """Note how long the answer took: until its end, which is the only brace in it."""
        if data.endswith(b"}"):
            self._found.append(time.monotonic() - self._asked_at if b"waiting" in data else float("inf"))

    def _ask(self) -> None:
        asyncio.get_running_loop().call_later(_LOOK_EVERY, self._ask)
        self._asked_at = time.monotonic()
        self._transport.write(self._request)


def browse(address: tuple[str, int], paths: list[str], pipe: Connection) -> None:
    """Be the browsers of all pushes until the pipe says that it is enough; sends back how long each answer took."""
    os.nice(5)

    async def look() -> list[float]:
        loop, found, enough = asyncio.get_running_loop(), list[float](), asyncio.Event()
        loop.add_reader(pipe.fileno(), enough.set)
        for number, path in enumerate(paths):
            head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {FLOW_COOKIE}={_BROWSER}\r\n\r\n"
            browser = Browser(head.encode(), _LOOK_EVERY * number / len(paths), found)
            await loop.create_connection(lambda one=browser: one, *address)  # type: ignore[misc]
        pipe.send("begun")
        await enough.wait()
        return found

    pipe.send(asyncio.run(look()))


@dataclass(slots=True)
class Round:
    """What one round gave: by scenario on a quiet server, with all pushes open, on a quiet one again; and the rest."""

    quiet: dict[str, Measurement] = field(default_factory=dict)
    loaded: dict[str, Measurement] = field(default_factory=dict)
    again: dict[str, Measurement] = field(default_factory=dict)
    watched: dict[str, Measurement] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that runs."""

    duo: Duo
    gateway: DuoGateway
    store: Store
    target: Target
    worker: int
    signing: Signing
    paths: list[str] = field(default_factory=list)
    """Where the pages of the open pushes ask for news."""

    def measure(self, connections: int, seconds: float) -> dict[str, Measurement]:
        """Measure the server."""
        driver = SocketDriver(self.target.address, connections, lambda: machine.cpu_seconds(self.target.processes))
        return {title: scenario(self.target, driver, seconds) for title, scenario in SCENARIOS.items()}

    def open(self, count: int) -> float:
        """Send pushes as logins do. Returns how many seconds after the last one all are followed."""
        pushes = Pushes(self.store, lambda batch: batch.command("ECHO", "1"))
        self.paths.clear()
        for number in range(count):
            request = PushRequest(_person(number), "", "payroll", "push", "Phone", _ADDRESS)
            name = pushes.open(request, time.time()).name
            assert name is not None
            pushes.sent(name, self.gateway.push(_person(number), _ADDRESS), time.time() + _AHEAD)
            self.paths.append(self._path(name))
        began = time.monotonic()
        self.duo.do("await_polls", count=count, timeout=_PATIENCE)
        return time.monotonic() - began

    @contextlib.contextmanager
    def watched(self, facts: dict[str, float]) -> Iterator[None]:
        """Have the pages of all open pushes ask for news meanwhile."""
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=browse, args=(self.target.address, self.paths, there), daemon=True)
        process.start()
        here.recv()
        # Until each has asked once.
        time.sleep(_LOOK_EVERY)
        began, used = time.monotonic(), machine.cpu_seconds(self.target.processes)
        time.sleep(_LOOK_EVERY)
        lasted = time.monotonic() - began
        facts["news, processor"] = 100 * (machine.cpu_seconds(self.target.processes) - used) / lasted
        facts["news, memory"] = machine.memory_megabytes(self.target.processes)
        yield
        lasted = time.monotonic() - began + _LOOK_EVERY
        here.send("enough")
        found = here.recv()
        facts["news, p95"] = 1000 * quantiles(found, n=20)[-1]
        facts["news"] = len(found) / lasted
        process.join()

    def _path(self, name: PushName) -> str:
        value = [name.text, fingerprint(_BROWSER)[:32], ""]
        return f"{self.target.path}/duo/push/status?key={self.signing.dumps(Purpose.DUO_PUSH, value, time.time())}"

    def watch(self, seconds: float) -> dict[str, float]:
        """Look on while nothing but waiting happens."""
        used, commands, began = machine.cpu_seconds([self.worker]), self._commands(), time.monotonic()
        time.sleep(seconds)
        lasted = time.monotonic() - began
        return {
            "worker, processor": 100 * (machine.cpu_seconds([self.worker]) - used) / lasted,
            "Redis commands": (self._commands() - commands) / lasted,
            "worker, memory": (worker := machine.memory_megabytes([self.worker])),
            # The worker is a child of the server's.
            "server, memory": machine.memory_megabytes(self.target.processes) - worker,
        }

    def settle(self) -> float:
        """Have everybody approve at once. Returns the seconds until all verdicts are written."""
        began = time.monotonic()
        self.duo.do("advance", seconds=_APPROVED_AFTER + 1)
        while self.store.command("XLEN", QUEUE):
            if time.monotonic() > began + _PATIENCE:
                raise SystemExit("not all pushes were settled")
            time.sleep(0.05)
        return time.monotonic() - began

    def _commands(self) -> int:
        stats = str(self.store.command("INFO", "stats"))
        return int(stats.partition("total_commands_processed:")[2].split()[0])


@contextlib.contextmanager
def running(scratch: Path, people: int) -> Iterator[Scene]:
    """Run the server, a worker, Redis and Duo."""
    port, password = machine.free_port(), secrets.token_urlsafe(12)
    with contextlib.ExitStack() as stack:
        duo = stack.enter_context(running_duo(scratch / "duo", people))
        redis, _ = stack.enter_context(subjects.redis_server(scratch / "redis"))
        settings = write_files(scratch, port, password, f"unix://{redis}", duo)

        server = stack.enter_context(
            machine.process(
                [sys.executable, "-m", "casduo", "serve", "--config", str(settings)],
                environment={"PYTHONPATH": str(subjects.REPOSITORY)},
                directory=scratch,
                log=scratch / "log",
            )
        )
        seconds = machine.wait_for_answer(port, server, scratch / "log")
        store = Store(client_for(f"unix://{redis}", "", 5.0, 8, ""))
        stack.callback(store.close)
        loaded = load_settings(settings, {})
        gateway, signing = build_applications(loaded).main, Signing(ensure_secret_key(loaded)[0])
        target = Target(("127.0.0.1", port), (server.pid,), seconds, "/cas", subjects.USERS, password)
        yield Scene(duo, gateway, store, target, worker_of(store), signing)


def worker_of(store: Store) -> int:
    """Return the process id of the worker, once it is there; it is part of the name under which it says so."""
    deadline = time.monotonic() + machine.START_SECONDS
    while (name := store.command("GET", "casduo:worker:alive")) is None:
        if time.monotonic() > deadline:
            raise SystemExit("no worker came up")
        time.sleep(0.05)
    return int(str(name).split("-")[-2])


def write_files(scratch: Path, port: int, password: str, redis_url: str, duo: Duo) -> Path:
    """Write what the server and the worker read; as for the other benchmarks, with Duo and a Redis for both."""
    path = subjects.write_casduo_files(scratch, port, password)
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings |= {"redis": {"url": redis_url}, "duo": duo.settings}
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    return path


def one_round(scene: Scene, arguments: argparse.Namespace) -> Round:
    """Measure the quiet server, the server with all pushes open, and what the pushes take."""
    found = Round(quiet=scene.measure(arguments.connections, arguments.seconds))
    found.facts["all followed"] = scene.open(arguments.pushes)
    found.loaded = scene.measure(arguments.connections, arguments.seconds)
    if arguments.browsers:
        with scene.watched(found.facts):
            found.watched = scene.measure(arguments.connections, arguments.seconds)
    found.facts |= scene.watch(arguments.watch)
    found.facts["all settled"] = scene.settle()
    found.again = scene.measure(arguments.connections, arguments.seconds)
    return found


def p95(measurement: Measurement) -> float:
    """Return the 95th percentile of the flows, in milliseconds."""
    return 1000 * quantiles(measurement.latencies, n=20)[-1]


def page_text(quiet: dict[str, float], rounds: list[Round], count: int) -> str:
    """Return the figures as Markdown: medians over the rounds, ratios taken within each."""
    rows = [("", "nothing open", f"{count} pushes open", "ratio")]
    for title in SCENARIOS if rounds[0].watched else ():
        lows = [(p95(each.quiet[title]) + p95(each.again[title])) / 2 for each in rounds]
        highs = [p95(each.watched[title]) for each in rounds]
        ratio = median(high / low for high, low in zip(highs, lows, strict=True))
        figures = f"{median(lows):.1f} ms", f"{median(highs):.1f} ms", f"{ratio:.2f}"
        rows.append((f"{title}, p95, pages asking", *figures))
    for title in SCENARIOS:
        before = [p95(each.quiet[title]) for each in rounds]
        loaded = [p95(each.loaded[title]) for each in rounds]
        after = [p95(each.again[title]) for each in rounds]
        ratio = median(2 * high / (low + last) for low, high, last in zip(before, loaded, after, strict=True))
        noise = median(max(low, last) / min(low, last) for low, last in zip(before, after, strict=True))
        shown_ratio = f"{ratio:.2f} (quiet rounds differ by {noise:.2f})"
        rows.append((f"{title}, p95", f"{median([*before, *after]):.1f} ms", f"{median(loaded):.1f} ms", shown_ratio))
    units: dict[str, Callable[[float], str]] = {
        "worker, memory": lambda value: f"{value:.0f} MB",
        "worker, processor": lambda value: f"{value:.1f} % of a core",
        "server, memory": lambda value: f"{value:.0f} MB",
        "Redis commands": lambda value: f"{value:.0f} a second",
        "all followed": lambda value: f"{value:.1f} s after the last was sent",
        "all settled": lambda value: f"{value:.1f} s after all were approved at once",
    }
    units |= {
        "news": lambda value: f"{value:.0f} questions a second",
        "news, p95": lambda value: f"{value:.1f} ms beside the scenarios",
        "news, processor": lambda value: f"{value:.1f} % of a core, server and worker, for nothing else",
        "news, memory": lambda value: f"{value:.0f} MB, server and worker",
    }
    for name, shown in units.items():
        if name not in rounds[0].facts:
            continue
        before_it = shown(quiet[name]) if name in quiet else ""
        rows.append((name, before_it, shown(median(each.facts[name] for each in rounds)), ""))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "| --- |" + " ---: |" * 3, *lines[1:]])


def _person(number: int) -> str:
    return f"somebody{number}"


def parse_arguments() -> argparse.Namespace:
    """Return the command line's arguments; all are bounded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pushes", description=__doc__)
    parser.add_argument("--pushes", type=int, choices=range(1, 4001), default=2000, metavar="1..4000")
    parser.add_argument("--rounds", type=int, choices=range(1, 21), default=3, metavar="1..20")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each figure in each round, at most 30")
    parser.add_argument("--watch", type=float, default=_POLL_HOLD, help="seconds to look on in, at most 60")
    parser.add_argument("--browsers", action="store_true", help="measure once more while the pages ask for news")
    parser.add_argument("--connections", type=int, choices=range(1, 129), default=4, metavar="1..128")
    arguments = parser.parse_args()
    arguments.seconds = min(max(arguments.seconds, 0.1), 30.0)
    arguments.watch = min(max(arguments.watch, 0.1), 60.0)
    return arguments


def main() -> int:
    """Run the benchmark. Returns 1 when any flow failed."""
    arguments = parse_arguments()
    machine.pin_driver()
    with (
        tempfile.TemporaryDirectory(prefix="casduo-benchmark-") as directory,
        running(Path(directory), arguments.pushes) as scene,
    ):
        scene.measure(arguments.connections, 0.5)
        quiet, rounds = scene.watch(min(arguments.watch, 5.0)), []
        for number in range(arguments.rounds):
            rounds.append(one_round(scene, arguments))
            print(f"Round {number + 1} of {arguments.rounds} is done.", file=sys.stderr, flush=True)
    print(page_text(quiet, rounds, arguments.pushes))
    measured = [one for each in rounds for part in (each.quiet, each.loaded, each.again) for one in part.values()]
    failures = [failure for one in measured for failure in one.failures]
    if failures:
        print(f"{len(failures)} flows failed, first: {failures[0]}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
