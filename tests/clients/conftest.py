"""``casduo serve`` with TLS, as applications meet it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.simulators.certificates import CertificateAuthority
from casduo.store.embedded import EmbeddedValkey
from tests.support.served import Served, serving


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Served]:
    directory, tls = tmp_path_factory.mktemp("served"), authority.issue()
    with EmbeddedValkey(directory / "valkey") as redis, serving(directory, redis.url, tls=tls) as found:
        yield found
