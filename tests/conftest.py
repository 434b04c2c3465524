"""What tests of the whole package share: Redis servers, a composed server, and the order in which they run."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.support.clusters import running_cluster
from tests.support.loggers import reset_loggers
from tests.support.redis_servers import CountingRelay, start_debian_redis
from tests.support.site import BASE, Build, Site, build_site
from tests.support.whole_cluster import whole_cluster

# Where several processes share the processors, how long an example takes says nothing about what it tests.
settings.register_profile("casduo", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("casduo")
# Likewise how long a page takes: what does not come in this time, in milliseconds, will not come.
expect.set_options(timeout=30_000)

LONGEST = (
    "pages/test_browser.py",
    "demo/test_admin_walks.py",
    "demo/test_push_walks.py",
    "demo/test_process.py",
    "usecases/test_webex_use_cases.py",
    "usecases/test_duo_use_cases.py",
    "pages/test_request_script.py",
    "demo/test_approval_walks.py",
    "demo/test_account_walks.py",
    "demo/test_keyboard_walks.py",
    "store/test_cluster_scripts.py",
    "tickets/test_failover.py",
    "worker/test_webex_faults.py",
    "web/test_event_faults.py",
    "worker/test_outbox_webex.py",
    "worker/test_outbox.py",
    "web/test_push_faults.py",
    "web/test_phone_faults.py",
    "web/test_phone_nodes.py",
    "web/test_phone_outages.py",
    "enrollment/test_sequence.py",
    "simulators/duo/test_client_faults.py",
    "cli/test_serve.py",
    "serving/test_rotation.py",
    "cli/test_serve_metrics.py",
    "pages/test_duo_push_news.py",
    "demo/test_walks.py",
    "worker/test_pushes.py",
    "packaging/test_wheel.py",
    "web/test_validation_table.py",
    "worker/test_process.py",
    "worker/test_push_processes.py",
)
"""Files that take half a minute and more."""

ON_CLUSTER = os.environ.get("CASDUO_TESTS_ON_CLUSTER", "")
"""Where tests of contracts are to run on a cluster: the file to write down in which scripts they called."""
_SERVERS = {"valkey": "valkey", "debian_redis": "redis-7.0", "cluster": "cluster"}

CHROMIUM = "/usr/bin/chromium-headless-shell"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first, so that no process is left alone with one of them at the end."""
    tests = Path(__file__).parent
    if ON_CLUSTER:
        # The rest have a wire to one Redis in their hands.
        items[:] = [item for item in items if _runs_on_a_cluster(item)]
    places = {tests / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def _runs_on_a_cluster(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    own = set(inspect.signature(item.function).parameters) if isinstance(item, pytest.Function) else set()
    return (
        bool(fixtures & {"any_store", "store"}) and not fixtures & {"relay", "relayed"} and "any_redis_url" not in own
    )


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without what draws windows, which costs a third. Started once for all tests: Playwright
    cannot run twice in one thread.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


@pytest.fixture(scope="module", autouse=True)
def _redis_as_new(valkey_url: str) -> None:
    """Each file of tests begins with an empty Redis: guesses at passwords in one would be counted in the next."""
    with client_for(valkey_url, "", 5.0, 1, "") as client:
        client.flushall()


@pytest.fixture(scope="session")
def debian_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, url = start_debian_redis(tmp_path_factory.mktemp("redis"))
    yield url
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_cluster(tmp_path_factory.mktemp("cluster") / "redis", replicas=False) as cluster:
        yield cluster.url


@pytest.fixture(params=["cluster"] if ON_CLUSTER else ["valkey", "debian_redis"], ids=lambda name: _SERVERS[name])
def any_redis_url(request: pytest.FixtureRequest) -> str:
    """Each server in turn, for contracts that must hold on both."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def any_store(any_redis_url: str, tmp_path: Path) -> Iterator[Store]:
    yield from _empty_store(any_redis_url, tmp_path)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from _empty_store(request.getfixturevalue("cluster_url" if ON_CLUSTER else "valkey_url"), tmp_path)


@pytest.fixture
def relay(tmp_path: Path, valkey_url: str) -> Iterator[CountingRelay]:
    found = CountingRelay(tmp_path, valkey_url)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    """Commands that run within a test set up the log, on a standard error that is closed by the time of the next."""
    yield
    reset_loggers()


@pytest.fixture
def build(tmp_path: Path, valkey_url: str, store: Store) -> Iterator[Build]:
    """Builds servers; each starts with an empty Redis."""
    built: list[Site] = []

    def make(redis_url: str = valkey_url, **options: str) -> Site:
        directory = tmp_path / f"site-{len(built)}"
        directory.mkdir()
        built.append(build_site(directory, redis_url, float(int(time.time())), **options))
        return built[-1]

    yield make
    for site in built:
        site.composed.close()


@pytest.fixture
def site(build: Build, duo_settings: str) -> Site:
    """A server with the sample registry and a Duo that answers."""
    return build(settings=duo_settings)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def duo(authority: CertificateAuthority) -> Iterator[DuoSimulator]:
    """Duo, where ada has a phone, grace has no device, linus is refused, and alan passes unasked."""
    with DuoSimulator(authority.issue()) as simulator:
        simulator.add_user("ada")
        simulator.add_user("grace", devices=[])
        simulator.add_user("linus", "locked out")
        simulator.add_user("alan", "bypass")
        yield simulator


@pytest.fixture
def duo_settings(duo: DuoSimulator) -> str:
    """The settings that make casduo use the simulated Duo."""
    keys = duo.add_application(redirect_uris=[f"{BASE}/duo/callback"])
    return (
        f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file}, breaker: {{failures: 2, pause: 10s}},\n"
        f"  universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}}}}\n"
    )


def _empty_store(url: str, directory: Path) -> Iterator[Store]:
    if ON_CLUSTER:
        with whole_cluster(directory, url) as whole:
            whole.command("FLUSHALL")
            yield whole
        with Path(ON_CLUSTER).open("a", encoding="ascii") as noted:
            noted.writelines(f"{name}\n" for name in sorted(whole.ran))
        return
    store = Store(client_for(url, "", 5.0, 64, ""))
    store.command("FLUSHALL")
    yield store
    store.close()


@pytest.fixture(scope="session")
def foreign_leaf(tmp_path_factory: pytest.TempPathFactory) -> LeafFiles:
    """A certificate of an authority that nobody trusts."""
    return CertificateAuthority.create(tmp_path_factory.mktemp("foreign"), "a stranger").issue()
