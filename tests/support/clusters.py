"""A Redis Cluster of three masters, each with a replica. Any of them can be killed or paused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.crc import key_slot

from tests.support.ports import free_ports
from tests.support.redis_fleet import Server, caught_up, cut_off, joined, redis_server
from tests.support.waiting import until

PASSWORD = "of-the-cluster"
_SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))


@dataclass(frozen=True)
class Cluster:
    """``url`` is what the settings have; ``servers`` are masters and replicas, whoever is which."""

    url: str
    servers: tuple[Server, ...]

    @property
    def settings(self) -> str:
        """The address with its password, as it goes into the quotes of ``redis: {url: '...'}``."""
        return self.url

    def masters(self) -> list[Server]:
        """Return who has slots, as most nodes say that answer."""
        return sorted({owner for _, _, owner in self._slots()}, key=lambda server: server.port)

    def holder(self, key: str) -> Server:
        """Return who answers for a key."""
        slot = key_slot(key.encode())
        [owner] = [owner for first, last, owner in self._slots() if first <= slot <= last]
        return owner

    def replicas_of(self, master: Server) -> list[Server]:
        """Return who follows a master."""
        rows = self._any("CLUSTER", "REPLICAS", str(master.ask("CLUSTER", "MYID")))
        assert isinstance(rows, list)
        ports = [int(str(row).rpartition("@")[0].rpartition(":")[2]) for row in rows]
        return [server for server in self.servers if server.port in ports]

    def catch_up(self, master: Server) -> None:
        """Wait until the replicas have all that a master has by now."""
        caught_up(master, self.replicas_of(master))

    def cut_off(self, server: Server) -> None:
        """Have nothing that a master writes from now on reach its replicas."""
        cut_off(server, self.replicas_of(server))

    def await_failover(self, old: Server) -> None:
        """Wait until nobody believes any more that ``old`` has slots, and the cluster is whole. All but ``old`` can
        reach each other again.
        """
        others = [server for server in self.servers if server is not old and server.running]
        joined(others)
        until(lambda: all(_whole(node) and old not in self._owners(node) for node in others), "another took over")

    def restore(self) -> None:
        """Have all run again, three of them masters, each with a replica that has all there is."""
        for server in self.servers:
            server.revive()
        joined(self.servers)
        until(lambda: all(_whole(node) for node in self.servers), "the cluster is whole")
        until(lambda: len({str(node.ask("CLUSTER", "SLOTS")) for node in self.servers}) == 1, "all know who has slots")
        until(lambda: all(map(_followed, self.masters())), "each master has a replica")

    def _slots(self) -> list[tuple[int, int, Server]]:
        rows = self._any("CLUSTER", "SLOTS")
        return self._read(rows)

    def _owners(self, node: Server) -> list[Server]:
        return [owner for _, _, owner in self._read(node.ask("CLUSTER", "SLOTS"))]

    def _read(self, rows: object) -> list[tuple[int, int, Server]]:
        assert isinstance(rows, list)
        by_port = {server.port: server for server in self.servers}
        return [(int(first), int(last), by_port[int(master[1])]) for first, last, master, *_ in rows]

    def _any(self, *words: str | int) -> object:
        for server in self.servers:
            if server.running and (found := server.ask(*words)) is not None:
                return found
        raise AssertionError("no node answers")


@contextmanager
def running_cluster(
    directory: Path, *, node_timeout: int = 1200, replicas: bool = True, spare: int = 0
) -> Iterator[Cluster]:
    """Run it.

    :param node_timeout: milliseconds of silence after which a node counts as gone
    :param replicas: whether masters have them
    :param spare: how many more masters there are, without slots
    """
    # Nodes talk to each other on a second port each, which has to be told: by habit it is beyond those that are free.
    count = (6 if replicas else 3) + spare
    free = free_ports(2 * count)
    ports, buses = free[:count], free[count:]
    with ExitStack() as stack:
        servers = []
        for port, bus in zip(ports, buses, strict=True):
            home = directory / str(port)
            home.mkdir(parents=True)
            options = {
                "port": port,
                "bind": "127.0.0.1",
                "dir": home,
                "logfile": home / "log",
                "save": "",
                "requirepass": PASSWORD,
                "masterauth": PASSWORD,
                "repl-diskless-sync-delay": 0,
                "cluster-enabled": "yes",
                "cluster-port": bus,
                "cluster-node-timeout": node_timeout,
            }
            words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
            servers.append(Server(port, PASSWORD, [redis_server(), *words]))
            servers[-1].start()
            stack.callback(servers[-1].end)
        for server in servers:
            until(server.answers, "a node of the cluster answers")
        masters = servers[:3]
        for server, slots in zip(masters, _SLOTS, strict=True):
            assert server.ask("CLUSTER", "ADDSLOTSRANGE", *slots)
        for number, server in enumerate(servers, 1):
            assert server.ask("CLUSTER", "SET-CONFIG-EPOCH", number)
        for port, bus in zip(ports[1:], buses[1:], strict=True):
            assert servers[0].ask("CLUSTER", "MEET", "127.0.0.1", port, bus)
        for replica, master in zip(servers[3 : count - spare], masters, strict=False):
            name = str(master.ask("CLUSTER", "MYID"))
            until(lambda replica=replica, name=name: bool(replica.ask("CLUSTER", "REPLICATE", name)), "it follows")
        seeds = ",".join(f"127.0.0.1:{port}" for port in ports)
        cluster = Cluster(f"redis+cluster://:{PASSWORD}@{seeds}", tuple(servers))
        until(lambda: all(_whole(node, count) for node in servers), "the cluster is whole")
        if replicas:
            until(lambda: all(node.replicas() == 1 for node in masters), "each master has a replica")
        yield cluster


def _followed(master: Server) -> bool:
    """Return whether one replica has all that a master has, and both that and the master's view of the cluster say so.

    One that stood still believes for a moment to be a master, and its successor that it is alone.
    """
    rows = [line.split(" ") for line in str(master.ask("CLUSTER", "NODES")).splitlines()]
    name = str(master.ask("CLUSTER", "MYID"))
    followers = [row for row in rows if row[3] == name and not {"fail", "fail?"} & set(row[2].split(","))]
    return master.replicas() == 1 and len(followers) == 1


def _whole(node: Server, count: int = 0) -> bool:
    state, nodes = node.ask("CLUSTER", "INFO"), node.ask("CLUSTER", "NODES")
    if not isinstance(state, str) or not isinstance(nodes, str):
        return False
    return "cluster_state:ok" in state and len(nodes.splitlines()) >= count and "handshake" not in nodes
