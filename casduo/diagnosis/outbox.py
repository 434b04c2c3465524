"""Examines how workers get on with Webex: what waits in the outbox, whether it is sent, and how the webhook was found.

Nobody asks Webex for it: all of it is in Redis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from casduo.clock import Clock
from casduo.diagnosis.model import Fact, Finding, Part
from casduo.errors import UpstreamUnavailable
from casduo.events.outbox_desk import outbox_status
from casduo.events.outbox_model import OutboxStatus
from casduo.fieldtypes import format_duration
from casduo.store import Store
from casduo.webex.inbox import Inbox, Upkeep
from casduo.webex.upkeep import Wanted

LONGEST_WAIT = 300.0
"""Seconds beyond which what waits to be sent is late."""
LONGEST_UNCHECKED = 1200.0
"""Seconds beyond which nobody seems to look after the webhook; a worker does every five minutes."""
LATELY = 3600.0
"""Seconds for which a repair of the webhook is worth a word."""

WORKER = Part("Webex, worker")
"""Under which all of it is told."""
_UNAUTHORIZED = 401
_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class OutboxFacts:
    """What Redis knows of the way to Webex.

    :param status: how the outbox stands
    :param upkeep: how the webhook was found last, ``None`` where nobody has looked
    """

    status: OutboxStatus
    upkeep: Upkeep | None = None


def examine_outbox(store: Store, webhook: Wanted | None, clock: Clock) -> Iterator[Finding]:
    """Examine it in the Redis of a server that runs: two round trips.

    :param webhook: as it should be at Webex, ``None`` where there is to be none
    """
    try:
        facts = ask_outbox(store)
    except UpstreamUnavailable as error:
        cause = "without Redis nothing is sent, and nothing is known of it"
        found = f"cannot be looked at: Redis does not answer ({error.detail})"
        yield WORKER.attention("outbox", found, "not_told", cause, "see what is said of Redis")
        return
    yield from judge_outbox(facts, webhook, clock())


def ask_outbox(store: Store) -> OutboxFacts:
    """Ask Redis: two round trips.

    :raises UpstreamUnavailable: it does not answer, or not to this account
    """
    batch = store.batch()
    reading = outbox_status(batch)
    batch.run()
    return OutboxFacts(reading.status, Inbox(store).upkeep())


def judge_outbox(facts: OutboxFacts, wanted: Wanted | None, now: float) -> Iterator[Finding]:
    """Yield what is to say about the way to Webex.

    :param wanted: the webhook of the settings, ``None`` where they want none
    :param now: epoch seconds
    """
    yield _judge_sending(facts.status, now)
    yield _judge_waiting(facts.status)
    yield _judge_dead(facts.status.dead)
    if wanted is not None:
        yield _judge_webhook(facts.upkeep, wanted, now)


def _judge_sending(status: OutboxStatus, now: float) -> Finding:
    if status.stopped_since:
        return _stopped(status, now)
    left = status.paused_until - now
    if left <= 0:
        return WORKER.ok("sending", "goes on")
    found = f"goes on in {_span(left)}"
    cause = "Webex wants to be left alone, or did not answer several times in a row; everything waits meanwhile"
    return WORKER.attention("sending", found, "paused", cause, "wait; it goes on by itself", paused=round(left))


def _stopped(status: OutboxStatus, now: float) -> Finding:
    since = now - status.stopped_since
    told = status.detail or f"status {status.status}"
    found = f"is stopped for {_span(since)}: {told}"
    facts: dict[str, Fact] = {"stopped": round(since), "status": status.status}
    if status.status == _UNAUTHORIZED:
        cause = "Webex refuses the token: it is mistyped, or was made anew; everything waits meanwhile"
        remedy = "put the bot's latest token into webex.token, and SIGHUP; it goes on within a minute then"
        return WORKER.fault("sending", found, "token", cause, remedy, **facts)
    cause = "nobody here trusts who answers in Webex's place, or a file of the settings is bad; everything waits"
    remedy = "run casduo doctor, correct the section webex, and SIGHUP"
    return WORKER.fault("sending", found, "stopped", cause, remedy, **facts)


def _judge_waiting(status: OutboxStatus) -> Finding:
    facts: dict[str, Fact] = {
        "waiting": status.waiting,
        "oldest": round(status.oldest),
        "urgent": status.urgent,
        "destinations": status.destinations,
    }
    if not status.waiting:
        return WORKER.ok("outbox", "no message waits", **facts)
    found = f"{_messages(status.waiting)}, the oldest for {_span(status.oldest)}"
    if status.oldest <= LONGEST_WAIT:
        return WORKER.ok("outbox", found, **facts)
    cause = "no worker sends, Webex does not take them, or there are more than the pace of the settings lets through"
    remedy = "see that a worker runs; casduo outbox list --waiting names the spaces and people, with tries"
    return WORKER.attention("outbox", found, "late", cause, remedy, **facts)


def _judge_dead(dead: int) -> Finding:
    if not dead:
        return WORKER.ok("dead letters", "there are none", dead=0)
    found = "1 message was put aside and is kept" if dead == 1 else f"{dead} messages were put aside and are kept"
    cause = "Webex refused, or would not take them in time"
    remedy = "casduo outbox list says why; then casduo outbox retry or casduo outbox discard"
    return WORKER.attention("dead letters", found, "dead_letters", cause, remedy, dead=dead)


def _judge_webhook(upkeep: Upkeep | None, wanted: Wanted, now: float) -> Finding:
    if upkeep is None:
        cause = "no worker has registered it yet, or none can ask Webex: presses of buttons do not come back"
        return WORKER.attention(
            "webhook", "nobody has looked at it yet", "not_checked", cause, "see that a worker runs"
        )
    checked = now - upkeep.checked
    facts: dict[str, Fact] = {"checked": round(checked), "repairs": upkeep.repairs}
    found = f"was registered and active {_span(checked)} ago"
    if upkeep.repaired:
        facts["repaired"] = round(now - upkeep.repaired)
        found += f"; last put right {_span(now - upkeep.repaired)} ago"
    if checked > LONGEST_UNCHECKED:
        cause = "no worker runs that looks after it, or Webex does not answer"
        return WORKER.attention("webhook", found, "unchecked", cause, "see what the worker's log says", **facts)
    if upkeep.secret != wanted.mark:
        cause = "the worker that looks after it has another webex.webhook.secret than this server"
        return WORKER.attention(
            "webhook",
            found,
            "other_secret",
            cause,
            "SIGHUP to servers and workers",
            **facts,
        )
    # The first repair is that it was made.
    if upkeep.repairs > 1 and now - upkeep.repaired <= LATELY:
        cause = "Webex gives a webhook up when deliveries fail; or somebody changed it, or its secret is new"
        remedy = f"see that {wanted.target} can be reached from the internet"
        return WORKER.attention("webhook", found, "repaired", cause, remedy, **facts)
    return WORKER.ok("webhook", found, **facts)


def _messages(count: int) -> str:
    return "1 message waits" if count == 1 else f"{count} messages wait"


def _span(seconds: float) -> str:
    step = 1 if seconds < _AN_HOUR else 60
    return format_duration(max(0, round(seconds / step) * step))
