"""``python -m benchmarks.sessions``: a million live sessions in Redis: what they take, and who notices.

The sessions are opened by casduo's own code, each with one application that validated a ticket. Two servers run side by
side, one on an empty Redis and one on the full one, and are measured in turn. Then the full Redis is restarted from its
append-only file, and at last all sessions end at the same moment while tickets are being validated.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, quantiles

import redis

from benchmarks import machine, report, scale_page, subjects
from benchmarks.driver import Driver, Flow, Measurement, SocketDriver, UnexpectedAnswer
from benchmarks.scenarios import SERVICE, Browser, Target, live_session, validation, whole_login
from benchmarks.watching import kind_of
from casduo.fieldtypes import parse_network
from casduo.mfa.strength import Strength
from casduo.store import Store
from casduo.store.store import client_for
from casduo.tickets.finding import SessionFinder, SessionQuery
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry

_TOGETHER = 100
_THREADS = 4
_WITH_DUO = 0.3
"""The share of sessions that have a second factor."""
_BLOCKS = 20_000
"""Networks (/24) that people come from."""
_LOOKED_AT = 400
"""Keys of each kind whose size is asked for."""
_AGENTS = ("Firefox on Windows", "Chrome on macOS", "Safari on iPhone", "Chrome on Android", "Edge on Windows")
_GROUPS = ("staff", "students", "library-users", "payroll-users", "vpn-users", "wiki-editors")
_EXPIRY = 30.0
"""Seconds that tickets are validated for beside the end of all sessions, and from its beginning."""


class Valkey:
    """The embedded server, with a directory that outlives it."""

    def __init__(self, directory: Path, options: Sequence[str] = ()) -> None:
        self.directory = directory
        self._options = list(options)
        self._stack = contextlib.ExitStack()
        self.process = 0
        self.url = ""

    def start(self) -> float:
        """Run it. Returns the seconds until it answers, its data read."""
        began = time.monotonic()
        redis_directory, process = self._stack.enter_context(subjects.redis_server(self.directory, self._options))
        self.process, self.url = process, f"unix://{redis_directory}"
        client = redis.Redis.from_url(self.url)
        while True:
            with contextlib.suppress(redis.ConnectionError, redis.BusyLoadingError):
                client.ping()
                client.close()
                return time.monotonic() - began
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; what it has is in its file."""
        self._stack.close()

    @property
    def file_bytes(self) -> int:
        """The size of the append-only file."""
        return sum(path.stat().st_size for path in self.directory.rglob("*.aof"))


def person(number: int, chance: random.Random, now: float) -> TicketGrantingTicket:
    """Return a session as real ones are: names, groups, an address, a browser; some with Duo."""
    block = number % _BLOCKS
    name = f"user{number:07d}"
    attributes = {
        "givenName": (chance.choice(("Ada", "Grace", "Katherine", "Edsger")),),
        "sn": (f"Example-{number % 5000}",),
        "displayName": (f"Ada Example-{number % 5000}",),
        "mail": (f"{name}@example.edu",),
        "groups": tuple(chance.sample(_GROUPS, 3)),
    }
    strength = Strength.duo("duo_push", now) if chance.random() < _WITH_DUO else Strength()
    address = f"10.{block // 250 % 250}.{block % 250}.{number // _BLOCKS % 250 + 1}"
    return TicketGrantingTicket(
        name, attributes, "ldap", now, strength=strength, address=address, agent=chance.choice(_AGENTS)
    )


def fill(store: Store, numbers: Sequence[int], lifetimes: Lifetimes) -> None:
    """Open sessions, grant each a ticket, and have it validated."""
    tickets, chance = TicketRegistry(store, lifetimes), random.Random(numbers[0])  # noqa: S311
    for start in range(0, len(numbers), _TOGETHER):
        now, batch, granted = time.time(), store.batch(), []
        for number in numbers[start : start + _TOGETHER]:
            session = tickets.open_session(batch, person(number, chance, now), now)
            granted.append(
                tickets.grant_service_ticket(
                    batch,
                    session.id,
                    SERVICE,
                    f"application-{number % 40}",
                    primary=True,
                    now=now,
                    opened=session.ticket,
                )
            )
        batch.run()
        for granting in granted:
            if not granting.granted or tickets.take(granting.id) is None:
                raise SystemExit("a ticket was not granted")


