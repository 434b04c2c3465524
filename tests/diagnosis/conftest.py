"""A healthy installation, for tests to make ill."""

from __future__ import annotations

from pathlib import Path

import pytest

from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from tests.diagnosis.clinic import Clinic, healthy_clinic


@pytest.fixture
def clinic(tmp_path: Path, duo: DuoSimulator, store: Store, valkey_url: str) -> Clinic:
    return healthy_clinic(tmp_path, duo, store, valkey_url)
