"""A Redis Cluster behind the store: each command goes to the node that has its key.

All keys of one script carry one slot tag, so that each script runs on one node, atomic as ever. A batch is one round
trip to each node that it concerns. Where slots lie is asked once, and again when a node does not know a key any more.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.crc import key_slot

from casduo.errors import UpstreamUnavailable
from casduo.settings.redisnodes import Node
from casduo.store.store import UNCONFIRMED, Confirmation, Pending, Store

_ELSEWHERE = frozenset(
    {
        "MovedError",
        "AskError",
        "TryAgainError",
        "ClusterDownError",
        "MasterDownError",
        "ReadOnlyError",
        "ConnectionError",
    }
)
"""Refusals after which it is worth asking who has the key now."""

_ALIVE = _ELSEWHERE - {"ConnectionError"} | {UNCONFIRMED}
"""Refusals of a node that has answered."""

_WITHOUT_KEY = frozenset({"PING", "TIME", "INFO"})
_KEY_BEHIND = {"XREADGROUP": "STREAMS"}
"""Commands whose key does not come first, and the word that it stands behind."""


class NodeStore(Store):
    """A store on one node of a cluster."""

    def __init__(self, client: redis.Redis, confirmation: Confirmation | None = None) -> None:
        super().__init__(client, confirmation)
        # Until it has been asked once: who has just taken over most likely is, and would be waited for in vain.
        self._all = 0

    def _give(self, pending: Sequence[Pending], answers: Sequence[Any]) -> None:
        """As the store does. Where a part of a batch has gone elsewhere the rest has happened: it is not sent again."""
        for (reply, *_), answer in zip(pending, answers, strict=True):
            if not isinstance(answer, Exception):
                reply._set(answer)
        super()._give(pending, answers)

    def _by_all(self, confirmed: int) -> bool:
        """Whether so many replicas are all that the masters have not agreed to be gone.

        Who is left alone by a failover goes on so. A master that is cut off cannot come to think so: whether a node is
        gone is agreed by most masters. Asked behind the write, so that whoever comes to follow it has that too.
        """
        rows = [line.split(" ") for line in str(self.command("CLUSTER", "NODES")).splitlines()]
        [own] = [row[0] for row in rows if "myself" in row[2].split(",")]
        return confirmed >= sum(1 for row in rows if row[3] == own and "fail" not in row[2].split(","))


class ClusterStore(Store):
    """A store whose keys lie on several nodes.

    :param seeds: nodes to ask first who the others are
    :param connect: makes the store of one node; nothing is connected before its first command
    """

    def __init__(self, seeds: Sequence[Node], connect: Callable[[Node], Store]) -> None:
        self._seeds = tuple(seeds)
        self._connect = connect
        self._stores: dict[Node, Store] = {}
        self._lock = threading.Lock()
        self._starts: tuple[int, ...] = ()
        self._owners: tuple[Node, ...] = ()
        self._silent: Node | None = None

    def apart(self, *keys: str) -> bool:
        """See :meth:`~casduo.store.store.Store.apart`."""
        return len({key_slot(key.encode()) for key in keys}) > 1

    def ping(self) -> None:
        """Ask whether every node answers that has keys.

        :raises UpstreamUnavailable: one does not
        """
        for node in sorted(set(self._map())):
            self._store_of(node).ping()

    def close(self) -> None:
        """Give back every connection."""
        with self._lock:
            stores, self._stores = self._stores, {}
        for store in stores.values():
            store.close()

    def _run(self, pending: Sequence[Pending], *, measured: bool = True) -> None:
        try:
            self._run_by_node(pending, measured)
        except UpstreamUnavailable as error:
            self._owners = ()
            if error.detail not in _ELSEWHERE:
                raise
            # As with a connection that was closed: what has no answer yet is sent once more.
            self._run_by_node([item for item in pending if not item[0].done], measured)

    def _run_by_node(self, pending: Sequence[Pending], measured: bool) -> None:
        self._map()
        groups: dict[Node, list[Pending]] = {}
        for item in pending:
            groups.setdefault(self._owner(_key_of(item)), []).append(item)
        unconfirmed = None
        # Orders go behind what they are about: whoever takes one at once is to find that done.
        for node, items in sorted(groups.items(), key=lambda group: any(map(_is_order, group[1]))):
            try:
                self._store_of(node)._run(items, measured=measured)
            except UpstreamUnavailable as error:
                if error.detail == UNCONFIRMED:
                    # It has happened, and so has to happen what belongs to it.
                    unconfirmed = error
                    continue
                if error.detail not in _ALIVE:
                    self._silent = node
                raise
        if unconfirmed is not None:
            raise unconfirmed

    def _owner(self, key: str | None) -> Node:
        if key is None:
            return self._owners[0]
        return self._owners[bisect_right(self._starts, key_slot(key.encode())) - 1]

    def _map(self) -> tuple[Node, ...]:
        """Return the owners of the slots, in the order of their slots.

        :raises UpstreamUnavailable: no node tells
        """
        if self._owners:
            return self._owners
        last = UpstreamUnavailable("redis", "ClusterDownError")
        # The one that did not answer just now comes last: it may stand still, and asking it takes all the time.
        for node in sorted(dict.fromkeys((*self._stores, *self._seeds)), key=lambda node: node == self._silent):
            try:
                ranges = sorted(self._store_of(node).command("CLUSTER", "SLOTS"), key=lambda one: int(one[0]))
            except UpstreamUnavailable as error:
                last = error
                continue
            if ranges:
                # A node that does not know its own address tells none: it is the one that was asked.
                owners = tuple((str(one[2][0] or node[0]), int(one[2][1])) for one in ranges)
                self._starts, self._owners = tuple(int(one[0]) for one in ranges), owners
                return owners
        raise last

    def _store_of(self, node: Node) -> Store:
        with self._lock:
            found = self._stores.get(node)
            if found is None:
                found = self._stores[node] = self._connect(node)
            return found


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
