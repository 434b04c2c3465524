"""``casduo worker`` as a command: what it refuses, and its signals. What it does is in ``tests/worker``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
REGISTRY = "services:\n  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "casduo.yaml").write_text("redis: {url: 'unix:///nowhere'}\n")
    (tmp_path / "registry.yaml").write_text(REGISTRY)
    return tmp_path


def run(directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "casduo", "worker", "--config", str(directory / "casduo.yaml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)


def test_settings_with_mistakes_are_refused_with_every_problem(directory: Path) -> None:
    (directory / "casduo.yaml").write_text("redis: {url: nowhere}\nlog: {level: loud}\n")
    done = run(directory)
    assert done.returncode == 2
    assert [line.split(" ")[2] for line in done.stderr.splitlines()] == ["redis.url:", "log.level:"]


def test_a_registry_with_mistakes_is_refused_with_every_problem(directory: Path) -> None:
    (directory / "registry.yaml").write_text("services: [{id: Library, name: Library, url: nowhere}]\n")
    done = run(directory)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert "Traceback" not in done.stderr


def test_a_file_of_authorities_that_is_not_there_is_refused(directory: Path) -> None:
    (directory / "casduo.yaml").write_text("redis: {url: 'unix:///nowhere'}\noutbound: {ca_file: missing.pem}\n")
    done = run(directory)
    assert (done.returncode, done.stderr) == (1, "casduo: sign-out message: ca_file\n")


def test_settings_that_are_not_there_are_named(directory: Path) -> None:
    (directory / "casduo.yaml").unlink()
    done = run(directory)
    assert done.returncode == 2
    assert "cannot be read: No such file or directory" in done.stderr


def test_it_reads_its_settings_anew_in_the_same_process_and_ends_when_it_is_told_to(
    directory: Path, valkey_url: str, tmp_path: Path
) -> None:
    settings, log = directory / "casduo.yaml", tmp_path / "log"
    settings.write_text(f"redis: {{url: '{valkey_url}'}}\n")
    command = [sys.executable, "-W", "error", "-m", "casduo", "worker", "--config", str(settings)]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=tmp_path, env=environ)

    def said(word: str) -> int:
        return log.read_text().count(word)

    try:
        until(lambda: said("worker.started") == 1, "the start")
        settings.write_text(f"redis: {{url: '{valkey_url}'}}\nsesion: {{}}\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: said("reload.refused") == 1, "the refusal")
        assert "sesion" in log.read_text()
        # What only shows when the parts are made.
        settings.write_text(f"redis: {{url: '{valkey_url}'}}\noutbound: {{ca_file: missing.pem}}\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: said("reload.refused") == 2, "the refusal")
        assert said("worker.stopped") == 0

        settings.write_text(f"redis: {{url: '{valkey_url}'}}\nlog: {{format: console}}\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: said("worker.started") == 2, "the new start")
        assert said("worker.stopped") == 1
        assert "[1mworker.started" in log.read_text(), "in the form that the new settings ask for"

        # At whatever moment: while it ends, begins again, or is not yet there to hear it.
        for number in range(8):
            process.send_signal(signal.SIGHUP)
            time.sleep(number / 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()
