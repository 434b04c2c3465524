"""Examines Redis, and what workers keep there: a sign of life, events, and how they get on with Webex."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from casduo.clock import Clock
from casduo.diagnosis.clocks import judge_store_clock
from casduo.diagnosis.events import EventFacts, ask_events, judge_events
from casduo.diagnosis.model import Finding, Part
from casduo.diagnosis.nodes import judge_nodes
from casduo.diagnosis.outbox import examine_outbox
from casduo.errors import UpstreamUnavailable
from casduo.events.readers import readers_of
from casduo.nodes.model import Node
from casduo.nodes.roster import ask_nodes
from casduo.settings import Settings
from casduo.settings.redisnodes import ClusterAddress, parse_nodes
from casduo.settings.sections import RedisSettings
from casduo.store import Store
from casduo.store.opening import running_store
from casduo.webex.upkeep import wanted_webhook
from casduo.worker.heartbeat import worker_alive

OLDEST = (7, 0)
"""The version of Redis whose commands casduo uses."""

_REFUSALS = ("NoPermissionError", "ResponseError")
_PART = Part("Redis")
_WORKER = Part("Worker")


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What a Redis says of itself.

    :param program: name and version, as people call it.
    :param version: of the Redis whose commands it has.
    :param skew: its clock minus ours in seconds.
    :param policy: ``maxmemory-policy``.
    :param limit: ``maxmemory`` in bytes, 0 for none.
    :param replicas: that follow it.
    :param bounded: whether it refuses writes without replicas (``min-replicas-to-write``).
    :param persistent: whether it has an append-only file.
    :param worker: whether a worker gave a sign of life.
    :param events: what it says of events.
    :param nodes: that gave a sign of life.
    """

    program: str
    version: tuple[int, ...]
    skew: float
    policy: str
    limit: int
    worker: bool
    events: EventFacts = field(default_factory=EventFacts)
    nodes: tuple[Node, ...] = ()
    replicas: int = 0
    bounded: bool = False
    persistent: bool = False


