"""No ticket validates twice, also where Redis dies between the two: what replicas confirm, and what happens without.

``CASDUO_FAILOVER_ROUNDS=20`` makes the loop long: each round another master dies, by turns killed, paused and cut off
from its replicas beforehand, on Sentinel and on Cluster.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.store.store import UNCONFIRMED
from casduo.tickets.ids import SessionName, TicketId
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from tests.support.clusters import Cluster, running_cluster
from tests.support.opened import opened_store
from tests.support.sentinels import Watched, watched_redis
from tests.support.waiting import PATIENCE, until

SERVICE = "https://library.example.edu/catalogue"
NOW = 1_750_000_000.0
ROUNDS = int(os.environ.get("CASDUO_FAILOVER_ROUNDS", "1"))
TOGETHER = 240
"""Tickets of one round."""
TIMEOUT = 1
"""Seconds."""

Fleet = Watched | Cluster
Node = Callable[..., TicketRegistry]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched_redis(tmp_path_factory.mktemp("watched") / "redis") as found:
        yield found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster") / "redis") as found:
        yield found


@pytest.fixture(params=["watched", "cluster"])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """Each in turn, whole again after what the test before has done to it."""
    found: Fleet = request.getfixturevalue(request.param)
    found.restore()
    return found


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Makes what a casduo node has of Redis: connections of its own."""
    with ExitStack() as stack:

        def make(fleet: Fleet, confirmed: str = "") -> TicketRegistry:
            store = opened_store(tmp_path, f"url: '{fleet.settings}', timeout: {TIMEOUT}s{confirmed}")
            stack.callback(store.close)
            # A ticket of the test has to outlive failovers.
            return TicketRegistry(store, Lifetimes(service_ticket=600.0))

        yield make


def granted(fleet: Fleet, tickets: TicketRegistry, count: int = 1) -> list[TicketId]:
    """Grant tickets, each on a session of its own, that all replicas know of."""
    found = []
    for number in range(count):
        batch = tickets._store.batch()
        session = tickets.open_session(batch, TicketGrantingTicket(f"user-{number}", {}, "users_file", NOW), NOW)
        granting = tickets.grant_service_ticket(batch, session.id, SERVICE, "library", primary=True, now=NOW)
        batch.run()
        assert granting.granted
        found.append(granting.id)
    for server in {fleet.holder(ticket.key) for ticket in found}:
        fleet.catch_up(server)
    return found


def take(tickets: TicketRegistry, ticket: TicketId) -> bool | None:
    """Return whether a ticket is good, ``None`` for no answer."""
    try:
        return tickets.take(ticket) is not None
    except UpstreamUnavailable:
        return None


def take_in_the_end(tickets: TicketRegistry, ticket: TicketId) -> bool:
    """Ask as an application does that is answered with errors: until there is another answer."""
    answers: list[bool | None] = []
    until(lambda: answers.append(take(tickets, ticket)) or answers[-1] is not None, "an answer about a ticket")
    return bool(answers[-1])


def test_a_use_that_no_replica_heard_of_gets_no_yes_and_an_end_no_thanks(fleet: Fleet, node: Node) -> None:
    tickets = node(fleet)
    [ticket] = granted(fleet, tickets)
    master = fleet.holder(ticket.key)
    fleet.cut_off(master)
    with pytest.raises(UpstreamUnavailable) as caught:
        tickets.take(ticket)
    assert caught.value.detail == UNCONFIRMED
    ending = tickets._store.batch()
    tickets.close_session(ending, SessionName(ticket.tag, "0" * 64), "logout", NOW)
    with pytest.raises(UpstreamUnavailable) as caught:
        ending.run()
    assert caught.value.detail == UNCONFIRMED
    # Used up all the same.
    assert take(tickets, ticket) is None
    master.kill()
    fleet.await_failover(master)
    assert [take_in_the_end(tickets, ticket) for _ in range(2)].count(True) == 1


def test_without_confirmation_a_ticket_is_good_twice(watched: Watched, node: Node) -> None:
    """What the setting is for."""
    watched.restore()
    tickets = node(watched, ", confirmed_by: 0")
    [ticket] = granted(watched, tickets)
    master = watched.master()
    watched.cut_off(master)
    assert take(tickets, ticket) is True
    master.kill()
    watched.await_failover(master)
    assert take_in_the_end(tickets, ticket) is True


def test_a_master_that_was_replaced_while_it_stood_still_says_no_yes(watched: Watched, node: Node) -> None:
    """Two masters at once: whoever still has a connection to the old one can use tickets there. Sentinels would tell
    the old one better before long, so they stand still meanwhile.
    """
    watched.restore()
    old, new = node(watched), node(watched)
    [ticket] = granted(watched, old)
    master = watched.master()
    master.pause()
    successor = watched.await_failover(master)
    until(lambda: successor.replicas() == 1, "the other replica follows the new master")
    new._store.ping()
    for sentinel in watched.sentinels:
        sentinel.pause()
    master.resume()
    with pytest.raises(UpstreamUnavailable) as caught:
        old.take(ticket)
    assert caught.value.detail == UNCONFIRMED
    assert take(new, ticket) is True
    assert take(new, ticket) is False
    for sentinel in watched.sentinels:
        sentinel.resume()
    until(lambda: master.replicas() == -1, "the old master follows the new one")
    # On the connection that led to the old one.
    assert take(old, ticket) is False


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_tickets_in_a_tight_loop_while_a_master_dies(fleet: Fleet, node: Node, turn: int) -> None:
    """Two nodes with two threads each present the same tickets, in different orders, until the master is gone; then
    each ticket is presented again, to both.
    """
    nodes = [node(fleet) for _ in range(2)]
    tickets = granted(fleet, nodes[0], TOGETHER)
    master = fleet.holder(tickets[0].key)
    said_yes: Counter[TicketId] = Counter()
    begun, lock = threading.Event(), threading.Lock()

    def present(number: int) -> None:
        silent = 0
        order = tickets[number * TOGETHER // 4 :] + tickets[: number * TOGETHER // 4]
        for ticket in order:
            answer = take(nodes[number % 2], ticket)
            with lock:
                said_yes[ticket] += answer is True
                if said_yes.total() > TOGETHER // 8:
                    begun.set()
            silent = 0 if answer is not None else silent + 1
            if silent == 2:
                return

    threads = [threading.Thread(target=present, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(PATIENCE)
    strike = ("kill", "pause", "cut")[turn % 3]
    if strike == "cut":
        fleet.cut_off(master)
    if strike == "pause":
        master.pause()
    else:
        master.kill()
    for thread in threads:
        thread.join(PATIENCE)
    before = said_yes.total()
    fleet.await_failover(master)
    for ticket in tickets:
        said_yes[ticket] += sum(take_in_the_end(one, ticket) for one in nodes)
    assert [ticket for ticket, times in said_yes.items() if times > 1] == []
    # It was tried while there was something to lose, and afterwards all goes on.
    assert TOGETHER // 8 < before < TOGETHER
    assert said_yes.total() > before
    assert take_in_the_end(nodes[1], granted(fleet, nodes[0])[0])
