"""Reading the audit trail: chosen entries, the last ones, those that come, and rows for spreadsheets."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from casduo.events.audit import AuditTrail, Confirmed
from casduo.events.audit_export import COLUMNS, csv_line, csv_row, harmless, one_line
from casduo.events.audit_files import trail_files
from casduo.events.audit_line import START, AuditEntry, read_line, written_line
from casduo.events.audit_reading import AuditFiles, Follower, Selection, in_order
from casduo.events.model import SignedIn, SignInRefused, Subject
from casduo.events.record import EventRecord
from tests.events.trails import LARGE, MORNING, mixed, record, sign_ins, write_trail


def entry_of(found: EventRecord) -> AuditEntry:
    return read_line(written_line(found, START)[0])


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(), ["in-1", "in-2", "out-1"]),
        (Selection(users=("ADA",)), ["in-1", "out-1"]),
        (Selection(users=("ada", "grace")), ["in-1", "in-2", "out-1"]),
        (Selection(kinds=("signin.ok",)), ["in-1", "in-2"]),
        (Selection(kinds=("signin.*",)), ["in-1", "in-2"]),
        (Selection(kinds=("sign.*",)), []),
        (Selection(services=("payroll",)), ["in-2"]),
        (Selection(users=("ada",), services=("payroll",)), []),
        (Selection(start=MORNING + 60), ["in-2", "out-1"]),
        (Selection(end=MORNING + 60), ["in-1"]),
    ],
)
def test_entries_are_chosen_by_what_they_are_about(tmp_path: Path, selection: Selection, names: list[str]) -> None:
    write_trail(tmp_path / "audit", list(mixed()))
    trail = AuditFiles(trail_files(tmp_path / "audit"))
    assert [entry.record.id for entry, _ in trail.entries(selection)] == names
    assert [entry.record.id for entry, _ in trail.last(10, selection)] == names


def test_damaged_lines_are_counted_and_left_out(tmp_path: Path) -> None:
    write_trail(tmp_path / "audit", sign_ins(3))
    (path,) = trail_files(tmp_path / "audit")
    path.write_bytes(path.read_bytes().replace(b"event-2", b"event-x") + b'{"seq":')
    trail = AuditFiles([path])
    assert [entry.record.id for entry, _ in trail.entries(Selection())] == ["event-1", "event-3"]
    assert trail.damaged == 1


def test_the_last_ones_come_from_several_files(tmp_path: Path) -> None:
    write_trail(tmp_path / "audit", sign_ins(30), rotate_size=1000)
    trail = AuditFiles(trail_files(tmp_path / "audit"))
    assert [entry.position.seq for entry, _ in trail.last(7, Selection())] == list(range(24, 31))
    assert trail.last(0, Selection()) == []


def test_lines_longer_than_a_block_are_read_from_the_end_too(tmp_path: Path) -> None:
    long = [record(f"event-{n}", SignedIn(Subject(principal="ada" * 50_000))) for n in range(3)]
    write_trail(tmp_path / "audit", long)
    trail = AuditFiles(trail_files(tmp_path / "audit"))
    assert [entry.record.id for entry, _ in trail.last(10, Selection())] == ["event-0", "event-1", "event-2"]


def test_files_are_put_in_order_by_their_names_as_far_as_these_tell(tmp_path: Path) -> None:
    write_trail(tmp_path / "audit", sign_ins(30), rotate_size=1000)
    files = trail_files(tmp_path / "audit")
    assert in_order(files[::-1]) == files
    other = [tmp_path / "b.jsonl", tmp_path / "a.jsonl"]
    assert in_order(other) == other


def test_what_comes_is_read_on_across_files_and_only_when_it_is_finished(tmp_path: Path) -> None:
    directory = tmp_path / "audit"
    write_trail(directory, sign_ins(3))
    (path,) = trail_files(directory)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    follower, seen = Follower(directory), []
    steps = iter(range(3))

    def wait() -> bool:
        step = next(steps)
        if step == 0:
            path.write_bytes(whole)
        elif step == 1:
            trail = AuditTrail(directory, 10)
            trail.open(Confirmed())
            trail.append(sign_ins(3, first=4))
            trail.close()
        return step < 2

    for line in follower.lines(wait):
        seen.append(read_line(line).position.seq)
    assert seen == [3, 4, 5, 6]


def test_a_directory_without_files_can_be_followed(tmp_path: Path) -> None:
    follower, steps = Follower(tmp_path), iter((True, False))

    def wait() -> bool:
        if not trail_files(tmp_path):
            tmp_path.chmod(0o700)
            write_trail(tmp_path, sign_ins(2))
        return next(steps)

    assert len(list(follower.lines(wait))) == 2


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\tx", "\rx", "\nx", "\uff1d1", "\uff0b1", "\uff20x"]
)
def test_what_could_be_a_formula_is_made_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "ada", "192.0.2.7", "2027-01-15T08:00:00.000Z", '{"wait": -1}', "a=b", "0"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


def test_a_row_has_all_there_is_whatever_people_call_themselves() -> None:
    name = '=HYPERLINK("https://evil.example","x")'
    entry = entry_of(record("event-1", SignInRefused(Subject("R-1", "192.0.2.7", name, "library"), reason="a,b\nc")))
    (row,) = csv.reader(io.StringIO(csv_line(csv_row(entry)).decode(), newline=""))
    found = dict(zip(COLUMNS, row, strict=True))
    assert found["principal"] == f"'{name}"
    assert found["time"] == "2027-01-15T08:00:00.000Z"
    assert (found["seq"], found["event"], found["level"], found["hash"]) == (
        *("1", "signin.refused", "warning"),
        entry.position.hash,
    )
    assert found["facts"] == '{"reason": "a,b\\nc"}'


def test_a_line_for_a_person_says_who_what_where() -> None:
    entry = entry_of(record("x", SignInRefused(Subject("R-1", "192.0.2.7", "ada", "library"), reason="wrong password")))
    assert one_line(entry) == (
        '2027-01-15T08:00:00.000Z  WARNING  signin.refused  ada  library  192.0.2.7  reason="wrong password" [R-1]'
    )
    assert one_line(entry_of(record("x", SignedIn(Subject())))) == "2027-01-15T08:00:00.000Z  signin.ok  -  -  -"


def test_a_trail_is_read_while_it_is_written(tmp_path: Path) -> None:
    trail = AuditTrail(tmp_path / "audit", LARGE)
    trail.open(Confirmed())
    trail.append(sign_ins(2))
    assert len(AuditFiles(trail_files(tmp_path / "audit")).last(5, Selection())) == 2
    trail.close()
