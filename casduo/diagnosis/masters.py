"""Examines each Redis that has keys: its version and clock, what it does without memory, and what a failover undoes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from casduo.clock import Clock
from casduo.diagnosis.clocks import judge_store_clock
from casduo.diagnosis.model import Finding, Part
from casduo.settings.redisnodes import ClusterAddress, parse_nodes
from casduo.settings.sections import RedisSettings
from casduo.store import Batch, moment_of

OLDEST = (7, 0)
"""The version of Redis whose commands casduo uses."""


@dataclass(frozen=True, slots=True)
class MasterFacts:
    """What a Redis says of itself.

    :param name: host and port of a node of a cluster; empty for an only one.
    :param program: name and version, as people call it.
    :param version: of the Redis whose commands it has.
    :param skew: its clock minus ours in seconds.
    :param policy: ``maxmemory-policy``.
    :param limit: ``maxmemory`` in bytes, 0 for none.
    :param replicas: that follow it.
    :param bounded: whether it refuses writes without replicas (``min-replicas-to-write``).
    :param persistent: whether it has an append-only file.
    """

    name: str
    program: str
    version: tuple[int, ...]
    skew: float
    policy: str
    limit: int
    replicas: int = 0
    bounded: bool = False
    persistent: bool = False

    @property
    def part(self) -> Part:
        """Return what its findings are about."""
        return Part(f"Redis {self.name}", {"node": self.name}) if self.name else Part("Redis")


def ask_master(batch: Batch, name: str, clock: Clock) -> Callable[[], MasterFacts]:
    """Add the questions to a Redis about itself. Returns what tells the answers once the batch has run.

    :param name: see :class:`MasterFacts`
    """
    about = [batch.command("INFO", section) for section in ("server", "memory", "replication", "persistence")]
    moment = batch.command("TIME")

    def told() -> MasterFacts:
        facts = {key: value for reply in about for key, value in _fields(reply.value).items()}
        redis, valkey = facts.get("redis_version", ""), facts.get("valkey_version")
        return MasterFacts(
            name=name,
            program=f"Valkey {valkey}" if valkey else f"Redis {redis}",
            version=tuple(int(each) for each in redis.split(".")[:2] if each.isdigit()),
            skew=moment_of(moment.value) - clock(),
            policy=facts.get("maxmemory_policy", ""),
            limit=int(facts.get("maxmemory", "0")),
            replicas=int(facts.get("connected_slaves", "0")),
            bounded="min_slaves_good_slaves" in facts,
            persistent=facts.get("aof_enabled") == "1",
        )

    return told


def judge_master(facts: MasterFacts) -> Iterator[Finding]:
    """Yield what is to say about a Redis that answers."""
    part = facts.part
    if facts.version >= OLDEST:
        yield part.ok("connection", f"{facts.program} answers", program=facts.program)
    else:
        oldest = ".".join(map(str, OLDEST))
        cause = f"casduo uses commands that came with version {oldest}"
        remedy = f"install Redis {oldest} or later, or any Valkey"
        yield part.fault("connection", f"{facts.program} answers", "too_old", cause, remedy, program=facts.program)
    yield judge_store_clock(part, facts.skew)
    yield _judge_memory(facts)


def _judge_memory(facts: MasterFacts) -> Finding:
    part = facts.part
    if facts.policy in ("", "noeviction"):
        return part.ok("memory", "nothing is thrown away before its time (maxmemory-policy noeviction)")
    if not facts.limit:
        return part.ok("memory", f"no limit is set, so maxmemory-policy {facts.policy} never comes into force")
    return part.attention(
        "memory",
        f"maxmemory-policy is {facts.policy}, with a limit of {facts.limit // 2**20} MiB",
        "evicts",
        "when memory runs out Redis throws away sessions, limits on failed logins and what waits for the worker, "
        "without a word",
        "set maxmemory-policy to noeviction, and watch the memory",
        policy=facts.policy,
        limit=facts.limit,
    )


def judge_replicas(facts: MasterFacts, redis: RedisSettings) -> Iterator[Finding]:
    """Yield what the promise that no failover undoes a use or an end is worth here (``redis.confirmed_by``)."""
    wanted, part = redis.confirmations, facts.part
    if not wanted:
        return
    found = f"{facts.replicas} follow the master, {wanted} must confirm"
    cluster = isinstance(parse_nodes(redis.url or ""), ClusterAddress)
    if facts.replicas < wanted:
        # A cluster goes on, without confirmation, where nobody could take the place of a master.
        effect = "what was used or ended may come back if it fails" if cluster else "no ticket can be validated"
        judge = part.attention if cluster else part.fault
        yield judge("replicas", found, "too_few_replicas", effect, "start more replicas, or set redis.confirmed_by: 0")
    elif facts.replicas == wanted and not cluster:
        yield part.attention(
            "replicas",
            found,
            "no_spare_replica",
            "when one of them or the master fails no ticket can be validated until it is back",
            "add a replica",
        )
    else:
        yield part.ok("replicas", found)
    if facts.bounded and facts.persistent:
        yield part.ok("failover", "the master keeps a file, and takes no writes without replicas")
    if not facts.bounded:
        yield part.attention(
            "failover",
            "min-replicas-to-write is 0",
            "unbounded",
            "a master that is cut off from its replicas takes writes that are lost",
            "set min-replicas-to-write to 1 and min-replicas-max-lag to 10",
        )
    if not facts.persistent:
        yield part.attention(
            "failover",
            "there is no append-only file",
            "not_persistent",
            "a master that is started again before it was missed comes back empty, and empties its replicas",
            "set appendonly to yes",
        )


def _fields(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip() for name, _, value in lines if name}
