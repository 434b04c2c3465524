"""``casduo serve`` with TLS, as applications meet it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.simulators.certificates import CertificateAuthority
from tests.support.served import Served, serving_alone
from tests.support.visitor import Visitor


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Served]:
    directory, tls = tmp_path_factory.mktemp("served"), authority.issue()
    with serving_alone(directory, tls=tls) as found:
        yield found


@pytest.fixture
def ada(cas: Served) -> Iterator[Visitor]:
    """A browser with empty pockets; ``cas`` is the server of the file."""
    with Visitor(cas.ca) as found:
        yield found


@pytest.fixture
def grace(cas: Served) -> Iterator[Visitor]:
    """Another one."""
    with Visitor(cas.ca) as found:
        yield found
