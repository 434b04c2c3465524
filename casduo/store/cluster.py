"""A Redis Cluster behind the store: each command goes to the node that has its key.

All keys of one script carry one slot tag, so that each script runs on one node, atomic as ever. A batch is one round
trip to each node that it concerns. Where slots lie is asked once, and again when a node does not know a key any more.
While slots are moved commands follow them, and scripts wait until theirs has arrived.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import redis

from casduo.errors import UpstreamUnavailable
from casduo.settings.redisnodes import Node
from casduo.store.redirects import ELSEWHERE, ONCE_MORE, SlotMap, Way, companion, read_slots, slot_of, way_after
from casduo.store.store import Confirmation, Pending, Reply, Store, Value, unavailable

_PAUSE = 0.02
"""Seconds until it is tried again what waits for a slot to arrive."""
_AT_ONCE = 2
"""So many times commands follow a slot without a pause."""

_LINKED = re.compile(r"^slave\d+:ip=([^,]+),port=(\d+),", re.MULTILINE)
"""A replica in the answer to ``INFO replication``."""

_WITHOUT_KEY = frozenset({"PING", "TIME", "INFO"})
_KEY_BEHIND = {"XREADGROUP": "STREAMS"}
"""Commands whose key does not come first, and the word that it stands behind."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a node refused before anything happened, and what to do about it.

    :param error: what is told where that is of no use
    """

    way: Way
    error: UpstreamUnavailable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of commands at one node. All that were not refused have happened.

    :param refused: by the reply that they wait for
    :param doubt: why what was to be confirmed is not, ``None`` where it is
    """

    refused: dict[Reply, Refusal]
    doubt: UpstreamUnavailable | None = None


class NodeStore(Store):
    """A store on one node of a cluster.

    :param node: where it is
    """

    def __init__(self, client: redis.Redis, node: Node, confirmation: Confirmation | None = None) -> None:
        super().__init__(client, confirmation)
        self._node = node
        # Until it has been asked once: who has just taken over most likely is, and would be waited for in vain.
        self._all = 0

    def attempt(self, pending: Sequence[Pending], *, asking: bool = False, measured: bool = True) -> Outcome:
        """Send commands, of which some may be refused because their slots are not here.

        :param asking: whether the slots are on their way to this node
        :raises UpstreamUnavailable: there is no answer, or a refusal of another kind
        """
        sent = [each for item in pending for each in (_asking(), item)] if asking else pending
        answers, judge = self._answers(sent, measured=measured)
        refused: dict[Reply, Refusal] = {}
        accepted = []
        for item, answer in zip(sent, answers, strict=True):
            if not isinstance(answer, Exception):
                accepted.append((item, answer))
                continue
            error, way = unavailable(answer), way_after(answer, self._node, script=item[1] is not None)
            if way is None:
                raise error from answer
            refused[item[0]] = Refusal(way, error)
        # What was refused says nothing about the rest: it has been written here, and is confirmed from here.
        if any(confirmed for (*_, confirmed), _ in accepted):
            try:
                judge()
            except UpstreamUnavailable as doubt:
                return Outcome(refused, doubt)
        for (reply, *_), answer in accepted:
            reply._set(answer)
        return Outcome(refused)

    def _words(self, item: Pending, *, by_text: bool = False) -> tuple[Value, ...]:
        """As the store does, and a key more for each script: see :func:`~casduo.store.redirects.companion`."""
        reply, script, words, confirmed = item
        if script is not None:
            behind = int(words[0]) + 1
            words = (behind, *words[1:behind], companion(str(words[1])), *words[behind:])
        return super()._words((reply, script, words, confirmed), by_text=by_text)

    def _by_all(self, confirmed: int) -> bool:
        """Whether so many replicas are all that the masters have not agreed to be gone.

        Who is left alone by a failover goes on so. A master that is cut off cannot come to think so: whether a node is
        gone is agreed by most masters. Asked behind the write, so that whoever comes to follow it has that too. Who is
        linked already stands among the nodes a moment later, and counts as well.
        """
        rows = [line.split(" ") for line in str(self.command("CLUSTER", "NODES")).splitlines()]
        [own] = [row[0] for row in rows if "myself" in row[2].split(",")]
        replicas = {row[1].partition("@")[0]: "fail" not in row[2].split(",") for row in rows if row[3] == own}
        linked = {f"{host}:{port}" for host, port in _LINKED.findall(str(self.command("INFO", "replication")))}
        return confirmed >= sum(replicas.values()) + len(linked - replicas.keys())


