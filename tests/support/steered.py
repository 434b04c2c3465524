"""casduo as processes that a test can kill at any moment: servers, and workers that stop dead where it wants.

Workers go by a clock that the test moves, and take over from each other after seconds rather than a minute. All else
about them is what ``casduo worker`` runs.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, Literal

import redis
import requests

from casduo.simulators.webex import Person, Room, WebexSimulator
from casduo.store import Store
from casduo.store.store import client_for
from tests.events.trails import rows
from tests.support.ports import free_port
from tests.support.redis_servers import CountingRelay
from tests.support.site import BASE, LIBRARY, PASSWORDS, write_site
from tests.support.waiting import PATIENCE, until

_ROOT = Path(__file__).parents[2]
WEBHOOK_SECRET = "webhook-secret-of-32-characters-"
REGISTRY = """
services:
  - {id: library, name: Library, url: "https://library.example.edu/**"}
"""

_WORKER = """
from gevent import monkey
monkey.patch_all()
import pathlib, signal, sys, threading, time, gevent
from functools import partial
from casduo.log import configure_log
from casduo.settings import load_settings
from casduo.webex.routing import messages_for
from casduo.worker.approvals import ApprovalDeadlines
from casduo.worker.audit import AuditTrailJob
from casduo.worker.fan_out import FanOut
from casduo.worker.heartbeat import Heartbeat
from casduo.worker.outbox import OutboxSender, OutboxTimes, UrgentOutboxSender, webex_deliverer
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs
from casduo.worker.signouts import SignOuts
from casduo.worker.webex_presses import WebexPresses
from casduo.worker.webex_watch import WebexWatch

home, settings, lease = pathlib.Path(sys.argv[1]), load_settings(pathlib.Path(sys.argv[2]), {}), float(sys.argv[3])
# Started beforehand, it waits until it is needed and told where to halt.
halts = [halt for halt in sys.stdin.readline().strip().split(",") if halt]

def clock():
    return time.time() + float((home / "ahead").read_text())

def halt(place):
    if place in halts:
        (home / f"halted {place}").touch()
        time.sleep(3600)

class Halting:
    def __init__(self, *arguments):
        self._deliverer = webex_deliverer(*arguments)
        self.digest, self.digestible = self._deliverer.digest, self._deliverer.digestible
        self.buried = self._deliverer.buried

    def deliver(self, message):
        halt(f"before {message.task}")
        outcome = self._deliverer.deliver(message)
        halt(f"after {message.task}")
        return outcome

def route(record, *more):
    halt(f"before {record.kind}")
    return messages_for(record, *more)

configure_log("json", "debug")
stopping = threading.Event()
gevent.signal_handler(signal.SIGTERM, stopping.set)
run_jobs(build_parts(settings, stopping, clock), (
    Heartbeat,
    partial(SignOuts, lease=lease),
    partial(ApprovalDeadlines, lease=lease, every=0.2),
    partial(AuditTrailJob, lease=lease, every=0.1),
    partial(FanOut, route=route, lease=lease, every=0.05),
    partial(UrgentOutboxSender, deliverer=Halting, lease=lease, every=0.05),
    partial(OutboxSender, deliverer=Halting, lease=lease, every=0.05),
    partial(OutboxTimes, every=0.05),
    partial(WebexPresses, lease=lease, pauses=(0.1,)),
    partial(WebexWatch, lease=lease),
))
"""


@dataclass
class Steered:
    """A process of casduo's, with all that it started."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def told(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        return self.process.pid

    def begin(self, *halts: str) -> None:
        """Have a worker that waits go to work.

        :param halts: where it stops dead: ``before`` or ``after`` and a task of the outbox, or ``before`` and a kind of
            event that is to become messages
        """
        assert self.process.stdin is not None
        self.process.stdin.write(f"{','.join(halts)}\n".encode())
        self.process.stdin.close()
        until(lambda: self.process.poll() is not None or "worker.started" in self.told, "the worker has begun")
        assert self.process.poll() is None, self.told

    def pids(self) -> list[int]:
        """Return the process ids of all of its session."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                # Behind the name, which may hold anything: state, parent, group, session.
                if int(stat.read_text().rpartition(")")[2].split()[3]) == self.process.pid:
                    found.append(int(stat.parent.name))
        return found

    def remote_ports(self) -> Counter[int]:
        """Return the ports to which it has connections over TCP, of whatever state."""
        inodes = set()
        for pid in self.pids():
            for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
                with suppress(OSError):
                    inodes.add(os.readlink(descriptor).removeprefix("socket:[").removesuffix("]"))
        found: Counter[int] = Counter()
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if words[9] in inodes:
                    found[int(words[2].rpartition(":")[2], 16)] += 1
        return found

    def kill(self) -> None:
        """End it as a machine does that loses its power."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()

    def end(self) -> None:
        self.process.terminate()
        assert self.process.wait(PATIENCE) in (0, -signal.SIGTERM), self.told


