"""``casduo demo`` as people run it: a process of its own on ports of its own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.support import ports

PORTS = 13
_ROOT = Path(__file__).parents[2]
_MARK = "STARTED_BY_TEST"
_PATIENCE = 60.0
_TIMEOUT = 10.0


@dataclass
class DemoProcess:
    """One run of the demo.

    :param directory: holds its state, what it printed, and the ready file.
    :param port: the first of its ports; None leaves that to the demo.
    :param mark: in the environment of every process it starts.
    """

    directory: Path
    port: int | None = None
    mark: str = field(default_factory=lambda: secrets.token_hex(16))
    ready: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        """Start it. What it prints goes to a file."""
        command = [sys.executable, "-W", "error", "-m", "casduo", "demo", "--state", str(self.state)]
        command += ["--ready-file", str(self.ready_file)]
        command += ["--port", str(self.port)] if self.port is not None else []
        with self.output_file.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=_ROOT, env={**os.environ, _MARK: self.mark}
            )

    def await_ready(self) -> None:
        """Wait for the ready file and read it. Fails with what was printed when the demo ends instead."""
        deadline = time.monotonic() + _PATIENCE
        while not self.ready_file.exists():
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)
        self.ready = json.loads(self.ready_file.read_text(encoding="utf-8"))

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)

    def clean_up(self) -> None:
        """End it if a test did not, and fail if anything of it stays."""
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        left = self.processes()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert left == []

    @property
    def state(self) -> Path:
        return self.directory / "state"

    @property
    def ready_file(self) -> Path:
        return self.directory / "ready.json"

    @property
    def output_file(self) -> Path:
        return self.directory / "output.txt"

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self.output_file.read_text(encoding="utf-8")

    @property
    def ca_file(self) -> str:
        return str(self.ready["ca_file"])

    @property
    def cas_url(self) -> str:
        return str(self.ready["cas_url"])

    @property
    def phones_url(self) -> str:
        return str(self.ready["duo_url"])

    def app(self, name: str) -> str:
        """Return an application's address."""
        return next(str(app["url"]) for app in self.ready["apps"] if app["name"] == name)

    def password(self, username: str) -> str:
        """Return somebody's password."""
        return next(str(user["password"]) for user in self.ready["users"] if user["username"] == username)

    def pin(self, username: str) -> str:
        """Return somebody's PIN."""
        return next(str(user["pin"]) for user in self.ready["users"] if user["username"] == username)

    def device(self, place: str) -> str:
        """Return the device name of the IP phone at ``place``."""
        return next(str(phone["device"]) for phone in self.ready["phones"] if phone["name"] == place)

    def free_phones(self) -> None:
        """Log everybody out of the IP phones, mend the UCM, and have the phones notice."""
        self.ucm(do="listen", on=True)
        self.ucm(do="clear_faults")
        for phone in self.ucm(do="state")["phones"]:
            if phone["login"] is not None:
                self.ucm(do="log_out", device=phone["name"])
            page = f"{self.ready['phone_url']}phones/{phone['name']}"
            assert requests.get(page, verify=self.ca_file, timeout=_TIMEOUT).ok

    @property
    def tls_ports(self) -> list[int]:
        """The ports that browsers see, the sign-in server's first."""
        urls = [self.cas_url, self.phones_url, self.ready["phone_url"], self.ready["webex_url"]]
        urls += [app["url"] for app in self.ready["apps"]]
        urls += [f"https://{server}" for server in self.ready["ucm_servers"]]
        return [port for url in urls if (port := urlsplit(url).port)]

    def certificates(self) -> set[bytes]:
        """Return the certificates shown there, all of them good for localhost under the demo's authority."""
        context = ssl.create_default_context(cafile=self.ca_file)
        shown = set()
        for port in self.tls_ports:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as raw,
                context.wrap_socket(raw, server_hostname="localhost") as secured,
            ):
                shown.add(secured.getpeercert(binary_form=True) or b"")
        return shown

    def duo(self, **command: object) -> Any:
        """Have Duo do something, and return what comes of it."""
        return _commanded(self.ready["duo_control_url"], command)

    def ucm(self, **command: object) -> Any:
        """Have the UCM do something, and return what comes of it."""
        return _commanded(self.ready["ucm_control_url"], command)

    def webex(self, **command: object) -> Any:
        """Have Webex do something, and return what comes of it."""
        return _commanded(self.ready["webex_control_url"], command)

    def asked(self, username: str) -> int:
        """Return how often Duo was told to ask somebody for something: pushes, calls, text messages and passcodes."""
        requests = self.duo(do="requests", path="/auth/v2/auth")
        return sum(request["parameters"].get("username") == username for request in requests)

    def processes(self) -> list[int]:
        """Return the ids of all processes that this run started and that still run, its own among them.

        They have its mark in their environment, but for Valkey, which writes its title over it; that one works in the
        state directory.
        """
        mark = f"{_MARK}={self.mark}".encode()
        return [
            pid for pid in _pids() if mark in _environ(pid).split(b"\0") or _works_in(pid).is_relative_to(self.state)
        ]


@contextmanager
def running(directory: Path) -> Iterator[DemoProcess]:
    """Run a demo on free ports and end it afterwards."""
    demo = DemoProcess(directory, free_ports())
    demo.start()
    try:
        demo.await_ready()
        yield demo
    finally:
        demo.clean_up()


def _commanded(url: str, command: dict[str, object]) -> Any:
    answer = requests.post(url, json=command, timeout=_TIMEOUT)
    assert answer.ok, answer.text
    return answer.json()["result"]


def free_ports() -> int:
    """Return the first of as many free ports in a row as the demo needs."""
    return ports.free_ports(PORTS)[0]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _works_in(pid: int) -> Path:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return Path("/")


def _environ(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
