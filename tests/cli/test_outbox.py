"""``casduo outbox`` beside a Redis in which messages wait."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.events.record import EventRecord
from casduo.events.stream import STREAM
from casduo.store import Store
from tests.events.outboxes import NOW, OTHER, Hand, message, put
from tests.support.naming import names

Run = Callable[..., Result]
ADA = "person:ada@example.edu"


@pytest.fixture
def run(store: Store, valkey_url: str, tmp_path: Path) -> Run:
    settings = tmp_path / "casduo.yaml"
    (tmp_path / "registry.yaml").write_text("services: []\n", encoding="utf-8")
    settings.write_text(f"redis: {{url: '{valkey_url}'}}\nwebex: {{token: made-up, room: r1}}\n", encoding="utf-8")

    def call(*words: str) -> Result:
        return CliRunner().invoke(main, ["outbox", "--config", str(settings), *words])

    return call


@pytest.fixture
def hand(store: Store) -> Hand:
    return Hand(store)


def bury(hand: Hand, *names: str, to: str = ADA) -> None:
    for name in names:
        put(hand.store, message(name, to))
        hand.bury(hand.begun(hand.token()))


def events(store: Store) -> list[EventRecord]:
    return [EventRecord.from_json(flat[1]) for _, flat in store.command("XRANGE", STREAM, "-", "+")]


def told(answer: Result) -> Any:
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_an_empty_outbox_says_so(run: Run) -> None:
    assert run("status").stdout == "nothing waits\n"
    assert run("list").stdout == "there are no dead letters\n"
    assert run("list", "--waiting").stdout == "nothing waits\n"
    assert told(run("list", "--json")) == []


def test_the_status_tells_what_waits_since_when_and_why(hand: Hand, run: Run) -> None:
    bury(hand, "dead", to="room:r3")
    put(hand.store, message(1), message(2), message("u", OTHER, urgent=True))
    answer = run("status")
    assert answer.exit_code == 0
    assert "3 messages for 2 destinations, 1 of them urgent; the oldest has waited for" in answer.stdout
    assert "1 dead letter: see" in answer.stdout
    attempt = hand.begun(hand.token(), time.time())
    hand.outbox.pause(attempt, time.time() + 600, time.time())
    assert "nothing is sent until 2" in run("status").stdout


def test_the_status_of_a_stopped_channel_is_a_failure(hand: Hand, run: Run) -> None:
    put(hand.store, message(1))
    hand.stop(hand.begun(hand.token()))
    answer = run("status")
    assert answer.exit_code == 1
    assert "nothing can be sent since 2027-01-15 08:00:00Z with status 401: status 401" in answer.stdout
    facts = json.loads(run("status", "--json").stdout)
    assert (facts["stopped_since"], facts["status"], facts["waiting"]) == (NOW, 401, 1)


def test_destinations_are_listed_without_whole_addresses(hand: Hand, run: Run) -> None:
    put(hand.store, message(1, ADA), message(2, ADA))
    attempt = hand.begun(hand.token())
    hand.outbox.put_off(attempt, NOW + 60, counts=True, failed=True)
    answer = run("list", "--waiting")
    assert "person:a***@example.edu  2 messages, the oldest for" in answer.stdout
    assert "1 try, next try 2027-01-15 08:01:00Z" in answer.stdout
    (line,) = told(run("list", "--waiting", "--json"))
    assert (line["waiting"], line["tries"]) == (2, 1)
    assert not names(answer.stdout, "ada")


def test_dead_letters_are_listed_with_why_and_shown_in_full_on_request(hand: Hand, run: Run) -> None:
    bury(hand, "1", "2")
    lines = run("list").stdout.splitlines()
    assert lines[0].startswith("2027-01-15 08:00:00Z  m1  event to person:a***@example.edu  refused with status 404")
    assert len(lines) == 2
    assert [row["id"] for row in told(run("list", "--json", "--most", "1"))] == ["m1"]
    letter = told(run("show", "m1"))
    assert letter["message"]["to"] == ADA
    assert letter["message"]["body"] == {"number": "1"}


def test_a_letter_that_is_not_there_is_told_of_and_nothing_is_done(hand: Hand, run: Run) -> None:
    bury(hand, "1")
    for words in (("show", "m9"), ("retry", "m1", "m9"), ("discard", "m9", "m1")):
        answer = run(*words)
        assert answer.exit_code == 1
        assert "there is no dead letter m9" in answer.output
    assert len(told(run("list", "--json"))) == 1


def test_letters_are_sent_again_by_name_and_all_and_each_leaves_an_event(hand: Hand, run: Run) -> None:
    bury(hand, "1", "2", "3")
    answer = run("retry", "m2")
    assert answer.stdout == "1 message to be sent once more\n"
    assert '"event":"message.redriven"' in answer.stderr
    assert run("retry", "--all").stdout == "2 messages to be sent once more\n"
    assert run("retry", "--all").stdout == "0 messages to be sent once more\n"
    assert hand.deliver_all() == ["m2", "m1", "m3"]
    redriven = [record for record in events(hand.store) if record.kind == "message.redriven"]
    assert [record.text("message") for record in redriven] == ["m2", "m1", "m3"]
    assert all(record.text("by") for record in redriven)
    assert not names(answer.stderr, "ada")


def test_discarded_letters_are_gone_and_leave_an_event(hand: Hand, run: Run) -> None:
    bury(hand, "1", "2")
    assert run("discard", "m1").stdout == "1 message dropped\n"
    assert [row["id"] for row in told(run("list", "--json"))] == ["m2"]
    assert [record.kind for record in events(hand.store)][-1] == "message.discarded"


@pytest.mark.parametrize("words", [("retry",), ("retry", "--all", "m1"), ("discard",)])
def test_it_has_to_be_said_which_ones(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2
