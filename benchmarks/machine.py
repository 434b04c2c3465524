"""The machine a benchmark runs on: processes on a core of their own, virtual environments, and facts for the report."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import importlib.metadata
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_FIRST_PORT, _PORTS = 10_000, 2_000
START_SECONDS = 60.0
"""How long a subject may take until it answers."""


def cores() -> tuple[set[int], set[int]]:
    """Return the core for the subjects and the core for the driver; both empty where processes cannot be pinned."""
    if not hasattr(os, "sched_getaffinity"):
        return set(), set()
    available = sorted(os.sched_getaffinity(0))
    return {available[0]}, {available[-1]}


SUBJECT_CORE, DRIVER_CORE = cores()


def pin_driver() -> None:
    """Keep this process on the driver's core."""
    _pin(DRIVER_CORE)


def _pin(core: set[int]) -> None:
    if core:
        os.sched_setaffinity(0, core)


@contextlib.contextmanager
def process(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path,
    log: Path,
    user: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` on the subjects' core while the context is open, with everything it starts.

    Its environment is this one's without settings of casduo's and without ``PYTHONPATH``, plus ``environment``.
    """
    with log.open("ab") as output:
        _pin(SUBJECT_CORE)
        try:
            started = subprocess.Popen(
                command,
                env=clean_environment() | dict(environment or {}),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=user,
            )
        finally:
            pin_driver()
    try:
        yield started
    finally:
        _end(started)


def _end(started: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, then end its whole group."""
    started.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        started.wait(timeout=15)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would change how a subject runs."""
    return {
        name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("CASDUO_")
    }


def run(command: Sequence[str], *, environment: Mapping[str, str], directory: Path, user: str | None = None) -> None:
    """Run ``command`` to its end on the subjects' core. Raises ``SystemExit`` with its output when it fails."""
    done = subprocess.run(
        command,
        env=clean_environment() | dict(environment),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        user=user,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{(done.stdout + done.stderr).decode(errors='replace')}")


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on: below those that the system gives to whoever asks
    for any, so that nobody comes by it before it is used.
    """
    while True:
        port = _FIRST_PORT + secrets.randbelow(_PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def wait_for_answer(port: int, started: subprocess.Popen[bytes], log: Path) -> float:
    """Return when somebody answers requests on ``port``, and the seconds that took.

    Raises ``SystemExit`` with the end of the log when the process does not come up.
    """
    begin = time.monotonic()
    while time.monotonic() < begin + START_SECONDS and started.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection,
        ):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            if connection.recv(1):
                return time.monotonic() - begin
        time.sleep(0.01)
    raise SystemExit(f"a subject did not start; its log says:\n{log.read_text(errors='replace')[-3000:]}")


def cpu_seconds(processes: Sequence[int]) -> float:
    """Return the processor time that ``processes`` and all they started have used; 0 where there is no ``/proc``."""
    table = _process_table()
    parents = {number: parent for number, (parent, _) in table.items()}
    ticks = sum(used for number, (_, used) in table.items() if _descends_from(number, set(processes), parents))
    return ticks / os.sysconf("SC_CLK_TCK")


def _process_table() -> dict[int, tuple[int, int]]:
    """Return parent and clock ticks used of every process; empty where there is no ``/proc``."""
    table = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything; state and parent follow it.
            fields = path.read_text().rpartition(")")[2].split()
            # Own user and system time, then those of children that have ended.
            table[int(path.parent.name)] = int(fields[1]), sum(int(field) for field in fields[11:15])
    return table


def memory_megabytes(processes: Sequence[int]) -> float:
    """Return the memory of ``processes`` and all they started, shared pages counted once; 0 without ``/proc``."""
    return sum(map(own_megabytes, family(processes)))


def family(processes: Sequence[int]) -> list[int]:
    """Return ``processes`` and all they started, as far as they run; nothing without ``/proc``."""
    parents = {number: parent for number, (parent, _) in _process_table().items()}
    return [number for number in parents if _descends_from(number, set(processes), parents)]


def own_megabytes(process: int) -> float:
    """Return the memory of one process, of shared pages its part; 0 where that cannot be told."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return 0.0


def _descends_from(number: int, ancestors: set[int], parents: Mapping[int, int]) -> bool:
    while number and number not in ancestors:
        number = parents.get(number, 0)
    return number in ancestors


def virtual_environment(name: str, requirements: Sequence[str]) -> Path:
    """Return the Python of an environment with ``requirements``, made on first use and kept in the user's cache."""
    digest = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()[:12]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "casduo-benchmarks" / f"{name}-{digest}"
    python = home / "bin" / "python"
    complete = home / "complete"
    if not complete.is_file():
        print(f"Installing {name} into an environment of its own ...", file=sys.stderr, flush=True)
        venv.create(home, clear=True, with_pip=True)
        run([str(python), "-m", "pip", "install", *requirements], environment={}, directory=home)
        complete.touch()
    return python


def memory_directory() -> Path | None:
    """Return a directory on a memory disk, or None where there is none."""
    shared = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
    return shared if os.access(shared, os.W_OK) else None


def find_program(name: str, *directories: str) -> str | None:
    """Return the path of a program, looked for on the PATH and in ``directories`` (patterns, newest version last)."""
    places = [str(path) for pattern in directories for path in sorted(Path("/").glob(pattern.lstrip("/")))]
    return shutil.which(name, path=os.pathsep.join([*reversed(places), os.environ.get("PATH", "")]))


def measured() -> str:
    """Return when this is and how busy the machine: what a page says above figures."""
    today = datetime.datetime.now(datetime.UTC)
    return f"Measured on {today:%d %B %Y}; load average at the end {os.getloadavg()[0]:.1f}, this included."


def facts() -> list[tuple[str, str]]:
    """Return what a reader has to know about the machine, and nothing that identifies it."""
    pinned = "subjects on one core, driver on another" if SUBJECT_CORE != DRIVER_CORE else "not pinned"
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("granian", "werkzeug", "redis"))
    return [
        ("processor", f"{_processor()}, {os.cpu_count()} cores; {pinned}"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("Python", platform.python_version()),
        ("libraries", versions),
    ]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
