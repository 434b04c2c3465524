"""How much waits in Redis, and how it is: everything that a scrape wants to know of it, in one round trip."""

from __future__ import annotations

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
    """Return how much waits. One round trip.

    :param readers: who reads events; ``outbox`` where there is a Webex
    :raises UpstreamUnavailable: Redis does not answer
    """
    batch = store.batch()
    memory, parts = batch.command("INFO", "memory"), [_events(batch, readers), _queues(batch), _nodes(batch)]
    if "outbox" in readers:
        parts.append(_outbox(batch))
    batch.run()
    facts = dict(line.split(":", 1) for line in memory.value.splitlines() if ":" in line)
    found: list[Sample] = [
        (table.REDIS_MEMORY, (), float(facts.get("used_memory", 0))),
        (table.REDIS_LIMIT, (), float(facts.get("maxmemory", 0))),
    ]
    for part in parts:
        found += part()
    return found


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
