"""A Redis as a process that a test kills, stops, and starts again on the data that it left."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.waiting import until


class RedisProcess:
    """Debian's redis-server with an append-only file.

    :param fsync: ``always`` or ``everysec``
    """

    def __init__(self, directory: Path, fsync: str) -> None:
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is missing: apt-get install redis-server (bin/test does it)"
        self._socket, self._log = directory / "redis.sock", directory / "log"
        self._command = [program, "--port", "0", "--unixsocket", str(self._socket), "--dir", str(directory)]
        self._command += ["--appendonly", "yes", "--appendfsync", fsync, "--save", ""]
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, and wait until it has read its data."""
        self._start()
        self.wait()

    def start_slowly(self, key: float) -> None:
        """Start it, with so many seconds for each key that it reads, and wait until it says that it is at it: LOADING.

        Debug settings of its own do that: it says so, and little else, once in a thousand keys.
        """
        self._start("--key-load-delay", str(round(key * 1_000_000)))
        until(self._loads, "Redis is loading")

    def wait(self) -> None:
        """Wait until it has read its data."""
        until(self._answers, "Redis answers")

    def client(self) -> redis.Redis:
        """Return a client of its operator, who closes it."""
        return redis.Redis(unix_socket_path=str(self._socket), retry=Retry(NoBackoff(), 0))

    def kill(self) -> None:
        """End it without a moment for anything."""
        self._process.kill()
        self._process.wait()

    def signal(self, what: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(what)

    def end(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self.kill()

    def _start(self, *more: str) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([*self._command, *more], stdout=log, stderr=log)

    def _answers(self) -> bool:
        return self._state() is None

    def _loads(self) -> bool:
        state = self._state()
        assert state is not None, "Redis has read its data before it was seen at it"
        return isinstance(state, redis.BusyLoadingError)

    def _state(self) -> redis.RedisError | None:
        assert self._process.poll() is None, self._log.read_text(encoding="utf-8")[-2000:]
        try:
            with self.client() as client:
                client.ping()
        except redis.RedisError as error:
            return error
        return None


@contextmanager
def running_redis(directory: Path, fsync: str) -> Iterator[RedisProcess]:
    """Run one, in a directory that is made."""
    directory.mkdir()
    found = RedisProcess(directory, fsync)
    try:
        yield found
    finally:
        found.end()