@dataclass
class Login:
    """What came of a login: the masked ticket that its answer led to, empty for an answer that tells of trouble."""

    user: str
    ticket: str
    status: int


class Plant:
    """An installation whose server, workers and Redis are processes. Ends what it started."""

    def __init__(self, directory: Path, redis_url: str, registry: str = REGISTRY, settings: str = "") -> None:
        self.directory = directory
        self.redis_url = redis_url
        self.port = free_port()
        self.url = f"http://localhost:{self.port}/cas"
        self.audit = directory / "trail"
        more = f"audit: {{directory: {self.audit}}}\nlog: {{level: debug}}\n{settings}"
        self.settings_file = write_site(directory, redis_url, registry, more)
        server = f"url: '{self.url}', bind: '127.0.0.1:{self.port}', insecure_http: true, worker: false, processes: 1"
        server += ", drain: 0"
        text = self.settings_file.read_text(encoding="utf-8")
        self.settings_file.write_text(text.replace(f"url: {BASE}", server), encoding="utf-8")
        self.store = Store(client_for(redis_url, "", 5.0, 64, ""))
        self.server: Steered | None = None
        self._workers: list[Steered] = []
        self._lock = threading.Lock()
        self.set_ahead(0)

    def __enter__(self) -> Plant:
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self._workers:
            worker.kill()
        if self.server is not None:
            self.server.kill()
        self.store.close()

    # -- processes -----------------------------------------------------------------------------------------------------

    def serve(self) -> Steered:
        """Start the server, on the same port each time, and wait until it answers."""
        command = ["-m", "casduo", "serve", "--config", str(self.settings_file)]
        self.server = self._start(command, "serve")
        until(self._answers, "the server answers")
        return self.server

    def worker(self, *, waits: bool = False, lease: float = 1.0, redis_url: str = "") -> Steered:
        """Start a worker.

        :param waits: until :meth:`Steered.begin` tells it to go to work
        :param lease: seconds of silence after which others take over what it had in hand
        :param redis_url: how it reaches Redis, if not as the server does
        """
        name, settings = f"worker-{len(self._workers)}", self.settings_file
        if redis_url:
            settings = self.directory / f"{name}.yaml"
            text = self.settings_file.read_text(encoding="utf-8")
            settings.write_text(text.replace(f"redis: {{url: '{self.redis_url}'}}", f"redis: {{url: '{redis_url}'}}"))
        program = ["-W", "error", "-c", _WORKER, str(self.directory), str(settings), str(lease)]
        found = self._start(program, name, stdin=subprocess.PIPE)
        self._workers.append(found)
        if not waits:
            found.begin()
        return found

    def set_ahead(self, seconds: float) -> None:
        """Have the workers' clocks be ahead of the real one."""
        new = self.directory / "ahead.new"
        new.write_text(str(seconds))
        new.replace(self.directory / "ahead")

    def await_halt(self, place: str) -> None:
        """Wait until a worker has stopped dead where it was to."""
        mark = self.directory / f"halted {place}"
        until(mark.exists, f"a worker has halted {place}")
        mark.unlink()

    def _start(self, command: list[str], name: str, **options: Any) -> Steered:
        log = self.directory / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *command],
                stdout=output,
                stderr=output,
                cwd=_ROOT,
                start_new_session=True,
                **options,
            )
        return Steered(process, log)

    def _answers(self) -> bool:
        assert self.server is not None
        assert self.server.process.poll() is None, self.server.told
        with suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/healthz", timeout=5).ok
        return False

    # -- people --------------------------------------------------------------------------------------------------------

    def log_in(self, user: str = "ada") -> Login:
        """Have somebody come from an application and sign in, in a browser of their own.

        :raises requests.ConnectionError: the server is not there, or died over it
        """
        with requests.Session() as browser:
            browser.trust_env = False
            page = browser.get(f"{self.url}/login", params={"service": LIBRARY}, timeout=PATIENCE)
            if not page.ok:
                return Login(user, "", page.status_code)
            fields = _hidden(page.text) | {"username": user, "password": PASSWORDS[user]}
            answer = browser.post(
                f"{self.url}/login",
                fields,
                params={"service": LIBRARY},
                headers={"Origin": f"http://localhost:{self.port}"},
                timeout=PATIENCE,
                allow_redirects=False,
            )
            _, found, ticket = answer.headers.get("Location", "").partition("ticket=")
            return Login(user, f"ST-…{ticket[-4:]}" if found else "", answer.status_code)

    # -- what came of it -----------------------------------------------------------------------------------------------

    def waiting(self) -> int:
        """How many events some reader has still to read."""
        return int(self.store.command("XLEN", "casduo:{events}:stream"))

    def read_out(self) -> None:
        """Wait until every reader has read all events."""
        until(lambda: self.waiting() == 0, "all events are read")

    def sent_out(self) -> None:
        """Wait until no message waits any more."""
        tokens = "casduo:{events}:outbox:tokens"
        until(lambda: self.waiting() == 0 and not self.store.command("SCARD", tokens), "all messages are sent")

    def trail(self, *kinds: str) -> list[dict[str, Any]]:
        """What is in the audit trail, of these kinds. Never is one event in it twice."""
        found = rows(self.audit)
        counted = Counter(row["id"] for row in found)
        assert max(counted.values(), default=1) == 1
        return [row for row in found if row["event"] in kinds]


