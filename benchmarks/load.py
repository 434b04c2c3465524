"""``python -m benchmarks.load``: a mixed profile for ten minutes at 70 % of what the server can do, and what it costs.

``casduo serve``, the worker that it starts and Redis share the subjects' core. People, the application that they open,
the simulated UCM and the simulated Duo are on the driver's. First as many people come as the server can take (closed
loop), and what one of them costs tells how many would fill the core; then they come at fixed moments at a share of that
rate (open loop). Every answer is checked, memory is sampled all the time, and the run ends with exit code 1 on any
error and on memory that grows.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import multiprocessing
import os
import random
import secrets
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import load_report, machine, report, scale_page, subjects
from benchmarks.crowd import Crowded, Place, crowd
from benchmarks.handsets import Person
from benchmarks.load_report import BALANCED, Found
from benchmarks.phones import Ucm, simulator, write_files
from benchmarks.pushes import Duo, worker_of
from benchmarks.scenarios import Target
from benchmarks.watching import Census, Watcher, census
from casduo.store import Store
from casduo.store.store import client_for

MARKS = report.markers("load", "python -m benchmarks.load")
WARM_UP = 5.0
"""Seconds of people before the ceiling is measured: templates compiled, threads started, sessions there."""
_SESSION = "120s"
_TICKET = "10s"
_LOGIN = "60s"
_ON_PHONE = "10s"
_APPROVED_AFTER = (1.0, 3.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that runs."""

    store: Store
    place: Place
    processes: dict[str, int]
    scratch: Path


@contextlib.contextmanager
def running(scratch: Path, arguments: argparse.Namespace) -> Iterator[Scene]:
    """Run the server, a worker, Redis, UCM and Duo."""
    port, applications, password = machine.free_port(), machine.free_port(), secrets.token_urlsafe(12)
    chance = random.Random(1)  # noqa: S311
    people = tuple(
        Person(f"SEP{number:012X}", f"nurse{number}", f"{chance.randrange(10_000, 100_000)}")
        for number in range(arguments.phones)
    )
    pushed = tuple(f"confirmer{number}" for number in range(arguments.pushed))
    names = tuple(f"walker{number}" for number in range(arguments.people))
    with contextlib.ExitStack() as stack:
        duo_process = stack.enter_context(simulator("duo", "--state", str(scratch / "duo")))
        duo = Duo(duo_process, scratch / "duo")
        ucm_process = stack.enter_context(simulator("ucm", "--state", str(scratch / "ucm"), "--nodes", "3"))
        ucm = Ucm(ucm_process, scratch / "ucm")
        for name in (*pushed, *(person.userid for person in people)):
            duo.do("add_user", username=name, script={"reply": "approve", "after": chance.uniform(*_APPROVED_AFTER)})
        for person in people:
            ucm.do("add_phone", name=person.device)
            ucm.do("add_user", userid=person.userid, pin=person.pin, profiles=[f"{person.userid}-profile"])
        redis, redis_number = stack.enter_context(subjects.redis_server(scratch / "redis"))
        settings = write_files(scratch, port, password, f"unix://{redis}", duo, ucm, by_axl=True)
        base = f"http://127.0.0.1:{applications}"
        _shorten(settings, base, (*names, *pushed))
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
        target = Target(("127.0.0.1", port), (server.pid,), seconds, "/cas", names, password)
        phones = f"http://127.0.0.1:{port}/em"
        place = Place(target, f"{base}/open/start", f"{base}/guarded/start", applications, phones, pushed, people)
        yield Scene(store, place, {"server": server.pid, "worker": worker_of(store), "Redis": redis_number}, scratch)