class ClusterStore(Store):
    """A store whose keys lie on several nodes.

    :param seeds: nodes to ask first who the others are
    :param connect: makes the store of one node; nothing is connected before its first command
    :param patience: seconds for which commands wait for slots that are being moved
    """

    def __init__(self, seeds: Sequence[Node], connect: Callable[[Node], NodeStore], patience: float) -> None:
        self._seeds = tuple(seeds)
        self._connect = connect
        self._patience = patience
        self._stores: dict[Node, NodeStore] = {}
        self._lock = threading.Lock()
        self._slots: SlotMap | None = None
        self._silent: Node | None = None
        self._newest: Node | None = None

    def apart(self, *keys: str) -> bool:
        """See :meth:`~casduo.store.store.Store.apart`."""
        return len({slot_of(key) for key in keys}) > 1

    def masters(self) -> Sequence[tuple[str, Store]]:
        """See :meth:`~casduo.store.store.Store.masters`."""
        return [(f"{host}:{port}", self._store_of((host, port))) for host, port in sorted(set(self._map().owners))]

    def ping(self) -> None:
        """Ask whether every node answers that has keys.

        :raises UpstreamUnavailable: one does not
        """
        for _, master in self.masters():
            master.ping()

    def close(self) -> None:
        """Give back every connection."""
        with self._lock:
            stores, self._stores = self._stores, {}
        for store in stores.values():
            store.close()

    def _run(self, pending: Sequence[Pending], *, measured: bool = True) -> None:
        # Orders go behind what they are about: whoever takes one at once is to find that done.
        orders = [item for item in pending if _is_order(item)]
        rest = [item for item in pending if not _is_order(item)] if orders else pending
        doubt = failure = None
        for items in (rest, orders):
            if items:
                # What is in doubt has happened, and of what failed a part may have, at other nodes: what belongs to it
                # has to happen too. An order about something that has not happened does nothing.
                try:
                    doubt = self._carry_out(items, measured) or doubt
                except UpstreamUnavailable as error:
                    failure = failure or error
        told = failure or doubt
        if told is not None:
            self._slots = None
            raise told

    def _carry_out(self, pending: Sequence[Pending], measured: bool) -> UpstreamUnavailable | None:
        """Send commands until none is refused. Returns why something is not confirmed.

        Only what was refused is sent again, or has no answer because a connection was closed: that once. What is of
        one slot keeps its order, by going the same way together.

        :raises UpstreamUnavailable: there is no answer, or slots have not arrived in time
        """
        todo = [(None if (key := _key_of(item)) is None else slot_of(key), item) for item in pending]
        ways: dict[int | None, Way] = {}
        until, turn, doubt = time.monotonic() + self._patience, 0, None
        gone = False
        while True:
            refused, doubted = self._once(todo, ways, measured)
            doubt = doubted or doubt
            if not refused:
                return doubt
            refusals, turn = list(refused.values()), turn + 1
            if any(one.way.stale for one in refusals):
                self._slots = None
            for one in refusals:
                if (gone and not one.way.moving) or time.monotonic() > until:
                    raise one.error
            gone = gone or not all(one.way.moving for one in refusals)
            if turn > _AT_ONCE or any(one.way.later for one in refusals):
                time.sleep(_PAUSE)
            todo = [(slot, item) for slot, item in todo if item[0] in refused]
            ways = {}
            for slot, item in todo:
                ways.setdefault(slot, refused[item[0]].way)

    def _once(
        self, todo: Iterable[tuple[int | None, Pending]], ways: dict[int | None, Way], measured: bool
    ) -> tuple[dict[Reply, Refusal], UpstreamUnavailable | None]:
        """Send each command to one node. Returns what was refused, and why something is not confirmed.

        :param ways: of slots that are not where the map says
        """
        slots, doubt = self._map(), None
        groups: dict[tuple[Node, bool], list[Pending]] = {}
        for slot, item in todo:
            way = ways.get(slot)
            where = (way.node, way.asking) if way is not None and way.node is not None else (slots.owner(slot), False)
            groups.setdefault(where, []).append(item)
        refused: dict[Reply, Refusal] = {}
        for (node, asking), items in groups.items():
            try:
                outcome = self._store_of(node).attempt(items, asking=asking, measured=measured)
            except UpstreamUnavailable as error:
                self._silent = node
                if error.detail not in ELSEWHERE:
                    raise
                # As with a connection that was closed: what has no answer is sent once more.
                outcome = Outcome({reply: Refusal(ONCE_MORE, error) for reply, *_ in items})
            doubt = outcome.doubt or doubt
            refused |= outcome.refused
            self._newest = next((one.way.node for one in outcome.refused.values() if one.way.stale), self._newest)
        return refused, doubt

    def _map(self) -> SlotMap:
        """Return who has which slots.

        :raises UpstreamUnavailable: no node tells
        """
        known = self._slots
        if known is not None:
            return known
        last = UpstreamUnavailable("redis", "ClusterDownError")
        # Whoever has just been named for a slot knows of that, others hear of it later. The one that did not answer
        # just now comes last: it may stand still, and asking it takes all the time.
        newest, silent = self._newest, self._silent
        nodes = dict.fromkeys((*self._stores, *self._seeds))
        for node in sorted(nodes, key=lambda node: (node == silent, node != newest)):
            try:
                found = read_slots(self._store_of(node).command("CLUSTER", "SLOTS"), node)
            except UpstreamUnavailable as error:
                last, self._silent = error, node
                continue
            if found is not None:
                self._slots = found
                self._leave({*found.owners, *self._seeds, newest})
                return found
        raise last

    def _leave(self, kept: set[Node | None]) -> None:
        """Give back the connections to nodes that have no slots any more: they may be switched off. Not those on which
        somebody still waits for an answer.
        """
        with self._lock:
            left = [self._stores.pop(node) for node in set(self._stores) - kept]
        for store in left:
            store._drop_idle()

    def _store_of(self, node: Node) -> NodeStore:
        with self._lock:
            found = self._stores.get(node)
            if found is None:
                found = self._stores[node] = self._connect(node)
            return found


def _asking() -> Pending:
    return Reply(), None, ("ASKING",), False


def _is_order(item: Pending) -> bool:
    return item[1] is not None and item[1].order


def _key_of(item: Pending) -> str | None:
    """Return the key by which a command finds its node; ``None`` where any will do."""
    _, script, words, _ = item
    if script is not None:
        return str(words[1])
    name = str(words[0])
    if name in _WITHOUT_KEY:
        return None
    return str(words[words.index(_KEY_BEHIND[name]) + 1]) if name in _KEY_BEHIND else str(words[1])
