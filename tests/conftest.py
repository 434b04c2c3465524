"""What tests of the whole package share: Redis servers and a composed server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.support.redis_servers import CountingRelay, start_debian_redis
from tests.support.site import BASE, Build, Site, build_site

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, started once for all tests: Playwright cannot run twice in one thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


@pytest.fixture(scope="session")
def debian_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, url = start_debian_redis(tmp_path_factory.mktemp("redis"))
    yield url
    process.terminate()
    process.wait()


@pytest.fixture(params=["valkey", "redis-7.0"])
def any_redis_url(request: pytest.FixtureRequest, valkey_url: str, debian_redis_url: str) -> str:
    """Each server in turn, for contracts that must hold on both."""
    return valkey_url if request.param == "valkey" else debian_redis_url


@pytest.fixture
def any_store(any_redis_url: str) -> Iterator[Store]:
    yield from _empty_store(any_redis_url)


@pytest.fixture
def store(valkey_url: str) -> Iterator[Store]:
    yield from _empty_store(valkey_url)


@pytest.fixture
def relay(tmp_path: Path, valkey_url: str) -> Iterator[CountingRelay]:
    found = CountingRelay(tmp_path, valkey_url)
    yield found
    found.close()


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


def _empty_store(url: str) -> Iterator[Store]:
    store = Store(client_for(url, "", 5.0, 64, ""))
    store.command("FLUSHALL")
    yield store
    store.close()


@pytest.fixture(scope="session")
def foreign_leaf(tmp_path_factory: pytest.TempPathFactory) -> LeafFiles:
    """A certificate of an authority that nobody trusts."""
    return CertificateAuthority.create(tmp_path_factory.mktemp("foreign"), "a stranger").issue()
