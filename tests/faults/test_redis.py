"""A Redis that is full, takes no writes, answers late or not at all, under a stream of logins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from casduo.store.embedded import EmbeddedValkey
from tests.faults.conftest import Sound
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import Stream
from tests.support.redis_servers import CountingRelay
from tests.support.waiting import until


@dataclass
class Ground:
    """A stage, the Redis below it as its operator has it, and the relay between the two."""

    stage: Stage
    redis: redis.Redis
    relay: CountingRelay


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    directory = tmp_path_factory.mktemp("ground")
    with EmbeddedValkey(directory / "valkey") as server:
        relay = CountingRelay(directory, server.url)
        try:
            with (
                redis.Redis(unix_socket_path=str(server.socket), retry=Retry(NoBackoff(), 0)) as operator,
                on_stage(directory / "stage", relay.url) as stage,
            ):
                yield Ground(stage, operator, relay)
        finally:
            relay.close()


@contextmanager
def full(ground: Ground) -> Iterator[None]:
    """Every write that needs memory is refused: OOM."""
    ground.redis.config_set("maxmemory", 1)
    try:
        yield
    finally:
        ground.redis.config_set("maxmemory", 0)


@contextmanager
def without_replicas(ground: Ground) -> Iterator[None]:
    """Every write is refused, for there is no replica that would have it too: NOREPLICAS."""
    ground.redis.config_set("min-replicas-to-write", 1)
    try:
        yield
    finally:
        ground.redis.config_set("min-replicas-to-write", 0)


@contextmanager
def unsaved(ground: Ground) -> Iterator[None]:
    """Every write is refused, for the last snapshot could not be saved, though the append-only file can: MISCONF."""
    before = ground.redis.config_get("save")["save"]
    [directory, name] = [ground.redis.config_get(key)[key] for key in ("dir", "dbfilename")]
    in_the_way = Path(directory, name)
    in_the_way.unlink(missing_ok=True)
    # A file cannot take the place of a directory.
    in_the_way.mkdir()
    ground.redis.config_set("save", "3600 1000000")
    try:
        _save(ground.redis, "err")
        with pytest.raises(redis.ResponseError, match="MISCONF"):
            ground.redis.set("mine", "x")
        yield
    finally:
        in_the_way.rmdir()
        _save(ground.redis, "ok")
        ground.redis.config_set("save", before)


@contextmanager
def replica(ground: Ground) -> Iterator[None]:
    """It has become the replica of one that is not there: READONLY."""
    ground.redis.replicaof("127.0.0.1", 1)
    try:
        yield
    finally:
        ground.redis.replicaof("NO", "ONE")


@contextmanager
def other_password(ground: Ground) -> Iterator[None]:
    """Its password was changed, and nobody told casduo: NOAUTH."""
    ground.redis.config_set("requirepass", "another")
    ground.redis.client_kill_filter(_type="normal", skipme=True)
    try:
        yield
    finally:
        ground.redis.config_set("requirepass", "")


@contextmanager
def crowded(ground: Ground) -> Iterator[None]:
    """It takes no connection more."""
    before = ground.redis.config_get("maxclients")["maxclients"]
    ground.redis.config_set("maxclients", 1)
    ground.redis.client_kill_filter(_type="normal", skipme=True)
    try:
        yield
    finally:
        ground.redis.config_set("maxclients", before)


@contextmanager
def busy(ground: Ground) -> Iterator[None]:
    """Somebody's script does not end: BUSY."""
    ground.redis.config_set("busy-reply-threshold", 50)
    path = ground.redis.connection_pool.connection_kwargs["path"]

    def run() -> None:
        with redis.Redis(unix_socket_path=path, retry=Retry(NoBackoff(), 0)) as somebody, suppress(redis.RedisError):
            somebody.eval("while true do end", 0)

    somebody = threading.Thread(target=run, daemon=True)
    somebody.start()
    try:
        yield
    finally:
        until(lambda: _killed(ground.redis), "the script has ended")
        somebody.join()
        ground.redis.config_set("busy-reply-threshold", 5000)


@contextmanager
def silent(ground: Ground) -> Iterator[None]:
    """It answers, but only when everybody has given up: after a second more than the time-out."""
    ground.relay.delay = 3.0
    try:
        yield
    finally:
        ground.relay.delay = 0.0


REFUSALS = (full, without_replicas, unsaved, replica, other_password, crowded, busy, silent)


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda fault: fault.__name__)
def test_logins_are_refused_clearly_and_whole_again_at_once(
    ground: Ground, fault: Callable[[Ground], contextmanager[None]], rounds: range, sound: Sound
) -> None:
    with Stream(ground.stage.bases) as stream:
        for _ in rounds:
            stream.flows(4)
            with fault(ground):
                stream.tells(4)
            stream.recovers(time.monotonic())
        sound(stream, ground.stage)


@pytest.mark.parametrize("delay", [0.05, 0.5])
def test_a_slow_redis_makes_logins_slow_and_nothing_else(
    ground: Ground, delay: float, rounds: range, sound: Sound
) -> None:
    with Stream(ground.stage.bases) as stream:
        ground.relay.delay = delay
        try:
            for _ in rounds:
                stream.flows(4)
        finally:
            ground.relay.delay = 0.0
        sound(stream, ground.stage)
    assert not stream.tally.clear


def test_connections_that_are_cut_again_and_again_are_replaced(ground: Ground, rounds: range, sound: Sound) -> None:
    with Stream(ground.stage.bases) as stream:
        for _ in rounds:
            for _ in range(3):
                ground.redis.client_kill_filter(_type="normal", skipme=True)
                stream.flows(4)
        sound(stream, ground.stage)


def _save(server: redis.Redis, outcome: str) -> None:
    """Have a snapshot saved, and wait until that has ended so."""
    server.bgsave()
    until(
        lambda: (
            (info := server.info("persistence"))["rdb_last_bgsave_status"] == outcome
            and not info["rdb_bgsave_in_progress"]
        ),
        f"a snapshot: {outcome}",
    )


def _killed(server: redis.Redis) -> bool:
    try:
        server.script_kill()
    except redis.ResponseError as error:
        return "NOTBUSY" in str(error)
    return False
