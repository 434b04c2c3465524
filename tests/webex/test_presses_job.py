"""The job that sees presses through: whatever Webex, Redis or another worker do, each is done in the end."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from casduo.events.outbox_desk import OutboxDesk
from casduo.store import Store
from casduo.store.streams import StreamQueue
from casduo.webex.inbox import INBOX, Inbox
from casduo.webex.pauses import ChannelPauses
from casduo.worker.webex_presses import WebexPresses
from tests.webex.press_stage import Stage, registry, settings_text, stage
from tests.worker.working import Working, eventually, working

LUKE, HAN = "luke@example.edu", "han@example.edu"
impatient = functools.partial(WebexPresses, lease=0.4, pauses=(0.01,))


@pytest.fixture
def desk(tmp_path: Path, valkey_url: str, store: Store) -> Iterator[Stage]:
    with stage(tmp_path, valkey_url, store) as found:
        yield found


def told(desk: Stage, *presses: str, at: float | None = None) -> None:
    """Have Webex tell of presses."""
    for press in presses:
        Inbox(desk.site.store).take(press, time.time() if at is None else at)


def left(desk: Stage) -> int:
    return int(desk.site.store.command("XLEN", INBOX))


def done(desk: Stage) -> None:
    eventually(lambda: left(desk) == 0)


def faults(worker: Working) -> list[str]:
    return [f"{fault.code} {fault.detail}" for fault in worker.named("fault")]


def test_presses_are_seen_through(desk: Stage) -> None:
    one, other = desk.ask("ada"), desk.ask("lando")
    told(desk, desk.press(one), desk.press(other, HAN))
    with working(desk.site, WebexPresses) as worker:
        done(desk)
    assert desk.now(one).state == "approved"
    assert desk.now(other).state == "pending"
    assert desk.refusals() == ["not_an_approver"]
    assert len(worker.named("approval.decided")) == len(worker.named("approval.refused")) == 1
    assert faults(worker) == []


def test_what_a_worker_died_over_another_does(desk: Stage) -> None:
    asked = desk.ask()
    told(desk, desk.press(asked))
    assert len(StreamQueue(desk.site.store, INBOX, "dead worker").read(10, 0.01)) == 1
    with working(desk.site, impatient):
        done(desk)
    assert desk.now(asked).state == "approved"


def test_what_a_worker_died_over_after_deciding_is_not_decided_again(desk: Stage) -> None:
    asked, refused = desk.ask("ada"), desk.ask("lando")
    presses = desk.press(asked), desk.press(refused, HAN)
    told(desk, *presses)
    assert len(StreamQueue(desk.site.store, INBOX, "dead worker").read(10, 0.01)) == 2
    desk.see(*presses)
    with working(desk.site, impatient):
        done(desk)
    assert len(desk.decisions()) == 1
    assert desk.refusals() == ["not_an_approver"]
    assert len(desk.answers(HAN)) == 1
    assert desk.answers(LUKE) == []


def test_many_presses_and_two_workers_decide_each_request_once(desk: Stage) -> None:
    asked = [desk.ask(f"person{number}") for number in range(10)]
    told(desk, *(desk.press(each, who) for each in asked for who in (LUKE, "leia@example.edu")))
    with working(desk.site, WebexPresses), working(desk.site, WebexPresses):
        done(desk)
    assert len(desk.decisions()) == 10
    assert desk.refusals() == ["already_decided"] * 10


def test_a_moment_of_trouble_is_over_before_anybody_notices(desk: Stage) -> None:
    asked = desk.ask()
    desk.webex.fail("GET /attachment/actions/{id}", 503)
    told(desk, desk.press(asked))
    with working(desk.site, functools.partial(WebexPresses, pauses=(0.01,))) as worker:
        done(desk)
    assert desk.now(asked).state == "approved"
    assert faults(worker) == ["WEBEX_UNAVAILABLE webex: status 503, " + faults(worker)[0].partition(", ")[2]]


def test_an_outage_is_waited_for_and_told_of_once(desk: Stage) -> None:
    asked = desk.ask()
    press = desk.press(asked)
    desk.webex.fail("GET /attachment/actions/{id}", 500, times=4)
    told(desk, press)
    with working(desk.site, impatient) as worker:
        done(desk)
    assert desk.now(asked).state == "approved"
    assert len(desk.webex.requests("GET", "/attachment/actions")) == 5
    assert len(faults(worker)) == 1


def test_nobody_is_asked_while_webex_wants_to_be_left_alone(desk: Stage) -> None:
    asked, other = desk.ask("ada"), desk.ask("lando")
    desk.webex.fail("*", 429, retry_after=1)
    told(desk, desk.press(asked))
    with working(desk.site, functools.partial(WebexPresses, lease=0.2, pauses=(0.01,))):
        eventually(lambda: len(desk.webex.requests("GET", "/attachment/actions")) == 1)
        asked_at = time.monotonic()
        told(desk, desk.press(other))
        done(desk)
        assert time.monotonic() - asked_at > 0.8
    assert {desk.now(each).state for each in (asked, other)} == {"approved"}
    assert len(desk.webex.requests("GET", "/attachment/actions")) == 3


def test_presses_wait_while_the_outbox_has_to(desk: Stage) -> None:
    asked = desk.ask()
    ChannelPauses(desk.site.store).pause(time.time(), 1.0)
    told(desk, desk.press(asked))
    with working(desk.site, functools.partial(WebexPresses, lease=0.2, pauses=(0.01,))) as worker:
        paused_at = time.monotonic()
        done(desk)
        assert time.monotonic() - paused_at > 0.5
    assert desk.now(asked).state == "approved"
    assert len(desk.webex.requests("GET", "/attachment/actions")) == 1
    assert faults(worker) == ["WEBEX_PAUSED webex: paused"]


def test_the_outbox_waits_while_presses_have_to(desk: Stage) -> None:
    desk.webex.fail("GET /attachment/actions/{id}", 429, retry_after=600)
    told(desk, desk.press(desk.ask()))
    outbox = OutboxDesk(desk.site.store, told=False)
    with working(desk.site, WebexPresses):
        eventually(lambda: outbox.status().paused_until > time.time() + 500)
    assert left(desk) == 1


def test_a_press_from_before_our_webhook_is_known_is_done_when_it_is(desk: Stage) -> None:
    asked, inbox = desk.ask(), Inbox(desk.site.store)
    known = inbox.registration()
    assert known is not None
    desk.site.store.command("DEL", "casduo:{events}:webhook")
    told(desk, desk.press(asked))
    with working(desk.site, impatient) as worker:
        eventually(lambda: faults(worker) != [])
        assert desk.now(asked).state == "pending"
        inbox.remember(known, "", time.time(), 0)
        done(desk)
    assert desk.now(asked).state == "approved"
    assert faults(worker) == ["WEBEX_UNAVAILABLE webex: no_webhook"]


def test_a_press_that_webex_never_answers_about_is_given_up(desk: Stage) -> None:
    asked = desk.ask()
    desk.webex.fail("GET /attachment/actions/{id}", 500, times=None)
    told(desk, desk.press(asked), at=time.time() - 86_400)
    with working(desk.site, impatient) as worker:
        done(desk)
    assert desk.now(asked).state == "pending"
    assert "a press was given up" in faults(worker)[0]


def test_an_entry_that_nobody_can_read_holds_up_no_other(desk: Stage) -> None:
    asked = desk.ask()
    desk.site.store.command("XADD", INBOX, "*", "something", "else")
    told(desk, desk.press(asked))
    with working(desk.site, WebexPresses):
        done(desk)
    assert desk.now(asked).state == "approved"


def test_without_a_webhook_nothing_is_looked_at(desk: Stage) -> None:
    asked = desk.ask()
    told(desk, desk.press(asked))
    desk.site.write(registry(), settings_text(desk.webex, desk.bot).partition(", webhook")[0] + "}\n")
    with working(desk.site, WebexPresses):
        pass
    assert left(desk) == 1
    assert len(desk.webex.requests("GET")) == 0
