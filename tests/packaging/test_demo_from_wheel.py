"""Somebody installs the wheel, starts the demo and signs in: nothing of the checkout is needed for it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.browser import Browser
from tests.packaging.builds import Environment

START_SECONDS = 60.0
STOP_SECONDS = 20.0


@pytest.fixture
def demo(installed: Environment, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Return the running demo, in a home directory of its own."""
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(
            [installed.program("casduo"), "demo", "--ready-file", "ready.json"],
            cwd=tmp_path,
            env=installed.variables | {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        yield started
        with suppress(ProcessLookupError):
            started.kill()
        started.wait()


def test_an_installed_demo_signs_people_in_and_ends_with_ctrl_c(demo: subprocess.Popen[bytes], tmp_path: Path) -> None:
    ready = _wait_for(tmp_path / "ready.json", demo, tmp_path / "log")
    user = next(user for user in ready["users"] if user["duo"] == "enrolled")
    application = next(application for application in ready["apps"] if not application["requires_duo"])
    browser = Browser(Path(ready["ca_file"]) if ready["ca_file"] else None)

    login = browser.open(application["url"])
    assert login.url.startswith(ready["cas_url"])
    form = login.form_with("execution")
    arrived = browser.submit(login, form, username=user["username"], password=user["password"])

    assert arrived.url.startswith(application["url"])
    assert user["username"] in arrived.text
    assert "ticket=" not in arrived.url

    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=STOP_SECONDS) == 0
    assert not _answers(ready["cas_url"])


def _wait_for(path: Path, demo: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while not path.is_file():
        assert demo.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.05)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _answers(url: str) -> bool:
    host, _, port = url.split("/")[2].partition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
        return True
    return False
