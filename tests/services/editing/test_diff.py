from __future__ import annotations

from casduo.services.editing.diff import MOST_COMPARED, diff_lines, unified


def lines(*names: object) -> str:
    return "".join(f"{name}\n" for name in names)


def test_what_differs_is_shown_with_its_surroundings_and_numbers() -> None:
    found = diff_lines(lines(*range(20)), lines(*range(10), "new", *range(11, 20)), context=1)
    assert [(line.kind, line.old, line.new, line.text) for line in found] == [
        ("gap", 10, 10, ""),
        ("same", 10, 10, "9"),
        ("removed", 11, 0, "10"),
        ("added", 0, 11, "new"),
        ("same", 12, 12, "11"),
        ("gap", 0, 0, ""),
    ]
    assert unified(found) == "...\n 9\n-10\n+new\n 11\n...\n"


def test_the_same_text_has_no_diff() -> None:
    assert diff_lines(lines(1, 2), lines(1, 2)) == ()
    assert diff_lines("a\r\nb\r\n", "a\nb\n") == ()


def test_groups_that_are_near_share_their_surroundings() -> None:
    found = diff_lines(lines(*range(9)), lines(0, "x", 2, 3, "y", *range(5, 9)), context=2)
    assert [line.kind for line in found].count("gap") == 1
    assert [line.text for line in found if line.kind == "same"] == ["0", "2", "3", "5", "6"]


def test_texts_that_have_nothing_in_common_are_not_compared_line_by_line() -> None:
    old, new = lines(*range(MOST_COMPARED)), lines(*range(MOST_COMPARED, 0, -1))
    found = diff_lines(old, new)
    assert {line.kind for line in found} <= {"removed", "added", "same"}
    assert diff_lines("", lines(1)) == diff_lines("", "1")
