"""A Redis of their own for workers: those of other tests must not take the orders of these."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.worker.applications import Application, Gauge, application
from tests.worker.working import Site


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
