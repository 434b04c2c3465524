"""Certificates for simulators under test."""

from __future__ import annotations

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_path_factory.mktemp("authority"), "trusted authority")


@pytest.fixture(scope="session")
def foreign_authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_path_factory.mktemp("foreign"), "foreign authority")


@pytest.fixture(scope="session")
def leaf(authority: CertificateAuthority) -> LeafFiles:
    return authority.issue()