def _shorten(settings_file: Path, applications: str, names: tuple[str, ...]) -> None:
    """Let everything live so short a time that as much expires as comes, and add applications and people."""
    settings = json.loads(settings_file.read_text(encoding="utf-8"))
    settings["session"] = {"idle": _SESSION, "lifetime": _SESSION}
    settings["tickets"] = {"service_ticket": _TICKET}
    settings["login"] = {"form_lifetime": _LOGIN, "flow_lifetime": _LOGIN}
    settings["phones"]["login_lifetime"] = _ON_PHONE
    settings_file.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    registry_file, users_file = Path(settings["registry"]), Path(settings["authentication"][0]["path"])
    registry = json.loads(registry_file.read_text(encoding="utf-8"))
    for name, rule in (("open", {}), ("guarded", {"requires_duo": True})):
        entry = {"id": name, "name": name.title(), "url": f"{applications}/{name}/**"}
        registry["services"].append({**entry, "attributes": ["givenName", "sn", "mail"], **rule})
    registry_file.write_text(json.dumps(registry, indent=2), encoding="utf-8")
    users = json.loads(users_file.read_text(encoding="utf-8"))
    pattern = users[subjects.USERS[0]]
    for name in names:
        about = {"givenName": name.title(), "sn": "Example", "mail": f"{name}@example.edu"}
        users[name] = {"password": pattern["password"], "attributes": about}
    users_file.write_text(json.dumps(users), encoding="utf-8")


@contextlib.contextmanager
def _crowd(place: Place) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=crowd, args=(place, there), daemon=True)
    process.start()
    # Else nobody would hear that it has ended.
    there.close()
    try:
        here.recv()
        yield here
        here.send("enough")
        process.join(10)
    finally:
        process.terminate()


def _do(pipe: Connection, *words: object) -> Crowded:
    pipe.send(words)
    found: Crowded = pipe.recv()
    return found


def _used(scene: Scene) -> dict[str, float]:
    """Return the seconds of a processor that each has used; of the server's those are taken that the worker has."""
    used = {name: machine.cpu_seconds([number]) for name, number in scene.processes.items()}
    return {**used, "server": used["server"] - used["worker"]}


def measure(scene: Scene, arguments: argparse.Namespace) -> Found:
    """Find the ceiling, then run at a share of it.

    In the closed loop nothing expires yet, and much is done together: so many cannot come for long.
    """
    seconds, width = 60.0 * arguments.minutes, arguments.width
    with _crowd(scene.place) as pipe:
        warming = min(WARM_UP, arguments.ceiling / 2)
        _say(f"Warming up for {warming:g} seconds ...")
        _do(pipe, "closed", warming, width)
        _say(f"As many as can, for {arguments.ceiling:g} seconds, {width} people at a time ...")
        closed = _do(pipe, "closed", arguments.ceiling, width)
        _say(f"{closed.rate:.0f} people a second. What they cost, for {arguments.probe:g} seconds at half of that ...")
        used = _used(scene)
        probe = _do(pipe, "open", max(closed.rate / 2, 1.0), arguments.probe)
        cost = sum(_used(scene).values()) - sum(used.values())
        ceiling = min(closed.rate, len(probe.late) / cost if cost else closed.rate)
        rate = max(arguments.share * ceiling, 1.0)
        _say(f"At most {ceiling:.0f} people a second; now {rate:.0f} a second for {seconds:.0f} seconds ...")
        used = _used(scene)
        watcher = Watcher(scene.store, scene.processes, arguments.every)
        watcher.start()
        counted: list[Census] = []
        later = threading.Timer(min(BALANCED, seconds / 2), lambda: counted.append(census(scene.store)))
        later.start()
        crowded = _do(pipe, "open", rate, seconds)
        later.join()
        spent = {name: seconds - used[name] for name, seconds in _used(scene).items()}
        samples = watcher.stop()
    shares = ", ".join(f"{name} {100 * spent[name] / crowded.seconds:.0f} %" for name in ("server", "worker", "Redis"))
    people = len(crowded.late) or 1
    each = ", ".join(f"{name} {1000 * spent[name] / people:.2f} ms" for name in ("server", "worker", "Redis"))
    facts = {
        "people a second that would fill the core by what they cost, with as much expiring (ceiling)": f"{ceiling:.0f}",
        "processor, of a core": shares,
        "processor, for one of the people": each,
        "load average at the end": f"{os.getloadavg()[0]:.1f}",
        "errors while the ceiling was measured": str(
            sum(len(one.errors) for run in (closed, probe) for one in run.kinds.values())
        ),
    }
    facts |= _disk(scene, crowded)
    return Found(closed, rate, crowded, samples, counted[0], census(scene.store), facts)


