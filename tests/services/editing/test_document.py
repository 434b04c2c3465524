from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.errors import SettingsError
from casduo.services.editing.document import RegistryText
from casduo.services.editing.errors import NotEditable, Refused, UnknownEntry
from casduo.services.editing.keys import REMOVED

SAMPLE = Path(__file__).parents[3] / "registry.yaml"

FILE = """\
# The registry.
services:
  # The library.
  - id: library   # stable
    name: 'Library'
    url: https://library.example.edu/**
    # owner: somebody

  # ==== Staff ====

  # Payroll.
  - id: payroll
    name: Payroll
    url:
      - https://payroll.example.edu/**     # new
      # the old one
      - https://pay.example.edu/**
    requires_duo: true
  - id: wiki
    name: Wiki
    url: https://wiki.example.edu/**
# The end.
"""


def text(content: str = FILE) -> RegistryText:
    return RegistryText(content.encode(), "registry.yaml")


def written(made: RegistryText) -> str:
    return made.content.decode()


def test_an_entry_has_the_comment_above_it_and_the_deeper_ones_below() -> None:
    assert text().entry_text(0) == (
        "# The library.\n- id: library   # stable\n  name: 'Library'\n  url: https://library.example.edu/**\n"
        "  # owner: somebody\n"
    )
    assert text().entry_text(1).startswith("# Payroll.\n- id: payroll\n")
    assert text().entry_text(2) == "- id: wiki\n  name: Wiki\n  url: https://wiki.example.edu/**\n"


def test_a_single_key_changes_its_line_alone() -> None:
    made = text().with_keys(0, {("name",): "The library"})
    assert written(made) == FILE.replace("'Library'", "'The library'")


def test_a_list_keeps_the_lines_of_what_stays_in_it() -> None:
    new = ["https://pay.example.edu/**", "https://third.example.edu/**"]
    made = text().with_keys(1, {("url",): new})
    assert written(made) == FILE.replace(
        "      - https://payroll.example.edu/**     # new\n      # the old one\n      - https://pay.example.edu/**\n",
        "      # the old one\n      - https://pay.example.edu/**\n      - https://third.example.edu/**\n",
    )


def test_a_new_key_stands_where_the_reference_has_it() -> None:
    made = text().with_keys(1, {("enabled",): False, ("requires_duo", "max_age"): "8h"})
    assert "https://pay.example.edu/**\n    enabled: false\n    requires_duo: {max_age: 8h}\n" in written(made)


def test_removing_a_key_takes_its_lines() -> None:
    made = text().with_keys(1, {("requires_duo",): REMOVED})
    assert written(made) == FILE.replace("    requires_duo: true\n", "")


def test_removing_the_first_key_leaves_the_dash_to_the_next_one() -> None:
    made = text("services:\n- owner: me\n  # why\n  id: a\n  name: A\n").with_keys(0, {("owner",): REMOVED})
    assert written(made) == "services:\n  # why\n- id: a\n  name: A\n"


@pytest.mark.parametrize(
    ("entry", "change", "expected"),
    [
        ("{id: a, name: A, url: x}", {("name",): "A, B"}, "{id: a, name: 'A, B', url: x}"),
        ("{id: a, name: A}", {("enabled",): False}, "{id: a, name: A, enabled: false}"),
        ("{id: a, name: A, enabled: false}", {("enabled",): REMOVED}, "{id: a, name: A}"),
        ("{enabled: false, id: a}", {("enabled",): REMOVED}, "{id: a}"),
        ("{id: a, access: {}}", {("access", "groups"): ["x"]}, "{id: a, access: {groups: [x]}}"),
        ("{id: a, owner: }", {("owner",): "me"}, "{id: a, owner: me }"),
    ],
)
def test_an_entry_with_brackets_keeps_them(entry: str, change: dict[tuple[str, ...], object], expected: str) -> None:
    made = text(f"services:\n  - {entry}   # c\n").with_keys(0, change)
    assert written(made) == f"services:\n  - {expected}   # c\n"


@pytest.mark.parametrize(
    "value",
    ["yes", "NO", "1", "2026", "a: b", "a #b", "'x'", '"', "", " x ", "*x", "&x", "- x", "{a", "@x", "null", "~",
     "é\u2028", "\x85", "\ufeff", "a:", "<<", "%x", "`x", "!x", "|", "x" * 1000, "?x", "? x", "...", "---",
     "a\\b", "1e3", "=", "https://*.example.edu/**", "0x1f", "\U0001f600", "a,b]"],
)  # fmt: skip
def test_every_text_is_written_so_that_it_is_read_again(value: str) -> None:
    flat = text("services:\n  - {id: a, name: A}\n").with_keys(0, {("name",): value, ("attributes",): {value: value}})
    assert flat.services == [{"id": "a", "name": value, "attributes": {value: value}}]
    block = text().with_keys(0, {("name",): value, ("owner",): value, ("authentication",): [value, value]})
    entry = block.services[0]
    assert (entry["name"], entry["owner"], entry["authentication"]) == (value, value, [value, value])


