"""Slots of a cluster are moved while they are used: every command is carried out, once, at the right node."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from casduo.errors import UpstreamUnavailable
from casduo.store import Store, load_script
from casduo.store.cluster import ClusterStore
from casduo.store.redirects import companion, slot_of
from casduo.store.store import UNCONFIRMED
from casduo.store.streams import StreamQueue, append
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from tests.support.clusters import Cluster, running_cluster
from tests.support.opened import opened_store
from tests.support.redis_fleet import Server
from tests.support.resharding import Operator
from tests.support.waiting import PATIENCE, until

NOW = 1_750_000_000.0
SERVICE = "https://library.example.edu/catalogue"
TAG = "moving"
SLOT = slot_of(f"{{{TAG}}}")
KEY, OTHER, THIRD = (f"casduo:{{{TAG}}}:{name}" for name in ("one", "two", "three"))
COUNT = load_script(__file__, "count.lua", confirmed=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster") / "redis") as found:
        yield found


@pytest.fixture
def operator(cluster: Cluster) -> Iterator[Operator]:
    with Operator(cluster) as found:
        yield found


@pytest.fixture
def ends(cluster: Cluster, operator: Operator) -> Iterator[tuple[Server, Server]]:
    """Who has the slot, and to whom it goes. Nothing is in it; afterwards it has arrived."""
    operator.await_agreement()
    source = cluster.holder(KEY)
    target = next(one for one in cluster.masters() if one is not source)
    yield source, target
    try:
        operator.move(source, target, SLOT)
    except redis.ResponseError:
        operator.end(SLOT, source, target)
    operator.ask(target, "DEL", KEY, OTHER, THIRD)


Opened = Callable[..., ClusterStore]


@pytest.fixture
def opened(cluster: Cluster, tmp_path: Path) -> Iterator[Opened]:
    """Opens a store as a node of casduo does."""
    found: list[Store] = []

    def make(timeout: str = "10s") -> ClusterStore:
        store = opened_store(tmp_path, f"url: '{cluster.url}', timeout: {timeout}")
        assert isinstance(store, ClusterStore)
        found.append(store)
        return store

    yield make
    for store in found:
        store.close()


@pytest.fixture
def store(opened: Opened) -> Store:
    return opened()


class Meanwhile:
    """Does something in a thread of its own, whose error is the test's."""

    def __init__(self, what: Callable[[], Any]) -> None:
        self._what, self._fault, self.answer = what, None, None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.answer = self._what()
        except Exception as fault:
            self._fault = fault

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join(PATIENCE)
        assert self.over
        if self._fault is not None:
            raise self._fault
        return self.answer


def refused(operator: Operator, server: Server, kind: str) -> int:
    """Return how many commands a server has refused with ``ASK``, ``MOVED`` or ``TRYAGAIN``."""
    facts = operator.ask(server, "INFO", "errorstats")
    assert isinstance(facts, dict)
    return int(facts.get(f"errorstat_{kind}", {"count": 0})["count"])


