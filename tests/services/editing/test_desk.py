from __future__ import annotations

import errno
import json
import multiprocessing
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from casduo import filereplace
from casduo.filereplace import locked_directory
from casduo.services.editing import file as file_module
from casduo.services.editing.desk import HISTORY_FOLDER, Edit, RegistryDesk
from casduo.services.editing.document import RegistryText
from casduo.services.editing.drafts import Draft
from casduo.services.editing.errors import Busy, Conflict, EditError, ReadOnly, Refused, UnknownEntry
from casduo.services.editing.file import RegistryFile, read_only_reason
from casduo.services.editing.history import Change, History
from tests.events.disks import small_disk

FILE = """\
services:
  - id: a   # one
    name: A
    url: https://a.example.edu/**

  - id: b
    name: B
    url: https://b.example.edu/**
"""
NOW = 1_800_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "registry.yaml"
    path.parent.mkdir()
    path.write_text(FILE)
    path.chmod(0o640)
    return path


@pytest.fixture
def desk(path: Path, tmp_path: Path) -> RegistryDesk:
    return RegistryDesk(path, tmp_path / "state", None, lambda: NOW)


def renamed(text: RegistryText, name: str, entry: str = "a") -> Edit:
    made = text.with_keys(text.find(entry), {("name",): name})
    return Edit(text.version, made.content, "changed", entry, "ada", "because")


def test_a_change_is_saved_and_written_down(desk: RegistryDesk, path: Path) -> None:
    text = desk.text()
    change = desk.save(renamed(text, "New"))
    assert path.read_text() == FILE.replace("name: A", "name: New")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (change.by, change.reason, change.at, change.before) == ("ada", "because", NOW, text.version)
    assert [(one.kind, one.by) for one in desk.history.changes()] == [("changed", "ada"), ("first", "")]
    assert desk.history.text(change.before) == FILE.encode()
    assert desk.history.text(change.after) == path.read_bytes()


def test_without_a_place_for_the_history_the_registry_is_looked_at_and_not_changed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    desk = RegistryDesk(path, tmp_path / "state", None, lambda: NOW)
    text = desk.text()
    assert text.ids() == ["a", "b"]
    assert desk.history.changes() == ()
    with pytest.raises(EditError, match="The history cannot be written"):
        desk.save(renamed(text, "New"))
    assert path.read_text() == FILE


def test_what_was_saved_is_not_read_again(desk: RegistryDesk, path: Path) -> None:
    wide = "\ufeff- id: a\n  name: A\n  url: https://*.example.edu/**\n"
    proposal = desk.propose(Draft("changed", desk.text().version, "a", wide))
    assert [(one.name, one.level) for one in desk.worth_a_look(proposal)] == [("b", "warning")]
    desk.save(Edit(desk.text().version, proposal.content, "changed", "a", "ada", "because"))
    assert desk.text() is proposal.text
    assert desk.findings(desk.text()).others == RegistryDesk(path, path.parent, None).findings(desk.text()).others


def test_the_history_is_for_the_server_alone(desk: RegistryDesk, tmp_path: Path) -> None:
    desk.save(renamed(desk.text(), "New"))
    folder = tmp_path / "state" / HISTORY_FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}


def test_the_second_of_two_editors_is_told_of_the_first(desk: RegistryDesk, path: Path) -> None:
    text = desk.text()
    desk.save(renamed(text, "First"))
    with pytest.raises(Conflict) as conflict:
        desk.save(renamed(text, "Second", "b"))
    assert (conflict.value.by, conflict.value.at, conflict.value.expected) == ("ada", NOW, text.version)
    assert conflict.value.content == path.read_bytes()
    assert b"First" in path.read_bytes()


def test_a_change_by_hand_in_between_is_not_overwritten(desk: RegistryDesk, path: Path) -> None:
    edit = renamed(desk.text(), "Mine")
    path.write_text(FILE.replace("name: B", "name: By hand"))
    with pytest.raises(Conflict, match="by hand"):
        desk.save(edit)
    assert [one.kind for one in desk.history.changes()] == ["by_hand", "first"]
    assert "By hand" in path.read_text()


def test_an_earlier_text_can_be_returned_to(desk: RegistryDesk, path: Path) -> None:
    first = desk.save(renamed(desk.text(), "New"))
    path.write_text("services: [")
    desk.content()
    broken = desk.history.last()
    assert broken is not None
    desk.save(Edit(broken.after, desk.history.text(first.before), "returned", "", "ada", "broken by hand"))
    assert path.read_text() == FILE
    with pytest.raises(Refused):
        desk.save(Edit(first.before, desk.history.text(broken.after), "returned", "", "ada", "no"))
    with pytest.raises(UnknownEntry):
        desk.history.text("0" * 12)
    with pytest.raises(UnknownEntry):
        desk.history.text("../../etc/passwd")


