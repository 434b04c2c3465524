"""Examines Redis, and what workers keep there: a sign of life, events, and how they get on with Webex."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from casduo.clock import Clock
from casduo.diagnosis.events import EventFacts, ask_events, judge_events
from casduo.diagnosis.masters import MasterFacts, ask_master, judge_master, judge_replicas
from casduo.diagnosis.model import Finding, Part
from casduo.diagnosis.nodes import judge_nodes
from casduo.diagnosis.outbox import examine_outbox
from casduo.errors import UpstreamUnavailable
from casduo.events.readers import readers_of
from casduo.nodes.model import Node
from casduo.nodes.roster import ask_nodes
from casduo.settings import Settings
from casduo.store import Store
from casduo.store.opening import running_store
from casduo.webex.upkeep import wanted_webhook
from casduo.worker.heartbeat import worker_alive

_REFUSALS = ("NoPermissionError", "ResponseError")
_PART = Part("Redis")
_WORKER = Part("Worker")


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What Redis says.

    :param masters: each Redis that has keys: one, or those of a cluster.
    :param worker: whether a worker gave a sign of life.
    :param events: what it says of events.
    :param nodes: that gave a sign of life.
    """

    masters: tuple[MasterFacts, ...]
    worker: bool
    events: EventFacts = field(default_factory=EventFacts)
    nodes: tuple[Node, ...] = ()

    @property
    def skew(self) -> float:
        """The clock of Redis minus ours in seconds; of a cluster, that of the node which is off most."""
        return max((master.skew for master in self.masters), key=abs)


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
    for master in facts.masters:
        yield from judge_replicas(master, settings.redis)
    yield judge_worker(facts.worker, started_by_server=settings.server.worker)
    yield from judge_nodes(facts.nodes)
    yield from judge_events(facts.events, readers_of(settings), clock() + facts.skew)
    yield from sending


def ask_store(store: Store, clock: Clock) -> StoreFacts:
    """Ask about everything: one round trip, and one to each master of a cluster.

    :raises UpstreamUnavailable: it does not answer, or not to this account.
    """
    batch = store.batch()
    asked = []
    for name, master in store.masters():
        own = batch if master is store else master.batch()
        asked.append((own, ask_master(own, name, clock)))
    worker, events, nodes = worker_alive(batch), ask_events(batch), ask_nodes(batch)
    batch.run()
    masters = []
    for own, told in asked:
        own.run()
        # At once, for its clock is compared with ours.
        masters.append(told())
    return StoreFacts(tuple(masters), bool(worker.value), events.facts, nodes.nodes)


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
    """Yield what is to say about each Redis that answers."""
    for master in facts.masters:
        yield from judge_master(master)


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
