"""``casduo worker`` as a command: what it refuses to start with. What it does is in ``tests/worker``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