def test_a_registry_with_mistakes_is_refused_with_all_of_them(desk: RegistryDesk, path: Path) -> None:
    text = desk.text()
    made = text.with_text(0, "- id: a\n  nmae: A\n  url: ftp//x\n")
    with pytest.raises(Refused) as refused:
        desk.save(Edit(text.version, made.content, "changed", "a", "ada", "oops"))
    assert {problem.path for problem in refused.value.problems} == {
        "services[0].name", "services[0].nmae", "services[0].url"
    }  # fmt: skip
    assert path.read_text() == FILE


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 501])
def test_a_change_needs_a_reason(desk: RegistryDesk, reason: str) -> None:
    text = desk.text()
    with pytest.raises(EditError, match="reason"):
        desk.save(Edit(text.version, text.without(0).content, "deleted", "a", "ada", reason))


def test_saving_what_is_there_is_no_change(desk: RegistryDesk) -> None:
    text = desk.text()
    with pytest.raises(EditError, match="Nothing"):
        desk.save(Edit(text.version, text.content, "changed", "a", "ada", "none"))


def test_findings_are_told_apart_by_entry_and_field(desk: RegistryDesk) -> None:
    text = desk.text().with_text(1, "- id: b\n  name: B\n  url: http://a.example.edu/x\n  requires_duo: {fial: open}\n")
    verdict = desk.check(text, 1)
    assert [(one.entry_line, one.field, one.level) for one in verdict.own] == [(4, "requires_duo.fial", "error")]
    assert "did you mean 'fail'" in verdict.own[0].message
    assert not verdict.others
    other = desk.check(text, 0)
    assert not other.own
    assert [one.entry for one in other.others] == [1]


# --- killed in between, several at once -----------------------------------------------------------------------------


