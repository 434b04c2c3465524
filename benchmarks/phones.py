"""``python -m benchmarks.phones``: a shift change: hundreds of IP phones at which people log in at the same time.

Everybody presses the services key, sends user id and PIN, gets a Duo push, approves it within ten seconds and is
logged in, while browsers' tickets are validated in a steady stream. ``casduo serve``, the worker that it starts and
Redis share the subjects' core; the phones, the stream, the simulated UCM and the simulated Duo are on the driver's, in
a process each. UCM and Duo take their time over every question, as real ones do, and UCM works on few logins at once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, subjects
from benchmarks.handsets import Person, Told, shift_change
from benchmarks.phone_report import Round, p95, pages_text, people_text, stream_text, went_well
from benchmarks.pushes import Duo, worker_of
from benchmarks.scenarios import Target
from benchmarks.steady import Stream, stream
from casduo.store import Store
from casduo.store.store import client_for

_FLOWS = "casduo:{*}:flow:*"
_LIFETIME = 90
"""Seconds for which a login waits: the least that the settings allow."""
_APPROVED_WITHIN = 10.0
_STRICT_EVERY = 25
"""Every so many phones, one is an emulated one that refuses what a strict phone refuses."""
_PATIENCE = 180.0


class Ucm:
    """The simulated UCM in a process of its own, steered by its control interface."""

    def __init__(self, process: subprocess.Popen[str], scratch: Path) -> None:
        assert process.stdout is not None
        said = {}
        for line in process.stdout:
            name, _, value = line.strip().rpartition(" ")
            said[name.strip()] = value
            if name.startswith("control"):
                break
        self._control = said["control"]
        account = {
            "servers": [value for name, value in said.items() if name.startswith("node ")],
            "username": said["account"],
            "password": Path(said["password"]).read_text(encoding="utf-8").strip(),
        }
        self.process = process.pid
        self.settings = {"axl": account, "em": account, "ca_file": said["CA"]}

    def do(self, command: str, **members: object) -> None:
        """Give the simulator a command."""
        body = json.dumps({"do": command, **members}).encode()
        request = urllib.request.Request(self._control, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=_PATIENCE):
            return

    def state(self) -> dict[str, Any]:
        """Return all there is to know."""
        with urllib.request.urlopen(self._control, timeout=_PATIENCE) as answer:
            return dict(json.load(answer))


@contextlib.contextmanager
def simulator(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a simulator on the driver's core, where it has what the driver leaves."""
    command = ["nice", "-n", "5", sys.executable, "-u", "-m", "casduo", "simulate", *arguments]
    with subprocess.Popen(command, cwd=subjects.REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that runs."""

    duo: Duo
    ucm: Ucm
    store: Store
    target: Target
    redis: int
    processes: dict[str, int]
    base: str

    def fill(self, people: list[Person], seed: int) -> None:
        """Make the people known to UCM and Duo, and have them approve some time within ten seconds."""
        chance = random.Random(seed)  # noqa: S311
        for person in people:
            self.ucm.do("add_phone", name=person.device)
            self.ucm.do("add_user", userid=person.userid, pin=person.pin, profiles=[f"{person.userid}-profile"])
            script = {"reply": "approve", "after": chance.uniform(1.0, _APPROVED_WITHIN)}
            self.duo.do("add_user", username=person.userid, script=script)

    def waiting_flows(self) -> tuple[int, int]:
        """Return how many logins Redis holds in all, and how many of them wait to be gone on with."""
        keys, cursor = set[str](), "0"
        while True:
            cursor, found = self.store.command("SCAN", cursor, "MATCH", _FLOWS, "COUNT", 1000)
            keys |= set(found)
            if str(cursor) == "0":
                break
        return len(keys), sum(self.store.command("HEXISTS", key, "state") for key in keys)

    def logins(self) -> dict[str, str]:
        """Return who is on which phone, as UCM has it."""
        return {phone["name"]: phone["login"]["user"] for phone in self.ucm.state()["phones"] if phone["login"]}

    def used(self) -> dict[str, float]:
        """Return the processor seconds that each process has used."""
        seconds = {name: machine.cpu_seconds([number]) for name, number in self.processes.items()}
        # The worker is a child of the server's.
        seconds["server"] -= seconds["worker"]
        return seconds


@contextlib.contextmanager
def running(scratch: Path, arguments: argparse.Namespace) -> Iterator[Scene]:
    """Run the server, a worker, Redis, UCM and Duo."""
    port, password = machine.free_port(), secrets.token_urlsafe(12)
    with contextlib.ExitStack() as stack:
        duo_process = stack.enter_context(simulator("duo", "--state", str(scratch / "duo")))
        duo = Duo(duo_process, scratch / "duo")
        for path in ("/auth/v2/preauth", "/auth/v2/auth"):
            duo.do("delay", seconds=arguments.duo, path=path)
        nodes = ("--nodes", str(arguments.nodes))
        ucm = Ucm(stack.enter_context(simulator("ucm", "--state", str(scratch / "ucm"), *nodes)), scratch / "ucm")
        ucm.do("work", seconds=arguments.ucm_read)
        for operation in ("login", "logout", "doDeviceLogin", "doDeviceLogout"):
            ucm.do("work", seconds=arguments.ucm_write, operation=operation)
        redis, redis_number = stack.enter_context(subjects.redis_server(scratch / "redis"))
        settings = write_files(scratch, port, password, f"unix://{redis}", duo, ucm, by_axl=arguments.by_axl)
        server = stack.enter_context(
            machine.process(
                [sys.executable, "-m", "casduo", "serve", "--config", str(settings)],
                environment={"PYTHONPATH": os.pathsep.join(filter(None, (arguments.path, str(subjects.REPOSITORY))))},
                directory=scratch,
                log=scratch / "log",
            )
        )
        seconds = machine.wait_for_answer(port, server, scratch / "log")
        store = Store(client_for(f"unix://{redis}", "", 5.0, 8, ""))
        stack.callback(store.close)
        target = Target(("127.0.0.1", port), (server.pid,), seconds, "/cas", subjects.USERS, password)
        processes = {"server": server.pid, "worker": worker_of(store), "Redis": redis_number}
        processes |= {"simulated UCM": ucm.process, "simulated Duo": duo_process.pid}
        yield Scene(duo, ucm, store, target, redis_number, processes, f"http://127.0.0.1:{port}/em")


def write_files(scratch: Path, port: int, password: str, redis_url: str, duo: Duo, ucm: Ucm, *, by_axl: bool) -> Path:
    """Write what server and worker read; as for the other benchmarks, with phones, UCM, Duo and a Redis for both."""
    path = subjects.write_casduo_files(scratch, port, password)
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["authentication"].append({"type": "ucm_pin"})
    keys = json.loads((scratch / "duo" / "keys.json").read_text(encoding="utf-8"))["applications"]["authapi"]
    auth_api = {"integration_key": keys["integration_key"], "secret_key": keys["secret_key"]}
    settings |= {
        "redis": {"url": redis_url},
        "duo": {**duo.settings, "prompt": "push", "auth_api": auth_api},
        "ucm": {name: value for name, value in ucm.settings.items() if not (by_axl and name == "em")},
        "phones": {"transaction_lifetime": f"{_LIFETIME}s"},
    }
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    registry = json.loads((scratch / "registry.yaml").read_text(encoding="utf-8"))
    entry: dict[str, object] = {"id": "extension-mobility", "url": f"http://127.0.0.1:{port}/em/**"}
    entry |= {"name": "Extension Mobility", "channel": "phone", "authentication": ["ucm_pin"], "requires_duo": True}
    registry["services"].append(entry)
    (scratch / "registry.yaml").write_text(json.dumps(registry, indent=2), encoding="utf-8")
    return path


def crowd(number: int, spread: float, seed: int) -> list[Person]:
    """Return so many people, who come to their phones within ``spread`` seconds; the first ones are always strict.

    :param seed: another round's people have other names and phones
    """
    chance = random.Random(seed)  # noqa: S311
    return [
        Person(
            f"SEP{seed:04X}{each:08X}",
            f"nurse{seed}-{each}",
            f"{chance.randrange(10_000, 100_000)}",
            chance.uniform(0.0, spread),
            strict=each % _STRICT_EVERY == 0,
        )
        for each in range(number)
    ]


def one_round(scene: Scene, arguments: argparse.Namespace, seed: int) -> Round:
    """Measure the stream alone, then the shift change beside it, then the stream once more."""
    people = crowd(arguments.phones, arguments.spread, seed)
    scene.fill(people, seed)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    flow, flow_there = context.Pipe()
    phones = context.Process(target=shift_change, args=(people, scene.base, there), daemon=True)
    browsers = context.Process(target=stream, args=(scene.target, arguments.rate, flow_there), daemon=True)
    phones.start()
    here.recv()
    browsers.start()
    time.sleep(2.0)
    began, idle = time.monotonic(), scene.used()
    time.sleep(arguments.seconds)
    changing, used = time.monotonic(), scene.used()
    here.send("go")
    told: list[Told] = here.recv()
    changed, spent = time.monotonic(), {name: now - used[name] for name, now in scene.used().items()}
    loads = os.getloadavg()[0]
    _, stuck = scene.waiting_flows()
    time.sleep(2.0)
    quiet_again = time.monotonic()
    time.sleep(arguments.seconds)
    flow.send("enough")
    found: Stream = flow.recv()
    right = {person.device: person.userid for person in people}
    logins = {device: user for device, user in scene.logins().items() if device in right}
    facts = {
        "the shift change": changed - changing,
        "logins in UCM": float(sum(right[device] == user for device, user in logins.items())),
        "logins of somebody else": float(sum(right[device] != user for device, user in logins.items())),
        "waiting when all had ended": float(stuck),
        "load average": loads,
    }
    facts |= {f"{name}, processor": 100 * seconds / (changed - changing) for name, seconds in spent.items()}
    # What the stream takes by itself is none of the logins'.
    for name, seconds in spent.items():
        beside = (used[name] - idle[name]) / (changing - began) * (changed - changing)
        facts[f"{name}, a login"] = 1000 * (seconds - beside) / len(people)
    facts["delay, quiet"] = 1000 * p95(found.delays_between(began, changing))
    facts["delay, loaded"] = 1000 * p95(found.delays_between(changing, changed))
    facts["kept after its lifetime"] = float(_left_over(scene, changed))
    return Round(
        told,
        found.between(began, changing),
        found.between(changing, changed),
        found.between(quiet_again, time.monotonic()),
        found.failures,
        facts,
    )


def _left_over(scene: Scene, since: float) -> int:
    """Wait until Redis holds no login any more, or until every lifetime is over. Returns how many are left."""
    while (kept := scene.waiting_flows()[0]) and time.monotonic() < since + _LIFETIME + 10.0:
        time.sleep(1.0)
    return kept


def parse_arguments() -> argparse.Namespace:
    """Return the command line's arguments; all are bounded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phones", description=__doc__)
    parser.add_argument("--phones", type=int, choices=range(1, 2001), default=500, metavar="1..2000")
    parser.add_argument("--rounds", type=int, choices=range(1, 11), default=1, metavar="1..10")
    parser.add_argument("--spread", type=float, default=10.0, help="seconds within which people come, at most 600")
    parser.add_argument("--seconds", type=float, default=10.0, help="to measure the quiet server for, at most 60")
    parser.add_argument("--rate", type=float, default=40.0, help="validations a second beside it, at most 500")
    parser.add_argument("--nodes", type=int, choices=range(1, 10), default=3, metavar="1..9", help="of the UCM")
    parser.add_argument("--ucm-read", type=float, default=0.05, help="seconds that UCM takes over a question")
    parser.add_argument("--ucm-write", type=float, default=0.2, help="seconds that UCM takes over a login")
    parser.add_argument("--duo", type=float, default=0.15, help="seconds that Duo takes over a question")
    parser.add_argument("--by-axl", action="store_true", help="log in over AXL, not the Extension Mobility API")
    parser.add_argument("--path", default="", help="a directory to import from before all others, for profilers")
    arguments = parser.parse_args()
    arguments.spread = min(max(arguments.spread, 0.0), 600.0)
    arguments.seconds = min(max(arguments.seconds, 1.0), 60.0)
    arguments.rate = min(max(arguments.rate, 1.0), 500.0)
    arguments.ucm_read = min(max(arguments.ucm_read, 0.0), 10.0)
    arguments.ucm_write = min(max(arguments.ucm_write, 0.0), 10.0)
    arguments.duo = min(max(arguments.duo, 0.0), 10.0)
    return arguments


def main() -> int:
    """Run the benchmark. Returns 1 when anybody was not logged in, or anything went wrong besides."""
    arguments = parse_arguments()
    machine.pin_driver()
    with (
        tempfile.TemporaryDirectory(prefix="casduo-benchmark-") as directory,
        running(Path(directory), arguments) as scene,
    ):
        rounds = []
        for number in range(arguments.rounds):
            rounds.append(one_round(scene, arguments, number + 1))
            print(f"Round {number + 1} of {arguments.rounds} is done.", file=sys.stderr, flush=True)
        if not all(went_well(each) for each in rounds):
            said = (Path(directory) / "log").read_text(encoding="utf-8", errors="replace")
            print(f"The server's log ends with:\n{said[-4000:]}", file=sys.stderr)
    print(
        "\n\n".join(
            (pages_text([one for each in rounds for one in each.told]), people_text(rounds), stream_text(rounds))
        )
    )
    failures = [failure for each in rounds for failure in each.failures]
    if failures:
        print(f"{len(failures)} validations failed, first: {failures[0]}", file=sys.stderr)
    return 1 if failures or not all(went_well(each) for each in rounds) else 0


if __name__ == "__main__":
    sys.exit(main())
