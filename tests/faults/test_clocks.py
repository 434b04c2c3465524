"""Nodes whose clocks are wrong, and clocks that are set while logins flow (libfaketime)."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner

from casduo.cli import main
from tests.faults.conftest import Sound
from tests.faults.stage import on_stage
from tests.faults.stream import Stream

LIBRARY = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1")


class Clock:
    """The clock of processes that are started from now on, until the test ends; the machine's own stays as it is."""

    def __init__(self, file: Path, environment: pytest.MonkeyPatch) -> None:
        self._file = file
        self.set(0)
        for name, value in {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }.items():
            environment.setenv(name, value)

    def set(self, ahead: int) -> None:
        """Set it to so many seconds ahead of the machine's, behind it where that is negative."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead:+d}\n", encoding="utf-8")
        fresh.replace(self._file)


def test_clocks_are_set_forward_and_back_while_logins_flow(
    tmp_path: Path, redis_url: str, rounds: range, sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(tmp_path / "clock", monkeypatch)
    with on_stage(tmp_path / "stage", redis_url) as stage, Stream(stage.bases) as stream:
        stream.flows(4)
        for _ in rounds:
            for ahead in (3600, -3600, 0):
                clock.set(ahead)
                stream.recovers()
        sound(stream, stage)
    files = sorted(stage.trail.glob("*.jsonl"))
    assert CliRunner().invoke(main, ["audit", "verify", *map(str, files)]).exit_code == 0
    away = [moment - time.time() for moment in written(files)]
    assert min(away) < -3000
    assert max(away) > 3000


def test_two_nodes_whose_clocks_are_an_hour_apart_serve_the_same_people(
    tmp_path: Path, redis_url: str, sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_stage(tmp_path / "right", redis_url) as stage:
        Clock(tmp_path / "clock", monkeypatch).set(3600)
        with on_stage(tmp_path / "wrong", redis_url, worker=False) as ahead:
            monkeypatch.undo()
            with Stream([*stage.bases, *ahead.bases]) as stream:
                stream.flows(12)
                sound(stream, stage)
    assert not stream.tally.clear
    now = time.time()
    assert {round((moment - now) / 3600) for moment in written(stage.trail.glob("*.jsonl"))} == {0, 1}


def written(files: Iterable[Path]) -> list[float]:
    """The moments of the lines of an audit trail."""
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return [float(json.loads(line)["at"]) for line in lines]
