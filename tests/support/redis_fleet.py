"""One of several Redis that belong together: a process of Debian's redis-server, to be killed, paused, revived."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.waiting import PATIENCE, until


def redis_server() -> str:
    """Return the program. Fails with a sentence when it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is missing: apt-get install redis-server (bin/test does it)")
    return program


@dataclass(eq=False)
class Server:
    """One server: its ``port`` on the loopback interface, and the words that start it."""

    port: int
    password: str
    words: list[str] = field(repr=False)
    process: subprocess.Popen[bytes] | None = None
    paused: bool = False

    def start(self) -> None:
        """Start it, or start it again with what it kept, which here is nothing but its configuration."""
        self.process, self.paused = subprocess.Popen(self.words, stdout=subprocess.DEVNULL), False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Have it stand still: connections stay open, nothing is answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def resume(self) -> None:
        """Let it go on where it stood, knowing nothing of the time in between."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def revive(self) -> None:
        """Have it run again, whatever was done to it, and wait until it answers."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        elif self.paused:
            self.resume()
        until(self.answers, "a server answers again")

    @property
    def running(self) -> bool:
        """Whether it is there and not paused."""
        return self.process is not None and self.process.poll() is None and not self.paused

    def client(self, timeout: float = 5.0) -> redis.Redis:
        """Return a client of this server and no other."""
        return redis.Redis(
            port=self.port,
            password=self.password,
            decode_responses=True,
            socket_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )

    def ask(self, *words: str | int) -> object:
        """Run one command; ``None`` where it does not answer or refuses."""
        with self.client() as client:
            try:
                return client.execute_command(*words)
            except redis.RedisError:
                return None

    def answers(self) -> bool:
        return bool(self.ask("PING"))

    def replicas(self) -> int:
        """Return how many replicas follow it and have all there is, -1 where it is not a master."""
        facts = self.ask("INFO", "replication")
        if not isinstance(facts, dict) or facts["role"] != "master":
            return -1
        rows = [facts[f"slave{number}"] for number in range(int(facts["connected_slaves"]))]
        return sum(1 for row in rows if row["state"] == "online")

    def offset(self) -> int:
        """Return up to where it has what was written, in octets since the beginning."""
        facts = self.ask("INFO", "replication")
        assert isinstance(facts, dict)
        return int(facts["master_repl_offset" if facts["role"] == "master" else "slave_repl_offset"])


def caught_up(master: Server, replicas: Sequence[Server]) -> None:
    """Wait until replicas have all that a master has by now."""
    written = master.offset()
    until(lambda: all(one.offset() >= written for one in replicas if one.running), "replicas have all of it")


def cut_off(master: Server, replicas: Sequence[Server]) -> None:
    """Have nothing that ``master`` writes from now on reach its replicas, as if the network between them were gone."""
    for replica in replicas:
        assert replica.ask("CONFIG", "SET", "masterauth", "not-the-password")
    master.ask("CLIENT", "KILL", "TYPE", "replica")
    until(lambda: master.replicas() == 0, "no replica follows")


def joined(servers: Sequence[Server]) -> None:
    """Undo :func:`cut_off`."""
    for server in servers:
        server.ask("CONFIG", "SET", "masterauth", server.password)


def written(directory: Path, name: str, text: str) -> Path:
    """Write a file into a directory that is made for it, and return its path."""
    directory.mkdir(parents=True)
    path = directory / name
    path.write_text(text, encoding="ascii")
    return path