def fill_all(store: Store, count: int, lifetimes: Lifetimes) -> float:
    """Make ``count`` sessions in a few threads. Returns the seconds that took."""
    began, portion = time.monotonic(), max(1, count // (_THREADS * 10))
    with ThreadPoolExecutor(_THREADS) as threads:
        parts = [range(start, min(start + portion, count)) for start in range(0, count, portion)]
        for done, _ in enumerate(threads.map(lambda part: fill(store, part, lifetimes), parts), 1):
            if done % max(1, len(parts) // 10) == 0:
                _say(f"{min(done * portion, count):,} sessions after {time.monotonic() - began:.0f} s")
    return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Size:
    """What the keys of one kind take: how many bytes each, by Redis's own account, and how they are encoded."""

    kind: str
    keys: int
    each: float
    encoding: str


def sizes(store: Store, total: int) -> list[Size]:
    """Return what keys take, by kind, from a sample spread over all of them."""
    examples: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    cursor = "0"
    while True:
        cursor, keys = store.command("SCAN", cursor, "COUNT", 5000)
        for key in keys:
            kind = kind_of(key)
            counts[kind] = counts.get(kind, 0) + 1
            if len(found := examples.setdefault(kind, [])) < _LOOKED_AT:
                found.append(key)
        if str(cursor) == "0":
            break
    rows = []
    for kind, found in examples.items():
        each = mean(int(store.command("MEMORY", "USAGE", key, "SAMPLES", 0)) for key in found)
        encodings = {str(store.command("OBJECT", "ENCODING", key)) for key in found}
        rows.append(Size(kind, counts[kind], each, ", ".join(sorted(encodings))))
    return sorted((row for row in rows if row.keys * row.each > total / 1000), key=lambda row: -row.keys * row.each)


def sign_out(target: Target, driver: Driver, seconds: float) -> Measurement:
    """The end of sessions; they are made before the clock starts, as many as come in that time."""
    browsers: list[Browser] = []
    people = itertools.cycle(target.usernames)

    def signing_in() -> Flow:
        browser = Browser(target)
        yield from browser.sign_in(next(people))
        browsers.append(browser)

    def signing_out(browser: Browser) -> Flow:
        answer = yield from browser.get_page(f"{target.path}/logout")
        if answer.status != 200:
            raise UnexpectedAnswer(f"status {answer.status} in place of the sign-out page")

    driver.run(signing_in, seconds)
    flows = (signing_out(browser) for browser in browsers)
    return driver.run(lambda: next(flows, None), seconds)


SCENARIOS: dict[str, Callable[[Target, Driver, float], Measurement]] = {
    "whole login": whole_login,
    "live session": live_session,
    "validation": validation,
    "sign-out": sign_out,
}


@contextlib.contextmanager
def serving(scratch: Path, url: str) -> Iterator[Target]:
    """Run ``casduo serve`` on a Redis that is there."""
    scratch.mkdir()
    port, password, log = machine.free_port(), "a password of a benchmark", scratch / "log"
    path = subjects.write_casduo_files(scratch, port, password)
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**settings, "redis": {"url": url}}), encoding="utf-8")
    with machine.process(
        [sys.executable, "-m", "casduo", "serve", "--config", str(path)],
        environment={"PYTHONPATH": str(subjects.REPOSITORY)},
        directory=scratch,
        log=log,
    ) as started:
        seconds = machine.wait_for_answer(port, started, log)
        yield Target(("127.0.0.1", port), (started.pid,), seconds, "/cas", subjects.USERS, password)