def test_a_full_disk_leaves_the_file_and_the_history_as_they_were(
    desk: RegistryDesk, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit, real = renamed(desk.text(), "New"), os.fsync

    def full(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith(str(path.parent)):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(filereplace.os, "fsync", full)
    with pytest.raises(EditError, match="disk is full"):
        desk.save(edit)
    assert path.read_text() == FILE
    assert [one.name for one in path.parent.iterdir()] == ["registry.yaml"]
    assert [one.kind for one in desk.history.changes()] == ["first"]


@pytest.mark.parametrize("room", range(0, 6 * 4096, 2048))
def test_with_little_room_a_change_is_made_as_a_whole_or_not_at_all(tmp_path: Path, room: int) -> None:
    with small_disk(tmp_path / "disk") as disk:
        path = disk.directory / "registry.yaml"
        path.write_text(FILE)
        desk = RegistryDesk(path, disk.directory / "state", None, lambda: NOW)
        edit = renamed(desk.text(), "New")
        disk.fill(room)
        try:
            told = _save(desk, edit)
        finally:
            disk.free()
        made = not told
        assert made or "Nothing was changed" in told
        assert path.read_bytes() == (edit.content if made else FILE.encode())
        assert [one.kind for one in desk.history.changes()][:-1] == ["changed"] * made
        desk.save(renamed(desk.text(), "Newer"))
        assert [one.kind for one in desk.history.changes()] == [*["changed"] * (1 + made), "first"]
        assert {one.name for one in disk.directory.iterdir()} <= {"registry.yaml", "state"}


def _save(desk: RegistryDesk, edit: Edit) -> str:
    """Save, and return what is said where that cannot be done."""
    try:
        desk.save(edit)
    except EditError as error:
        return error.reason
    return ""


def _save_and_die(path: Path, state: Path, at: str) -> None:
    """Save, and die like a process that is killed: before the new file takes the old one's place, or right after."""
    desk = RegistryDesk(path, state, None, lambda: NOW)
    real = os.replace

    def dying(source: str, target: Path) -> None:
        if Path(target) == path:
            if at == "after":
                real(source, target)
            os._exit(9)
        real(source, target)

    filereplace.os.replace = dying  # type: ignore[assignment]
    desk.save(renamed(desk.text(), "New"))


@pytest.mark.parametrize(("at", "kinds"), [("before", ["first"]), ("after", ["changed", "first"])])
def test_a_process_that_dies_over_saving_leaves_one_or_the_other(
    desk: RegistryDesk, path: Path, tmp_path: Path, at: str, kinds: list[str]
) -> None:
    process = multiprocessing.get_context("fork").Process(target=_save_and_die, args=(path, tmp_path / "state", at))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert path.read_text() == (FILE if at == "before" else FILE.replace("name: A", "name: New"))
    text = desk.text()
    assert [one.kind for one in desk.history.changes()] == kinds
    desk.save(renamed(text, "Later"))
    assert next(one.number for one in desk.history.changes()) == len(kinds) + 1


def test_of_many_editors_at_once_one_wins_and_the_others_are_told(path: Path, tmp_path: Path) -> None:
    desks = [RegistryDesk(path, tmp_path / "state", None) for _ in range(4)]
    edits = [renamed(desk.text(), f"N{number}") for number, desk in enumerate(desks)]
    gate, outcomes = threading.Barrier(len(desks)), []

    def run(desk: RegistryDesk, edit: Edit) -> None:
        gate.wait()
        try:
            desk.save(edit)
            outcomes.append("saved")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=run, args=one) for one in zip(desks, edits, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "conflict", "conflict", "saved"]
    assert [one.kind for one in desks[0].history.changes()] == ["changed", "first"]


def test_somebody_who_holds_the_lock_for_long_is_not_waited_for(desk: RegistryDesk, path: Path) -> None:
    file = RegistryFile(path, patience=0.05)
    with locked_directory(path.parent), pytest.raises(Busy), file.locked():
        raise AssertionError("nobody gets here")


# --- read-only ------------------------------------------------------------------------------------------------------


def config_map(path: Path) -> None:
    data = path.parent / "..2026" / "registry.yaml"
    data.parent.mkdir()
    path.rename(data)
    (path.parent / "..data").symlink_to("..2026")
    path.symlink_to("..data/registry.yaml")


def protect(path: Path) -> None:
    path.chmod(0o444)


@pytest.mark.parametrize(("prepare", "reason"), [(config_map, "ConfigMap"), (protect, "write-protected")])
def test_a_file_that_belongs_to_others_is_only_read(
    desk: RegistryDesk, path: Path, prepare: Callable[[Path], None], reason: str
) -> None:
    assert not desk.read_only
    edit = renamed(desk.text(), "New")
    prepare(path)
    assert reason in desk.read_only
    with pytest.raises(ReadOnly, match=reason):
        desk.save(edit)
    assert desk.text().ids() == ["a", "b"]


def test_a_file_that_is_mounted_by_itself_is_only_read(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 98:0 /x {path} rw - ext4 /dev/sda rw\n")
    monkeypatch.setattr(file_module, "_MOUNTS", mounts)
    assert "mounted" in read_only_reason(path)


def test_a_link_stays_a_link(desk: RegistryDesk, path: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.yaml"
    path.rename(real)
    path.symlink_to(real)
    desk.save(renamed(desk.text(), "New"))
    assert path.is_symlink()
    assert "name: New" in real.read_text()


# --- the history ----------------------------------------------------------------------------------------------------


def change(number: int, content: bytes) -> Change:
    return Change(number, NOW + number, "ada", "changed", "a", "why", "", RegistryText(content, "r").version)


def test_the_history_is_bounded(tmp_path: Path) -> None:
    history = History(tmp_path, most=3)
    for number in range(8):
        content = b"services: [{id: a%d}]" % number
        history.finish(history.begin(change(0, content), content), done=True)
    assert [one.number for one in history.changes()] == [8, 7, 6, 5, 4][: len(history.changes())]
    assert 3 <= len(history.changes()) <= 6
    kept = {one.after for one in history.changes()}
    assert {one.stem for one in tmp_path.glob("*.gz")} <= kept | {one.before for one in history.changes()}


def test_what_did_not_fit_on_the_disk_is_not_taken_for_written_down(tmp_path: Path) -> None:
    """The system writes as much as there is room for, and calls that written."""
    with small_disk(tmp_path / "disk") as disk:
        history = History(disk.directory / "history")
        content = FILE.encode()
        history.notice(content, NOW)
        last = history.last()
        assert last is not None
        disk.fill()
        with suppress(OSError):
            while True:
                last = history.begin(replace(last, by="ada", reason="because " * 20), content)
        disk.free()
        history.finish(last, done=True)
        assert history.last() == last
        further = history.begin(replace(last, reason="there is room"), content)
        history.finish(further, done=True)
        assert [change.number for change in history.changes()][:2] == [further.number, last.number]


def test_a_line_that_was_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    history = History(tmp_path)
    content = b"services: []"
    history.finish(history.begin(change(0, content), content), done=True)
    log = tmp_path / "changes.jsonl"
    with log.open("a") as stream:
        stream.write(json.dumps({"number": 2})[:5] + '\n[1]\n{"number": 3, "kind": "strange"}')
    assert [one.number for one in history.changes()] == [1]
    history.finish(history.begin(change(0, b"services: [1]"), b"services: [1]"), done=True)
    assert [one.number for one in history.changes()] == [2, 1]
