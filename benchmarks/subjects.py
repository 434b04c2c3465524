"""The reference points and casduo, started on the subjects' core under granian with casduo's default of 32 threads."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.scenarios import SERVICE, Target

REPOSITORY = Path(__file__).parents[1]
THREADS = 32
USERS = tuple(f"person{number}" for number in range(1, 51))


@contextlib.contextmanager
def redis_server(directory: Path, more: Sequence[str] = ()) -> Iterator[tuple[Path, int]]:
    """Run the embedded Valkey on the subjects' core and give the path of its socket and its process id.

    :param directory: where its data lie, made if missing
    :param more: further words of its command line
    """
    from casduo.store.embedded import server_binary

    directory.mkdir(exist_ok=True)
    path = directory / "redis.sock"
    options = {"port": "0", "unixsocket": str(path), "save": "", "appendonly": "yes", "dir": str(directory)}
    command = [str(server_binary())]
    for name, value in options.items():
        command += [f"--{name}", value]
    command += more
    path.unlink(missing_ok=True)
    with machine.process(command, directory=directory, log=directory / "log") as started:
        deadline = time.monotonic() + machine.START_SECONDS
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        yield path, started.pid


def granian(python: str, application: str, port: int, threads: int) -> list[str]:
    """Return the command line that serves ``application``, the same for every subject that is not casduo."""
    command = f"-m granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1 --blocking-threads {threads}"
    return [python, *command.split(), "--log-level", "error", application]


@contextlib.contextmanager
def empty_page(scratch: Path) -> Iterator[Target]:
    """Run the empty page."""
    with _reference("empty_page", scratch, {}, ()) as target:
        yield target


@contextlib.contextmanager
def one_redis_call(scratch: Path) -> Iterator[Target]:
    """Run werkzeug with one Redis call."""
    with (
        redis_server(scratch / "redis") as (path, number),
        _reference("one_redis_call", scratch, {"REFERENCE_REDIS": str(path)}, (number,)) as target,
    ):
        yield target


@contextlib.contextmanager
def _reference(name: str, scratch: Path, environment: dict[str, str], processes: tuple[int, ...]) -> Iterator[Target]:
    port = machine.free_port()
    command = granian(sys.executable, f"benchmarks.references:{name}", port, THREADS)
    log = scratch / "log"
    with machine.process(
        command, environment=environment | {"PYTHONPATH": str(REPOSITORY)}, directory=scratch, log=log
    ) as started:
        seconds = machine.wait_for_answer(port, started, log)
        yield Target(("127.0.0.1", port), (started.pid, *processes), seconds)


@contextlib.contextmanager
def casduo(scratch: Path) -> Iterator[Target]:
    """Run ``casduo serve`` with its embedded Valkey, a users file and the cheapest password hash."""
    port, password = machine.free_port(), secrets.token_urlsafe(12)
    settings = write_casduo_files(scratch, port, password)
    log = scratch / "log"
    with machine.process(
        [sys.executable, "-m", "casduo", "serve", "--config", str(settings)],
        environment={"PYTHONPATH": str(REPOSITORY)},
        directory=scratch,
        log=log,
    ) as started:
        seconds = machine.wait_for_answer(port, started, log)
        yield Target(("127.0.0.1", port), (started.pid,), seconds, "/cas", USERS, password)


def write_casduo_files(scratch: Path, port: int, password: str) -> Path:
    """Write settings, registry and users file into ``scratch`` and return the settings file. JSON is YAML."""
    from argon2 import PasswordHasher

    hashed = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1).hash(password)
    users = {
        name: {
            "password": hashed,
            "attributes": {"givenName": name.title(), "sn": "Example", "mail": f"{name}@example.edu"},
        }
        for name in USERS
    }
    registry = {
        "services": [
            {"id": "application", "name": "Application", "url": SERVICE, "attributes": ["givenName", "sn", "mail"]}
        ]
    }
    settings = {
        "server": {
            "url": f"http://127.0.0.1:{port}/cas",
            "insecure_http": True,
            "bind": f"127.0.0.1:{port}",
            "processes": 1,
            "threads": THREADS,
            "drain": 0,
            "state_directory": str(scratch / "state"),
        },
        "secret_key": secrets.token_urlsafe(48),
        "registry": str(scratch / "registry.yaml"),
        "authentication": [
            {
                "type": "users_file",
                "path": str(scratch / "users.yaml"),
                "argon2": {"memory_kib": 8, "time_cost": 1, "parallelism": 1},
            }
        ],
        "log": {"level": "error"},
    }
    for name, content in (("users", users), ("registry", registry), ("casduo", settings)):
        path = scratch / f"{name}.yaml"
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
        path.chmod(0o600)
    return scratch / "casduo.yaml"
