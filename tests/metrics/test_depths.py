"""What a scrape is told of Redis."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from casduo.metrics import table
from casduo.metrics.depths import read_depths
from casduo.store import Store
from tests.support.clusters import running_cluster
from tests.support.opened import opened_store

_MIB = 2**20


def _memory(store: Store) -> tuple[float, float]:
    found = {instrument: value for instrument, _, value in read_depths(store, ())}
    return found[table.REDIS_MEMORY], found[table.REDIS_LIMIT]


def test_memory_is_that_of_redis(any_store: Store) -> None:
    used, limit = _memory(any_store)
    assert used > 100_000
    assert limit == 0


def test_of_a_cluster_it_is_that_of_the_master_which_is_fullest(tmp_path: Path) -> None:
    with running_cluster(tmp_path / "redis", replicas=False) as cluster:
        first, second, _ = cluster.masters()
        first.ask("CONFIG", "SET", "maxmemory", 1000 * _MIB)
        second.ask("CONFIG", "SET", "maxmemory", 100 * _MIB)
        with closing(opened_store(tmp_path, f"url: '{cluster.url}'")) as store:
            used, limit = _memory(store)
    assert limit == 100 * _MIB
    assert 100_000 < used < limit
