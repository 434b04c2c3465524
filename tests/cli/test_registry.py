from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main

GOOD = "services:\n  - id: a\n    name: A\n    url: https://a.example.edu/**\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "registry.yaml").write_text(GOOD)
    path = tmp_path / "casduo.yaml"
    path.write_text(f"server: {{url: https://sso.example.edu/cas, state_directory: {tmp_path}/state}}\n")
    return path


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["registry", "--config", str(config), *words])


def test_a_change_by_hand_is_listed_shown_and_taken_back(config: Path) -> None:
    assert "first" in run(config, "log").output
    path = config.parent / "registry.yaml"
    path.write_text(GOOD.replace("name: A", "name: B"))
    assert [one["kind"] for one in json.loads(run(config, "log", "--json").output)] == ["by_hand", "first"]
    assert "-    name: A\n+    name: B\n" in run(config, "diff", "2").output
    assert run(config, "show", "1").output == GOOD
    restored = run(config, "restore", "1", "--reason", "it was wrong", "--by", "ada")
    assert restored.exit_code == 0, restored.output
    assert path.read_text() == GOOD
    assert "ada           returned  it was wrong" in run(config, "log").output


def test_what_is_not_there_or_cannot_be_used_is_not_taken_back(config: Path) -> None:
    assert run(config, "log").exit_code == 0
    assert run(config, "restore", "9", "--reason", "x").exit_code == 1
    path = config.parent / "registry.yaml"
    path.write_text("services: [")
    assert run(config, "log").exit_code == 0
    path.write_text(GOOD)
    run(config, "log")
    refused = run(config, "restore", "2", "--reason", "x")
    assert refused.exit_code == 1
    assert "mistakes" in refused.output
    assert path.read_text() == GOOD
    assert run(config, "restore", "1", "--reason", " ").exit_code == 1


def test_an_earlier_text_that_takes_the_administration_pages_is_refused_with_the_reason(config: Path) -> None:
    path = config.parent / "registry.yaml"
    path.write_text(GOOD.replace("id: a", "id: casduo-admin"))
    run(config, "log")
    path.write_text(GOOD)
    run(config, "log")
    refused = run(config, "restore", "1", "--reason", "x")
    assert refused.exit_code == 1
    assert "is the id of the administration pages, whose entry the settings make" in refused.output
    assert path.read_text() == GOOD