def compare(empty: Target, full: Target, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Measure both in turn. Returns the table, and what failed."""
    found: dict[tuple[str, str], list[Measurement]] = {}
    for number in range(arguments.rounds + 1):
        order = [("empty", empty), ("full", full)]
        for name, target in order if number % 2 else reversed(order):
            for title, scenario in SCENARIOS.items():
                driver = SocketDriver(target.address, arguments.connections, lambda: 0.0)
                measured = scenario(target, driver, arguments.seconds if number else 0.5)
                # The first round warms both up.
                if number:
                    found.setdefault((title, name), []).append(measured)
        _say(f"Round {number} of {arguments.rounds} is done.")
    rows, failures = [], []
    for title in SCENARIOS:
        quiet, loaded = found[title, "empty"], found[title, "full"]
        failures += [f"{title}: {reason}" for one in (*quiet, *loaded) for reason in one.failures]
        ratio = median(_p95(there) / _p95(here) for here, there in zip(quiet, loaded, strict=True))
        middle = median(
            median(there.latencies) / median(here.latencies) for here, there in zip(quiet, loaded, strict=True)
        )
        rows.append([title, _shown(quiet), _shown(loaded), f"{middle:.2f}, {ratio:.2f}"])
    head = ["milliseconds, median and 95 %", "empty Redis", "full Redis", "ratio of medians, of 95 %"]
    return report.table(head, rows), failures


def _median(one: Measurement) -> float:
    return median(one.latencies)


def _p95(one: Measurement) -> float:
    return quantiles(one.latencies, n=20, method="inclusive")[-1]


def _shown(rounds: list[Measurement]) -> str:
    everything = [seconds for one in rounds for seconds in one.latencies]
    return f"{1000 * median(everything):.1f}, {1000 * quantiles(everything, n=20, method='inclusive')[-1]:.1f}"


def looking(store: Store) -> str:
    """Return how long an administrator waits for sessions that are looked for, without the page around them."""
    finder = SessionFinder(store, TicketRegistry(store, Lifetimes()))
    queries = {
        "sessions of one person": SessionQuery(user="user0000042"),
        "sessions of a /24": SessionQuery(network=parse_network("10.0.42.0/24")),
        "sessions of a /16": SessionQuery(network=parse_network("10.0.0.0/16")),
        "sessions of one application": SessionQuery(service="application-7"),
    }
    rows = []
    for title, query in queries.items():
        began = time.monotonic()
        sessions = finder.find(query)
        took = time.monotonic() - began
        rows.append([title, f"{len(sessions.sessions):,}{' and more' if sessions.more else ''}", f"{1000 * took:.0f}"])
    return report.table(["looked for", "found", "milliseconds"], rows)


def restart(valkey: Valkey, store: Store, full: Target) -> list[tuple[str, str]]:
    """Restart the full Redis. Returns how long it takes until it answers, and until people can sign in."""
    began = time.monotonic()
    valkey.stop()
    stopped = time.monotonic() - began
    seconds, began = valkey.start(), time.monotonic()
    driver, people = SocketDriver(full.address, 1, lambda: 0.0), itertools.cycle(full.usernames)

    def signing_in() -> Flow:
        yield from Browser(full).sign_in(next(people))

    def once() -> bool:
        flows = iter([signing_in()])
        return not driver.run(lambda: next(flows, None), 10.0).failures

    while not once():
        time.sleep(0.02)
    served = time.monotonic() - began
    return [
        ("stopping Redis in an orderly way", f"{stopped:.1f} s"),
        ("until Redis has read its file and answers", f"{seconds:.1f} s"),
        ("from then until somebody is signed in", f"{served:.2f} s"),
        ("keys afterwards", f"{int(store.command('DBSIZE')):,}"),
    ]


def expire(store: Store, full: Target, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Let all sessions end at one moment while tickets are validated. Returns the table, and what failed."""
    ahead = max(30.0, arguments.sessions / 3000)
    end = int(1000 * (time.time() + ahead))
    cursor = "0"
    while True:
        cursor, keys = store.command("SCAN", cursor, "COUNT", 5000)
        batch = store.batch()
        for key in keys:
            if kind_of(key) in _OF_SESSIONS:
                batch.command("PEXPIREAT", key, end)
        batch.run()
        if str(cursor) == "0":
            break
    if time.time() * 1000 > end:
        raise SystemExit("setting the end of all sessions took longer than their lives")
    driver, seconds = SocketDriver(full.address, arguments.connections, lambda: 0.0), min(_EXPIRY, 3 * ahead)
    time.sleep(max(0.0, end / 1000 - time.time() - seconds / 4))
    keys_before = int(store.command("DBSIZE"))
    measured = live_session(full, driver, seconds)
    while int(store.command("DBSIZE")) > keys_before / 20 and time.time() < end / 1000 + 120:
        time.sleep(0.2)
    gone = time.time() - end / 1000
    calm = live_session(full, driver, seconds)
    rows = []
    for title, one in (("all sessions end", measured), ("afterwards", calm)):
        cuts = quantiles(one.latencies, n=100, method="inclusive")
        figures = (median(one.latencies), cuts[94], cuts[98], max(one.latencies))
        rows.append([title, *(f"{1000 * value:.1f}" for value in figures)])
    head = ["live session, milliseconds", "median", "95 %", "99 %", "longest"]
    said = f"\n\nRedis had forgotten them {gone:.0f} s after their end."
    return report.table(head, rows) + said, [*measured.failures, *calm.failures]


_OF_SESSIONS = frozenset({"casduo:{…}:tgt:…", "casduo:{…}:visits:…", "casduo:{u:…}:sessions", "casduo:{a:…}:sessions"})


def run(scratch: Path, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Measure everything. Returns the page's part and what failed."""
    count = arguments.sessions
    valkey, other = Valkey(scratch / "full", arguments.option), Valkey(scratch / "empty", arguments.option)
    with contextlib.ExitStack() as stack:
        for one in (valkey, other):
            stack.callback(one.stop)
            one.start()
        store = Store(client_for(valkey.url, "", 60.0, 16, ""))
        stack.callback(store.close)
        used, process = _used(store), machine.own_megabytes(valkey.process)
        seconds = fill_all(store, count, Lifetimes())
        taken, grown = _used(store) - used, machine.own_megabytes(valkey.process) - process
        raw = valkey.file_bytes
        parts = sizes(store, taken)
        facts = [
            ("sessions", f"{count:,}, made in {seconds:.0f} s"),
            ("memory in all (`used_memory`)", f"{taken / 1e6:,.0f} MB, {taken / count:,.0f} bytes a session"),
            ("memory of the process", f"{grown:,.0f} MB"),
            ("append-only file", f"{raw / 1e6:,.0f} MB"),
        ]
        full = stack.enter_context(serving(scratch / "casduo-full", valkey.url))
        empty = stack.enter_context(serving(scratch / "casduo-empty", other.url))
        compared, failures = compare(empty, full, arguments)
        looked = looking(store)
        facts += restart(valkey, store, full)
        expired, failed = expire(store, full, arguments)
        facts.append(("load average at the end", f"{os.getloadavg()[0]:.1f}"))
    kinds = report.table(
        ["keys", "how many", "bytes each", "encoding"],
        [[f"`{one.kind}`", f"{one.keys:,}", f"{one.each:,.0f}", one.encoding] for one in parts],
    )
    text = "\n\n".join((report.table(["", ""], [list(fact) for fact in facts]), kinds, compared, looked, expired))
    return text, [*failures, *failed]


def _used(store: Store) -> int:
    return int(str(store.command("INFO", "memory")).partition("used_memory:")[2].split()[0])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's arguments; all are bounded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sessions", description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000_000, help="100 to 3,000,000")
    parser.add_argument("--rounds", type=int, choices=range(1, 21), default=5, metavar="1..20")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each figure in each round, at most 30")
    parser.add_argument("--connections", type=int, choices=range(1, 129), default=4, metavar="1..128")
    parser.add_argument("--option", nargs="*", default=[], help="more options for Redis, such as --option=--name value")
    parser.add_argument("--no-page", action="store_true", help="leave docs/scale.md alone")
    arguments = parser.parse_args(words)
    arguments.sessions = min(max(arguments.sessions, 100), 3_000_000)
    arguments.seconds = min(max(arguments.seconds, 0.1), 30.0)
    return arguments


def main(words: list[str] | None = None) -> int:
    """Run the benchmark. Returns 1 when any flow failed."""
    return scale_page.fill_in("sessions", run, parse_arguments(words))


if __name__ == "__main__":
    sys.exit(main())
