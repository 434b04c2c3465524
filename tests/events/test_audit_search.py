"""The audit trail is searched from its end, a bounded stretch at a time, and the search says where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from casduo.events.audit_files import trail_files
from casduo.events.audit_reading import Selection
from casduo.events.audit_search import Cursor, Search, search
from tests.events.trails import MORNING, mixed, sign_ins, write_trail


def ids(found: Search) -> list[str]:
    return [entry.id for entry in found.entries]


def test_the_newest_come_first_and_the_next_search_goes_on(tmp_path: Path) -> None:
    write_trail(tmp_path, sign_ins(10))
    paths = trail_files(tmp_path)
    first = search(paths, Selection(), 4)
    assert ids(first) == [f"event-{number}" for number in (10, 9, 8, 7)]
    assert first.chained
    second = search(paths, Selection(), 4, before=first.following)
    third = search(paths, Selection(), 4, before=second.following)
    assert ids(second) + ids(third) == [f"event-{number}" for number in range(6, 0, -1)]
    assert third.following is None


@pytest.mark.parametrize("rotate", [600, 100_000])
def test_nothing_is_skipped_or_shown_twice_over_several_files_and_stretches(tmp_path: Path, rotate: int) -> None:
    write_trail(tmp_path, sign_ins(40), rotate_size=rotate)
    paths, before, found = trail_files(tmp_path), None, []
    while True:
        part = search(paths, Selection(), 7, before=before, stretch=900)
        assert part.looked_at <= 7
        assert part.chained
        found += ids(part)
        if part.following is None:
            break
        before = Cursor.parse(part.following.text)
        assert before == part.following
    assert found == [f"event-{number}" for number in range(40, 0, -1)]


def test_no_more_is_read_than_a_stretch_and_where_it_stopped_is_said(tmp_path: Path) -> None:
    write_trail(tmp_path, sign_ins(100))
    found = search(trail_files(tmp_path), Selection(users=("nobody",)), 10, stretch=2000)
    assert found.entries == ()
    assert 0 < found.looked_at < 12
    assert found.following is not None
    assert MORNING < found.oldest < MORNING + 100


def test_entries_are_chosen_by_what_they_are_about(tmp_path: Path) -> None:
    write_trail(tmp_path, list(mixed()))
    paths = trail_files(tmp_path)
    assert ids(search(paths, Selection(users=("GRACE",)), 9)) == ["in-2"]
    assert ids(search(paths, Selection(services=("library",)), 9)) == ["in-1"]
    assert ids(search(paths, Selection(kinds=("signout",)), 9)) == ["out-1"]
    assert ids(search(paths, Selection(), 9, reference="R-1")) == ["in-1"]
    assert ids(search(paths, Selection(start=MORNING + 1, end=MORNING + 61), 9)) == ["in-2"]


def test_a_line_that_was_changed_or_taken_out_is_noticed(tmp_path: Path) -> None:
    write_trail(tmp_path, sign_ins(5))
    (path,) = trail_files(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*lines[:2], *lines[3:])))
    missing = search([path], Selection(), 9)
    assert (missing.damaged, missing.chained) == (0, False)
    path.write_bytes(b"".join((*lines[:2], lines[2].replace(b"ada", b"eve"), *lines[3:])))
    changed = search([path], Selection(), 9)
    assert (changed.damaged, changed.chained, len(changed.entries)) == (1, False, 4)
    path.write_bytes(b"".join(lines) + b'{"seq":6,')
    unfinished = search([path], Selection(), 9)
    assert (unfinished.damaged, unfinished.chained, len(unfinished.entries)) == (0, True, 5)


def test_an_empty_trail_and_strange_cursors(tmp_path: Path) -> None:
    assert search([], Selection(), 9) == Search((), None, 0, 0, True, 0.0)
    for text in ("", "1", "1-1", "1-1-x", "-1-1-1", "1-1-" + "9" * 30, "1-1-1-1"):
        assert Cursor.parse(text) is None
    write_trail(tmp_path, sign_ins(3))
    far = Cursor((10**19, 1), 10**17)
    assert len(search(trail_files(tmp_path), Selection(), 9, before=far).entries) == 3
    assert search(trail_files(tmp_path), Selection(), 9, before=Cursor((1, 1), 0)).entries == ()
    within = search(trail_files(tmp_path), Selection(), 9, before=Cursor((1, 1), 5))
    assert (within.entries, within.damaged) == ((), 0)
