"""A ward whose casduo runs on several nodes that can be killed, with workers of their own, on one Redis."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.phone import IpPhone
from casduo.simulators.ucm import UcmSimulator
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.support.nodes import Node
from tests.support.ports import free_port
from tests.support.push_stage import Crew
from tests.support.silence import Line
from tests.support.site import BASE, write_site
from tests.support.waiting import until
from tests.support.ward import BASE as SERVICE
from tests.support.ward import EXTENSION_MOBILITY, HOST, PHONE, PINS, fill, settings_for
from tests.worker.working import Site as WorkerSite

_ROOT = Path(__file__).parents[2]


@dataclass
class Hall:
    """All that runs. Phones come in by ``balancer``, which sends them to one node.

    Phones have a clock that jumps, so that they ask for news as fast as these come; everybody else's is the real one.
    """

    redis: EmbeddedValkey
    store: Store
    ucm: UcmSimulator
    duo: DuoSimulator
    leaf: LeafFiles
    balancer: Line
    crew: Crew
    time: VirtualClock
    directory: Path
    stack: ExitStack
    settings: str

    def node(self) -> Node:
        """Return a new node, which answers."""
        port = free_port()
        home = self.directory / f"node-{port}"
        home.mkdir()
        path = _write(home, self.redis.url, self.settings, f", bind: '127.0.0.1:{port}'{_tls(self.leaf)}")
        command = [sys.executable, "-W", "error", "-m", "casduo", "serve", "--config", str(path)]
        with (home / "serve.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=_ROOT, start_new_session=True)
        node = Node(port, process, home)
        self.stack.callback(_end, node)
        return node

    def nodes(self, count: int) -> Sequence[Node]:
        found = [self.node() for _ in range(count)]
        until(lambda: all(self._answers(node) for node in found), f"{count} nodes answer")
        return found

    def send_to(self, node: Node) -> None:
        """Have phones sent to this node from now on."""
        self.balancer.far = node.port

    def submitted(self, user: str = "ada", device: str = PHONE) -> IpPhone:
        """Return a phone at which somebody has just sent user id and PIN."""
        phone = IpPhone(
            device,
            "8845",
            service_url=f"{SERVICE}/?device=#DEVICENAME#",
            ca_file=self.leaf.ca,
            clock=self.time,
            resolve={HOST: ("127.0.0.1", self.balancer.port)},
            timeout=5.0,
        )
        phone.press_services()
        assert phone.screen is not None, phone.prompt_error
        self.submit(phone, user)
        return phone

    def submit(self, phone: IpPhone, user: str = "ada") -> None:
        phone.type(userid=user, pin=PINS[user])
        phone.press("Submit")

    def goes_on(self, phone: IpPhone, words: str) -> float:
        """Have the phone ask until it is told something. Returns how many seconds that took."""

        def told() -> bool:
            if words not in str(phone.screen):
                self.time.advance(3.0)
                phone.tick()
            return words in str(phone.screen)

        return until(told, f"{words} at the phone")

    def login_writes(self) -> int:
        return self.ucm.calls("login")

    def renew(self) -> None:
        """Make everything as new, but for the processes."""
        for node in self.ucm.nodes:
            node.faults.clear()
        self.duo.transport.clear()
        for name in PINS:
            for login in self.ucm.logins_of(name):
                self.ucm.log_out(login.device)
        self.ucm.requests.clear()
        self.duo.requests.clear()

    def _answers(self, node: Node) -> bool:
        assert node.process.poll() is None, (node.directory / "serve.log").read_text()
        with suppress(OSError):
            return requests.get(f"https://localhost:{node.port}/cas/readyz", verify=str(self.leaf.ca), timeout=5).ok
        return False


@contextmanager
def running_hall(directory: Path, authority: CertificateAuthority) -> Iterator[Hall]:
    """Run UCM, Duo and Redis, without a node and without a worker yet."""
    leaf = authority.issue([HOST])
    with (
        EmbeddedValkey(directory / "valkey") as redis,
        UcmSimulator(leaf, nodes=2) as ucm,
        DuoSimulator(leaf) as duo,
        ExitStack() as stack,
    ):
        fill(ucm, duo)
        duo.settings.poll_hold = 1.0
        settings = settings_for(ucm, duo, duo.add_application("authapi"), leaf)
        store = Store(client_for(redis.url, "", 5.0, 16, ""))
        stack.callback(store.close)
        balancer = Line(0)
        stack.callback(balancer.close)
        (directory / "workers").mkdir()
        _write(directory / "workers", redis.url, settings)
        crew = Crew(WorkerSite(directory / "workers", redis.url, store))
        stack.callback(crew.close)
        clock = VirtualClock(time.time())
        yield Hall(redis, store, ucm, duo, leaf, balancer, crew, clock, directory, stack, settings)


def _write(directory: Path, redis_url: str, settings: str, bind: str = "") -> Path:
    registry = f"services:\n{EXTENSION_MOBILITY}"
    path = write_site(directory, redis_url, registry, settings, handlers="- {type: ucm_pin}\n")
    server = f"url: {BASE}, worker: false, drain: 0{bind}"
    path.write_text(path.read_text(encoding="utf-8").replace(f"url: {BASE}", server, 1), encoding="utf-8")
    return path


def _tls(leaf: LeafFiles) -> str:
    return f", tls_certificate: '{leaf.cert}', tls_key: '{leaf.key}'"


def _end(node: Node) -> None:
    node.process.terminate()
    node.process.wait(30)
