"""A Redis with two replicas and three Sentinels, each with a password. Whoever is master can be killed or paused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_ports
from tests.support.redis_fleet import Server, caught_up, cut_off, joined, redis_server, written
from tests.support.waiting import until

PASSWORD = "of-the-servers"
SENTINEL_PASSWORD = "of-the-sentinels"
MASTER = "tickets"
_DOWN_MS = 1000
"""Silence after which a Sentinel believes that the master is gone. Less, and a crowded machine does it by itself."""
_PACE = {
    "PING-PERIOD": 200,
    "INFO-PERIOD": 300,
    "PUBLISH-PERIOD": 200,
    "ASK-PERIOD": 200,
    "ELECTION-TIMEOUT": 2000,
    # How long a Sentinel has to stand still to lose its trust in itself.
    "TILT-TRIGGER": 20000,
}
"""Milliseconds in which Sentinels look around: theirs are made for years, not for a test."""


@dataclass(frozen=True)
class Watched:
    """``url`` is what the settings have; ``servers`` are master and replicas, whoever is which."""

    url: str
    servers: tuple[Server, ...]
    sentinels: tuple[Server, ...]

    @property
    def settings(self) -> str:
        """The address with both passwords, as it goes into the quotes of ``redis: {url: '...'}``."""
        return self.url.replace("://", f"://:{PASSWORD}@") + f"', sentinel_password: '{SENTINEL_PASSWORD}"

    def master(self) -> Server:
        """Return who is master, as the Sentinels say."""
        found = self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        assert isinstance(found, list | tuple)
        [server] = [server for server in self.servers if server.port == int(found[1])]
        return server

    def replicas_of(self, master: Server) -> list[Server]:
        """Return the others."""
        return [server for server in self.servers if server is not master]

    def holder(self, key: str) -> Server:
        """Return who answers for a key."""
        return self.master()

    def catch_up(self, master: Server) -> None:
        """Wait until the replicas have all that a master has by now."""
        caught_up(master, self.replicas_of(master))

    def cut_off(self, server: Server) -> None:
        """Have nothing that a master writes from now on reach its replicas."""
        cut_off(server, self.replicas_of(server))

    def await_failover(self, old: Server) -> Server:
        """Wait for another master than ``old``, and return it. All but ``old`` can reach each other again."""
        joined([server for server in self.servers if server is not old])
        until(lambda: self.master() is not old and self.master().replicas() >= 0, "another is master")
        return self.master()

    def restore(self) -> Server:
        """Have all run again, one of them master and the others following it, and return the master."""
        for server in (*self.servers, *self.sentinels):
            server.revive()
        joined(self.servers)
        until(lambda: self.master().replicas() == len(self.servers) - 1, "all replicas follow")
        until(lambda: all(_sees_all(sentinel) for sentinel in self.sentinels), "Sentinels see all of them")
        return self.master()


@contextmanager
def watched_redis(directory: Path, *options: str) -> Iterator[Watched]:
    """Run them. Sentinels agree within a few seconds that a master is gone.

    :param options: lines of the servers' configuration
    """
    ports = free_ports(6)
    first, watching = ports[0], ports[3:]
    common = [f"requirepass {PASSWORD}", f"masterauth {PASSWORD}", "save ''", "repl-diskless-sync-delay 0", *options]
    # So that each knows the others from the start, and need not wait to hear of them.
    names = {port: f"{port:040x}" for port in watching}
    monitor = [
        f"sentinel monitor {MASTER} 127.0.0.1 {first} 2",
        f"sentinel auth-pass {MASTER} {PASSWORD}",
        f"sentinel down-after-milliseconds {MASTER} {_DOWN_MS}",
        f"sentinel failover-timeout {MASTER} 2000",
        f"sentinel parallel-syncs {MASTER} 2",
        *(f"sentinel known-replica {MASTER} 127.0.0.1 {port}" for port in ports[1:3]),
    ]
    with ExitStack() as stack:

        def start(port: int, password: str, lines: list[str], *words: str) -> Server:
            home = directory / str(port)
            text = "\n".join([f"port {port}", "bind 127.0.0.1", f"dir {home}", f"logfile {home}/log", *lines, ""])
            server = Server(port, password, [redis_server(), str(written(home, "redis.conf", text)), *words])
            server.start()
            stack.callback(server.end)
            return server

        master = start(first, PASSWORD, common)
        until(master.answers, "the master answers")
        follow = [*common, f"replicaof 127.0.0.1 {first}"]
        servers = (master, *(start(port, PASSWORD, follow) for port in ports[1:3]))
        sentinels = []
        for port in watching:
            others = [
                f"sentinel known-sentinel {MASTER} 127.0.0.1 {other} {names[other]}"
                for other in watching
                if other != port
            ]
            own = [f"requirepass {SENTINEL_PASSWORD}", f"sentinel sentinel-pass {SENTINEL_PASSWORD}"]
            lines = [*own, f"sentinel myid {names[port]}", *monitor, *others]
            sentinels.append(start(port, SENTINEL_PASSWORD, lines, "--sentinel"))
        for sentinel in sentinels:
            until(sentinel.answers, "a Sentinel answers")
            assert sentinel.ask("SENTINEL", "DEBUG", *(word for pair in _PACE.items() for word in pair))
        nodes = ",".join(f"127.0.0.1:{port}" for port in watching)
        watched = Watched(f"redis+sentinel://{nodes}/{MASTER}/0", servers, tuple(sentinels))
        watched.restore()
        yield watched


def _sees_all(sentinel: Server) -> bool:
    master = sentinel.ask("SENTINEL", "MASTER", MASTER)
    rows = sentinel.ask("SENTINEL", "REPLICAS", MASTER)
    if not isinstance(master, dict) or not isinstance(rows, list):
        return False
    good = [row for row in rows if row["flags"] == "slave" and row["master-link-status"] == "ok"]
    return master["flags"] == "master" and len(good) == 2 and int(master["num-other-sentinels"]) == 2
