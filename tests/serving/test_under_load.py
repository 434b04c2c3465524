"""A real server under load gets SIGHUP twice and then SIGTERM, and no request fails."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from casduo.serving.base import LINGER
from tests.cli.test_serve import Directory, sign_in
from tests.support.ports import free_port
from tests.support.waiting import until

_CLIENTS = 4


@dataclass
class Load:
    """People who sign in, and applications that validate their tickets, over and over."""

    url: str
    signed_in: int = 0
    failures: list[str] = field(default_factory=list)
    refused: int = 0
    _ends: threading.Event = field(default_factory=threading.Event)
    _crew: list[threading.Thread] = field(default_factory=list)
    _last: threading.local = field(default_factory=threading.local)

    def start(self) -> None:
        for number in range(_CLIENTS):
            self._crew.append(threading.Thread(target=self._go_on, args=(number % 2 == 0,)))
        for one in self._crew:
            one.start()

    def goes_on(self) -> None:
        """Wait for some more visits."""
        before = self.signed_in
        until(lambda: self.signed_in > before + _CLIENTS, "visits")

    def stop(self) -> None:
        self._ends.set()
        for one in self._crew:
            one.join()

    def _go_on(self, kept: bool) -> None:
        """``kept``: over one connection as long as the server leaves it open; else over a new one for each request."""
        while not self._ends.is_set():
            with requests.Session() as browser:
                browser.hooks["response"].append(self._answered)
                if not kept:
                    browser.headers["Connection"] = "close"
                for _ in range(20 if kept else 1):
                    if self._ends.is_set() or not self._visit(browser):
                        return

    def _answered(self, *_: object, **__: object) -> None:
        self._last.at = time.monotonic()

    def _idle(self) -> float:
        """Seconds since this client was answered last."""
        return time.monotonic() - getattr(self._last, "at", time.monotonic())

    def _visit(self, browser: requests.Session) -> bool:
        try:
            told = sign_in(self.url, browser)
        except requests.ConnectionError as error:
            if "Connection refused" in str(error):
                self.refused += 1
            elif self._idle() < LINGER / 2:
                # Where the machine is so busy that nothing was sent for as long as kept connections stay open, they may
                # be closed just when something is: clients have to expect that of every server (RFC 9112, 9.3.1).
                self.failures.append(repr(error))
            return False
        except AssertionError as error:
            self.failures.append(str(error)[:2000])
            return False
        if "<cas:user>ada</cas:user>" in told:
            self.signed_in += 1
        else:
            self.failures.append(told)
        # What the session is for: each visit signs in anew.
        browser.cookies.clear()
        return True


@dataclass
class Manager:
    """Listens as a service manager does, and keeps what it is told."""

    path: Path
    told: list[str] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[Manager]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
            inbox.bind(str(self.path))
            threading.Thread(target=self._listen, args=(inbox,), daemon=True).start()
            yield self

    def _listen(self, inbox: socket.socket) -> None:
        while True:
            try:
                self.told.append(inbox.recv(4096).decode().partition("\n")[0])
            except OSError:
                return


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    made = Directory(tmp_path, free_port())
    made.write()
    file = tmp_path / "casduo.yaml"
    file.write_text(file.read_text().replace("threads: 4, drain: 0", "threads: 16, drain: 3s, processes: 2"))
    return made


@contextmanager
def serving(directory: Directory, server: str) -> Iterator[tuple[subprocess.Popen[bytes], Path, Manager]]:
    log = directory.path / "serve.log"
    with Manager(directory.path / "notify").listening() as manager, log.open("wb") as output:
        environ = directory.environment | {"NOTIFY_SOCKET": str(manager.path)}
        command = [sys.executable, "-m", "casduo", "serve", "--server", server]
        process = subprocess.Popen(command, cwd=directory.path, env=environ, stdout=output, stderr=output)
        try:
            until(lambda: "READY=1" in manager.told or process.poll() is not None, "the start")
            assert process.poll() is None, log.read_text()
            yield process, log, manager
        finally:
            # Asked first, so that it stops its Valkey.
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(40)
            process.kill()
            process.wait()


def serving_processes(log: Path, parent: int) -> set[int]:
    """The processes that answer: children that are neither the worker nor Valkey."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    lines = [line.split(None, 1) for line in found.stdout.splitlines()]
    return {int(pid) for pid, args in lines if " serve" in args and "worker" not in args}


def until_reloaded(log: Path, times: int) -> None:
    until(lambda: log.read_text().count('"event":"reloaded"') == times, "new processes")


@pytest.mark.parametrize("server", ["granian", "gunicorn"])
def test_no_request_is_lost_when_processes_are_replaced_twice_and_then_end(directory: Directory, server: str) -> None:
    with serving(directory, server) as (process, log, manager):
        first = serving_processes(log, process.pid)
        load = Load(directory.url)
        load.start()
        try:
            load.goes_on()
            for times in (1, 2):
                process.send_signal(signal.SIGHUP)
                until_reloaded(log, times)
                load.goes_on()
            assert load.failures == []
            until(lambda: first.isdisjoint(serving_processes(log, process.pid)), "the end of the first processes")
            until(lambda: len(serving_processes(log, process.pid)) == 2, "two processes")

            process.send_signal(signal.SIGTERM)
            words = set()

            def drains() -> bool:
                answer = requests.get(f"{directory.url}/readyz", timeout=20)
                words.add((answer.status_code, answer.text.split("\n")[0]))
                return answer.status_code == 503

            until(drains, "the word that it ends")
            assert process.wait(40) == 0
        finally:
            load.stop()
        assert load.failures == []
        assert load.refused == _CLIENTS, "each of them was there until nobody was"
        assert (503, "draining") in words
        assert manager.told == ["READY=1", *["RELOADING=1", "READY=1"] * 2, "STOPPING=1"]
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert {line["event"] for line in lines if line["level"] != "info"} == {"settings.problem", "secret_key.made"}
    assert not os.path.exists(f"/proc/{process.pid}")