def test_a_long_mapping_gets_lines_of_its_own() -> None:
    made = text().with_keys(0, {("access",): {"groups": [f"group-{number}" for number in range(20)], "reason": "No."}})
    assert "    access:\n      groups:\n        - group-0\n" in written(made)


def test_moving_takes_the_comment_along_and_leaves_headings_in_their_place() -> None:
    made = written(text().moved(0, 2))
    assert made.index("# Payroll.") < made.index("==== Staff") < made.index("id: wiki") < made.index("# The library.")
    assert made.endswith("    # owner: somebody\n# The end.\n")
    assert text().moved(2, 0).moved(0, 2).content == FILE.encode()


def test_deleting_takes_the_comment_too() -> None:
    made = text().without(1)
    assert written(made) == FILE[: FILE.index("  # Payroll")] + FILE[FILE.index("  - id: wiki") :]


def test_the_last_entry_leaves_an_empty_list_and_a_new_one_fills_it() -> None:
    one = "services: # all\n  - id: a\n    name: A\nx-more: 1\n"
    none = text(one).without(0)
    assert written(none) == "services: [] # all\nx-more: 1\n"
    assert written(none.with_new("- id: a\n  name: A\n")) == one


@pytest.mark.parametrize("place", [0, 1, None])
def test_a_new_entry_stands_where_it_is_put(place: int | None) -> None:
    made = text().with_new("- id: new\n  name: New\n  url: https://new.example.edu/**", place)
    assert made.ids().index("new") == (3 if place is None else place)
    assert written(made).replace("  - id: new\n    name: New\n    url: https://new.example.edu/**\n\n", "") == FILE or (
        place is None
    )


def test_a_file_without_a_line_break_at_its_end_can_be_added_to() -> None:
    made = text("services:\n- id: a").with_new("- id: b")
    assert written(made) == "services:\n- id: a\n\n- id: b\n"


def test_line_breaks_of_windows_and_the_mark_at_the_beginning_stay() -> None:
    content = b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode()
    made = RegistryText(content, "registry.yaml").with_keys(1, {("enabled",): False, ("url",): ["https://x/**"]})
    assert made.content.startswith(b"\xef\xbb\xbf")
    assert b"\n" not in made.content.replace(b"\r\n", b"")
    typed = made.with_text(0, "- id: library\r\n  name: X\r\n")
    assert b"  - id: library\r\n    name: X\r\n" in typed.content
    assert b"\n" not in typed.content.replace(b"\r\n", b"")


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        '{"services": [{"id": "a"}]}',
        "services: [{id: a}]\n",
        "x-all: &all\n  - id: a\nservices: *all\n",
    ],
)
def test_lists_that_are_not_lines_are_not_for_editing(content: str) -> None:
    unusual = text(content)
    assert unusual.obstacle
    for change in (lambda: unusual.without(0), lambda: unusual.with_new("- id: b"), lambda: unusual.moved(0, 0)):
        with pytest.raises(NotEditable, match="by hand"):
            change()


def test_a_text_that_looks_like_entries_is_not_taken_for_some() -> None:
    tricky = text('services:\n  - id: a\n    name: |\n      x\n  - id: b\n    name: "x\n  - id: no\n    y"\n')
    assert tricky.obstacle or [tricky.entry_text(place) for place in (0, 1)]
    block = text("services:\n- id: a\n  description: |\n    - id: no\n    # no comment\n- id: b\n")
    assert block.entry_text(0).endswith("# no comment\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda shared: shared.without(0),
        lambda shared: shared.moved(0, 1),
        lambda shared: shared.with_text(0, "- id: a\n  access: &staff {groups: [other]}\n"),
        lambda shared: shared.with_keys(0, {("access", "groups"): ["other"]}),
        lambda shared: shared.with_keys(0, {("access",): REMOVED}),
    ],
)
def test_what_would_change_another_entry_by_an_anchor_is_refused(
    change: Callable[[RegistryText], RegistryText],
) -> None:
    shared = text("services:\n  - id: a\n    access: &staff {groups: [staff]}\n  - id: b\n    access: *staff\n")
    with pytest.raises((NotEditable, Refused)):
        change(shared)


def test_a_text_that_would_grow_by_the_empty_line_behind_it_is_not_moved() -> None:
    kept = text("services:\n  - id: a\n\n  - id: b\n    description: >+\n      kept\n")
    with pytest.raises(NotEditable, match="entry b as well"):
        kept.moved(1, 0)


