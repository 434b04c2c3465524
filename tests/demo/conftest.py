"""One demo for all tests that only use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo.running import DemoProcess, running


@pytest.fixture(scope="session")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    with running(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture
def demo(shared_demo: DemoProcess) -> Iterator[DemoProcess]:
    """The demo as it is after its start, as far as Duo is concerned: nothing waits, and grace has no device."""
    yield shared_demo
    for transaction in shared_demo.duo(do="state")["pending"]:
        shared_demo.duo(do="reply", username=transaction["username"], reply="approve")
    shared_demo.duo(do="add_user", username="grace", devices=[])


@pytest.fixture
def without_duo(demo: DemoProcess) -> Iterator[None]:
    """Duo refuses connections while the test runs."""
    demo.duo(do="listen", on=False)
    yield
    demo.duo(do="listen", on=True)
