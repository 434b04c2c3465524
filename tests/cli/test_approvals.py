"""``casduo approvals`` against the data of a running server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.store import Store
from tests.approvals.asked import Desk, decision, request

Run = Callable[..., Result]
SETTINGS = "server: {{time_zone: Europe/Berlin}}\nredis: {{url: '{url}'}}\n"
MORNING = 1_790_000_000.0


@pytest.fixture
def run(valkey_url: str, tmp_path: Path) -> Run:
    settings = tmp_path / "casduo.yaml"
    settings.write_text(SETTINGS.format(url=valkey_url), encoding="utf-8")

    def call(*words: str) -> Result:
        return CliRunner().invoke(main, ["approvals", "--config", str(settings), *words])

    return call


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk.of(store)


def test_nothing_waits(desk: Desk, run: Run) -> None:
    assert run("list").stdout == "no request waits for a decision\n"
    assert run("list", "--all").stdout == run("list", "--user", "ada").stdout == "there is no request\n"
    assert json.loads(run("list", "--json").stdout) == []


def test_what_waits_is_listed_with_who_what_when_and_why(desk: Desk, run: Run) -> None:
    desk.asked("Abcd1234")
    desk.decide(desk.asked("other", person="grace"), decision())
    assert run("list").stdout.splitlines() == [
        "Abcd1234  ada for ward, from 2026-09-21 16:13 CEST to 2026-09-21 17:13 CEST: "
        "waits until 2026-09-21 16:43 CEST",
        "          to have a look",
    ]


def test_all_are_listed_and_those_of_a_person(desk: Desk, run: Run) -> None:
    desk.decide(desk.asked("first"), decision(by="linus"))
    desk.cancel(desk.asked("second", person="grace", now=MORNING + 1))
    desk.asked("third", now=MORNING + 2)
    everything = json.loads(run("list", "--all", "--json").stdout)
    assert [(row["id"], row["state"]) for row in everything] == [
        ("third", "pending"),
        ("second", "cancelled"),
        ("first", "approved"),
    ]
    assert everything[2]["decision"] == {
        "by": "linus@example.edu",
        "name": "Linus",
        "via": "webex",
        "at": "2026-09-21T14:13:20+00:00",
        "comment": "",
    }
    assert [row["id"] for row in json.loads(run("list", "--user", " ADA ", "--json").stdout)] == ["third", "first"]
    assert [row["id"] for row in json.loads(run("list", "--all", "--most", "1", "--json").stdout)] == ["third"]
    assert "approved by Linus (linus@example.edu) in Webex at 2026-09-21 16:13 CEST" in run("list", "--all").stdout


def test_one_is_shown_with_everything(desk: Desk, run: Run) -> None:
    asked = desk.asked("Abcd1234")
    desk.requests.add_card(asked.id, "message")
    desk.decide(asked, replace(decision("rejected", via="portal"), comment="not today"))
    assert run("show", "Abcd1234").stdout.splitlines() == [
        "request   Abcd1234",
        "person    Ada (ada)",
        "addresses ada@example.edu",
        "service   Ward (ward)",
        "machine   ward-1 10.0.0.7",
        "account   root",
        "time      from 2026-09-21 16:13 CEST to 2026-09-21 17:13 CEST",
        "reason    to have a look",
        "asked     2026-09-21 16:13 CEST 192.0.2.7 ABCD",
        "state     rejected by Grace (grace@example.edu) on our page at 2026-09-21 16:13 CEST",
        "comment   not today",
        "posted    once",
    ]
    assert json.loads(run("show", "Abcd1234", "--json").stdout)["target"] == {
        "host": "ward-1",
        "ip": "10.0.0.7",
        "account": "root",
    }


def test_the_beginning_of_an_id_is_enough_if_it_is_the_only_one(desk: Desk, run: Run) -> None:
    desk.asked("Abcd1234")
    desk.asked("Abcz5678", person="grace")
    assert "Abcd1234" in run("show", "ABCD").stdout
    several, none = run("show", "abc"), run("show", "")
    assert (several.exit_code, several.stderr) == (1, "Error: abc may be any of Abcz5678, Abcd1234\n")
    assert (none.exit_code, none.stderr) == (1, "Error: there is no request \n")


def test_one_that_waits_is_cancelled_and_told_of(desk: Desk, run: Run) -> None:
    asked = desk.asked("Abcd1234")
    answer = run("cancel", "abcd")
    assert (answer.exit_code, answer.stdout) == (0, "request Abcd1234 of ada for ward is cancelled\n")
    assert '"event":"approval.cancelled"' in answer.stderr
    assert desk.state(asked) == "cancelled"
    assert desk.kinds() == ["approval.requested", "approval.cancelled"]


def test_what_is_decided_is_not_cancelled(desk: Desk, run: Run) -> None:
    now = time.time()
    asked = desk.asked("Abcd1234", now=now)
    desk.decide(asked, decision(at=now))
    answer = run("cancel", "Abcd1234")
    assert answer.exit_code == 1
    assert "does not wait any more: approved by Grace (grace@example.edu) in Webex at " in answer.stderr
    assert desk.requests.standing("ada", "ward", now).is_open
    assert "approval.cancelled" not in desk.kinds()


def test_what_people_typed_is_no_code_for_the_terminal(desk: Desk, run: Run) -> None:
    asked = replace(request("Abcd1234", "a\x1b[2Jda"), reason="to \x1b]0;look\x07", name="\u202eAda")
    desk.ask(asked)
    for answer in (run("list"), run("show", "Abcd1234"), run("cancel", "Abcd1234")):
        assert answer.exit_code == 0
        assert "\x1b" not in answer.stdout
        assert "\u202e" not in answer.stdout


def test_without_a_running_server_there_is_one_sentence(tmp_path: Path) -> None:
    settings = tmp_path / "casduo.yaml"
    settings.write_text(SETTINGS.format(url=f"unix://{tmp_path}/none.sock"), encoding="utf-8")
    answer = CliRunner().invoke(main, ["approvals", "--config", str(settings), "list"])
    assert answer.exit_code == 1
    assert answer.stderr.startswith("casduo: ")
