"""Every kind of tampering is found, and the first wrong line is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.events.audit import AuditTrail, Confirmed
from casduo.events.audit_files import file_name, trail_files
from casduo.events.audit_line import Position, read_line, written_line
from casduo.events.audit_verify import MOST_PROBLEMS, NEAR, verify
from tests.events.trails import LARGE, record, rows, sign_ins, write_trail

Lines = list[bytes]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A trail of ten lines in one file."""
    write_trail(tmp_path / "audit", sign_ins(10))
    return tmp_path / "audit"


def tamper(directory: Path, change: Callable[[Lines], Lines], name: str = file_name(1)) -> None:
    path = directory / name
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def first_problem(directory: Path, end: Position | None = None) -> tuple[str, int, str]:
    found = verify(trail_files(directory), end)
    assert found.problems
    return found.problems[0].file, found.problems[0].line, found.problems[0].reason


def rewritten(lines: Lines, start: int) -> Lines:
    """Write the chain anew from a line on, as somebody would who knows how."""
    entries = [read_line(line) for line in lines[start:]]
    before = read_line(lines[start - 1]).position
    fresh = []
    for entry in entries:
        line, before = written_line(entry.record, before)
        fresh.append(line)
    return lines[:start] + fresh


def test_a_trail_that_is_as_it_was_written(directory: Path) -> None:
    found = verify(trail_files(directory))
    assert (found.entries, found.problems, found.notes, found.torn) == (10, (), (), False)
    assert found.first is not None
    assert found.last is not None
    assert (found.first.seq, found.last.seq, found.last.hash) == (1, 10, rows(directory)[-1]["hash"])


def test_a_line_that_was_changed(directory: Path) -> None:
    tamper(
        directory, lambda lines: [line.replace(b'"ada"', b'"eve"') if n == 3 else line for n, line in enumerate(lines)]
    )
    assert first_problem(directory) == (file_name(1), 4, "changed")


def test_a_line_that_was_changed_with_its_hash(directory: Path) -> None:
    def change(lines: Lines) -> Lines:
        before = read_line(lines[2]).position
        line, _ = written_line(record("event-4", at=1.0), before)
        return [*lines[:3], line, *lines[4:]]

    tamper(directory, change)
    assert first_problem(directory) == (file_name(1), 5, "chain")


def test_a_line_that_was_removed(directory: Path) -> None:
    tamper(directory, lambda lines: lines[:3] + lines[4:])
    assert first_problem(directory) == (file_name(1), 4, "gap")
    assert verify(trail_files(directory)).problems[0].text == "entry 4 is missing"


def test_a_line_that_was_removed_with_the_numbers_written_anew(directory: Path) -> None:
    end = verify(trail_files(directory)).last
    tamper(directory, lambda lines: rewritten(lines[:3] + lines[4:], 3))
    # The files alone cannot tell any more; whoever noted the end can.
    assert verify(trail_files(directory)).problems == ()
    assert first_problem(directory, end) == (file_name(1), 0, "end")


def test_lines_that_were_swapped(directory: Path) -> None:
    tamper(directory, lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]])
    assert first_problem(directory) == (file_name(1), 4, "gap")
    assert verify(trail_files(directory)).problems[1].reason == "order"


def test_a_line_that_is_there_twice(directory: Path) -> None:
    tamper(directory, lambda lines: [*lines[:4], lines[3], *lines[4:]])
    assert first_problem(directory) == (file_name(1), 5, "order")


def test_a_line_that_was_inserted(directory: Path) -> None:
    def insert(lines: Lines) -> Lines:
        line, _ = written_line(record("forged"), read_line(lines[3]).position)
        return [*lines[:4], line, *lines[4:]]

    tamper(directory, insert)
    assert first_problem(directory) == (file_name(1), 6, "order")


def test_an_event_that_was_written_twice(directory: Path) -> None:
    def insert(lines: Lines) -> Lines:
        line, _ = written_line(record("event-4"), read_line(lines[-1]).position)
        return [*lines, line]

    tamper(directory, insert)
    assert first_problem(directory) == (file_name(1), 11, "duplicate")


@pytest.mark.parametrize("line", [b"\n", b"hello\n", b"{}\n", b"\0\0\0\n"])
def test_a_line_that_is_none(directory: Path, line: bytes) -> None:
    tamper(directory, lambda lines: [*lines[:4], line, *lines[5:]])
    found = verify(trail_files(directory))
    assert [(each.line, each.reason) for each in found.problems] == [(5, "unreadable")]
    assert found.entries == 9


