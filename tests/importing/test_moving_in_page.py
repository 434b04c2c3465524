"""``docs/moving-in.md`` says of every field what the code does with it, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from casduo.cli import main
from casduo.importing.addresses import from_expression
from casduo.importing.apereo_fields import TABLES
from casduo.importing.django_cas_server import FIELDS as DJANGO_FIELDS
from casduo.importing.mama_cas import FIELDS as MAMA_FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "moving-in.md").read_text(encoding="utf-8")
WORDS = {"mapped": "", "harmless": "left out: ", "lost": "cannot be said: ", "closed": "**closes the entry**: "}


def section(heading):
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("heading", "fields"), [*TABLES.items(), ("django-cas-server", DJANGO_FIELDS), ("django-mama-cas", MAMA_FIELDS)]
)
def test_table_of_fields_is_the_one_of_the_code(heading, fields):
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", section(heading), re.MULTILINE)
    assert rows == [(name, WORDS[fate.becomes] + fate.sentence) for name, fate in fields.items()]


def test_expressions_of_the_page_become_what_it_says():
    rows = re.findall(r"^\| `(\^.*?)` \| (.*) \|$", section("Addresses"), re.MULTILINE)
    assert len(rows) == 5
    for expression, patterns in rows:
        assert list(from_expression(expression).patterns) == [
            text for text in re.findall("`(.*?)`", patterns) if "://" in text
        ]


def test_options_of_the_page_are_the_ones_there_are():
    told = set(re.findall("--[a-z][a-z-]+", re.findall(r"\| option \|.*?\n\n", PAGE, re.DOTALL)[0]))
    there = set()
    for command in ("apereo", "django-cas-server", "mama-cas"):
        there |= set(
            re.findall(r"^\s+(--[a-z-]+)", CliRunner().invoke(main, ["import", command, "--help"]).output, re.M)
        )
    assert told == there
