"""The table of the ASVS is whole and true to names: every requirement, every verdict, tests and files that exist."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "asvs.md"
VERDICTS = {"met", "site", "n/a", "open"}
REQUIREMENTS = {
    1: (
        "1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 "
        "3.5.1 3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 "
        "6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 "
        "9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 11.3.1 11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 "
        "14.3.1 15.1.1 15.2.1 15.3.1"
    ),
    2: (
        "1.1.1 1.1.2 1.2.6 1.2.7 1.2.8 1.2.9 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.3.8 1.3.9 1.3.10 1.3.11 1.4.1 1.4.2 "
        "1.4.3 1.5.2 2.1.2 2.1.3 2.2.3 2.3.2 2.3.3 2.3.4 2.4.1 3.3.2 3.3.3 3.3.4 3.4.3 3.4.4 3.4.5 3.4.6 3.5.4 "
        "3.5.5 3.7.1 3.7.2 4.1.2 4.1.3 4.2.1 4.3.1 4.3.2 4.4.2 4.4.3 4.4.4 5.1.1 5.2.3 5.4.1 5.4.2 5.4.3 6.1.2 "
        "6.1.3 6.2.9 6.2.10 6.2.11 6.2.12 6.3.3 6.3.4 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 "
        "6.8.1 6.8.2 6.8.3 6.8.4 7.1.1 7.1.2 7.1.3 7.3.1 7.3.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2 8.1.2 "
        "8.2.3 8.4.1 9.2.2 9.2.3 9.2.4 10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 "
        "10.4.8 10.4.9 10.4.10 10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3 "
        "11.1.1 11.1.2 11.2.1 11.2.2 11.2.3 11.3.3 11.4.2 11.4.3 11.4.4 11.5.1 11.6.1 12.1.2 12.1.3 12.3.1 12.3.2 "
        "12.3.3 12.3.4 13.1.1 13.2.1 13.2.2 13.2.3 13.2.4 13.2.5 13.3.1 13.3.2 13.4.2 13.4.3 13.4.4 13.4.5 14.1.1 "
        "14.1.2 14.2.2 14.2.3 14.2.4 14.3.2 14.3.3 15.1.2 15.1.3 15.2.2 15.2.3 15.3.2 15.3.3 15.3.4 15.3.5 15.3.6 "
        "15.3.7 16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 "
        "16.5.2 16.5.3 17.1.1 17.2.1 17.2.2 17.2.3 17.2.4 17.3.1 17.3.2"
    ),
}
"""The numbers of version 5.0.0 by their level."""

DOCUMENTS = re.compile(r"\d+\.1\.\d+")
"""Requirements of a chapter's first section ask for documents."""


class Row(NamedTuple):
    number: str
    level: int
    asks: str
    verdict: str
    proof: str


def rows() -> list[Row]:
    found = re.findall(
        r"(?m)^\| (\d+\.\d+\.\d+) \| (\d) \| (.+?) \| (\S+) \| (.+) \|$", PAGE.read_text(encoding="utf-8")
    )
    return [Row(number, int(level), asks, verdict, proof) for number, level, asks, verdict, proof in found]


ROWS = rows()


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def proofs_of(row: Row) -> list[tuple[str, str]]:
    return re.findall(r"`([\w/]+\.py)::(test_\w+)`", row.proof)


def test_every_requirement_has_one_row_in_its_order() -> None:
    wanted = {number: level for level, numbers in REQUIREMENTS.items() for number in numbers.split()}
    assert len(wanted) == 253
    assert [number for number, times in Counter(row.number for row in ROWS).items() if times > 1] == []
    assert {row.number: row.level for row in ROWS} == wanted
    assert [row.number for row in ROWS] == sorted(wanted, key=lambda number: [int(part) for part in number.split(".")])


def test_every_row_is_readable_as_a_row() -> None:
    lines = re.findall(r"(?m)^\| \d+\..*$", PAGE.read_text(encoding="utf-8"))
    assert len(lines) == len(ROWS)
    assert [line for line in lines if line.count(" | ") != 4] == []
    assert {row.verdict for row in ROWS} <= VERDICTS


def test_every_test_that_a_row_names_exists() -> None:
    missing = []
    for row in ROWS:
        for place, name in proofs_of(row):
            path = ROOT / "tests" / place
            if not path.is_file() or name not in names_in(path):
                missing.append((row.number, place, name))
    assert missing == []


def test_nothing_is_called_met_without_a_proof() -> None:
    """A test; for a document the page; where neither can be, the modules that do it."""
    unproven = []
    for row in ROWS:
        if row.verdict == "met" and not proofs_of(row):
            pages, modules = re.findall(r"\]\([\w-]+\.md", row.proof), re.findall(r"`[\w/]+\.(?:py|ini)`", row.proof)
            if not (DOCUMENTS.fullmatch(row.number) and pages) and not modules:
                unproven.append(row.number)
    assert unproven == []
    assert len([row for row in ROWS if row.verdict == "met" and proofs_of(row)]) > 100


def test_every_other_verdict_says_why() -> None:
    assert [row.number for row in ROWS if row.verdict != "met" and len(row.proof) < 5] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_files_and_settings_that_a_row_names_exist(row: Row) -> None:
    reference = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") + (ROOT / "docs/registry.md").read_text(
        "utf-8"
    )
    for name in re.findall(r"`([\w./-]+/[\w.-]+\.\w+)`", row.proof):
        assert (ROOT / name).is_file() or (ROOT / "casduo" / name).is_file(), name
    for name in re.findall(r"`(\w+\.(?:py|ini))`", row.proof):
        assert (ROOT / name).is_file() or (ROOT / "casduo" / name).is_file(), name
    for section, key in re.findall(r"`(server|session|tickets|login|redis|duo|audit)\.([a-z_]+)`", row.proof):
        if key not in ("py", "md"):
            assert re.search(rf"`(?:{section}\.)?{key}`|`{section}\.{key}`|## `{section}\.{key}`", reference), key


def test_the_summary_counts_what_the_table_holds() -> None:
    counted = Counter(row.verdict for row in ROWS)
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    said = re.search(r"(\d+) are met, (\d+) are the site's part, (\d+) do not apply, (\d+) are open", text)
    assert said is not None
    assert [int(number) for number in said.groups()] == [counted[name] for name in ("met", "site", "n/a", "open")]
    named = text.partition("## OWASP ASVS")[2].partition("\n## ")[0]
    assert [row.number for row in ROWS if row.verdict == "open" and row.number not in named] == []