def test_an_entry_that_takes_over_from_others_can_be_changed_beside_that() -> None:
    shared = text("x-all: &all {owner: me}\nservices:\n  - id: a\n    <<: *all\n    name: A\n")
    made = shared.with_keys(0, {("name",): "B"})
    assert made.services == [{"id": "a", "name": "B", "owner": "me"}]
    with pytest.raises(NotEditable, match="taken over"):
        text("x-d: &d {max_age: 1h}\nservices:\n  - id: a\n    requires_duo: *d\n").with_keys(
            0, {("requires_duo", "max_age"): "2h"}
        )


@pytest.mark.parametrize(
    "typed",
    [
        "- id: a\n- id: b",
        "",
        "\n\n",
        "id: a\nx-more: 1",
        "# only a comment",
        "- id: a\nservices: []",
        "- id: a\nx-b: 1",
    ],
)
def test_what_is_not_one_entry_is_refused(typed: str) -> None:
    for content in (FILE, FILE.replace("\n  ", "\n")):
        with pytest.raises((NotEditable, Refused)):
            text(content).with_text(1, typed)


@pytest.mark.parametrize(
    "typed", ["- id: [", "- id: 'x", "-\tid: x\n\t- y", "- id: a\x00", "- !!python/x y", "- id: *no"]
)
def test_what_is_no_yaml_is_refused_with_its_problems(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        text().with_text(0, typed)
    assert refused.value.problems[0].line > 0


def test_an_entry_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnknownEntry):
        text().find("nobody")


@pytest.mark.parametrize("content", ["", "[]", "services: 5", "a: b", "services:\n  - id: ["])
def test_what_is_no_registry_is_refused(content: str) -> None:
    with pytest.raises(SettingsError):
        text(content)


# --- all others stay, byte by byte ----------------------------------------------------------------------------------

_COMMENT = st.sampled_from(["", "  # about it\n", "\n", "\n  # ==== part ====\n\n  # it\n", "\n\n# far left\n"])
_VALUE = st.sampled_from(
    ["plain", "'single'", '"double"', "[a, b]  # why", "{a: 1}", "|\n      two\n      # lines\n",
     ">-\n      kept\n\n      more", "\n      - one\n      # and\n      - two",
     "\n      a: 1   # one\n      b: [x]", "", "a long\n      text"]
)  # fmt: skip
_ENTRY = st.tuples(_COMMENT, st.lists(_VALUE, min_size=0, max_size=3), st.sampled_from(["", "    # below\n"]))


@settings(max_examples=25, deadline=None)
@given(
    entries=st.lists(_ENTRY, min_size=1, max_size=5),
    at=st.integers(0, 4),
    to=st.integers(0, 4),
    newline=st.sampled_from(["\n", "\r\n"]),
    value=st.one_of(st.text(max_size=20), st.booleans(), st.lists(st.text(max_size=8), max_size=3)),
)
def test_a_change_of_one_entry_leaves_the_bytes_of_all_others(
    entries: list[tuple[str, list[str], str]], at: int, to: int, newline: str, value: object
) -> None:
    blocks = []
    for number, (above, values, below) in enumerate(entries):
        lines = "".join(f"    k{place}: {one}".rstrip(" \n") + "\n" for place, one in enumerate(values))
        blocks.append((above, f"  - id: s{number}\n{lines}{below}"))
    source = ("services:\n" + "".join(above + block for above, block in blocks)).replace("\n", newline)
    before = RegistryText(source.encode(), "r")
    assert not before.obstacle
    at, to = at % len(entries), to % len(entries)
    assert before.with_text(at, before.entry_text(at)).content == source.encode()
    shown = [before.entry_text(place) for place in range(len(entries))]
    try:
        made = before.with_keys(at, {("k0",): value, ("name",): "N"})
    except Refused:
        # Characters that no YAML file may hold.
        return
    assert made.services[at] == {**before.services[at], "k0": value, "name": "N"}
    assert [made.entry_text(place) for place in range(len(entries)) if place != at] == [
        one for place, one in enumerate(shown) if place != at
    ]
    moved = before.moved(at, to)
    assert sorted(moved.content.splitlines()) == sorted(before.content.splitlines())
    assert moved.ids() == [f"s{one}" for one in _moved(list(range(len(entries))), at, to)]
    gone = before.without(at)
    assert [gone.entry_text(place) for place in range(len(entries) - 1)] == [
        one for place, one in enumerate(shown) if place != at
    ]


def _moved(order: list[int], at: int, to: int) -> list[int]:
    order.insert(to, order.pop(at))
    return order


def test_the_sample_comes_back_as_it_is() -> None:
    sample = RegistryText(SAMPLE.read_bytes(), "registry.yaml")
    for place in range(len(sample.services)):
        assert sample.with_text(place, sample.entry_text(place)).content == sample.content
        turned = sample.with_keys(place, {("warn",): True})
        assert turned.with_keys(place, {("warn",): REMOVED}).content == sample.content
