"""What tests of workers share: a Redis of their own, whose orders no other test's worker takes, and whom they call."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.worker.applications import Application, Gauge, application
from tests.worker.pushing import REGISTRY, PushDesk
from tests.worker.working import Site, eventually


class RestartableRedis:
    """A Redis that keeps what it has on disk, and can be ended and started again."""

    def __init__(self, directory: Path) -> None:
        self.url = f"unix://{directory}/redis.sock"
        self._command = ["redis-server", "--port", "0", "--unixsocket", f"{directory}/redis.sock"]
        self._command += ["--dir", str(directory), "--save", "", "--appendonly", "yes", "--appendfsync", "always"]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()

    def await_answer(self, store: Store) -> None:
        """Wait until it answers."""

        def answers() -> bool:
            try:
                store.ping()
            except UpstreamUnavailable:
                return False
            return True

        eventually(answers)


class MakeApplication(Protocol):
    def __call__(self, leaf: LeafFiles | None = None) -> Application: ...


@pytest.fixture(scope="session")
def workers_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("workers-valkey")) as server:
        yield server.url


@pytest.fixture
def site(tmp_path: Path, workers_redis_url: str) -> Iterator[Site]:
    """An installation whose files are not written yet, with an empty Redis."""
    store = Store(client_for(workers_redis_url, "", 5.0, 64, ""))
    store.command("FLUSHALL")
    yield Site(tmp_path, workers_redis_url, store)
    store.close()


@pytest.fixture(scope="session")
def leaf(authority: CertificateAuthority) -> LeafFiles:
    """A certificate for localhost."""
    return authority.issue()


@pytest.fixture
def make_application() -> Iterator[MakeApplication]:
    together = Gauge()
    with ExitStack() as stack:
        yield lambda leaf=None: stack.enter_context(application(together, leaf))


@pytest.fixture
def app(make_application: MakeApplication) -> Application:
    """An application without TLS."""
    return make_application()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RestartableRedis]:
    directory = tmp_path / "redis"
    directory.mkdir()
    server = RestartableRedis(directory)
    server.start()
    yield server
    server.end()


@pytest.fixture
def duo_clock() -> VirtualClock:
    """Duo's clock, which stands until it is moved."""
    return VirtualClock()


@pytest.fixture
def duo(authority: CertificateAuthority, duo_clock: VirtualClock) -> Iterator[DuoSimulator]:
    """Duo with the people of the whole package's tests, by a clock of its own."""
    with DuoSimulator(authority.issue(), duo_clock, wall_clock=time.time) as simulator:
        simulator.add_user("ada")
        simulator.add_user("grace", devices=[])
        simulator.add_user("linus", "locked out")
        simulator.add_user("alan", "bypass")
        yield simulator


@pytest.fixture
def duo_settings(duo_settings: str) -> str:
    return f"server: {{url: 'https://sso.example.edu/cas'}}\n{duo_settings}"


@pytest.fixture
def desk(site: Site, duo: DuoSimulator, duo_settings: str) -> PushDesk:
    """Who sends pushes; the site's files are written."""
    site.write(REGISTRY, duo_settings)
    return PushDesk.of(site, duo)
