"""Moves slots between masters of a cluster as its own tool does: opened at both ends, key by key, told to all."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Self

import redis
from redis.crc import key_slot

from tests.support.clusters import Cluster
from tests.support.redis_fleet import Server
from tests.support.waiting import until

_TOGETHER = 3
"""Keys in one command."""


class Operator:
    """Whoever moves slots. Holds a connection to each server."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._stack = ExitStack()
        self._clients: dict[Server, redis.Redis] = {}
        self._names: dict[Server, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ask(self, server: Server, *words: str | int) -> object:
        """Run one command at a server.

        :raises redis.RedisError: it refuses
        """
        if server not in self._clients:
            self._clients[server] = self._stack.enter_context(server.client())
        return self._clients[server].execute_command(*words)

    def name(self, server: Server) -> str:
        """Return the id of a node."""
        if server not in self._names:
            self._names[server] = str(self.ask(server, "CLUSTER", "MYID"))
        return self._names[server]

    def owned(self, server: Server) -> list[int]:
        """Return the slots that belong to a server, as that knows it."""
        found = self.ask(server, "CLUSTER", "SLOTS")
        assert isinstance(found, list)
        return [
            slot
            for first, last, owner, *_ in found
            if int(owner[1]) == server.port
            for slot in range(int(first), int(last) + 1)
        ]

    def begin(self, slot: int, source: Server, target: Server) -> None:
        """Open a slot at both ends."""
        self.ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", self.name(source))
        self.ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", self.name(target))

    def carry(self, keys: Iterable[str], source: Server, target: Server) -> None:
        """Move keys."""
        where = ("127.0.0.1", target.port, "", 0, 10_000, "AUTH", target.password)
        self.ask(source, "MIGRATE", *where, "KEYS", *keys)

    def end(self, slot: int, source: Server, target: Server, *, told: Iterable[Server] | None = None) -> None:
        """Give a slot to its new owner.

        :param told: who hears of it at once, in this order; without it both ends and all other masters
        """
        everybody = (target, source, *(one for one in self._cluster.masters() if one not in (source, target)))
        for server in everybody if told is None else told:
            try:
                self.ask(server, "CLUSTER", "SETSLOT", slot, "NODE", self.name(target))
            except redis.ResponseError as fault:
                # Who has heard by then that it gave away its last slot has become a replica.
                if server is target or "only with masters" not in str(fault):
                    raise

    def move(self, source: Server, target: Server, *slots: int) -> int:
        """Move slots, open at the same time, with all that is in them. Returns how many keys that were."""
        for slot in slots:
            self.begin(slot, source, target)
        moved = 0
        for slot in slots:
            while keys := self._keys(slot, source):
                self.carry(keys, source, target)
                moved += len(keys)
        for slot in slots:
            self.end(slot, source, target)
        return moved

    def _keys(self, slot: int, server: Server) -> list[str]:
        found = self.ask(server, "CLUSTER", "GETKEYSINSLOT", slot, _TOGETHER)
        assert isinstance(found, list)
        return found

    def filled(self, server: Server) -> list[int]:
        """Return the slots of a master in which there is something."""
        keys = self.ask(server, "KEYS", "*")
        assert isinstance(keys, list)
        return sorted({key_slot(key.encode()) for key in keys})

    def refusals(self, kind: str) -> int:
        """Return how many commands all servers together have refused with ``ASK``, ``MOVED`` or ``TRYAGAIN``."""
        found = [self.ask(server, "INFO", "errorstats") for server in self._cluster.servers if server.running]
        return sum(int(dict(facts).get(f"errorstat_{kind}", {"count": 0})["count"]) for facts in found)  # type: ignore[call-overload]

    def await_agreement(self) -> None:
        """Wait until all nodes know the same of each other. Before that a slot that goes back where it came from may
        end up with nobody: two nodes then give themselves the same epoch.
        """
        until(lambda: len({self._view(server) for server in self._cluster.servers if server.running}) == 1, "agreement")

    def _view(self, server: Server) -> frozenset[tuple[str, ...]]:
        """Return each node's id, epoch and slots, as a server knows them."""
        rows = [line.split(" ") for line in str(self.ask(server, "CLUSTER", "NODES")).splitlines()]
        return frozenset((row[0], row[6], *row[8:]) for row in rows)

    def forget(self, server: Server) -> None:
        """Have all others forget a node that has no slots, and switch it off."""
        name = self.name(server)
        for other in self._cluster.servers:
            if other is not server and other.running:
                self.ask(other, "CLUSTER", "FORGET", name)
        server.kill()
