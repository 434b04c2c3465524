"""The writing end of the audit trail: what a crash leaves at any byte, disks that are full, and whose the files are."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from casduo.events.audit import AuditTrail, Confirmed
from casduo.events.audit_files import LOCK, AuditUnwritable, file_name, trail_files
from casduo.events.audit_line import START, Position
from casduo.events.audit_tail import RECENT
from casduo.events.audit_verify import verify
from casduo.events.record import EventRecord
from tests.events.disks import SmallDisk, small_disk
from tests.events.trails import LARGE, ids, record, rows, sign_ins, write_trail


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def trail(directory: Path) -> Iterator[AuditTrail]:
    found = AuditTrail(directory, LARGE)
    yield found
    found.close()


def assert_whole(directory: Path, records: list[EventRecord]) -> None:
    """Every event once, in order, and the chain holds."""
    assert ids(directory) == [each.id for each in records]
    assert verify(trail_files(directory)).problems == ()


# --- writing ---------------------------------------------------------------------------------------------------------


def test_events_are_appended_in_order_and_chained(directory: Path, trail: AuditTrail) -> None:
    assert trail.open(Confirmed()).torn == ""
    assert trail.append(sign_ins(3)) == 3
    assert trail.append(sign_ins(2, first=4)) == 2
    assert [row["seq"] for row in rows(directory)] == [1, 2, 3, 4, 5]
    assert trail.last == Position(5, rows(directory)[-1]["hash"])
    assert trail.file == "audit-000000000001.jsonl"
    assert_whole(directory, sign_ins(5))


def test_the_trail_goes_on_where_it_ended(directory: Path, trail: AuditTrail) -> None:
    end = write_trail(directory, sign_ins(3))
    trail.open(Confirmed(end))
    trail.append(sign_ins(3, first=4))
    assert_whole(directory, sign_ins(6))
    assert len(trail_files(directory)) == 1


def test_an_event_that_comes_again_is_written_once(directory: Path, trail: AuditTrail) -> None:
    trail.open(Confirmed())
    trail.append(sign_ins(3))
    assert trail.append(sign_ins(5)) == 2
    assert trail.append([record("twice"), record("twice")]) == 1
    assert ids(directory) == ["event-1", "event-2", "event-3", "event-4", "event-5", "twice"]


def test_files_are_followed_by_others_before_they_get_too_large(directory: Path, trail: AuditTrail) -> None:
    end = write_trail(directory, sign_ins(50), rotate_size=4096)
    files = trail_files(directory)
    assert len(files) > 3
    assert all(path.stat().st_size <= 4096 for path in files)
    for path in files:
        first = path.read_bytes().partition(b"\n")[0]
        assert f'"seq":{int(path.stem.removeprefix("audit-"))},'.encode() in first
    assert_whole(directory, sign_ins(50))
    trail.open(Confirmed(end))
    trail.append(sign_ins(1, first=51))
    assert_whole(directory, sign_ins(51))


def test_an_event_larger_than_a_file_may_be_has_one_of_its_own(directory: Path) -> None:
    write_trail(directory, sign_ins(3), rotate_size=10)
    assert len(trail_files(directory)) == 3
    assert_whole(directory, sign_ins(3))


def test_nothing_to_write_makes_no_file(directory: Path, trail: AuditTrail) -> None:
    trail.open(Confirmed())
    assert trail.append([]) == 0
    assert trail_files(directory) == []
    assert (trail.last, trail.file) == (START, "")


# --- crashes ---------------------------------------------------------------------------------------------------------


def test_a_crash_at_any_byte_loses_and_doubles_nothing(tmp_path: Path) -> None:
    before = write_trail(tmp_path / "audit", sign_ins(2))
    path = tmp_path / "audit" / file_name(1)
    confirmed_size = path.stat().st_size
    trail = AuditTrail(tmp_path / "audit", LARGE)
    trail.open(Confirmed(before))
    trail.append(sign_ins(2, first=3))
    trail.close()
    for size in range(confirmed_size, path.stat().st_size + 1):
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "audit", copy)
        os.truncate(copy / path.name, size)
        again = AuditTrail(copy, LARGE)
        opened = again.open(Confirmed(before))
        assert not opened.missing
        # The stream gives everything again that Redis does not know to be written.
        again.append(sign_ins(3, first=3))
        again.close()
        assert_whole(copy, sign_ins(5))
        whole_line = (copy / path.name).read_bytes()[:size].endswith(b"\n")
        assert bool(opened.torn) is not whole_line
        shutil.rmtree(copy)


def test_a_crash_while_the_very_first_line_is_written(tmp_path: Path) -> None:
    write_trail(tmp_path / "audit", sign_ins(1))
    for size in range((tmp_path / "audit" / file_name(1)).stat().st_size + 1):
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "audit", copy)
        os.truncate(copy / file_name(1), size)
        again = AuditTrail(copy, LARGE)
        again.open(Confirmed())
        again.append(sign_ins(2))
        again.close()
        assert_whole(copy, sign_ins(2))
        shutil.rmtree(copy)


def test_what_is_torn_is_kept_aside(directory: Path, trail: AuditTrail) -> None:
    end = write_trail(directory, sign_ins(2))
    for rest in (b'{"seq":3,"id":', b"\0" * 100):
        with (directory / file_name(1)).open("ab") as file:
            file.write(rest)
        opened = trail.open(Confirmed(end))
        assert (directory / opened.torn).read_bytes() == rest
        trail.close()
    assert sorted(path.name for path in directory.glob("*.torn*")) == [
        f"{file_name(1)}.torn",
        f"{file_name(1)}.torn-2",
    ]
    assert_whole(directory, sign_ins(2))


def test_pages_that_were_written_out_in_another_order_are_torn_too(directory: Path, trail: AuditTrail) -> None:
    before = write_trail(directory, sign_ins(2))
    path = directory / file_name(1)
    size = path.stat().st_size
    trail.open(Confirmed(before))
    trail.append(sign_ins(3, first=3))
    trail.close()
    with path.open("r+b") as file:
        file.seek(size + 5)
        file.write(b"\0" * 50)
    opened = trail.open(Confirmed(before))
    assert (opened.torn, opened.missing) == (f"{path.name}.torn", False)
    trail.append(sign_ins(3, first=3))
    assert_whole(directory, sign_ins(5))


def test_lines_that_redis_does_not_know_yet_stay_and_are_not_written_again(directory: Path, trail: AuditTrail) -> None:
    before = write_trail(directory, sign_ins(2))
    trail.open(Confirmed(before))
    trail.append(sign_ins(2, first=3))
    trail.close()
    trail.open(Confirmed(before))
    assert trail.last.seq == 4
    assert trail.append(sign_ins(3, first=3)) == 1
    assert_whole(directory, sign_ins(5))


def test_a_redis_that_was_set_back_far_does_not_make_the_trail_double(directory: Path, trail: AuditTrail) -> None:
    many = RECENT + 500
    before = write_trail(directory, sign_ins(100))
    trail.open(Confirmed(before))
    trail.append(sign_ins(many, first=101))
    trail.close()
    trail.open(Confirmed(before))
    assert trail.append(sign_ins(many, first=101)) == 0


def test_a_redis_that_knows_nothing_leaves_the_trail_as_it_is(directory: Path, trail: AuditTrail) -> None:
    write_trail(directory, sign_ins(5), rotate_size=1000)
    assert trail.open(Confirmed()).missing is False
    trail.append(sign_ins(1, first=6))
    assert_whole(directory, sign_ins(6))


# --- what others did to the files ------------------------------------------------------------------------------------


def test_lines_that_are_gone_are_told_and_the_gap_stays_to_be_seen(directory: Path, trail: AuditTrail) -> None:
    end = write_trail(directory, sign_ins(5))
    path = directory / file_name(1)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    assert trail.open(Confirmed(end)).missing
    trail.append(sign_ins(1, first=6))
    assert [path.name for path in trail_files(directory)] == [file_name(1), file_name(6)]
    (problem,) = verify(trail_files(directory)).problems
    assert (problem.file, problem.line, problem.reason) == (file_name(6), 1, "gap")


def test_a_confirmed_line_that_was_changed_is_left_as_evidence(directory: Path, trail: AuditTrail) -> None:
    end = write_trail(directory, sign_ins(3))
    path = directory / file_name(1)
    changed = path.read_bytes().replace(b'"id":"event-3"', b'"id":"event-x"')
    path.write_bytes(changed)
    opened = trail.open(Confirmed(end))
    assert (opened.missing, opened.torn) == (True, "")
    trail.append(sign_ins(1, first=4))
    assert path.read_bytes() == changed
    (problem,) = verify(trail_files(directory)).problems
    assert (problem.file, problem.line, problem.reason) == (file_name(1), 3, "changed")


def test_a_directory_that_was_emptied_is_told(directory: Path, trail: AuditTrail) -> None:
    end = write_trail(directory, sign_ins(3))
    shutil.rmtree(directory)
    assert trail.open(Confirmed(end)).missing
    trail.append(sign_ins(1, first=4))
    assert [row["seq"] for row in rows(directory)] == [4]
    assert rows(directory)[0]["prev"] == end.hash


@pytest.mark.parametrize("harm", ["removed", "renamed", "emptied", "appended"])
def test_a_file_that_is_touched_while_it_is_written_is_noticed(directory: Path, trail: AuditTrail, harm: str) -> None:
    trail.open(Confirmed())
    trail.append(sign_ins(1))
    assert trail.intact()
    path = directory / trail.file
    match harm:
        case "removed":
            path.unlink()
        case "renamed":
            path.rename(directory / "old.jsonl")
        case "emptied":
            os.truncate(path, 0)
        case "appended":
            with path.open("ab") as file:
                file.write(b"hello\n")
    assert not trail.intact()


# --- other machines --------------------------------------------------------------------------------------------------


def test_on_another_machine_the_first_line_says_from_where_it_goes_on(tmp_path: Path) -> None:
    end = write_trail(tmp_path / "one", sign_ins(3))
    two = AuditTrail(tmp_path / "two", LARGE)
    assert two.open(Confirmed(end, elsewhere=True)).missing is False
    two.append(sign_ins(2, first=4))
    two.close()
    first = rows(tmp_path / "two")[0]
    assert (first["seq"], first["prev"]) == (4, end.hash)
    shutil.copytree(tmp_path / "one", tmp_path / "two", dirs_exist_ok=True)
    assert_whole(tmp_path / "two", sign_ins(5))


def test_coming_back_what_was_not_confirmed_is_set_aside_for_it_was_written_there(tmp_path: Path) -> None:
    confirmed = write_trail(tmp_path / "one", sign_ins(3))
    one, two = AuditTrail(tmp_path / "one", LARGE), AuditTrail(tmp_path / "two", LARGE)
    one.open(Confirmed(confirmed))
    # The worker dies before Redis hears of these.
    one.append(sign_ins(2, first=4))
    one.close()
    two.open(Confirmed(confirmed, elsewhere=True))
    two.append(sign_ins(4, first=4))
    two.close()
    opened = one.open(Confirmed(two.last, here=confirmed, elsewhere=True))
    assert (opened.torn, opened.missing) == (f"{file_name(1)}.torn", False)
    one.append(sign_ins(1, first=8))
    one.close()
    shutil.copytree(tmp_path / "two", tmp_path / "one", dirs_exist_ok=True)
    assert_whole(tmp_path / "one", sign_ins(8))


def test_files_that_were_moved_along_with_the_worker_are_gone_on_with(directory: Path, trail: AuditTrail) -> None:
    end = write_trail(directory, sign_ins(3))
    trail.open(Confirmed(end, elsewhere=True))
    trail.append(sign_ins(1, first=4))
    assert len(trail_files(directory)) == 1
    assert_whole(directory, sign_ins(4))


# --- whose the files are ---------------------------------------------------------------------------------------------


def test_nobody_else_can_read_the_files(directory: Path) -> None:
    old = os.umask(0)
    try:
        write_trail(directory, sign_ins(1))
    finally:
        os.umask(old)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def refused(trail: AuditTrail) -> str:
    with pytest.raises(AuditUnwritable) as error:
        trail.open(Confirmed())
    return error.value.obstacle


def test_a_directory_that_is_a_link_is_refused(tmp_path: Path, directory: Path, trail: AuditTrail) -> None:
    (tmp_path / "elsewhere").mkdir(0o700)
    directory.symlink_to(tmp_path / "elsewhere")
    assert refused(trail) == "foreign"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_that_is_a_link_is_refused(tmp_path: Path, directory: Path, trail: AuditTrail) -> None:
    write_trail(tmp_path / "elsewhere", sign_ins(1))
    directory.mkdir(0o700)
    (directory / file_name(1)).symlink_to(tmp_path / "elsewhere" / file_name(1))
    assert refused(trail) == "foreign"


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path, directory: Path, trail: AuditTrail) -> None:
    directory.mkdir(0o700)
    (directory / LOCK).symlink_to(tmp_path / "victim")
    assert refused(trail) == "foreign"
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_directory_that_others_may_write_is_refused(directory: Path, trail: AuditTrail, mode: int) -> None:
    directory.mkdir()
    directory.chmod(mode)
    assert refused(trail) == "foreign"


def test_a_file_that_others_may_write_is_refused(directory: Path, trail: AuditTrail) -> None:
    write_trail(directory, sign_ins(1))
    (directory / file_name(1)).chmod(0o660)
    assert refused(trail) == "foreign"


def test_something_else_in_place_of_the_directory_is_refused(directory: Path, trail: AuditTrail) -> None:
    directory.write_text("hello")
    assert refused(trail) == "foreign"


def test_other_files_in_the_directory_do_no_harm(directory: Path, trail: AuditTrail) -> None:
    directory.mkdir(0o700)
    for name in ("notes.txt", "audit-1.jsonl", "audit-000000000001.jsonl.gz", "audit-000000000001.jsonl.torn"):
        (directory / name).write_text("hello")
    trail.open(Confirmed())
    trail.append(sign_ins(1))
    assert_whole(directory, sign_ins(1))


def test_one_process_writes_in_a_directory(directory: Path, trail: AuditTrail) -> None:
    other = AuditTrail(directory, LARGE)
    other.open(Confirmed())
    assert refused(trail) == "locked"
    other.append(sign_ins(1))
    other.close()
    trail.open(Confirmed())
    trail.append(sign_ins(1, first=2))
    assert_whole(directory, sign_ins(2))


# --- disks -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as found:
        yield found


def test_a_full_disk_is_told_and_nothing_is_lost_or_doubled(disk: SmallDisk) -> None:
    trail = AuditTrail(disk.directory / "audit", LARGE)
    trail.open(Confirmed())
    trail.append(sign_ins(10))
    disk.fill()
    for _ in range(3):
        with pytest.raises(AuditUnwritable) as error:
            trail.append(sign_ins(40, first=11))
        assert error.value.obstacle == "full"
        assert ids(disk.directory / "audit") == [f"event-{number}" for number in range(1, 11)]
        trail.open(Confirmed(trail.last))
    disk.free()
    assert trail.append(sign_ins(40, first=11)) == 40
    trail.close()
    assert_whole(disk.directory / "audit", sign_ins(50))


def test_a_full_disk_while_files_are_followed_by_others(disk: SmallDisk) -> None:
    trail = AuditTrail(disk.directory / "audit", 2000)
    trail.open(Confirmed())
    trail.append(sign_ins(3))
    disk.fill(leaving=8192)
    with pytest.raises(AuditUnwritable):
        trail.append(sign_ins(400, first=4))
    disk.free()
    trail.open(Confirmed(trail.last))
    assert trail.last.seq == 3
    trail.append(sign_ins(40, first=4))
    trail.close()
    assert_whole(disk.directory / "audit", sign_ins(43))
