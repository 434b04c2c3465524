"""Sessions are ended on a cluster of which one master dies: what could not be ended is found again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.store import Store
from casduo.tickets.finding import SessionFinder, SessionQuery
from casduo.tickets.ids import SessionName
from casduo.tickets.index import user_index_key
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.tickets.signouts import ORDERS
from tests.support.clusters import Cluster, running_cluster
from tests.support.opened import opened_store
from tests.support.waiting import until

_LIBRARY = "https://library.example.edu/"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Cluster, Store]]:
    with running_cluster(tmp_path / "redis") as cluster:
        store = opened_store(tmp_path, f"url: '{cluster.url}'", 1)
        with closing(store):
            yield cluster, store


def visited(store: Store, tickets: TicketRegistry, person: str, now: float) -> SessionName:
    """Open a session and have an application validate a ticket of it."""
    batch = store.batch()
    opened = tickets.open_session(batch, TicketGrantingTicket(person, {}, "ldap", now), now)
    granting = tickets.grant_service_ticket(batch, opened.id, _LIBRARY, "library", primary=True, now=now)
    batch.run()
    assert tickets.take(granting.id) is not None
    return opened.id.name


def test_what_could_not_be_ended_is_found_again_and_of_the_rest_applications_are_told(
    opened: tuple[Cluster, Store],
) -> None:
    cluster, store = opened
    tickets, now = TicketRegistry(store, Lifetimes()), time.time()
    there = cluster.holder(ORDERS)
    # The index lies where the orders do: both are there while another master is away.
    person = next(name for name in map(str, range(99)) if cluster.holder(user_index_key(name)) is there)
    names = [visited(store, tickets, person, now) for _ in range(30)]
    away = next(server for server in cluster.masters() if server is not there)
    lost = {name for name in names if cluster.holder(name.key) is away}
    finder = SessionFinder(store, tickets)
    found = finder.find(SessionQuery(user=person)).sessions
    cluster.catch_up(away)
    away.kill()
    with pytest.raises(UpstreamUnavailable):
        finder.end(found, now)
    cluster.await_failover(away)
    cluster.restore()

    def living() -> set[SessionName] | None:
        try:
            return {name for name in names if store.command("EXISTS", name.key)}
        except UpstreamUnavailable:
            return None

    until(lambda: living() is not None, "all masters answer")
    assert living() == lost
    assert {session.name for session in finder.find(SessionQuery(user=person)).sessions} == lost
    told = {fields[fields.index("id") + 1].partition(".")[0] for _, fields in store.command("XRANGE", ORDERS, "-", "+")}
    assert told >= {name.tag for name in names if name not in lost}
    assert tickets.close_sessions_of(person, "fraud", time.time()) == len(lost)
