"""``casduo audit``: from files alone, also on a copy; with settings; and beside a worker that writes."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.events.audit import AuditTrail, Confirmed
from casduo.events.audit_files import file_name, trail_files
from casduo.events.audit_head import AuditHead
from casduo.events.model import SignedIn, Subject
from casduo.store import Store
from tests.events.trails import LARGE, MORNING, mixed, record, rows, sign_ins, write_trail
from tests.worker.working import ROOT, eventually


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, words)])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A trail of three events, without any settings."""
    write_trail(tmp_path / "audit", list(mixed()))
    return tmp_path / "audit"


@pytest.fixture
def config(tmp_path: Path, directory: Path, valkey_url: str, store: Store) -> Path:
    """Settings by which that is the trail, with a Redis that knows of it."""
    path = tmp_path / "casduo.yaml"
    path.write_text(f"redis: {{url: '{valkey_url}'}}\naudit: {{directory: {directory}}}\n")
    return path


# --- verify ----------------------------------------------------------------------------------------------------------


def test_a_trail_that_is_as_it_was_written(directory: Path) -> None:
    answer = run("verify", "--directory", directory)
    assert answer.exit_code == 0
    assert "3 entries in 1 file, 1 to 3: all as they were written" in answer.stdout
    assert f"the last one is 3:{rows(directory)[-1]['hash']}" in answer.stdout


def test_files_can_be_named_in_any_order(tmp_path: Path) -> None:
    write_trail(tmp_path / "audit", sign_ins(30), rotate_size=2000)
    assert run("verify", *reversed(trail_files(tmp_path / "audit"))).exit_code == 0


def test_the_first_wrong_line_is_named_with_the_reason(directory: Path) -> None:
    (path,) = trail_files(directory)
    path.write_bytes(path.read_bytes().replace(b"grace", b"linus"))
    answer = run("verify", "--directory", directory)
    assert answer.exit_code == 1
    assert answer.stdout.startswith(f"{file_name(1)}:2: the line was changed")
    assert "NOT as they were written" in answer.stdout


def test_an_end_that_is_torn_has_an_exit_code_of_its_own(directory: Path) -> None:
    (path,) = trail_files(directory)
    path.write_bytes(path.read_bytes()[:-20])
    answer = run("verify", "--directory", directory)
    assert answer.exit_code == 3
    assert f"{file_name(1)}:3: the line is not finished" in answer.stdout


def test_the_end_that_was_noted_elsewhere_must_be_there(directory: Path) -> None:
    noted = run("verify", "--directory", directory).stdout.split()[-1]
    assert run("verify", "--directory", directory, "--end", noted).exit_code == 0
    (path,) = trail_files(directory)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert run("verify", "--directory", directory).exit_code == 0
    answer = run("verify", "--directory", directory, "--end", noted)
    assert answer.exit_code == 1
    assert "it ends early, with entry 2: entry 3 was written" in answer.stdout
    assert run("verify", "--directory", directory, "--end", "3").exit_code == 2


def test_redis_can_be_asked_for_the_end(directory: Path, config: Path, store: Store) -> None:
    assert run("--config", config, "verify", "--redis").exit_code == 1
    trail = AuditTrail(directory, LARGE)
    trail.open(Confirmed())
    head = AuditHead(store, ("audit",), "a-worker", "host:/audit")
    assert head.reader.lead(10)
    assert head.confirm("1-0", trail.last, trail.file, MORNING)
    trail.close()
    assert run("--config", config, "verify", "--redis").exit_code == 0
    (path,) = trail_files(directory)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    answer = run("--config", config, "verify", "--redis")
    assert answer.exit_code == 1
    assert "it ends early" in answer.stdout


def test_programs_are_told_in_json(directory: Path) -> None:
    said = json.loads(run("verify", "--directory", directory, "--json").stdout)
    assert (said["whole"], said["torn"], said["entries"], said["problems"]) == (True, False, 3, [])
    assert said["last"] == f"3:{rows(directory)[-1]['hash']}"


