"""What a service manager is told, over a real socket."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from casduo.serving.notices import ServiceManager


@pytest.fixture
def inbox(tmp_path: Path) -> socket.socket:
    inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    inbox.bind(str(tmp_path / "notify"))
    return inbox


def test_a_reload_names_the_moment_on_the_clock_that_never_goes_back(inbox: socket.socket) -> None:
    with inbox:
        manager = ServiceManager({"NOTIFY_SOCKET": inbox.getsockname()})
        before = time.monotonic_ns() // 1000
        manager.reloading()
        manager.ready("answering")
        manager.stopping()

        lines = inbox.recv(1000).decode().split("\n")
        assert lines[0] == "RELOADING=1"
        assert before <= int(lines[1].removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
        assert inbox.recv(1000).decode() == "READY=1\nSTATUS=answering"
        assert inbox.recv(1000).decode().startswith("STOPPING=1\n")


def test_an_abstract_name_begins_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind("")
        name = inbox.getsockname()[1:].decode()
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).ready("x")
        assert inbox.recv(1000).startswith(b"READY=1")


def test_processes_that_are_started_are_not_the_service() -> None:
    environ = {"NOTIFY_SOCKET": "/nowhere"}
    ServiceManager(environ).ready("nobody listens")
    assert environ == {}
    ServiceManager({}).ready("nobody is there")
