"""``python -m benchmarks.services``: ten thousand services in the registry: what they cost a request, a start and a
reload.

Servers with few and with many services run side by side and are measured in turn. The application that people sign in
to is the last entry of each registry.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import machine, report, scale_page, subjects
from benchmarks.driver import Driver, Measurement, SocketDriver
from benchmarks.scenarios import Target, live_session, validation, whole_login
from casduo.services.file import read_registry

SIZES = (10, 1000, 10_000)
SCENARIOS: dict[str, Callable[[Target, Driver, float], Measurement]] = {
    "whole login": whole_login,
    "live session": live_session,
    "validation": validation,
}
_SETTLED = 3.0
"""Seconds after which a server has seen that its registry file has changed, and a little more."""


def entries(count: int) -> list[dict[str, object]]:
    """Return services as registries have them: hosts of their own, stars, paths on a host that many share."""
    urls = (
        "https://app-{}.example.edu/**",
        "https://*.dept-{}.example.edu/**",
        "https://gateway.example.edu/targets/system-{}/**",
    )
    return [
        {
            "id": f"service-{number}",
            "name": f"Service {number}",
            "url": urls[number % len(urls)].format(number),
            "attributes": ["mail", "groups"],
            "description": "One of many",
        }
        for number in range(count)
    ]


def start(stack: contextlib.ExitStack, scratch: Path, count: int) -> Target:
    """Run ``casduo serve`` with so many services beside the application."""
    scratch.mkdir()
    port, password, log = machine.free_port(), "a password of a benchmark", scratch / "log"
    settings = subjects.write_casduo_files(scratch, port, password)
    registry_file = scratch / "registry.yaml"
    own = json.loads(registry_file.read_text(encoding="utf-8"))["services"]
    registry_file.write_text(json.dumps({"services": [*entries(count), *own]}, indent=1), encoding="utf-8")
    started = stack.enter_context(
        machine.process(
            [sys.executable, "-m", "casduo", "serve", "--config", str(settings)],
            environment={"PYTHONPATH": str(subjects.REPOSITORY)},
            directory=scratch,
            log=log,
        )
    )
    seconds = machine.wait_for_answer(port, started, log)
    return Target(("127.0.0.1", port), (started.pid,), seconds, "/cas", subjects.USERS, password)


def reading(registry_file: Path) -> float:
    """Return the processor seconds that reading and checking a registry takes."""
    content, began = registry_file.read_bytes(), time.process_time()
    found = read_registry(content, str(registry_file), None)
    if found.problems:
        raise SystemExit(f"the registry is not good: {found.problems[0]}")
    return time.process_time() - began


def beside_reload(target: Target, registry_file: Path, connections: int) -> float:
    """Return the longest that a live session's ticket and its validation took while the registry was read anew, in
    seconds.
    """
    content = json.loads(registry_file.read_text(encoding="utf-8"))
    content["services"][0]["description"] = "Changed"
    registry_file.write_text(json.dumps(content, indent=1), encoding="utf-8")
    driver = SocketDriver(target.address, connections, lambda: 0.0)
    return max(live_session(target, driver, _SETTLED).latencies)


def measure(scratch: Path, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Measure everything. Returns the table, and what failed."""
    found: dict[tuple[str, int], list[Measurement]] = {}
    with contextlib.ExitStack() as stack:
        targets = {size: start(stack, scratch / str(size), size) for size in SIZES}
        for number in range(arguments.rounds + 1):
            for size, target in targets.items():
                driver = SocketDriver(
                    target.address,
                    arguments.connections,
                    lambda processes=target.processes: machine.cpu_seconds(processes),  # type: ignore[misc]
                )
                for title, scenario in SCENARIOS.items():
                    measured = scenario(target, driver, arguments.seconds if number else 0.3)
                    if number:
                        found.setdefault((title, size), []).append(measured)
        memory = {size: machine.memory_megabytes(target.processes) for size, target in targets.items()}
        files = {size: scratch / str(size) / "registry.yaml" for size in SIZES}
        read = {size: reading(path) for size, path in files.items()}
        longest = {size: beside_reload(targets[size], files[size], arguments.connections) for size in SIZES}
        after = {size: machine.memory_megabytes(target.processes) for size, target in targets.items()}
    rows = [
        [
            f"{title}, processor milliseconds",
            *(f"{1000 / median(one.cpu_rate for one in found[title, size]):.2f}" for size in SIZES),
        ]
        for title in SCENARIOS
    ]
    rows += [
        ["seconds to the first answer", *(f"{targets[size].start_seconds:.1f}" for size in SIZES)],
        ["memory of server, worker and Redis, MB", *(f"{memory[size]:.0f}" for size in SIZES)],
        ["the same after the registry was read anew", *(f"{after[size]:.0f}" for size in SIZES)],
        ["reading and checking the registry, processor seconds", *(f"{read[size]:.2f}" for size in SIZES)],
        ["longest request meanwhile, milliseconds", *(f"{1000 * longest[size]:.0f}" for size in SIZES)],
        ["registry file, MB", *(f"{files_bytes / 1e6:.1f}" for files_bytes in _bytes(SIZES))],
    ]
    failures = [reason for one in found.values() for measured in one for reason in measured.failures]
    return report.table(["services", *(f"{size:,}" for size in SIZES)], rows), failures


def _bytes(sizes: tuple[int, ...]) -> list[int]:
    return [len(json.dumps({"services": entries(size)}, indent=1)) for size in sizes]


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's arguments; all are bounded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.services", description=__doc__)
    parser.add_argument("--rounds", type=int, choices=range(1, 21), default=3, metavar="1..20")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure in each round, at most 30")
    parser.add_argument("--connections", type=int, choices=range(1, 129), default=4, metavar="1..128")
    parser.add_argument("--no-page", action="store_true", help="leave docs/scale.md alone")
    arguments = parser.parse_args(words)
    arguments.seconds = min(max(arguments.seconds, 0.1), 30.0)
    return arguments


def main(words: list[str] | None = None) -> int:
    """Run the benchmark. Returns 1 when any flow failed."""
    return scale_page.fill_in("services", measure, parse_arguments(words))


if __name__ == "__main__":
    sys.exit(main())