def _disk(scene: Scene, crowded: Crowded) -> dict[str, str]:
    """Return what lies on disk."""
    aof = sum(path.stat().st_size for path in (scene.scratch / "redis").rglob("*.aof"))
    audit = [path for path in (scene.scratch / "state").rglob("*") if "audit" in str(path) and path.is_file()]
    size = sum(path.stat().st_size for path in audit)
    lines = sum(path.read_bytes().count(b"\n") for path in audit)
    return {
        "append-only file at the end": f"{aof / 1e6:.1f} MB",
        "audit trail at the end": f"{size / 1e6:.1f} MB, {lines:,} lines",
    }


def introduction(arguments: argparse.Namespace) -> str:
    """Return what was measured and how."""
    lines = "\n".join(f"- {name}: {value}" for name, value in machine.facts())
    return (
        f"Measured on {datetime.datetime.now(datetime.UTC):%d %B %Y}: {arguments.minutes:g} minutes at "
        f"{100 * arguments.share:.0f} % of the ceiling, with sessions of two minutes and tickets of ten seconds, so "
        f"that as much expires as comes; {arguments.people + arguments.pushed} people, {arguments.phones} phones."
        f"\n\n{lines}"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's arguments; all are bounded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of the open loop, at most 120")
    parser.add_argument("--share", type=float, default=0.7, help="of the ceiling, 0.05 to 1.2")
    parser.add_argument("--ceiling", type=float, default=30.0, help="seconds of the closed loop, at most 300")
    parser.add_argument("--probe", type=float, default=150.0, help="seconds in which costs are measured")
    parser.add_argument("--width", type=int, choices=range(1, 129), default=24, metavar="1..128", help="people at once")
    parser.add_argument("--people", type=int, choices=range(10, 5001), default=1000, metavar="10..5000")
    parser.add_argument("--pushed", type=int, choices=range(2, 3001), default=600, metavar="2..3000")
    parser.add_argument("--phones", type=int, choices=range(2, 3001), default=150, metavar="2..3000")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two samples of memory")
    parser.add_argument("--quick", action="store_true", help="some seconds, to see that everything works")
    parser.add_argument("--no-page", action="store_true", help="leave docs/scale.md alone")
    arguments = parser.parse_args(words)
    arguments.minutes = min(max(arguments.minutes, 0.02), 120.0)
    arguments.share = min(max(arguments.share, 0.05), 1.2)
    arguments.ceiling = min(max(arguments.ceiling, 1.0), 300.0)
    arguments.probe = min(max(arguments.probe, 1.0), 600.0)
    arguments.every = min(max(arguments.every, 0.2), 60.0)
    if arguments.quick:
        arguments.minutes, arguments.ceiling, arguments.every, arguments.width = 0.05, 1.0, 0.5, 4
        arguments.probe = 1.0
        arguments.people, arguments.pushed, arguments.phones, arguments.share = 30, 20, 20, 0.3
    return arguments


def run(arguments: argparse.Namespace) -> Found:
    """Run everything in a directory that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="casduo-benchmark-") as directory,
        running(Path(directory), arguments) as scene,
    ):
        found = measure(scene, arguments)
        if load_report.problems(found):
            said = (Path(directory) / "log").read_text(encoding="utf-8", errors="replace")
            _say(f"The server's log ends with:\n{said[-4000:]}")
    return found


def main(words: list[str] | None = None) -> int:
    """Run the benchmark. Returns 1 on any error, and on memory that grew."""
    arguments = parse_arguments(words)
    machine.pin_driver()
    found = run(arguments)
    text = load_report.page_text(found, lambda _: introduction(arguments))
    print(text)
    problems = load_report.problems(found)
    for problem in problems:
        _say(problem)
    if not (problems or arguments.quick or arguments.no_page):
        report.write_between_markers(scale_page.PAGE, text, MARKS)
        _say(f"Written into {scale_page.PAGE.relative_to(subjects.REPOSITORY)}.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
