"""How much waits in Redis, and how it is: everything that a scrape wants to know of it, in one round trip."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from casduo.events.audit_head import audit_status
from casduo.events.outbox_desk import outbox_status
from casduo.events.stream import ReaderName, ask_lag, stream_length
from casduo.metrics import table
from casduo.metrics.table import Instrument
from casduo.mfa.duo.pushes import QUEUE as PUSHES
from casduo.nodes.model import in_force
from casduo.nodes.roster import ask_nodes
from casduo.store import Batch, Store
from casduo.tickets.signouts import ORDERS
from casduo.webex.inbox import INBOX
from casduo.worker.heartbeat import worker_alive

Sample = tuple[Instrument, tuple[str, ...], float]


def read_depths(store: Store, readers: Sequence[ReaderName]) -> list[Sample]:
    """Return how much waits. One round trip, and one to each master of a cluster.

    :param readers: who reads events; ``outbox`` where there is a Webex
    :raises UpstreamUnavailable: Redis does not answer
    """
    batch = store.batch()
    masters = [master for _, master in store.masters()]
    asked = [(own := batch if master is store else master.batch(), own.command("INFO", "memory")) for master in masters]
    parts = [_events(batch, readers), _queues(batch), _nodes(batch)]
    if "outbox" in readers:
        parts.append(_outbox(batch))
    batch.run()
    for own, _ in asked:
        own.run()
    used, limit = max(
        (_memory(reply.value) for _, reply in asked), key=lambda one: (one[0] / (one[1] or math.inf), one[0])
    )
    found: list[Sample] = [(table.REDIS_MEMORY, (), used), (table.REDIS_LIMIT, (), limit)]
    for part in parts:
        found += part()
    return found


def _memory(text: str) -> tuple[float, float]:
    """Return what a Redis uses, and its limit."""
    facts = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return float(facts.get("used_memory", 0)), float(facts.get("maxmemory", 0))


_Later = Callable[[], Iterator[Sample]]
"""Yields what a batch has brought, once it has run."""


def _events(batch: Batch, readers: Sequence[ReaderName]) -> _Later:
    length, lag, audit = stream_length(batch), ask_lag(batch, readers), audit_status(batch)

    def found() -> Iterator[Sample]:
        if readers:
            yield table.EVENTS_WAITING, (), length.value
        for reader, seconds in lag.value.items():
            yield table.EVENTS_LAG, (reader,), seconds
        if "audit" in readers:
            yield table.AUDIT_HINDERED, (), audit.value.trouble is not None

    return found


def _queues(batch: Batch) -> _Later:
    alive, orders, pushes = worker_alive(batch), batch.command("XLEN", ORDERS), batch.command("XLEN", PUSHES)

    def found() -> Iterator[Sample]:
        yield table.WORKER_UP, (), alive.value
        yield table.SIGN_OUTS_WAITING, (), orders.value
        yield table.PUSHES_WAITING, (), pushes.value

    return found


def _outbox(batch: Batch) -> _Later:
    reading, inbox = outbox_status(batch), batch.command("XLEN", INBOX)

    def found() -> Iterator[Sample]:
        status = reading.status
        yield table.OUTBOX_WAITING, (), status.waiting
        yield table.OUTBOX_OLDEST, (), status.oldest
        yield table.OUTBOX_DEAD, (), status.dead
        yield table.OUTBOX_STOPPED, (), status.stopped_since > 0
        yield table.INBOX_WAITING, (), inbox.value

    return found


def _nodes(batch: Batch) -> _Later:
    reading = ask_nodes(batch)

    def found() -> Iterator[Sample]:
        nodes = reading.nodes
        for role in table.NODES.labels["role"]:
            standing = in_force([node for node in nodes if node.role == role])
            yield table.NODES, (role,), standing.of
            yield table.NODES_IN_FORCE, (role,), standing.on

    return found
