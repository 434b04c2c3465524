"""One demo for all tests that only use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo.critic import Critic
from tests.demo.newcomers import NEWCOMERS, Newcomer, register
from tests.demo.running import DemoProcess, running


@pytest.fixture(scope="session")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    directory = tmp_path_factory.mktemp("demo")
    register(directory)
    with running(directory) as demo:
        yield demo


@pytest.fixture
def demo(shared_demo: DemoProcess) -> Iterator[DemoProcess]:
    """The demo as after its start: nothing waits at Duo, grace is unknown there, and nobody is on an IP phone."""
    yield shared_demo
    shared_demo.free_phones()
    for transaction in shared_demo.duo(do="state")["pending"]:
        shared_demo.duo(do="reply", username=transaction["username"], reply="approve")
    if any(user["username"] == "grace" for user in shared_demo.duo(do="state")["users"]):
        shared_demo.duo(do="remove_user", username="grace")


@pytest.fixture
def without_duo(demo: DemoProcess) -> Iterator[None]:
    """Duo refuses connections while the test runs."""
    demo.duo(do="listen", on=False)
    yield
    demo.duo(do="listen", on=True)


@pytest.fixture
def impatient_duo(demo: DemoProcess) -> Iterator[DemoProcess]:
    """The demo, whose Duo gives a person no more than a moment to answer."""
    usual = demo.duo(do="settings")["request_timeout"]
    demo.duo(do="settings", request_timeout=1)
    yield demo
    demo.duo(do="settings", request_timeout=usual)


@pytest.fixture(scope="session")
def strangers() -> Iterator[Newcomer]:
    """People who can sign in and whom Duo does not know. Nobody comes twice: Duo's limits are for each person."""
    return iter(NEWCOMERS)


@pytest.fixture
def stranger(strangers: Iterator[Newcomer]) -> Newcomer:
    """Somebody whom Duo does not know."""
    return next(strangers)


@pytest.fixture
def newcomer(demo: DemoProcess, stranger: Newcomer) -> Newcomer:
    """Somebody with a phone, who was never asked for anything on it."""
    demo.duo(do="add_user", username=stranger.username)
    return stranger


@pytest.fixture
def critic() -> Iterator[Critic]:
    """Somebody who looks at pages; what a browser complained about meanwhile fails the test."""
    critic = Critic()
    yield critic
    assert critic.complaints == []
