"""What is said of messages to Webex: what waits, whether it is sent, what was put aside, and the webhook."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from casduo.diagnosis.health import HealthReports
from casduo.diagnosis.model import Finding
from casduo.diagnosis.outbox import (
    LATELY,
    LONGEST_UNCHECKED,
    LONGEST_WAIT,
    OutboxFacts,
    ask_outbox,
    examine_outbox,
    judge_outbox,
)
from casduo.events.messages import Message
from casduo.events.outbox import OUTBOX, Outbox
from casduo.events.outbox_model import OutboxStatus
from casduo.store import Store
from casduo.webex.inbox import Inbox, Upkeep
from casduo.webex.notice import Registration
from casduo.webex.upkeep import Wanted
from tests.diagnosis.clinic import Clinic
from tests.support.redis_servers import CountingRelay
from tests.support.site import Build

NOW = 1_800_000_000.0
QUIET = OutboxStatus(0, 0, 0, 0.0, 0, 0.0, 0.0, 0, "")
WANTED = Wanted("casduo", "https://sso.example.edu/cas/webex/webhook", "s" * 32)
REGISTRATION = Registration("hook-1", "org-1", "bot-1", "org-1")
UPKEEP = Upkeep(REGISTRATION, WANTED.mark, NOW - 40, NOW - 5 * LATELY, 1)


def judged(status: OutboxStatus = QUIET, upkeep: Upkeep | None = UPKEEP) -> dict[str, Finding]:
    return {each.examined: each for each in judge_outbox(OutboxFacts(status, upkeep), WANTED, NOW)}


def test_all_is_well() -> None:
    found = judged()
    assert {name: each.level for name, each in found.items()} == {
        "sending": "ok",
        "outbox": "ok",
        "dead letters": "ok",
        "webhook": "ok",
    }
    assert {each.part for each in found.values()} == {"Webex, worker"}
    assert found["outbox"].found == "no message waits"
    assert found["webhook"].found == "was registered and active 40s ago; last put right 5h ago"
    assert found["webhook"].facts == {"checked": 40, "repairs": 1, "repaired": 18_000}


@pytest.mark.parametrize(("age", "detail"), [(LONGEST_WAIT, ""), (LONGEST_WAIT + 1, "late")])
def test_messages_that_wait_are_counted_with_the_age_of_the_oldest(age: float, detail: str) -> None:
    found = judged(replace(QUIET, destinations=2, waiting=7, urgent=3, oldest=age))["outbox"]
    assert (found.level, found.detail) == ("attention" if detail else "ok", detail)
    assert found.found.startswith("7 messages wait, the oldest for 5m")
    assert found.facts == {"waiting": 7, "oldest": round(age), "urgent": 3, "destinations": 2}


def test_a_pause_says_when_it_is_over() -> None:
    found = judged(replace(QUIET, paused_until=NOW + 90))["sending"]
    assert (found.level, found.detail, found.found, found.facts) == (
        "attention",
        "paused",
        "goes on in 1m30s",
        {"paused": 90},
    )
    assert judged(replace(QUIET, paused_until=NOW - 1))["sending"].level == "ok"


@pytest.mark.parametrize(
    ("status", "told", "detail", "helps"),
    [
        (401, "status 401", "token", "webex.token"),
        (0, "ca_file", "stopped", "casduo doctor"),
        (0, "certificate", "stopped", "casduo doctor"),
    ],
)
def test_what_stopped_says_since_when_why_and_what_helps(status: int, told: str, detail: str, helps: str) -> None:
    found = judged(replace(QUIET, stopped_since=NOW - 7261, status=status, detail=told))["sending"]
    assert (found.level, found.detail) == ("fault", detail)
    assert found.found == f"is stopped for 2h1m: {told}"
    assert found.facts == {"stopped": 7261, "status": status}
    assert helps in found.remedy


@pytest.mark.parametrize("dead", [1, 12])
def test_dead_letters_are_counted_and_the_command_is_named(dead: int) -> None:
    found = judged(replace(QUIET, dead=dead))["dead letters"]
    assert (found.level, found.detail, found.facts) == ("attention", "dead_letters", {"dead": dead})
    assert found.found.startswith(f"{dead} message")
    assert "casduo outbox list" in found.remedy


@pytest.mark.parametrize(
    ("upkeep", "detail"),
    [
        (None, "not_checked"),
        (replace(UPKEEP, checked=NOW - LONGEST_UNCHECKED - 1), "unchecked"),
        (replace(UPKEEP, secret="of another secret"), "other_secret"),
        (replace(UPKEEP, repaired=NOW - LATELY, repairs=2), "repaired"),
        (replace(UPKEEP, repaired=NOW - LATELY - 1, repairs=2), ""),
        (replace(UPKEEP, repaired=NOW - 1, repairs=1), ""),
        (replace(UPKEEP, repaired=0.0, repairs=0), ""),
    ],
)
def test_the_webhook_as_a_worker_has_found_it_last(upkeep: Upkeep | None, detail: str) -> None:
    found = judged(upkeep=upkeep)["webhook"]
    assert (found.level, found.detail) == ("attention" if detail else "ok", detail)
    assert (found.cause == "") is (detail == "")


def test_of_a_webhook_that_is_not_wanted_nothing_is_said() -> None:
    assert [each.examined for each in judge_outbox(OutboxFacts(QUIET), None, NOW)] == [
        "sending",
        "outbox",
        "dead letters",
    ]


def test_redis_is_asked_for_real(any_store: Store) -> None:
    assert ask_outbox(any_store) == OutboxFacts(QUIET, None)
    batch = any_store.batch()
    Outbox(any_store).enqueue(batch, [Message("a", "room:1", "event", {}, created=NOW)])
    batch.command("HSET", f"{OUTBOX}:channel", "stopped", int(NOW * 1000), "status", 401, "detail", "status 401")
    batch.run()
    Inbox(any_store).remember(REGISTRATION, WANTED.mark, NOW, 1)
    facts = ask_outbox(any_store)
    assert (facts.status.waiting, facts.status.stopped_since, facts.status.status) == (1, NOW, 401)
    assert facts.status.oldest == pytest.approx(0, abs=30)
    assert facts.upkeep == Upkeep(REGISTRATION, WANTED.mark, NOW, NOW, 1)


def test_without_redis_nothing_is_known(relay: CountingRelay, build: Build) -> None:
    store = build(relay.url, registry="services: []\n").composed.parts.store
    relay.cut()
    (found,) = examine_outbox(store, WANTED, time.time)
    assert (found.examined, found.level, found.detail) == ("outbox", "attention", "not_told")


def test_doctor_tells_it_where_there_is_a_webex(clinic: Clinic, store: Store) -> None:
    assert not [each for each in clinic.examine().findings if each["part"].startswith("Webex")]
    clinic.settings["webex"] = {
        "token": "token-of-the-bot-1843",
        "room": "room-1",
        "base_url": "http://localhost:1/v1/",
        "webhook": {"secret": WANTED.secret},
        "connect_timeout": "1s",
    }
    clinic.secrets |= {"token-of-the-bot-1843", WANTED.secret}
    Inbox(store).remember(REGISTRATION, "another", time.time(), 0)
    told = clinic.examine()
    assert told.of("outbox", "Webex, worker")["found"] == "no message waits"
    assert told.of("webhook", "Webex, worker")["detail"] == "other_secret"


def test_the_health_report_tells_it_where_there_is_a_webex(build: Build, store: Store) -> None:
    parts = build(registry="services: []\n").composed.parts
    reports = HealthReports((), store, parts.services, {}, parts.clock, readers=("outbox",), webhook=WANTED)
    found = {each.examined for each in reports.current().findings if each.part == "Webex, worker"}
    assert found == {"sending", "outbox", "dead letters", "webhook"}
