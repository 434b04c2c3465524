"""The other CAS servers: installed from PyPI into environments of their own, set up, and run under granian."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import machine
from benchmarks.scenarios import Target
from benchmarks.subjects import USERS, granian

SETTINGS = Path(__file__).parent / "peers"
THREADS = {"postgresql": 4, "memory": 2}
"""What they are fastest with; more threads make them slower."""

REQUIREMENTS = {
    "django-cas-server": ("django-cas-server==3.1.0", "Django==5.2.19"),
    # 3.1 is the newest Django that django-mama-cas declares support for.
    "django-mama-cas": ("django-mama-cas==2.5.0", "Django==3.1.14"),
}
COMMON_REQUIREMENTS = ("psycopg2-binary==2.9.13", "granian==2.8.7")


@contextlib.contextmanager
def peer(name: str, store: str, scratch: Path) -> Iterator[Target]:
    """Run the CAS server ``name`` on ``store``, which is ``postgresql`` or ``memory``."""
    python = machine.virtual_environment(name, (*REQUIREMENTS[name], *COMMON_REQUIREMENTS))
    with contextlib.ExitStack() as stack:
        if store == "postgresql":
            database, processes = stack.enter_context(_postgresql(scratch, name.replace("-", "_")))
        else:
            database, processes = stack.enter_context(_memory_disk()) / "database.sqlite", ()
        port, password, log = machine.free_port(), secrets.token_urlsafe(12), scratch / "log"
        environment = {
            "PEER": name,
            "PEER_SECRET": secrets.token_urlsafe(48),
            "PEER_STORE": store,
            "PEER_DATABASE": str(database),
            "PYTHONPATH": str(SETTINGS),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
        }
        machine.run([str(python), "-m", "peer_setup", password, *USERS], environment=environment, directory=scratch)
        command = granian(str(python), "peer_wsgi:application", port, THREADS[store])
        started = stack.enter_context(machine.process(command, environment=environment, directory=scratch, log=log))
        seconds = machine.wait_for_answer(port, started, log)
        yield Target(("127.0.0.1", port), (started.pid, *processes), seconds, "/cas", USERS, password)


@contextlib.contextmanager
def _memory_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="casduo-benchmark-", dir=machine.memory_directory()) as directory:
        yield Path(directory)


def postgresql_programs() -> Path | None:
    """Return the directory with PostgreSQL's server programs, the newest version's; None when it is not installed."""
    found = machine.find_program("initdb", "/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin")
    return Path(found).parent if found else None


@contextlib.contextmanager
def _postgresql(scratch: Path, database: str) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """Run a PostgreSQL of our own, reachable by a unix socket only; give the socket's directory and the process id.

    Commits do not wait for the disk, as casduo's append-only file does not.
    """
    programs = postgresql_programs()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed")
    user = _unprivileged_user()
    # A short path: sockets take about a hundred bytes of it.
    home = Path(tempfile.mkdtemp(prefix="casduo-pg-"))
    try:
        if user:
            shutil.chown(home, user)
        data = home / "data"
        machine.run(
            [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8"],
            environment={},
            directory=home,
            user=user,
        )
        options = {"unix_socket_directories": str(home), "listen_addresses": "", "synchronous_commit": "off"}
        command = [str(programs / "postgres"), "-D", str(data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with machine.process(command, directory=home, log=scratch / "postgresql.log", user=user) as started:
            _create_database(programs, home, database)
            yield home, (started.pid,)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _create_database(programs: Path, home: Path, database: str) -> None:
    command = [str(programs / "createdb"), "-h", str(home), "-U", "postgres", database]
    deadline = time.monotonic() + machine.START_SECONDS
    while subprocess.run(command, capture_output=True, check=False, cwd=home).returncode:
        if time.monotonic() > deadline:
            raise SystemExit("PostgreSQL did not start")
        time.sleep(0.1)


def _unprivileged_user() -> str | None:
    """Return whom PostgreSQL runs as when we are root, which it refuses; None to run as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise SystemExit("PostgreSQL does not run as root, and there is no user to run it as")