def test_an_end_that_is_torn(directory: Path) -> None:
    tamper(directory, lambda lines: [*lines[:-1], lines[-1][:50]])
    found = verify(trail_files(directory))
    assert found.torn
    assert first_problem(directory) == (file_name(1), 10, "unfinished")


def test_an_end_that_is_gone_is_seen_by_who_knows_better(directory: Path) -> None:
    end = verify(trail_files(directory)).last
    assert verify(trail_files(directory), end).problems == ()
    tamper(directory, lambda lines: lines[:7])
    assert verify(trail_files(directory)).problems == ()
    (problem,) = verify(trail_files(directory), end).problems
    assert str(problem) == "it ends early, with entry 7: entry 10 was written"


def test_more_than_what_was_noted_is_fine(directory: Path) -> None:
    noted = Position(4, rows(directory)[3]["hash"])
    assert verify(trail_files(directory), noted).problems == ()
    (problem,) = verify(trail_files(directory), Position(4, "b" * 64)).problems
    assert problem.text == "entry 4 is not the one that was written"


def test_a_file_that_was_removed(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    write_trail(directory, sign_ins(30), rotate_size=4096)
    files = trail_files(directory)
    assert len(files) >= 3
    files[1].unlink()
    assert first_problem(directory) == (files[2].name, 1, "gap")
    assert "a file before this one" in verify(trail_files(directory)).problems[0].text


def test_files_that_were_cleared_away_at_the_beginning_are_a_note(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    write_trail(directory, sign_ins(30), rotate_size=4096)
    files = trail_files(directory)
    files[0].unlink()
    found = verify(files[1:])
    seq = int(files[1].stem.removeprefix("audit-"))
    assert found.problems == ()
    assert found.notes == (f"it begins with entry {seq}; what was before is not among these files",)
    assert [each.reason for each in verify(files[1:], Position(1, "a" * 64)).problems] == ["end"]


def test_a_torn_end_of_a_file_that_is_not_the_last(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    write_trail(directory, sign_ins(30), rotate_size=4096)
    first = trail_files(directory)[0].name
    tamper(directory, lambda lines: [*lines[:-1], lines[-1][:50]], first)
    assert not verify(trail_files(directory)).torn
    assert first_problem(directory)[2] == "unfinished"


def test_no_more_problems_are_told_than_anybody_reads(directory: Path) -> None:
    tamper(directory, lambda lines: [b"hello\n"] * 100)
    assert len(verify(trail_files(directory)).problems) == MOST_PROBLEMS


def test_what_a_worker_wrote_before_it_died_and_another_wrote_anew_is_a_note(tmp_path: Path) -> None:
    confirmed = write_trail(tmp_path / "one", sign_ins(3))
    for name, count in (("one", 2), ("two", 4)):
        trail = AuditTrail(tmp_path / name, LARGE)
        trail.open(Confirmed(confirmed, elsewhere=name == "two"))
        trail.append(sign_ins(count, first=4))
        trail.close()
    shutil.copytree(tmp_path / "two", tmp_path / "one", dirs_exist_ok=True)
    found = verify(trail_files(tmp_path / "one"))
    assert (found.problems, found.entries) == ((), 7)
    assert found.notes == (f"{file_name(4)} goes on from entry 3: 2 later ones are in it anew",)


def test_entries_that_somebody_had_the_trail_go_on_without_are_a_fork(directory: Path) -> None:
    other = AuditTrail(directory, 10)
    third = Position(3, rows(directory)[2]["hash"])
    other.open(Confirmed())
    other.close()
    line, _ = written_line(record("forged"), third)
    (directory / file_name(4)).write_bytes(line)
    assert first_problem(directory) == (file_name(4), 1, "fork")


def test_a_fork_that_ends_before_all_came_again(directory: Path) -> None:
    third = Position(3, rows(directory)[2]["hash"])
    line, _ = written_line(
        read_line((directory / file_name(1)).read_bytes().splitlines(keepends=True)[3]).record, third
    )
    (directory / file_name(4)).write_bytes(line)
    assert first_problem(directory)[2] == "fork"


def test_memory_does_not_grow_with_the_trail(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    write_trail(directory, sign_ins(NEAR + 50))
    found = verify(trail_files(directory))
    assert (found.entries, found.problems) == (NEAR + 50, ())
