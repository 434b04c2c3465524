"""Redis and the worker, asked for real and judged by what they may say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casduo.diagnosis.masters import MasterFacts, judge_master, judge_replicas
from casduo.diagnosis.model import Finding
from casduo.diagnosis.store import ask_store, examine_store, judge_failure, judge_store, judge_worker
from casduo.errors import UpstreamUnavailable
from casduo.settings import Settings
from casduo.settings.sections import RedisSettings
from casduo.store import Store
from casduo.store.store import client_for
from tests.support.clusters import running_cluster
from tests.support.redis_servers import CountingRelay

FACTS = MasterFacts("", "Redis 7.0.15", (7, 0), 0.1, "noeviction", 0)
WORKER = "casduo:worker:alive"


def levels(facts: MasterFacts) -> dict[str, str]:
    return {finding.examined: finding.level for finding in judge_master(facts)}


def named(findings: list[Finding], examined: str) -> Finding:
    return next(finding for finding in findings if finding.examined == examined)


def test_both_kinds_of_server_answer_for_themselves(any_store: Store) -> None:
    [facts] = ask_store(any_store, time.time).masters
    assert facts.program.startswith(("Valkey 9", "Redis 7.0"))
    assert facts.version >= (7, 0)
    assert abs(facts.skew) < 5
    assert (facts.policy, facts.limit) == ("noeviction", 0)
    assert not ask_store(any_store, time.time).worker
    any_store.command("SET", WORKER, "w", "PX", 5000)
    assert ask_store(any_store, time.time).worker


def test_asking_costs_one_round_trip(relay: CountingRelay, store: Store) -> None:
    counted = Store(client_for(relay.url, "", 5.0, 4, ""))
    counted.ping()
    relay.reset()
    ask_store(counted, time.time)
    assert relay.round_trips == 1
    counted.close()


def test_a_server_that_may_throw_away_what_it_holds(store: Store) -> None:
    store.command("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru")
    try:
        facts = ask_store(store, time.time)
    finally:
        store.command("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction")
    memory = named(list(judge_store(facts)), "memory")
    assert (memory.level, memory.detail) == ("attention", "evicts")
    assert memory.found == "maxmemory-policy is allkeys-lru, with a limit of 100 MiB"


def test_a_policy_without_a_limit_throws_nothing_away() -> None:
    assert levels(replace(FACTS, policy="allkeys-lru"))["memory"] == "ok"


@pytest.mark.parametrize(
    ("version", "level"), [((7, 0), "ok"), ((7, 2), "ok"), ((8, 0), "ok"), ((6, 2), "fault"), ((), "fault")]
)
def test_a_server_must_know_the_commands(version: tuple[int, ...], level: str) -> None:
    assert levels(replace(FACTS, version=version))["connection"] == level


SENTINELS = {"url": "redis+sentinel://a,b,c/tickets"}
CLUSTER = {"url": "redis+cluster://a,b,c"}
SAFE = replace(FACTS, replicas=2, bounded=True, persistent=True)


@pytest.mark.parametrize(
    ("facts", "redis", "told"),
    [
        (FACTS, {"url": "redis://a"}, {}),
        (FACTS, {**SENTINELS, "confirmed_by": 0}, {}),
        (SAFE, SENTINELS, {("ok", ""): 2}),
        (replace(SAFE, replicas=1), SENTINELS, {("attention", "no_spare_replica"): 1, ("ok", ""): 1}),
        (replace(SAFE, replicas=0), SENTINELS, {("fault", "too_few_replicas"): 1, ("ok", ""): 1}),
        (replace(SAFE, replicas=1), CLUSTER, {("ok", ""): 2}),
        (replace(SAFE, replicas=0), CLUSTER, {("attention", "too_few_replicas"): 1, ("ok", ""): 1}),
        (replace(SAFE, bounded=False), SENTINELS, {("ok", ""): 1, ("attention", "unbounded"): 1}),
        (replace(SAFE, persistent=False), SENTINELS, {("ok", ""): 1, ("attention", "not_persistent"): 1}),
    ],
)
def test_what_a_failover_may_undo_is_told_where_there_are_replicas(
    facts: MasterFacts, redis: dict[str, Any], told: dict[tuple[str, str], int]
) -> None:
    assert Counter((each.level, each.detail) for each in judge_replicas(facts, RedisSettings(**redis))) == told


def test_replicas_and_file_are_asked_for(any_store: Store) -> None:
    [facts] = ask_store(any_store, time.time).masters
    assert (facts.replicas, facts.bounded) == (0, False)
    assert facts.persistent == facts.program.startswith("Valkey")
    any_store.command("CONFIG", "SET", "min-replicas-max-lag", "10", "min-replicas-to-write", "1")
    try:
        assert ask_store(any_store, time.time).masters[0].bounded
    finally:
        any_store.command("CONFIG", "SET", "min-replicas-to-write", "0")


def test_a_clock_that_differs_is_worth_a_word() -> None:
    assert levels(replace(FACTS, skew=40.0))["clock"] == "attention"


def test_an_account_that_may_not_ask_is_no_outage(store: Store, valkey_url: str) -> None:
    store.command("ACL", "SETUSER", "grace", "on", ">hopper", "~*", "+@all", "-info")
    other = Store(client_for(valkey_url.replace("unix://", "unix://grace@"), "hopper", 5.0, 4, ""))
    try:
        with pytest.raises(UpstreamUnavailable) as refused:
            ask_store(other, time.time)
    finally:
        other.close()
        store.command("ACL", "DELUSER", "grace")
    finding = judge_failure(refused.value)
    assert (finding.level, finding.detail) == ("attention", "not_told")
    assert "+info" in finding.remedy


@pytest.mark.parametrize(("own", "remedy"), [(True, "casduo serve starts one"), (False, "start casduo worker")])
def test_a_worker_that_is_missed(own: bool, remedy: str) -> None:
    assert judge_worker(True, started_by_server=own).level == "ok"
    finding = judge_worker(False, started_by_server=own)
    assert (finding.level, finding.detail) == ("fault", "no_worker")
    assert finding.remedy.startswith(remedy)


MakeSettings = Callable[..., Settings]


@pytest.fixture
def settings(tmp_path: Path) -> MakeSettings:
    def make(**redis: str) -> Settings:
        return Settings.model_validate({"server": {"state_directory": str(tmp_path / "state")}, "redis": redis})

    return make


def test_the_redis_of_the_settings_is_examined(settings: MakeSettings, store: Store, valkey_url: str) -> None:
    store.command("SET", WORKER, "w", "PX", 5000)
    findings = list(examine_store(settings(url=valkey_url), time.time))
    assert [finding.level for finding in findings] == ["ok"] * 6
    assert {finding.part for finding in findings} == {"Redis", "Worker", "Events"}


def test_a_redis_that_is_away_is_one_fault(settings: MakeSettings, tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/nobody.sock"
    (finding,) = examine_store(settings(url=url, password="lovelace"), time.time)
    assert (finding.level, finding.detail) == ("fault", "unavailable")
    assert url in finding.found
    assert "lovelace" not in repr(finding)


def test_a_server_that_does_not_run_has_no_embedded_valkey(settings: MakeSettings) -> None:
    (finding,) = examine_store(settings(), time.time)
    assert (finding.level, finding.detail) == ("fault", "unavailable")
    assert "no casduo runs on the state directory" in finding.found


def test_each_master_of_a_cluster_is_examined_and_named(settings: MakeSettings, tmp_path: Path) -> None:
    with running_cluster(tmp_path / "redis", replicas=False) as cluster:
        first, second, third = cluster.masters()
        second.ask("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru")
        third.ask("CONFIG", "SET", "appendonly", "yes")
        third.ask("CONFIG", "SET", "min-replicas-max-lag", "10", "min-replicas-to-write", "1")
        findings = list(examine_store(settings(url=cluster.url), time.time))
    names = [f"127.0.0.1:{server.port}" for server in (first, second, third)]
    told = {
        name: Counter((each.examined, each.detail) for each in findings if each.facts.get("node") == name)
        for name in names
    }
    sound = {("connection", ""): 1, ("clock", ""): 1, ("memory", ""): 1}
    lost = {("failover", "unbounded"): 1, ("failover", "not_persistent"): 1}
    alone = {("replicas", "too_few_replicas"): 1}
    assert told == {
        names[0]: Counter(sound | alone | lost),
        names[1]: Counter(sound | {("memory", "evicts"): 1} | alone | lost) - Counter({("memory", ""): 1}),
        names[2]: Counter(sound | alone | {("failover", ""): 1}),
    }
    assert {each.part for each in findings} >= {f"Redis {name}" for name in names}
    assert "Redis" not in {each.part for each in findings}
