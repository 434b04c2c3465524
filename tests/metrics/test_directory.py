"""Where processes put their numbers: gathered, kept when one ends, cleared away with their server."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casduo.metrics.directory import VARIABLE, gathered, prepare

ROOT = Path(__file__).parents[2]

COUNTING = """
    import os, sys
    from pathlib import Path
    from casduo.events.model import SignedIn, Subject
    from casduo.metrics.directory import join
    directory = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    join(directory)
    from casduo.metrics.prometheus import PrometheusMeter
    meter = PrometheusMeter("server")
    for _ in range(int(sys.argv[1])):
        meter.happened(SignedIn(Subject()))
        meter.redis_called(0.002, answered=True)
    meter.apply()
    meter.look()
"""
ADDING_UP = """
    import os
    from pathlib import Path
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector
    from casduo.metrics.directory import gathered
    directory = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    registry = CollectorRegistry()
    with gathered(directory):
        MultiProcessCollector(registry, str(directory))
        value = registry.get_sample_value
        print(value("casduo_signins_total", {"outcome": "ok", "reason": ""}), value("casduo_redis_seconds_count"),
              value("casduo_redis_seconds_bucket", {"le": "0.0025"}), value("casduo_processes", {"role": "server"}))
"""


def run(script: str, directory: Path, *arguments: str, then: str = "") -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: str(directory)}
    command = [sys.executable, "-c", textwrap.dedent(script) + then, *arguments]
    return subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def living(directory: Path, count: int) -> Iterator[subprocess.Popen[str]]:
    """A process that has counted and lives."""
    process = run(COUNTING, directory, str(count), then="print('counted', flush=True)\ninput()\n")
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    yield process
    if process.returncode is None:
        process.communicate("\n")


def sums(directory: Path) -> list[str]:
    out, _ = run(ADDING_UP, directory).communicate()
    return out.split()


def files(directory: Path, kind: str = "*.db") -> set[str]:
    return {path.name for path in directory.glob(kind)}


def test_processes_are_added_up_and_those_that_end_leave_what_they_counted(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    directory = prepare(tmp_path, environ)
    assert environ[VARIABLE] == str(directory)
    with living(directory, 3) as first, living(directory, 4) as second:
        assert sums(directory) == ["7.0", "7.0", "7.0", "2.0"]
        first.kill()
        first.communicate()
        assert sums(directory) == ["7.0", "7.0", "7.0", "1.0"]
        assert f"counter_{first.pid}.db" not in files(directory)
        assert f"counter_{second.pid}.db" in files(directory)
    # Folded once more, beside what was folded before.
    assert sums(directory) == ["7.0", "7.0", "7.0", "None"]
    assert files(directory) == {"counter_ended.db", "histogram_ended.db"}
    assert not files(directory, "process_*")


def test_what_a_server_left_is_cleared_away_and_what_another_one_uses_is_not(tmp_path: Path) -> None:
    left = tmp_path / "metrics" / "left"
    left.mkdir(parents=True)
    (left / "counter_1.db").touch()
    first = prepare(tmp_path, {})
    second = prepare(tmp_path, {})
    assert not left.exists()
    assert first != second
    assert first.is_dir()
    assert second.is_dir()
    assert first.stat().st_mode & 0o077 == 0


def test_a_directory_of_the_operators_is_used_and_emptied_by_the_first_server(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "counter_1.db").touch()
    (theirs / "notes.txt").touch()
    assert prepare(tmp_path, {VARIABLE: str(theirs)}) == theirs
    assert files(theirs, "*") == {"notes.txt", "server.lock"}
    (theirs / "counter_2.db").touch()
    prepare(tmp_path, {VARIABLE: str(theirs)})
    assert "counter_2.db" in files(theirs), "another server uses it"


def test_a_file_that_cannot_be_folded_stays(tmp_path: Path) -> None:
    directory = prepare(tmp_path, {})
    (directory / "counter_999999999.db").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00")
    (directory / "histogram_ended.new").mkdir()
    (directory / "histogram_999999999.db").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00")
    with gathered(directory):
        pass
    assert "histogram_999999999.db" in files(directory)


def test_without_room_for_numbers_a_process_serves_without_them(tmp_path: Path) -> None:
    script = """
        import os, resource
        from pathlib import Path
        from casduo.meter import Meter, meter
        from casduo.metrics.build import begin_measuring
        from casduo.settings import Settings
        # As on a full disk: no file may grow.
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        print(begin_measuring(Settings(), "server"), type(meter()) is Meter)
    """
    process = run(script, prepare(tmp_path, {}))
    out, _ = process.communicate()
    assert process.returncode == 0
    assert "metrics.off" in out
    assert out.splitlines()[-1] == "None True"


@pytest.mark.parametrize(("role", "measures"), [("server", True), ("worker", False)])
def test_a_worker_measures_only_where_somebody_can_ask(role: str, measures: bool) -> None:
    script = f"""
        from casduo.metrics.build import begin_measuring
        from casduo.settings import Settings
        print(begin_measuring(Settings(), {role!r}, {{}}) is not None)
    """
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    found = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(measures)
