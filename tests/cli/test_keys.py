"""``casduo keys``: what it prints, what it changes, and that no key is ever printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.keyring import read_ring
from casduo.signing import SigningKey

OLD = "o" * 40


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(OLD + "\n")
    (tmp_path / "casduo.yaml").write_text("key_ring: keys\n")
    return path


def run(ring: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["keys", "--config", str(ring.with_name("casduo.yaml")), *arguments])
    for key in read_ring(ring):
        assert key.text not in result.output
    return result


def test_a_key_is_added_listed_and_retired(ring: Path) -> None:
    added = run(ring, "add", "--in", "1h")
    assert added.exit_code == 0, added.output
    new, old = read_ring(ring)
    assert added.output.startswith(f"{new.fingerprint} signs from ")

    rows = json.loads(run(ring, "list", "--json").output)
    assert [(row["fingerprint"], row["state"]) for row in rows] == [
        (new.fingerprint, "waits"),
        (old.fingerprint, "signs"),
    ]
    assert f"{old.fingerprint}  signs     from the beginning" in run(ring, "list").output

    assert run(ring, "retire", new.fingerprint).exit_code == 0
    assert read_ring(ring) == (SigningKey(OLD),)


def test_one_that_signs_at_once_and_one_that_is_needed(ring: Path) -> None:
    assert run(ring, "add", "--in", "0").exit_code == 0
    refused = run(ring, "retire", SigningKey(OLD).fingerprint)
    assert refused.exit_code == 1
    assert "good for 12 hours" in refused.output
    assert run(ring, "retire", SigningKey(OLD).fingerprint, "--force").exit_code == 0
    assert len(read_ring(ring)) == 1


def test_a_key_that_stands_in_the_settings_is_not_for_this_command(tmp_path: Path) -> None:
    (tmp_path / "casduo.yaml").write_text(f"secret_key: {OLD}\n")
    result = CliRunner().invoke(main, ["keys", "--config", str(tmp_path / "casduo.yaml"), "list"])
    assert result.exit_code == 2
    assert "key_ring" in result.output
    assert OLD not in result.output
