"""``python -m benchmarks.run``: start all subjects, measure them in turn over several rounds, keep the figures."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import functools
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine, other_servers, report, subjects
from benchmarks.driver import Driver, Measurement, SocketDriver
from benchmarks.scenarios import SCENARIOS, Target, one_page

PAGE = subjects.REPOSITORY / "docs" / "benchmarks.md"
STORES = {"postgresql": "PostgreSQL", "memory": "in one process's memory"}
WARM_UP_SECONDS = 0.5
"""Templates compiled, connections opened and threads started before the first round, which is not measured."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the comparison. ``start`` runs it in a scratch directory for as long as the context is open."""

    name: str
    title: str
    start: Callable[[Path], AbstractContextManager[Target]]
    is_reference: bool = False

    def scenarios(self) -> dict[str, Callable[[Target, Driver, float], Measurement]]:
        """Return what is measured of this subject."""
        return {report.REFERENCE: one_page} if self.is_reference else SCENARIOS


def all_subjects() -> list[Subject]:
    """Return the rows in the order in which they are measured within a round."""
    found = [
        Subject("empty-page", "empty page", subjects.empty_page, is_reference=True),
        Subject("one-redis-call", "werkzeug plus one Redis call", subjects.one_redis_call, is_reference=True),
        Subject("casduo", "casduo", subjects.casduo),
    ]
    for name in other_servers.REQUIREMENTS:
        for store, described in STORES.items():
            if store == "postgresql" and other_servers.postgresql_programs() is None:
                print("PostgreSQL is not installed: the other servers run in memory only.", file=sys.stderr)
                continue
            start = functools.partial(other_servers.peer, name, store)
            found.append(Subject(f"{name}-{store}", f"{name}, {described}", start))
    return found


@contextlib.contextmanager
def running(chosen: list[Subject]) -> Iterator[dict[str, Target]]:
    """Run the subjects side by side; those not being measured wait and cost nothing."""
    with tempfile.TemporaryDirectory(prefix="casduo-benchmark-") as directory, contextlib.ExitStack() as stack:
        targets = {}
        for subject in chosen:
            print(f"Starting {subject.title} ...", file=sys.stderr, flush=True)
            scratch = Path(directory) / subject.name
            scratch.mkdir()
            targets[subject.name] = stack.enter_context(subject.start(scratch))
        yield targets


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave: the series, and for each subject its title, seconds to start and megabytes of memory."""

    results: report.Results
    footprints: list[tuple[str, float, float]]


def measure(chosen: list[Subject], *, rounds: int, seconds: float, connections: int) -> Outcome:
    """Measure every scenario of every subject once in each round, so that a slow minute is slow for all."""
    results: dict[tuple[str, str], report.Series] = defaultdict(report.Series)
    with running(chosen) as targets:
        for subject in chosen:
            _measure_once(subject, targets[subject.name], connections, WARM_UP_SECONDS)
        for number in range(rounds):
            for subject in chosen:
                for scenario, measured in _measure_once(subject, targets[subject.name], connections, seconds).items():
                    results[subject.name, scenario].rounds.append(measured)
            print(f"Round {number + 1} of {rounds} is done.", file=sys.stderr, flush=True)
        footprints = []
        for subject in chosen:
            target = targets[subject.name]
            megabytes = machine.memory_megabytes(target.processes)
            footprints.append((subject.title, target.start_seconds, megabytes))
        return Outcome(results, footprints)


def _measure_once(subject: Subject, target: Target, connections: int, seconds: float) -> dict[str, Measurement]:
    driver = SocketDriver(target.address, connections, lambda: machine.cpu_seconds(target.processes))
    return {scenario: run(target, driver, seconds) for scenario, run in subject.scenarios().items()}


def page_text(chosen: list[Subject], outcome: Outcome, arguments: argparse.Namespace) -> str:
    """Return the figures as Markdown."""
    results = outcome.results
    titles = {subject.name: subject.title for subject in chosen}
    parts = [
        f"Measured on {datetime.datetime.now(datetime.UTC):%d %B %Y}: {arguments.rounds} rounds of "
        f"{arguments.seconds:g} seconds for each figure, {arguments.connections} connections.",
        "\n".join(f"- {name}: {value}" for name, value in machine.facts()),
        "Median of the rounds, with the lowest and the highest." if arguments.rounds > 1 else "",
        report.references(titles, results),
        report.figures(titles, results),
        report.processor_time(titles, results),
        "An asterisk marks figures that the driver may have limited." if _driver_limited(results) else "",
        report.latencies(titles, results),
        report.ratios(_goals(chosen), results),
        report.footprints(outcome.footprints),
    ]
    return "\n\n".join(part for part in parts if part)


def _goals(chosen: list[Subject]) -> Iterator[report.Goal]:
    yield report.REFERENCE_GOAL
    for store, described in STORES.items():
        peers = tuple(subject.name for subject in chosen if subject.name.endswith(f"-{store}"))
        yield from report.peer_goals(peers, f"the best other server, {described}")


def _driver_limited(results: report.Results) -> bool:
    return any(series.driver_was_busy for series in results.values())


def parse_arguments() -> argparse.Namespace:
    """Return the command line's arguments; all are bounded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    names = [subject.name for subject in all_subjects()]
    parser.add_argument("--rounds", type=int, choices=range(1, 21), default=5, metavar="1..20")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure in each round, at most 30")
    parser.add_argument("--connections", type=int, choices=range(1, 129), default=16, metavar="1..128")
    parser.add_argument("--only", nargs="+", choices=names, help="measure these and leave the page alone")
    parser.add_argument("--quick", action="store_true", help="one round of half a second; leaves the page alone")
    parser.add_argument(
        "--profile", choices=SCENARIOS, help="run casduo's application in this process under the profiler instead"
    )
    arguments = parser.parse_args()
    arguments.seconds = min(max(arguments.seconds, 0.1), 30.0)
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 0.5
    return arguments


def main() -> int:
    """Run the benchmark. Returns 1 when any flow failed."""
    arguments = parse_arguments()
    machine.pin_driver()
    if arguments.profile:
        from benchmarks.profiling import profile

        profile(arguments.profile, arguments.seconds)
        return 0
    chosen = [subject for subject in all_subjects() if not arguments.only or subject.name in arguments.only]
    outcome = measure(chosen, rounds=arguments.rounds, seconds=arguments.seconds, connections=arguments.connections)
    text = page_text(chosen, outcome, arguments)
    print(text)
    failed = {key: series.failures for key, series in outcome.results.items() if series.failures}
    for (subject, scenario), reasons in failed.items():
        print(f"{subject}, {scenario}: {len(reasons)} flows failed, first: {reasons[0]}", file=sys.stderr)
    if failed:
        return 1
    if not (arguments.quick or arguments.only):
        report.write_between_markers(PAGE, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