def test_what_has_moved_already_is_asked_for_where_it_is_and_the_map_stays(
    store: Store, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    store.command("SET", KEY, "moved", "PX", 60_000)
    store.command("SET", OTHER, "stays")
    operator.begin(SLOT, source, target)
    operator.carry([KEY], source, target)
    moved = refused(operator, target, "MOVED")
    asked = refused(operator, source, "ASK")
    for _ in range(3):
        assert store.command("GET", KEY) == "moved"
        assert store.command("GET", OTHER) == "stays"
    assert 0 < store.command("PTTL", KEY) <= 60_000
    # What is new comes into being where the slot goes.
    store.command("SET", THIRD, "new")
    assert operator.ask(source, "CLUSTER", "GETKEYSINSLOT", SLOT, 10) == [OTHER]
    assert refused(operator, source, "ASK") == asked + 5
    assert refused(operator, target, "MOVED") == moved
    operator.carry([OTHER], source, target)
    operator.end(SLOT, source, target)
    assert [store.command("GET", key) for key in (KEY, OTHER, THIRD)] == ["moved", "stays", "new"]


def test_a_batch_that_is_refused_in_parts_is_carried_out_whole_and_once(
    store: Store, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    store.command("RPUSH", KEY, "first")
    store.command("RPUSH", OTHER, "first")
    operator.begin(SLOT, source, target)
    operator.carry([OTHER], source, target)
    batch = store.batch()
    for word in ("a", "b", "c"):
        for key in (KEY, OTHER, THIRD, "casduo:{elsewhere}:list"):
            batch.command("RPUSH", key, word)
    replies = [batch.command("LRANGE", key, 0, -1) for key in (KEY, OTHER, THIRD)]
    batch.command("DEL", "casduo:{elsewhere}:list")
    batch.run()
    assert [reply.value for reply in replies] == [["first", "a", "b", "c"], ["first", "a", "b", "c"], ["a", "b", "c"]]


def test_a_script_waits_until_its_slot_has_arrived_and_runs_once(
    store: Store, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    store.command("SET", KEY, 1)
    store.command("SET", OTHER, 1)
    operator.begin(SLOT, source, target)
    operator.carry([KEY], source, target)
    before = refused(operator, source, "TRYAGAIN") + refused(operator, target, "TRYAGAIN")
    counting = Meanwhile(lambda: store.call(COUNT, (KEY, OTHER)))
    until(
        lambda: refused(operator, source, "TRYAGAIN") + refused(operator, target, "TRYAGAIN") > before + 2,
        "it is tried again",
    )
    operator.carry([OTHER], source, target)
    operator.end(SLOT, source, target)
    assert counting.result() == [2, 2]
    assert store.call(COUNT, (KEY, OTHER)) == [3, 3]


def test_who_waits_too_long_is_told_and_nothing_has_happened(
    opened: Opened, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    store = opened("1s")
    store.command("SET", KEY, 1)
    store.command("SET", OTHER, 1)
    operator.begin(SLOT, source, target)
    operator.carry([KEY], source, target)
    began = time.monotonic()
    with pytest.raises(UpstreamUnavailable) as caught:
        store.call(COUNT, (KEY, OTHER))
    assert caught.value.detail in ("TryAgainError", "AskError")
    assert 1.0 <= time.monotonic() - began < PATIENCE
    assert [store.command("GET", key) for key in (KEY, OTHER)] == ["1", "1"]
    # Everything else goes on.
    assert store.call(COUNT, ("casduo:{elsewhere}:1", "casduo:{elsewhere}:2")) == [1, 1]
    store.command("DEL", "casduo:{elsewhere}:1", "casduo:{elsewhere}:2")


def test_a_ticket_whose_session_has_not_arrived_is_neither_lost_nor_called_over(
    cluster: Cluster, store: Store, operator: Operator
) -> None:
    """The script finds the session by what the ticket says, and would miss it."""
    tickets = TicketRegistry(store, Lifetimes())
    for first in ("ticket", "session"):
        batch = store.batch()
        session = tickets.open_session(batch, TicketGrantingTicket("ada", {}, "users_file", NOW), NOW)
        granting = tickets.grant_service_ticket(batch, session.id, SERVICE, "library", primary=True, now=NOW)
        batch.run()
        ticket = granting.id
        source = cluster.holder(ticket.key)
        target = next(one for one in cluster.masters() if one is not source)
        slot = slot_of(ticket.key)
        operator.begin(slot, source, target)
        keys = [ticket.key, session.id.key]
        operator.carry(keys[:1] if first == "ticket" else keys[1:], source, target)
        taking = Meanwhile(lambda ticket=ticket: (tickets.take(ticket), tickets.take(ticket)))
        time.sleep(0.1)
        assert not taking.over
        operator.carry(keys[1:] if first == "ticket" else keys[:1], source, target)
        operator.end(slot, source, target)
        good, again = taking.result()
        assert good is not None
        assert good.session is not None
        assert again is None


def test_a_script_that_the_new_node_does_not_know_is_told_it(
    store: Store, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    assert store.call(COUNT, (KEY, OTHER)) == [1, 1]
    operator.begin(SLOT, source, target)
    operator.carry([KEY, OTHER], source, target)
    # The new owner knows that it is, the old one not yet.
    operator.end(SLOT, source, target, told=[target])
    operator.ask(target, "SCRIPT", "FLUSH")
    assert store.call(COUNT, (KEY, OTHER)) == [2, 2]


def test_slots_that_most_nodes_have_not_heard_of_are_found(
    store: Store, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    owned = set(operator.owned(source))
    keys = [key for number in range(500) if slot_of(key := f"casduo:{{{number}}}:found") in owned][:20]
    for key in keys:
        store.command("SET", key, 1, "EX", 600)
    for key in keys:
        operator.begin(slot_of(key), source, target)
        operator.carry([key], source, target)
        operator.end(slot_of(key), source, target, told=[target, source])
        assert store.command("INCR", key) == 2


def test_it_is_confirmed_from_where_it_was_written(
    cluster: Cluster, store: Store, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    store.command("SET", OTHER, "stays")
    operator.begin(SLOT, source, target)

    def write(*keys: str) -> None:
        batch = store.batch()
        for key in keys:
            batch.confirmed("SET", key, "written")
        batch.run()

    write(KEY, OTHER)
    # Nobody but the new node has this key.
    cluster.cut_off(source)
    try:
        write(KEY)
        # Of two, one is refused and then confirmed there; the other one was written here.
        with pytest.raises(UpstreamUnavailable) as caught:
            write(OTHER, KEY)
        assert caught.value.detail == UNCONFIRMED
    finally:
        cluster.restore()
    cluster.cut_off(target)
    try:
        write(OTHER)
        with pytest.raises(UpstreamUnavailable) as caught:
            write(KEY)
        assert caught.value.detail == UNCONFIRMED
    finally:
        cluster.restore()


def test_a_worker_that_waits_for_a_queue_follows_it(
    store: Store, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    queue = StreamQueue(store, KEY, "a-worker")
    over, seen = threading.Event(), []

    def work() -> None:
        while not over.is_set():
            for entry in queue.read(10, 0.3):
                seen.append(entry.fields["number"])
                queue.done(entry.id)

    working = Meanwhile(work)
    numbers = iter(range(100))

    def add() -> None:
        batch = store.batch()
        number = next(numbers)
        append(batch, KEY, {"number": number}, 1000, when_full=bool(number % 2))
        batch.run()

    try:
        for _ in range(6):
            add()
            until(lambda: not store.command("XLEN", KEY), "the worker waits")
            time.sleep(0.05)
            operator.move(source, target, SLOT)
            add()
            operator.await_agreement()
            source, target = target, source
        until(lambda: len(seen) == 12, "all is done")
    finally:
        over.set()
        working.result()
    assert sorted(seen, key=int) == [str(number) for number in range(12)]


def test_keys_of_all_kinds_arrive_with_what_is_left_of_their_time(
    store: Store, operator: Operator, ends: tuple[Server, Server]
) -> None:
    source, target = ends
    keys = {kind: f"casduo:{{{TAG}}}:{kind}" for kind in ("string", "hash", "list", "set", "zset", "stream")}
    batch = store.batch()
    batch.command("SET", keys["string"], "1")
    batch.command("HSET", keys["hash"], "a", "1")
    batch.command("RPUSH", keys["list"], "a", "b")
    batch.command("SADD", keys["set"], "a")
    batch.command("ZADD", keys["zset"], 1, "a")
    name = batch.command("XADD", keys["stream"], "*", "a", "1")
    for key in keys.values():
        batch.command("PEXPIRE", key, 60_000)
    batch.run()
    assert operator.move(source, target, SLOT) >= len(keys)
    for key in keys.values():
        assert 0 < store.command("PTTL", key) <= 60_000
    assert store.command("HGETALL", keys["hash"]) == ["a", "1"]
    assert store.command("LRANGE", keys["list"], 0, -1) == ["a", "b"]
    assert store.command("ZRANGE", keys["zset"], 0, -1, "WITHSCORES") == ["a", "1"]
    assert store.command("XRANGE", keys["stream"], "-", "+") == [[name.value, ["a", "1"]]]
    store.command("DEL", *keys.values())


def test_inside_a_script_each_command_is_looked_at_again(operator: Operator, ends: tuple[Server, Server]) -> None:
    """Why scripts wait: without the companion one stops in its middle, and what it has done stays."""
    source, target = ends
    text = "redis.call('DEL', KEYS[1]) return redis.call('SET', KEYS[1], 'new')"
    operator.ask(source, "SET", KEY, "old")
    operator.begin(SLOT, source, target)
    with pytest.raises(redis.exceptions.TryAgainError):
        operator.ask(source, "EVAL", text, 2, KEY, companion(KEY))
    assert operator.ask(source, "GET", KEY) == "old"
    with pytest.raises(redis.ResponseError, match="non local key"):
        operator.ask(source, "EVAL", text, 1, KEY)
    assert operator.ask(source, "CLUSTER", "COUNTKEYSINSLOT", SLOT) == 0
