"""What tests of requests for access share."""

from __future__ import annotations

import pytest

from casduo.store import Store
from tests.approvals.asked import Desk


@pytest.fixture
def desk(any_store: Store) -> Desk:
    """Requests in an empty store, on both servers in turn."""
    return Desk.of(any_store)
