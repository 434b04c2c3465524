"""``casduo serve`` with TLS, as applications meet it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.simulators.certificates import CertificateAuthority
from tests.support.served import Served, serving


@pytest.fixture(scope="package")
def served(
    tmp_path_factory: pytest.TempPathFactory, valkey_url: str, authority: CertificateAuthority
) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), valkey_url, tls=authority.issue()) as found:
        yield found
