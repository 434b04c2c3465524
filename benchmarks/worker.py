"""``python -m benchmarks.worker``: how fast one worker works off what has piled up.

Redis is filled while no worker runs: with events for the audit trail, with orders of sessions that no application was
visited from, and with orders of sessions that one was visited from, which answers at once. Then ``casduo worker`` is
started and timed from its first piece to its last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import machine, report, scale_page, subjects
from benchmarks.crowd import Applications
from casduo.events.model import Subject, TicketGranted
from casduo.events.stream import STREAM, EventStream
from casduo.store import Store
from casduo.store.store import client_for
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.tickets.signouts import ORDERS

_TOGETHER = 200
_PATIENCE = 300.0


def answer(port: int, pipe: Connection) -> None:
    """Be the application until the pipe says that it is enough."""

    async def serve() -> None:
        async with await asyncio.start_server(Applications().serve, "127.0.0.1", port):
            pipe.send("ready")
            await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(serve())


def add_events(store: Store, count: int) -> None:
    """Put events into the stream."""
    stream = EventStream(store)
    for start in range(0, count, _TOGETHER):
        batch = store.batch()
        for number in range(start, min(start + _TOGETHER, count)):
            subject = Subject(f"user{number}", "application", "192.0.2.7", "ABCD-EFGH")
            stream.add(batch, TicketGranted(subject, ticket="ST-…abcd"))
        batch.run()


def end_sessions(store: Store, count: int, service: str) -> None:
    """Open sessions and end them, each with one application that validated a ticket, or none."""
    tickets = TicketRegistry(store, Lifetimes())
    for start in range(0, count, _TOGETHER):
        now, batch = time.time(), store.batch()
        opened = [
            tickets.open_session(batch, TicketGrantingTicket(f"user{number}", {}, "ldap", now), now)
            for number in range(start, min(start + _TOGETHER, count))
        ]
        granted = [
            tickets.grant_service_ticket(batch, one.id, service, "application", primary=True, now=now)
            for one in (opened if service else ())
        ]
        batch.run()
        for granting in granted:
            tickets.take(granting.id)
        for one in opened:
            tickets.close_session(batch, one.id.name, "administrator", now)
        batch.run()


def work_off(scratch: Path, settings: Path, left: Callable[[], int]) -> tuple[float, float]:
    """Run a worker until nothing is left. Returns pieces a second, and the processor milliseconds of a piece."""
    count, log = left(), scratch / "log"
    with machine.process(
        [sys.executable, "-m", "casduo", "worker", "--config", str(settings)],
        environment={"PYTHONPATH": str(subjects.REPOSITORY)},
        directory=scratch,
        log=log,
    ) as worker:
        deadline, first = time.monotonic() + _PATIENCE, count
        while (first := left()) >= count and time.monotonic() < deadline:
            time.sleep(0.002)
        began, used = time.monotonic(), machine.cpu_seconds([worker.pid])
        while left() and time.monotonic() < deadline:
            time.sleep(0.005)
        seconds, spent = time.monotonic() - began, machine.cpu_seconds([worker.pid]) - used
        if left():
            raise SystemExit(f"not everything was worked off; the log says:\n{log.read_text(errors='replace')[-3000:]}")
    return first / seconds, 1000 * spent / first


def measure(scratch: Path, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Measure everything. Returns the figures as Markdown, and no flow that failed, for there are none."""
    port, context = machine.free_port(), multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    application = context.Process(target=answer, args=(port, there), daemon=True)
    application.start()
    # Else nobody would hear that it has ended.
    there.close()
    here.recv()
    service = f"http://127.0.0.1:{port}/start"
    with subjects.redis_server(scratch / "redis") as (path, _):
        store = Store(client_for(f"unix://{path}", "", 60.0, 8, ""))
        settings_file = subjects.write_casduo_files(scratch, machine.free_port(), "a password of a benchmark")
        settings = json.loads(settings_file.read_text(encoding="utf-8")) | {"redis": {"url": f"unix://{path}"}}
        settings_file.write_text(json.dumps(settings), encoding="utf-8")
        entry = {"id": "application", "name": "Application", "url": f"http://127.0.0.1:{port}/**"}
        Path(settings["registry"]).write_text(json.dumps({"services": [entry]}), encoding="utf-8")

        def events() -> int:
            return int(store.command("XLEN", STREAM))

        def orders() -> int:
            return int(store.command("XLEN", ORDERS))

        steps: list[tuple[str, Callable[[], None], Callable[[], int]]] = [
            ("lines of the audit trail", lambda: add_events(store, arguments.events), events),
            ("ends of sessions without visits", lambda: end_sessions(store, arguments.events, ""), orders),
            ("ends of sessions, one application told", lambda: end_sessions(store, arguments.told, service), orders),
        ]
        rows = []
        for title, fill, left in steps:
            fill()
            rate, each = work_off(scratch, settings_file, left)
            rows.append([title, f"{rate:,.0f}", f"{each:.2f}"])
            store.command("DEL", STREAM)
        store.close()
    here.send("enough")
    application.join(10)
    return report.table(["one worker works off", "a second", "processor milliseconds each"], rows), []


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Return the command line's arguments; all are bounded."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker", description=__doc__)
    parser.add_argument("--events", type=int, default=50_000, help="and sessions without visits: 1000 to 1000000")
    parser.add_argument("--told", type=int, default=5000, help="sessions with an application: 100 to 100000")
    parser.add_argument("--no-page", action="store_true", help="leave docs/scale.md alone")
    arguments = parser.parse_args(words)
    arguments.events = min(max(arguments.events, 1000), 1_000_000)
    arguments.told = min(max(arguments.told, 100), 100_000)
    return arguments


def main(words: list[str] | None = None) -> int:
    """Run the benchmark."""
    return scale_page.fill_in("worker", measure, parse_arguments(words))


if __name__ == "__main__":
    sys.exit(main())
