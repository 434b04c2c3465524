"""What fails among other tests has to pass three times alone, and is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.again import MOST, verdict

CROWD = """
import os

import pytest


@pytest.mark.parametrize("name", ["a b", "c[d]"])
def test_that_minds_the_others(name: str) -> None:
    assert "PYTEST_XDIST_WORKER" not in os.environ


def test_that_does_not() -> None:
    pass
"""
ALWAYS = "def test_broken() -> None:\n    assert False\n"


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What the whole run does, for the tests of a directory."""
    command = [sys.executable, str(Path("tests/again.py").resolve()), "-q", "-p", "no:cacheprovider", *arguments]
    # As if nobody else ran tests here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_who_fails_only_among_others_is_named_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_crowd.py").write_text(CROWD)
    done = run(tmp_path, "-n", "2")
    assert done.returncode == 0, done.stdout
    told = done.stdout.partition("FAILED AMONG OTHERS, PASSED 3 TIMES ALONE")[2]
    assert sorted(told.splitlines()[1:]) == [
        f"    test_crowd.py::test_that_minds_the_others[{name}]" for name in ("a b", "c[d]")
    ]


def test_who_fails_alone_too_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_crowd.py").write_text(CROWD + ALWAYS)
    done = run(tmp_path, "-n", "2")
    assert done.returncode == 1
    assert "1 of 3" in done.stdout
    assert "2 of 3" not in done.stdout
    assert "PASSED" not in done.stdout


def test_one_process_has_no_crowd(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text(ALWAYS)
    done = run(tmp_path)
    assert done.returncode == 1
    assert "Again" not in done.stdout


def test_a_file_that_cannot_be_read_is_nobodys_crowd(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import no_such_module\n")
    done = run(tmp_path, "-n", "2")
    assert done.returncode not in (0, 5)
    assert "PASSED" not in done.stdout


@pytest.mark.parametrize(("codes", "runs"), [([1], 1), ([0, 1], 2), ([0, 0, 1], 3), ([0, 0, 2], 3)])
def test_each_of_the_three_times_counts(codes: list[int], runs: int) -> None:
    asked: list[Sequence[str]] = []

    def alone(ids: Sequence[str]) -> int:
        asked.append(ids)
        return codes[len(asked) - 1]

    assert verdict(["one", "two"], alone, lambda _text: None) == codes[-1]
    assert asked == [["one", "two"]] * runs


@pytest.mark.parametrize("count", [0, MOST + 1, 100])
def test_many_that_fail_are_not_looked_at_again(count: int) -> None:
    def alone(_ids: Sequence[str]) -> int:
        raise AssertionError

    assert verdict([f"test {number}" for number in range(count)], alone, lambda _text: None) == 1
