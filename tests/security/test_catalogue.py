"""The catalogue of weaknesses is whole: every row has its tests or its reason, and every test its row."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from tests.security.catalogue import WEAKNESSES

_HERE = Path(__file__).parent
_PAGE = _HERE.parents[1] / "docs" / "security.md"


def written() -> dict[str, str]:
    """The tests of this folder as the catalogue names them, with what they say of themselves."""
    found = {}
    for path in sorted(_HERE.glob("test_*.py")):
        if path.name != Path(__file__).name:
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    name = f"{path.stem.removeprefix('test_')}.{node.name.removeprefix('test_')}"
                    assert name not in found, name
                    found[name] = ast.get_docstring(node) or ""
    return found


def test_every_row_has_an_id_of_its_own_and_a_public_reference() -> None:
    twice = [identifier for identifier, times in Counter(row.id for row in WEAKNESSES).items() if times > 1]
    assert twice == []
    for row in WEAKNESSES:
        assert row.reference.startswith("https://"), row.id
        assert row.where


def test_every_test_that_a_row_names_exists() -> None:
    tests = written()
    missing = [(row.id, name) for row in WEAKNESSES for name in row.tests if name not in tests]
    assert missing == []
    assert [row.id for row in WEAKNESSES if len(set(row.tests)) != len(row.tests)] == []


def test_every_test_is_in_a_row_and_says_which_weakness_it_is_about() -> None:
    named = {name for row in WEAKNESSES for name in row.tests}
    assert sorted(set(written()) - named) == []
    assert [name for name, about in written().items() if not about] == []


def test_every_row_without_a_test_has_its_reason_on_the_page_and_no_other_has() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    table = page.partition("## What cannot apply")[2].partition("\n## ")[0]
    reasons = re.findall(r"(?m)^\| ([^|]+?) \| [^|]+ \| ([^|]+?) \|$", table)
    told = [name for name, reason in reasons if name not in ("report", "---") and len(reason) > 10]
    assert sorted(told) == sorted(row.id for row in WEAKNESSES if not row.tests)