def examine_store(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Examine the Redis of a server that runs, and its worker."""
    try:
        store = running_store(settings)
    except UpstreamUnavailable as error:
        yield _unreachable(error.detail)
        return
    try:
        with contextlib.closing(store):
            facts = ask_store(store, clock)
            outbox = examine_outbox(store, wanted_webhook(settings), clock) if settings.webex is not None else ()
            sending = tuple(outbox)
    except UpstreamUnavailable as error:
        yield judge_failure(error)
        return
    yield from judge_store(facts)
    yield from judge_replicas(facts, settings.redis)
    yield judge_worker(facts.worker, started_by_server=settings.server.worker)
    yield from judge_nodes(facts.nodes)
    yield from judge_events(facts.events, readers_of(settings), clock() + facts.skew)
    yield from sending


def ask_store(store: Store, clock: Clock) -> StoreFacts:
    """Ask a Redis about itself: one round trip.

    :raises UpstreamUnavailable: it does not answer, or not to this account.
    """
    batch = store.batch()
    server, memory = batch.command("INFO", "server"), batch.command("INFO", "memory")
    replication, persistence = batch.command("INFO", "replication"), batch.command("INFO", "persistence")
    moment, worker, events = batch.command("TIME"), worker_alive(batch), ask_events(batch)
    nodes = ask_nodes(batch)
    batch.run()
    about = (server, memory, replication, persistence)
    facts = {name: value for reply in about for name, value in _fields(reply.value).items()}
    seconds, microseconds = moment.value
    redis = facts.get("redis_version", "")
    valkey = facts.get("valkey_version")
    return StoreFacts(
        program=f"Valkey {valkey}" if valkey else f"Redis {redis}",
        version=tuple(int(each) for each in redis.split(".")[:2] if each.isdigit()),
        skew=int(seconds) + int(microseconds) / 1e6 - clock(),
        policy=facts.get("maxmemory_policy", ""),
        limit=int(facts.get("maxmemory", "0")),
        worker=bool(worker.value),
        events=events.facts,
        nodes=nodes.nodes,
        replicas=int(facts.get("connected_slaves", "0")),
        bounded="min_slaves_good_slaves" in facts,
        persistent=facts.get("aof_enabled") == "1",
    )


def judge_failure(error: UpstreamUnavailable) -> Finding:
    """Return what it means that :func:`ask_store` failed."""
    if error.detail in _REFUSALS:
        found = f"answers, and tells nothing of itself ({error.detail})"
        cause = (
            "the account of the settings may not use all of INFO, TIME, EXISTS, XLEN, XRANGE, HGETALL, GET and EVALSHA"
        )
        remedy = "allow it +info, +time, +exists, +xlen, +xrange, +hgetall, +get and +@scripting"
        return _PART.attention("connection", found, "not_told", cause, remedy)
    return _unreachable(f"does not answer ({error.detail})")


def _unreachable(why: str) -> Finding:
    cause = "sessions and tickets live there: nobody can sign in, and no ticket can be validated"
    return _PART.fault("connection", why, "unavailable", cause, "start it, or correct the section redis")


def judge_store(facts: StoreFacts) -> Iterator[Finding]:
    """Yield what is to say about a Redis that answers."""
    if facts.version >= OLDEST:
        yield _PART.ok("connection", f"{facts.program} answers", program=facts.program)
    else:
        oldest = ".".join(map(str, OLDEST))
        cause = f"casduo uses commands that came with version {oldest}"
        remedy = f"install Redis {oldest} or later, or any Valkey"
        yield _PART.fault("connection", f"{facts.program} answers", "too_old", cause, remedy, program=facts.program)
    yield judge_store_clock(_PART, facts.skew)
    yield _judge_memory(facts)


def _judge_memory(facts: StoreFacts) -> Finding:
    if facts.policy in ("", "noeviction"):
        return _PART.ok("memory", "nothing is thrown away before its time (maxmemory-policy noeviction)")
    if not facts.limit:
        return _PART.ok("memory", f"no limit is set, so maxmemory-policy {facts.policy} never comes into force")
    return _PART.attention(
        "memory",
        f"maxmemory-policy is {facts.policy}, with a limit of {facts.limit // 2**20} MiB",
        "evicts",
        "when memory runs out Redis throws away sessions, limits on failed logins and what waits for the worker, "
        "without a word",
        "set maxmemory-policy to noeviction, and watch the memory",
        policy=facts.policy,
        limit=facts.limit,
    )


def judge_replicas(facts: StoreFacts, redis: RedisSettings) -> Iterator[Finding]:
    """Yield what the promise that no failover undoes a use or an end is worth here (``redis.confirmed_by``)."""
    wanted = redis.confirmations
    if not wanted:
        return
    found = f"{facts.replicas} follow the master, {wanted} must confirm"
    cluster = isinstance(parse_nodes(redis.url or ""), ClusterAddress)
    if facts.replicas < wanted:
        # A cluster goes on, without confirmation, where nobody could take the place of a master.
        effect = "what was used or ended may come back if it fails" if cluster else "no ticket can be validated"
        judge = _PART.attention if cluster else _PART.fault
        yield judge("replicas", found, "too_few_replicas", effect, "start more replicas, or set redis.confirmed_by: 0")
    elif facts.replicas == wanted and not cluster:
        yield _PART.attention(
            "replicas",
            found,
            "no_spare_replica",
            "when one of them or the master fails no ticket can be validated until it is back",
            "add a replica",
        )
    else:
        yield _PART.ok("replicas", found)
    if facts.bounded and facts.persistent:
        yield _PART.ok("failover", "the master keeps a file, and takes no writes without replicas")
    if not facts.bounded:
        yield _PART.attention(
            "failover",
            "min-replicas-to-write is 0",
            "unbounded",
            "a master that is cut off from its replicas takes writes that are lost",
            "set min-replicas-to-write to 1 and min-replicas-max-lag to 10",
        )
    if not facts.persistent:
        yield _PART.attention(
            "failover",
            "there is no append-only file",
            "not_persistent",
            "a master that is started again before it was missed comes back empty, and empties its replicas",
            "set appendonly to yes",
        )


def judge_worker(alive: bool, *, started_by_server: bool) -> Finding:
    """Return whether anybody does what is queued.

    :param started_by_server: whether ``casduo serve`` starts a worker of its own (``server.worker``).
    """
    if alive:
        return _WORKER.ok("sign of life", "seen within the last 20 seconds")
    own = "casduo serve starts one by itself: see whether it runs, and why it ended, in its log"
    return _WORKER.fault(
        "sign of life",
        "none for 20 seconds",
        "no_worker",
        "no worker runs on this Redis: the built-in page sends no pushes, applications are not told of sign-outs, and "
        "the audit trail and messages to Webex wait",
        own if started_by_server else "start casduo worker, or set server.worker: true",
    )


def _fields(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines() if not line.startswith("#"))
    return {name: value.strip() for name, _, value in lines if name}
