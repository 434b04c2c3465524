"""``casduo nodes`` beside a Redis in which processes have announced themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.nodes.model import Member
from casduo.nodes.roster import announce
from casduo.store import Store

Run = Callable[..., Result]
FIRST = Member("sso1-a", 11, "server", "1.0", "471a02bca82b", -60.0, False, 0.0)


@pytest.fixture
def run(store: Store, valkey_url: str, tmp_path: Path) -> Run:
    settings = tmp_path / "casduo.yaml"
    settings.write_text(f"redis: {{url: '{valkey_url}'}}\n", encoding="utf-8")

    def call(*words: str) -> Result:
        return CliRunner().invoke(main, ["nodes", "--config", str(settings), *words])

    return call


def say(store: Store, *members: Member) -> None:
    """Announce members that have been up for two hours to the minute; ``loaded`` is how long ago from now."""
    now, batch = time.time(), store.batch()
    for member in members:
        announce(batch, replace(member, loaded=now + member.loaded, started=now - 7175))
    batch.run()


def test_nobody_is_there(run: Run) -> None:
    answer = run()
    assert (answer.exit_code, answer.output) == (0, "no node has given a sign of life within 20 seconds\n")


def test_all_nodes_have_the_newest_registry(run: Run, store: Store) -> None:
    worker = replace(FIRST, role="worker", process=13)
    say(store, FIRST, replace(FIRST, process=12), replace(FIRST, node="sso2-b"), worker)
    answer = run()
    assert answer.exit_code == 0
    *table, empty, said = answer.output.splitlines()
    assert [line.split() for line in table] == [
        ["NODE", "ROLE", "PROCESSES", "VERSION", "UP", "REGISTRY"],
        ["sso1-a", "server", "2", "1.0", "2h", "471a02bca82b"],
        ["sso2-b", "server", "1", "1.0", "2h", "471a02bca82b"],
        ["sso1-a", "worker", "1", "1.0", "2h", "471a02bca82b"],
    ]
    assert (empty, said) == ("", "registry 471a02bca82b: in force on 2 of 2 nodes")


def test_a_node_that_lags_is_named_and_ends_with_1(run: Run, store: Store) -> None:
    say(store, FIRST, replace(FIRST, node="sso2-b", registry="5f0c9e2b7d14", loaded=-3600.0))
    answer = run()
    assert answer.exit_code == 1
    assert answer.output.endswith("registry 471a02bca82b: in force on 1 of 2 nodes; these lag: sso2-b\n")
    found = json.loads(run("--json").output)
    assert (found["registry"], found["on"], found["of"], found["lagging"]) == ("471a02bca82b", 1, 2, ["sso2-b"])
    assert [node["registry"] for node in found["nodes"]] == ["471a02bca82b", "5f0c9e2b7d14"]


def test_a_file_that_cannot_be_used_ends_with_1(run: Run, store: Store) -> None:
    say(store, replace(FIRST, rejected=True))
    answer = run()
    assert answer.exit_code == 1
    assert "(its file cannot be used)" in answer.output


def test_a_name_cannot_play_with_the_terminal(run: Run, store: Store) -> None:
    say(store, replace(FIRST, node="sso1\x1b[2J"))
    assert "\x1b" not in run().output