@dataclass
class Space:
    """casduo's bot in one space of a simulated Webex."""

    webex: WebexSimulator
    bot: Person
    room: Room
    people: list[Person] = field(default_factory=list)

    def settings(self, more: str = "", patience: str = "1s") -> str:
        """The section of casduo's settings: no pace, no digests.

        :param more: further keys, with a comma in front
        :param patience: how long Webex may take
        """
        return (
            f"webex: {{token: '{self.bot.token}', base_url: '{self.webex.base_url}', room: {self.room.id},\n"
            f"  webhook: {{secret: '{WEBHOOK_SECRET}'}}, per_space: 1000, per_token: 1000, digest_above: 0,\n"
            f"  connect_timeout: {patience}, read_timeout: {patience}, timeout: {patience},\n"
            f"  breaker: {{failures: 1000, pause: 1s}}{more}}}\n"
        )

    def said(self) -> list[str]:
        """What was posted in the space and is still there."""
        return [message.markdown or "" for message in self.webex.messages_in(self.room.id)]


@contextmanager
def open_space() -> Iterator[Space]:
    """Set up a simulated Webex with people in one space."""
    with WebexSimulator() as webex:
        bot = webex.add_bot("casduo")
        people = [webex.add_person(f"{name}@example.edu", name.title()) for name in ("luke", "leia", *PASSWORDS)]
        yield Space(webex, bot, webex.add_room("Requests", [bot, *people]), people)


class DurableRedis:
    """A Redis whose every write is on disk before it is answered; to be killed, stopped and started again."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.url = f"unix://{directory}/redis.sock"
        self._command = ["redis-server", "--port", "0", "--unixsocket", f"{directory}/redis.sock"]
        self._command += ["--dir", str(directory), "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers with all that it had."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, "Redis answers")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def hang(self, seconds: float) -> None:
        """Have it do nothing for a while, and then go on with all that it was asked meanwhile."""
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url) as client, suppress(redis.RedisError):
            return bool(client.ping())
        return False


class Gate(CountingRelay):
    """A relay to Redis at which a question with certain bytes in it stays, or the answer to it, for whoever asked to be
    killed meanwhile.
    """

    def __init__(self, directory: Path, server: str, holds: bytes, which: Literal["question", "answer"]) -> None:
        self._holds = holds
        self._which = which
        self._silent: set[socket.socket] = set()
        self.holding = threading.Event()
        super().__init__(directory, server)

    def let_go(self) -> None:
        """Hold nothing any more; what was held stays so."""
        self._holds = b"\r\n nothing ever says this \r\n"

    def _pump(self, source: socket.socket, target: socket.socket, asked: threading.Event, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if from_client and self._holds in data:
                    self._silent.add(target)
                    if self._which == "answer" and not self.holding.is_set():
                        target.sendall(data)
                    self.holding.set()
                elif source not in self._silent:
                    target.sendall(data)
        for item in (source, target):
            with suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)
        if from_client:
            source.close()
            target.close()


def _hidden(page: str) -> dict[str, str]:
    inputs = [dict(re.findall(r'(\w+)="([^"]*)"', text)) for text in re.findall(r"<input\b[^>]*>", page)]
    return {item["name"]: unescape(item.get("value", "")) for item in inputs if item.get("type") == "hidden"}
