"""A Redis Cluster: whole logins over all its nodes, batches that concern several, and a master that dies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.crc import key_slot

from casduo.errors import UpstreamUnavailable
from casduo.settings.redisnodes import Node
from casduo.store import Store
from casduo.store.cluster import ClusterStore, NodeStore, Outcome
from casduo.store.store import UNCONFIRMED, Pending
from casduo.store.streams import append
from tests.support.clusters import Cluster, running_cluster
from tests.support.opened import opened_store
from tests.support.served import REGISTRY, serving
from tests.support.site import LIBRARY, Build, has_ticket, ticket_of
from tests.support.visitor import Visitor, ticket_in
from tests.support.waiting import until


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster") / "redis") as found:
        yield found


@pytest.fixture
def store(cluster: Cluster, tmp_path: Path) -> Iterator[Store]:
    found = opened_store(tmp_path, f"url: '{cluster.url}'", 1)
    yield found
    found.close()


def test_a_batch_of_many_keys_gets_each_answer_from_where_its_key_is(store: Store) -> None:
    batch = store.batch()
    for number in range(200):
        batch.command("SET", f"casduo:{{{number}}}:test", number, "EX", 60)
    replies = [batch.command("GET", f"casduo:{{{number}}}:test") for number in range(200)]
    moment = batch.command("TIME")
    batch.run()
    assert [reply.value for reply in replies] == [str(number) for number in range(200)]
    assert int(moment.value[0]) > 0


def test_keys_of_one_tag_are_together_and_others_may_not_be(store: Store) -> None:
    assert not store.apart("casduo:{a}:x", "casduo:{a}:y")
    assert store.apart("casduo:{a}:x", "casduo:{events}:stream")
    assert store.batch().apart("casduo:{a}:x", "casduo:{b}:x")


def test_server_and_worker_run_on_a_cluster_and_the_trail_has_every_event(cluster: Cluster, tmp_path: Path) -> None:
    with serving(tmp_path, cluster.url, worker=True) as served, Visitor("") as ada:
        page = ada.step(f"{served.url}login", params={"service": LIBRARY})
        ticket = ticket_in(ada.submit(page).headers["Location"])
        answer = ada.step(f"{served.url}p3/serviceValidate", params={"service": LIBRARY, "ticket": ticket})
        assert "<cas:user>ada</cas:user>" in answer.text
        assert ada.step(f"{served.url}readyz").text == "ok\n"
        assert ada.step(f"{served.url}logout").status_code == 200
        wanted = ("signin.ok", "ticket.granted", "ticket.validated", "signout")
        trail = tmp_path / "state" / "audit"

        def written() -> bool:
            text = "".join(path.read_text(encoding="utf-8") for path in trail.glob("*.jsonl"))
            return all(f'"{name}"' in text for name in wanted)

        until(written, "the trail has all of it")
    assert '"event":"fault"' not in served.log.read_text(encoding="utf-8")


class Told(NodeStore):
    """A node that notes what it is asked, and may stand still. It says of all that the first one has every slot."""

    def __init__(self, node: Node, asked: list[tuple[Node, str]], still: set[Node]) -> None:
        super().__init__(redis.Redis(), node)
        self._asked, self._still = asked, still
        self.slots: list[Any] = [[0, 16383, ["first", 1]]]

    def _run(self, pending: Sequence[Pending], *, measured: bool = True) -> None:
        for reply, _, words, _ in pending:
            self._asked.append((self._node, str(words[0])))
            if self._node in self._still:
                raise UpstreamUnavailable("redis", "TimeoutError")
            reply._set(self.slots if words[0] == "CLUSTER" else "PONG")

    def attempt(self, pending: Sequence[Pending], *, asking: bool = False, measured: bool = True) -> Outcome:
        self._run(pending, measured=measured)
        return Outcome({})


def test_who_stands_still_is_asked_last_who_has_what_now() -> None:
    asked: list[tuple[Node, str]] = []
    still: set[Node] = set()
    first, second = ("first", 1), ("second", 2)
    store = ClusterStore((first, second), lambda node: Told(node, asked, still), 1.0)
    store.command("GET", "a")
    still.add(first)
    with pytest.raises(UpstreamUnavailable):
        store.command("GET", "a")
    asked.clear()
    with pytest.raises(UpstreamUnavailable):
        store.command("GET", "a")
    assert asked == [(second, "CLUSTER"), (first, "GET")]


def test_a_node_that_has_no_slots_any_more_is_left_and_found_again() -> None:
    """It may be switched off: it is not asked, and no connection to it is kept."""
    asked: list[tuple[Node, str]] = []
    still: set[Node] = set()
    first, third = ("first", 1), ("third", 3)
    slots: list[Any] = []
    connected: list[Node] = []

    def connect(node: Node) -> NodeStore:
        connected.append(node)
        found = Told(node, asked, still)
        found.slots = slots
        return found

    store = ClusterStore((first,), connect, 1.0)
    shared = [[0, 99, ["first", 1]], [100, 16383, ["third", 3]]]
    for now, holder in ((shared, third), ([[0, 16383, ["first", 1]]], first), (shared, third)):
        if asked:
            # Whoever gets no answer asks anew who has what.
            still.add(asked[-1][0])
            with pytest.raises(UpstreamUnavailable):
                store.command("GET", "a")
            still.clear()
        slots[:] = now
        store.command("GET", "a")
        assert asked[-1] == (holder, "GET")
    assert connected == [first, third, third]


def test_what_nobody_confirms_stops_nothing_at_other_nodes(cluster: Cluster, store: Store) -> None:
    keys = [f"casduo:{{{number}}}:confirmed" for number in range(20)]
    away = cluster.holder(keys[0])
    cluster.cut_off(away)
    try:
        batch = store.batch()
        for key in keys:
            batch.confirmed("SET", key, "1", "EX", 60)
        with pytest.raises(UpstreamUnavailable) as caught:
            batch.run()
        assert caught.value.detail == UNCONFIRMED
        assert [store.command("GET", key) for key in keys] == ["1"] * len(keys)
    finally:
        cluster.restore()


def test_many_who_come_first_at_a_node_with_a_replica_are_all_confirmed(store: Store) -> None:
    def write(number: int) -> None:
        batch = store.batch()
        batch.confirmed("SET", f"casduo:{{{number}}}:first", "1", "EX", 60)
        batch.run()

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(write, range(60))) == [None] * 60


@pytest.mark.parametrize("apart", [True, False])
def test_an_order_goes_behind_what_it_is_about(apart: bool) -> None:
    """Whoever carries orders out takes one as soon as it is there. Also at the same node: what the order is about may
    be refused there, because its slot is being moved.
    """
    asked: list[tuple[Node, str]] = []
    border = key_slot(b"a")

    def connect(node: Node) -> NodeStore:
        found = Told(node, asked, set())
        found.slots = [[0, border - 1, ["first", 1]], [border, 16383, ["second" if apart else "first", 1]]]
        return found

    store = ClusterStore((("first", 1),), connect, 1.0)
    batch = store.batch()
    tag = next(str(number) for number in range(99) if key_slot(str(number).encode()) < border)
    append(batch, f"casduo:{{{tag}}}:queue", {"id": "1"}, 10, when_full=True)
    batch.command("SET", "casduo:{a}:closed", "1")
    batch.run()
    assert asked[1:] == [(("second" if apart else "first", 1), "SET"), (("first", 1), "1")]


def test_an_order_is_sent_where_a_part_of_what_it_is_about_has_failed() -> None:
    """The rest has happened, and nobody can repeat it: sessions have ended, and their applications are to be told."""
    asked: list[tuple[Node, str]] = []
    border = key_slot(b"a")

    def connect(node: Node) -> NodeStore:
        found = Told(node, asked, {("second", 2)})
        found.slots = [[0, border - 1, ["first", 1]], [border, 16383, ["second", 2]]]
        return found

    store = ClusterStore((("first", 1),), connect, 1.0)
    batch = store.batch()
    tag = next(str(number) for number in range(99) if key_slot(str(number).encode()) < border)
    append(batch, f"casduo:{{{tag}}}:queue", {"id": "1"}, 10, when_full=True)
    batch.command("SET", f"casduo:{{{tag}}}:closed", "1")
    batch.command("SET", "casduo:{a}:closed", "1")
    with pytest.raises(UpstreamUnavailable):
        batch.run()
    assert asked[1:] == [(("first", 1), "SET"), (("second", 2), "SET"), (("first", 1), "1")]


def test_people_stay_signed_in_when_a_master_dies(cluster: Cluster, build: Build) -> None:
    site = build(redis_url=cluster.url, registry=REGISTRY)
    browsers = [site.browser() for _ in range(6)]
    for browser in browsers:
        assert has_ticket(browser.sign_in())
    master = cluster.masters()[1]
    cluster.catch_up(master)
    master.kill()
    for browser in browsers:
        until(lambda browser=browser: has_ticket(browser.login_page()), "tickets are granted again")
        assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(browser.login_page())).text
    cluster.restore()
