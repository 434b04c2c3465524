"""Who may follow a master of a cluster: it waits for whoever does, also for one that the others do not know of yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.store import Store
from casduo.store.store import UNCONFIRMED
from tests.support.clusters import PASSWORD, Cluster, running_cluster
from tests.support.opened import opened_store
from tests.support.ports import free_port
from tests.support.redis_fleet import Server, redis_server
from tests.support.waiting import until

_KEY = "casduo:{a}:confirmed"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path / "cluster", replicas=False) as found:
        yield found


@pytest.fixture
def follower(cluster: Cluster, tmp_path: Path) -> Iterator[Server]:
    """Return a Redis that follows the master of the key, and of which the cluster says nothing."""
    master, port = cluster.holder(_KEY), free_port()
    words = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""]
    words += ["--logfile", str(tmp_path / "log"), "--requirepass", PASSWORD, "--masterauth", PASSWORD]
    words += ["--replicaof", f"127.0.0.1 {master.port}", "--repl-diskless-sync-delay", "0"]
    server = Server(port, PASSWORD, words)
    server.start()
    try:
        until(lambda: master.replicas() == 1, "it follows")
        yield server
    finally:
        server.end()


@pytest.fixture
def store(cluster: Cluster, tmp_path: Path) -> Iterator[Store]:
    found = opened_store(tmp_path, f"url: '{cluster.url}'", 1)
    yield found
    found.close()


def test_who_has_just_come_to_follow_a_master_has_to_confirm(cluster: Cluster, follower: Server, store: Store) -> None:
    """For a moment after a failover a replica is linked to its new master, whose list of nodes does not have it yet."""

    assert _refusal(store) == ""
    follower.pause()
    assert _refusal(store) == UNCONFIRMED
    follower.resume()
    until(lambda: _refusal(store) == "", "it confirms again")

    follower.kill()
    until(lambda: cluster.holder(_KEY).replicas() == 0, "the master is alone")
    assert _refusal(store) == ""


def _refusal(store: Store) -> str:
    batch = store.batch()
    batch.confirmed("SET", _KEY, "1", "EX", 60)
    try:
        batch.run()
    except UpstreamUnavailable as error:
        return error.detail
    return ""
