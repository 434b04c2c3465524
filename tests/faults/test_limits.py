"""A serving process that may open no file more, or whose connections and threads are all taken."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pytest
import redis
import requests

from casduo.openfiles import ask_for_open_files
from casduo.store.embedded import EmbeddedValkey
from tests.faults.conftest import Sound
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import Clear, Stream, ask, send_form, ticket_of
from tests.support.redis_servers import CountingRelay
from tests.support.site import LIBRARY, PASSWORDS

THREADS = 4
CROWD = 2000


@dataclass
class Ground:
    """A stage of few threads, the Redis below it as its operator has it, and the relay between the two."""

    stage: Stage
    redis: redis.Redis
    relay: CountingRelay

    def connect(self) -> socket.socket:
        """Open a connection to the server that asks for nothing."""
        return socket.create_connection(("localhost", urlsplit(self.stage.bases[0]).port or 0), 10)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    directory = tmp_path_factory.mktemp("limits")
    with EmbeddedValkey(directory / "valkey") as server:
        relay = CountingRelay(directory, server.url)
        try:
            with (
                redis.Redis(unix_socket_path=str(server.socket)) as operator,
                on_stage(directory / "stage", relay.url, server=f"threads: {THREADS}") as stage,
            ):
                yield Ground(stage, operator, relay)
        finally:
            relay.close()


@contextmanager
def no_file_more(pid: int) -> Iterator[None]:
    """The process may open nothing beside what it has open: EMFILE."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def test_who_comes_while_no_file_can_be_opened_waits_and_is_served_afterwards(
    ground: Ground, rounds: range, sound: Sound
) -> None:
    pid = ground.stage.nodes[0].serving
    with Stream(ground.stage.bases) as stream:
        for _ in rounds:
            stream.flows(4)
            with no_file_more(pid):
                stream.goes_on_for(1.0)
            stream.recovers(time.monotonic())
        sound(stream, ground.stage)
    assert ground.stage.nodes[0].serving == pid


def test_where_no_connection_to_redis_can_be_opened_a_page_says_that_it_does_not_work(ground: Ground) -> None:
    with requests.Session() as browser:
        page = ask(browser, "GET", f"{ground.stage.bases[0]}login?service={quote(LIBRARY, safe='')}")
        with no_file_more(ground.stage.nodes[0].serving):
            ground.redis.client_kill_filter(_type="normal", skipme=True)
            with pytest.raises(Clear, match="503 Signing in does not work right now"):
                send_form(browser, page, username="ada", password=PASSWORDS["ada"])
        assert ticket_of(send_form(browser, page, username="ada", password=PASSWORDS["ada"]))


def test_two_thousand_connections_that_ask_for_nothing_keep_nobody_out(ground: Ground, sound: Sound) -> None:
    assert ask_for_open_files(CROWD + 200) >= CROWD + 200, "this machine grants too few open files to try"
    with Stream(ground.stage.bases) as stream, ExitStack() as crowd:
        for _ in range(CROWD):
            crowd.enter_context(ground.connect())
        stream.flows(8)
        sound(stream, ground.stage)
    assert not stream.tally.clear
    assert not stream.tally.cut


def test_where_every_thread_waits_for_redis_all_logins_come_through_one_after_the_other(
    ground: Ground, sound: Sound
) -> None:
    with Stream(ground.stage.bases, threads=3 * THREADS) as stream:
        ground.relay.delay = 0.2
        try:
            stream.flows(3 * THREADS)
        finally:
            ground.relay.delay = 0.0
        sound(stream, ground.stage)
    assert not stream.tally.clear
