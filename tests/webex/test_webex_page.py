"""What docs/webex.md says is so; for its links, keys and commands see tests/settings/test_documents.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casduo.settings import load_settings
from casduo.webex.placeholders import PLACEHOLDERS
from casduo.webex.templates import DEFAULT_WAYS

PAGE = (Path(__file__).parents[2] / "docs" / "webex.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
ROW = re.compile(r"^\| `([a-z_.]+)` \| `(\w+)` \| (\w+) \|$", re.M)


@pytest.mark.parametrize("block", BLOCKS)
def test_settings_can_be_written_like_that(block: str, tmp_path: Path) -> None:
    for name in re.findall(r"secrets/\w+", block):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("s" * 40)
    path = tmp_path / "casduo.yaml"
    path.write_text(block)
    assert load_settings(path, {}).webex is not None


def test_built_in_routes_are_those_of_the_table() -> None:
    assert {kind: way for kind, way, _ in ROW.findall(PAGE)} == DEFAULT_WAYS
    assert [kind for kind, _, form in ROW.findall(PAGE) if form == "card"] == ["policy.violation"]


def test_every_placeholder_is_explained() -> None:
    table = PAGE.partition("## Texts of one's own")[2].partition("\n## ")[0]
    assert set(re.findall(r"`\{(\w+)\}`", table)) == set(PLACEHOLDERS)
