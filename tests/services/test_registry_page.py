"""The examples in docs/registry.md are what the registry accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from casduo.services.model import DuoRule, RegisteredService
from casduo.yamlfile import parse_yaml

PAGE = (Path(__file__).parents[2] / "docs" / "registry.md").read_text(encoding="utf-8")
DUO = PAGE.partition("\n## Duo\n")[2]


def blocks(text: str) -> list[Any]:
    return [
        parse_yaml(block.encode(), "docs/registry.md").data for block in re.findall(r"```yaml\n(.*?)```", text, re.S)
    ]


@pytest.mark.parametrize("example", blocks(DUO))
def test_each_example_about_duo_can_be_written(example: Any) -> None:
    if isinstance(example, list):
        (written,) = example
    else:
        written = example if "requires_duo" in example else {"requires_duo": example}
    entry = {"id": "payroll", "name": "Payroll", "url": "https://payroll.example.edu/**", **written}
    assert RegisteredService.model_validate(entry).duo_rule is not None


def test_every_key_has_a_place_on_the_page() -> None:
    keys = {field.alias or name for name, field in DuoRule.model_fields.items()} | {"unenrolled", "enrollment_url"}
    assert {key for key in keys if f"`{key}`" not in DUO} == set()


def test_links_within_the_page_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line).strip().replace(" ", "-").lower() for line in re.findall(r"^#+ (.*)", PAGE, re.M)
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= headings