@pytest.mark.parametrize("words", [("verify",), ("tail",), ("export",)])
def test_without_a_trail_there_is_an_error(tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = run(*words, "--directory", tmp_path)
    assert answer.exit_code == 1
    assert "there is no audit trail in" in answer.stderr


def test_the_settings_say_where_the_trail_is(config: Path) -> None:
    assert run("--config", config, "verify").exit_code == 0
    assert run("--config", config, "tail").stdout.count("\n") == 3
    assert run("--config", config, "export").stdout.count("\n") == 3


def test_files_and_directory_exclude_each_other(directory: Path) -> None:
    assert run("verify", *trail_files(directory), "--directory", directory).exit_code == 2


# --- tail ------------------------------------------------------------------------------------------------------------


def test_the_last_entries_are_lines_for_people(directory: Path) -> None:
    answer = run("tail", "--directory", directory, "-n", 2)
    assert answer.stdout.splitlines() == [
        "2027-01-15T08:01:00.000Z  signin.ok  grace  payroll  -  handler=campus",
        "2027-01-16T08:00:00.000Z  signout  ada  -  -  cause=logout sessions=1",
    ]


def test_entries_can_be_chosen(directory: Path) -> None:
    assert run("tail", "--directory", directory, "--user", "grace").stdout.count("\n") == 1
    assert run("tail", "--directory", directory, "--event", "signin.*", "--service", "library").stdout.count("\n") == 1
    answer = run("tail", "--directory", directory, "--event", "signin.okay")
    assert answer.exit_code == 2
    assert "did you mean 'signin.ok'" in answer.stderr


def test_as_json_they_are_the_lines_of_the_trail(directory: Path) -> None:
    answer = run("tail", "--directory", directory, "--json")
    assert answer.stdout.encode() == trail_files(directory)[0].read_bytes()


def test_names_cannot_play_with_the_terminal(tmp_path: Path) -> None:
    write_trail(tmp_path / "audit", [record("x", SignedIn(Subject(principal="\x1b[31mada\u202e\u2028\x9b")))])
    shown = run("tail", "--directory", tmp_path / "audit").stdout
    assert shown.rstrip("\n").isprintable()
    assert r"\x1b[31mada\u202e\u2028\x9b" in shown


@pytest.fixture
def follower(directory: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-m", "casduo", "audit", "tail", "-f", "-n", "1", "--directory"]
    process = subprocess.Popen([*command, str(directory)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    yield process
    process.kill()
    process.wait()


def test_what_comes_is_shown_until_ctrl_c(directory: Path, follower: subprocess.Popen[str]) -> None:
    assert follower.stdout is not None
    assert "signout" in follower.stdout.readline()
    trail = AuditTrail(directory, LARGE)
    trail.open(Confirmed())
    trail.append(sign_ins(1, first=7))
    trail.close()
    assert "2027-01-15T08:00:07.000Z  signin.ok  ada" in follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    eventually(lambda: follower.poll() is not None)
    assert follower.returncode == 0
    follower.stdout.close()


# --- export ----------------------------------------------------------------------------------------------------------


def names(answer: Result) -> list[str]:
    assert answer.exit_code == 0, answer.output
    return [json.loads(line)["id"] for line in answer.stdout.splitlines()]


def test_an_export_has_the_lines_as_they_are(directory: Path) -> None:
    answer = run("export", "--directory", directory)
    assert answer.stdout_bytes == trail_files(directory)[0].read_bytes()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--from", "2027-01-15"], ["in-1", "in-2", "out-1"]),
        (["--from", "2027-01-16"], ["out-1"]),
        (["--to", "2027-01-15"], ["in-1", "in-2"]),
        (["--from", "2027-01-15T08:00:30", "--to", "2027-01-16T08:00:00"], ["in-2"]),
        (["--from", "2027-01-15T09:00:30+01:00"], ["in-2", "out-1"]),
        (["--user", "ada"], ["in-1", "out-1"]),
        (["--service", "payroll", "--event", "signin.ok"], ["in-2"]),
    ],
)
def test_a_part_can_be_exported(directory: Path, words: list[str], expected: list[str]) -> None:
    assert names(run("export", "--directory", directory, *words)) == expected


@pytest.mark.parametrize("moment", ["yesterday", "2027-13-01", ""])
def test_a_moment_that_is_none_is_refused(directory: Path, moment: str) -> None:
    answer = run("export", "--directory", directory, "--from", moment)
    assert answer.exit_code == 2


def test_a_spreadsheet_gets_text_and_no_formulas(tmp_path: Path) -> None:
    names = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "ada", "J\u00fcrgen"]
    write_trail(
        tmp_path / "audit", [record(f"e-{n}", SignedIn(Subject(principal=name))) for n, name in enumerate(names)]
    )
    answer = run("export", "--directory", tmp_path / "audit", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(answer.stdout_bytes.decode(), newline="")))
    assert [row["principal"] for row in table] == ["'=cmd|' /C calc'!A0", "'+1", "'-1", "'@x", "ada", "J\u00fcrgen"]
    assert [row["event"] for row in table] == ["signin.ok"] * 6


def test_damaged_lines_are_left_out_with_a_word(directory: Path) -> None:
    (path,) = trail_files(directory)
    path.write_bytes(path.read_bytes().replace(b"grace", b"linus"))
    answer = run("export", "--directory", directory)
    assert names(answer) == ["in-1", "out-1"]
    assert answer.stderr == "casduo: left out 1 damaged line: run casduo audit verify\n"
