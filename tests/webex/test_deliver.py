"""Messages delivered to a simulated Webex, with requests for access as they are kept in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from casduo.approvals.events import ApprovalCancelled, ApprovalDecided, ApprovalExpired, ApprovalRequested
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.requests import ApprovalRequests
from casduo.errors import UpstreamUnavailable
from casduo.events.messages import Delivered, Message, NotDelivered
from casduo.events.model import Event, Fault, Subject
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import WebexSimulator
from casduo.store import Batch, Store
from casduo.store.store import client_for
from casduo.webex.build import look_of
from casduo.webex.deliver import WebexDeliverer
from tests.webex.asked import decision, request
from tests.webex.desk import NOON, Desk, open_desk

SECRET = {"secret": "w" * 40}
ABOUT = Subject(principal="ada", service="oracle-b")


class Written:
    """A journal that a test reads."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def write(self, event: Event, batch: Batch | None = None, *, when: str = "") -> None:
        self.events.append(event)

    def note(self, event: Event) -> None:
        self.events.append(event)


class Office:
    """A desk with somebody who delivers, and the requests they deliver messages about."""

    def __init__(self, desk: Desk, store: Store, **rule: Any) -> None:
        self.desk = desk
        self.journal = Written()
        self.requests = ApprovalRequests(store, kept=86_400.0, refusal_window=86_400.0)
        self.services = registry(**rule)
        self.deliverer = self.who_delivers(self.requests)

    def who_delivers(self, requests: ApprovalRequests) -> WebexDeliverer:
        desk, look = self.desk, look_of(self.desk.settings)
        assert desk.settings.webex is not None
        return WebexDeliverer(
            desk.client, requests, lambda: self.services, desk.settings.webex, look, self.journal, desk.clock
        )

    def ask(self, **changes: Any) -> ApprovalRequest:
        asked = request(**({"room": self.desk.room.id} | changes))
        assert self.requests.create(asked, ApprovalRequested(ABOUT, request=asked.id), 5) == "created"
        return asked

    def decide(self, asked: ApprovalRequest, kind: Any = "approved", comment: str = "") -> ApprovalRequest:
        chosen = decision(kind, comment=comment)
        event = ApprovalDecided(ABOUT, request=asked.id, decision=kind)
        settled = self.requests.decide(asked.id, chosen, event)
        assert settled.first
        assert settled.request is not None
        return settled.request

    def expire(self, asked: ApprovalRequest) -> None:
        assert self.requests.expire(asked.id, ApprovalExpired(ABOUT, request=asked.id), NOON + 3600).first

    def do(self, task: str, asked: str = "7f3kQmVwX2", to: str = "", **body: Any) -> Delivered | NotDelivered:
        message = Message(
            f"E1:{task}", to or f"room:{self.desk.room.id}", task, {"request": asked, **body}, urgent=True
        )
        return self.deliverer.deliver(message)

    def done(self, task: str, asked: str = "7f3kQmVwX2", to: str = "", **body: Any) -> Delivered:
        found = self.do(task, asked, to, **body)
        assert isinstance(found, Delivered), found
        return found

    def carry_out(self, task: str) -> Delivered:
        """Do a task and all that becomes due by it."""
        found = self.done(task)
        for message in found.then:
            result = self.deliverer.deliver(message)
            assert isinstance(result, Delivered), result
        return found

    @property
    def posts(self) -> int:
        return len(self.desk.simulator.requests("POST", "/messages"))

    @property
    def told(self) -> list[str]:
        return [message.markdown or "" for message in self.desk.simulator.direct_messages("ada@example.edu")]


def registry(**rule: Any) -> Registry:
    entry = {
        "id": "oracle-b",
        "name": "OracleLinux_SystemB",
        "url": "https://gateway.example.edu/targets/oracle-b",
        "requires_approval": {"approvers": "luke@example.edu", **rule},
    }
    return Registry([RegisteredService.model_validate(entry)], "v1")


@pytest.fixture
def desk() -> Iterator[Desk]:
    yield from opened()


def opened(**webex: Any) -> Iterator[Desk]:
    clock = VirtualClock(NOON)
    with WebexSimulator(clock) as simulator:
        found = open_desk(simulator, clock, **({"webhook": SECRET} | webex))
        yield found
        found.client.close()


@pytest.fixture
def office(desk: Desk, store: Store) -> Office:
    return Office(desk, store)


def titles(office: Office) -> list[str]:
    (message,) = office.desk.simulator.messages_in(office.desk.room.id)
    assert message.card is not None
    return [action["title"] for action in message.card.get("actions", [])]


# -- the card --------------------------------------------------------------------------------------------------------


def test_a_request_is_posted_and_its_card_is_known(office: Office) -> None:
    asked = office.ask()
    posted = office.done("approval.card")
    (message,) = office.desk.simulator.messages_in(office.desk.room.id)
    assert posted == Delivered(message.id)
    assert office.requests.request_of_card(message.id) == asked.id
    assert message.markdown is not None
    assert message.markdown.startswith("Access request 7F3K: **Ada Lovelace** asks for ")
    assert titles(office) == ["Approve request 7F3K", "Reject", "More", "Review in casduo"]


def test_more_tells_of_requests_for_the_same_service(office: Office) -> None:
    office.expire(office.ask(id="before1", created=NOON - 7200, reason="the one before"))
    office.ask(id="other1", service="wiki", reason="another service", created=NOON - 60)
    office.ask()
    office.done("approval.card")
    (message,) = office.desk.simulator.messages_in(office.desk.room.id)
    assert "the one before" in str(message.card)
    assert "another service" not in str(message.card)


def test_what_was_decided_meanwhile_is_not_posted(office: Office) -> None:
    office.decide(office.ask())
    assert office.done("approval.card") == Delivered(asked=False)
    assert office.posts == 0


def test_what_has_expired_or_has_no_space_or_is_no_longer_kept_is_not_posted(office: Office) -> None:
    office.ask(expires=NOON)
    office.ask(id="homeless1", room="", service="wiki")
    assert office.done("approval.card") == Delivered(asked=False)
    assert office.done("approval.card", "homeless1") == Delivered(asked=False)
    assert office.done("approval.card", "unknown1") == Delivered(asked=False)
    assert office.posts == 0


def test_what_is_decided_on_our_page_only_has_no_buttons(desk: Desk, store: Store) -> None:
    office = Office(desk, store, approve_in="portal")
    office.ask()
    office.done("approval.card")
    assert titles(office) == ["More", "Review in casduo"]


def test_without_a_webhook_nobody_would_hear_of_buttons(store: Store) -> None:
    for desk in opened(webhook={}):
        office = Office(desk, store)
        office.ask()
        office.done("approval.card")
        assert titles(office) == ["More", "Review in casduo"]


def test_without_its_entry_a_request_has_no_buttons(office: Office) -> None:
    office.services = Registry([], "v2")
    office.ask()
    office.done("approval.card")
    assert titles(office) == ["More", "Review in casduo"]


def test_a_card_that_was_posted_twice_is_withdrawn_twice(office: Office) -> None:
    asked = office.ask()
    office.done("approval.card")
    office.done("approval.card")
    office.decide(asked)
    office.carry_out("approval.outcome")
    assert len(office.desk.simulator.deleted) == 2
    assert len(office.desk.said) == 1


# -- the outcome -----------------------------------------------------------------------------------------------------


def test_the_outcome_takes_the_place_of_the_card(office: Office) -> None:
    asked = office.ask()
    office.done("approval.card")
    office.decide(asked, "rejected", "not today")
    outcome = office.done("approval.outcome")
    assert len(office.desk.said) == 2
    assert [message.task for message in outcome.then] == ["approval.withdraw"]
    assert isinstance(office.deliverer.deliver(outcome.then[0]), Delivered)
    (message,) = office.desk.simulator.messages_in(office.desk.room.id)
    assert "Request was rejected by Luke" in str(message.card)
    assert "not today" in str(message.card)
    assert [action["type"] for action in (message.card or {})["actions"]] == ["Action.OpenUrl"]


def test_a_card_stays_where_its_outcome_cannot_be_posted(office: Office) -> None:
    asked = office.ask()
    office.done("approval.card")
    office.decide(asked)
    office.desk.simulator.fail("POST /messages", 503)
    assert office.do("approval.outcome") == NotDelivered("retry", 0.0, False, 503, _told(office, "status 503"))
    assert len(office.desk.said) == 1


def test_withdrawing_what_is_gone_is_done(office: Office) -> None:
    asked = office.ask()
    card = office.done("approval.card").receipt
    office.desk.client.delete_message(card)
    office.decide(asked)
    office.carry_out("approval.outcome")


def test_an_outcome_can_be_a_reply_to_a_card_that_stays(store: Store) -> None:
    for desk in opened(on_decision="reply"):
        office = Office(desk, store)
        asked = office.ask()
        card = office.done("approval.card").receipt
        office.decide(asked)
        outcome = office.done("approval.outcome")
        assert outcome.then == ()
        assert desk.client.message(outcome.receipt).parent == card


def test_a_reply_to_a_card_that_somebody_deleted_is_a_message(store: Store) -> None:
    for desk in opened(on_decision="reply"):
        office = Office(desk, store)
        asked = office.ask()
        desk.client.delete_message(office.done("approval.card").receipt)
        office.decide(asked)
        outcome = office.done("approval.outcome")
        assert desk.client.message(outcome.receipt).parent == ""


def test_a_request_without_a_space_has_no_outcome_there(office: Office) -> None:
    office.decide(office.ask(room=""))
    assert office.done("approval.outcome") == Delivered(asked=False)


# -- who asked -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["approved", "rejected"])
def test_who_asked_is_told(office: Office, kind: Any) -> None:
    office.decide(office.ask(), kind, "because")
    office.done("approval.told", to="person:ada")
    (told,) = office.told
    assert told.startswith(f"Access application {kind} by **Luke**: ")
    assert "Request 7F3K" in told


def test_who_asked_is_told_that_nobody_decided(office: Office) -> None:
    office.expire(office.ask())
    office.done("approval.told", to="person:ada")
    assert "expired" in office.told[0]
    cancelled = office.ask(id="other1")
    assert office.requests.cancel(cancelled.id, ApprovalCancelled(ABOUT, request=cancelled.id), NOON).first
    office.done("approval.told", "other1", to="person:ada")
    assert "withdrawn" in office.told[1]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_space_hears_of_somebody_who_cannot_be_told(office: Office, status: int) -> None:
    office.desk.simulator.settings.unknown_recipient_status = status
    office.decide(office.ask(emails=("nobody@elsewhere.example",)))
    told = office.done("approval.told", to="person:ada")
    (message,) = told.then
    assert (message.task, message.to) == ("approval.untold", f"room:{office.desk.room.id}")
    assert isinstance(office.deliverer.deliver(message), Delivered)
    assert office.desk.said == ["Access request 7F3K: **Ada Lovelace** could not be told here that it is approved."]
    (event,) = office.journal.events
    assert isinstance(event, Fault)
    assert (event.code, event.about.principal) == ("WEBEX_REFUSED", "ada")
    assert f"status {status}" in event.detail


def test_likewise_of_somebody_without_an_address(office: Office) -> None:
    office.decide(office.ask(emails=()))
    assert [message.task for message in office.done("approval.told").then] == ["approval.untold"]
    (event,) = office.journal.events
    assert isinstance(event, Fault)
    assert event.code == "NO_ADDRESS"


def test_without_a_space_the_journal_alone_knows(office: Office) -> None:
    office.decide(office.ask(emails=(), room=""))
    assert office.done("approval.told") == Delivered(asked=False)
    assert len(office.journal.events) == 1


def test_while_webex_is_away_nobody_is_given_up(office: Office) -> None:
    office.decide(office.ask())
    office.desk.simulator.stop_listening()
    assert office.do("approval.told") == NotDelivered("retry", detail="refused")
    assert office.journal.events == []


def test_a_reminder_stands_under_the_card(office: Office) -> None:
    asked = office.ask()
    card = office.done("approval.card").receipt
    reminder = office.done("approval.reminder")
    assert office.desk.client.message(reminder.receipt).parent == card
    assert "still waits" in office.desk.said[-1]
    office.decide(asked)
    assert office.done("approval.reminder") == Delivered(asked=False)


# -- notifications ---------------------------------------------------------------------------------------------------


def test_a_notification_goes_to_its_space_or_person(office: Office) -> None:
    for to in (f"room:{office.desk.room.id}", "person:ada@example.edu", f"person:{office.desk.ada.id}"):
        office.done("event", to=to, kind="signin.ok", markdown="**ada** signed in")
    assert office.desk.said == ["**ada** signed in"]
    assert office.told == ["**ada** signed in"] * 2


def test_a_violation_has_its_card(office: Office) -> None:
    card = {"type": "AdaptiveCard", "version": "1.2", "body": []}
    office.done("violation", kind="policy.violation", markdown="**Policy violation**", card=card)
    (message,) = office.desk.simulator.messages_in(office.desk.room.id)
    assert message.card == card


def test_a_line_for_one_person(office: Office) -> None:
    office.done("told", to="person:ada", email="ada@example.edu", markdown="already approved")
    office.done("told", to="person:ada", person=office.desk.ada.id, markdown="x" * 9000)
    assert office.told == ["already approved", "x" * 7436 + "…"]


def sign_ins(office: Office, kinds: list[str]) -> list[Message]:
    to = f"room:{office.desk.room.id}"
    return [
        Message(f"E{number}:event", to, "event", {"kind": kind, "markdown": "x"}, created=NOON + number)
        for number, kind in enumerate(kinds)
    ]


def test_many_sign_ins_become_one_message(office: Office) -> None:
    waiting = sign_ins(office, ["signin.ok"] * 30 + ["signout"] * 12)
    assert all(office.deliverer.digestible(message) for message in waiting)
    digest = office.deliverer.digest(waiting)
    assert digest is not None
    assert (digest.id, digest.to, digest.task, digest.created) == ("E0:event", waiting[0].to, "digest", NOON)
    assert not office.deliverer.digestible(digest)
    assert isinstance(office.deliverer.deliver(digest), Delivered)
    assert office.desk.said[0].startswith("**30** sign-ins, **12** sign-outs, from 2026-08-01 12:00 UTC")


def test_one_message_is_no_digest(office: Office) -> None:
    assert office.deliverer.digest(sign_ins(office, ["signin.ok"])) is None
    assert office.deliverer.digest([]) is None


@pytest.mark.parametrize(
    ("task", "kind"), [("event", "target.accessed"), ("violation", "policy.violation"), ("approval.card", "")]
)
def test_what_somebody_should_see_is_never_counted(office: Office, task: str, kind: str) -> None:
    assert not office.deliverer.digestible(Message("E1", "room:R", task, {"kind": kind}))


# -- what is put aside -----------------------------------------------------------------------------------------------


def test_that_the_requester_was_not_told_in_time_the_space_hears(office: Office) -> None:
    office.decide(office.ask())
    told = Message("E1:approval.told", "person:ada", "approval.told", {"request": "7f3kQmVwX2"}, urgent=True)
    (untold,) = office.deliverer.buried(told)
    assert (untold.id, untold.to) == ("E1:approval.told:untold", f"room:{office.desk.room.id}")
    assert office.deliverer.buried(told)[0].id == untold.id
    assert isinstance(office.deliverer.deliver(untold), Delivered)
    (message,) = office.desk.simulator.messages_in(office.desk.room.id)
    assert "could not be told" in (message.markdown or "")
    fault = office.journal.events[-1]
    assert isinstance(fault, Fault)
    assert (fault.code, fault.about.principal) == ("NOT_DELIVERED", "ada")


@pytest.mark.parametrize(
    ("task", "body"),
    [
        ("event", {}),
        ("approval.card", {"request": "7f3kQmVwX2"}),
        ("approval.told", {}),
        ("approval.told", {"request": 7}),
        ("approval.told", {"request": "x1"}),
    ],
)
def test_by_most_burials_nothing_becomes_due(office: Office, task: str, body: dict[str, Any]) -> None:
    office.decide(office.ask())
    assert office.deliverer.buried(Message("E1", "person:ada", task, body)) == ()
    assert office.journal.events == []


# -- what cannot be delivered ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "to", "body"),
    [
        ("unheard", "room:R", {}),
        ("event", "room:R", {}),
        ("event", "room:R", {"markdown": 7}),
        ("event", "room:", {"markdown": "x"}),
        ("event", "elsewhere:R", {"markdown": "x"}),
        ("digest", "room:R", {"counts": 3}),
        ("told", "person:ada", {"markdown": "x"}),
        ("told", "person:ada", {"markdown": "x", "email": 7}),
        ("approval.card", "room:R", {}),
        ("approval.card", "room:R", {"request": ["x"]}),
        ("approval.withdraw", "room:R", {}),
    ],
)
def test_what_no_version_of_casduo_writes_is_put_aside(
    office: Office, task: str, to: str, body: dict[str, Any]
) -> None:
    found = office.deliverer.deliver(Message("E1", to, task, body))
    assert isinstance(found, NotDelivered)
    assert found.remedy == "never"
    assert office.posts == 0


def test_every_remedy_comes_back_as_a_value(office: Office) -> None:
    simulator = office.desk.simulator
    for status in (401, 429, 423, 500, 404):
        simulator.fail("POST /messages", status, retry_after=9)
    found = [office.do("event", markdown="x") for _ in range(5)]
    assert [each.remedy for each in found if isinstance(each, NotDelivered)] == [
        "stop",
        "pause",
        "retry",
        "retry",
        "never",
    ]


def test_a_redis_that_is_away_is_for_later_and_nothing_was_sent(office: Office) -> None:
    away = Store(client_for("redis://127.0.0.1:9/0", "", 0.2, 1, ""))
    assert Office(office.desk, away).do("approval.card") == NotDelivered("retry", detail="redis does not answer")
    assert office.posts == 0
    away.close()


class LostAfterwards(ApprovalRequests):
    """Requests in a Redis that goes away while a card is being posted."""

    def add_card(self, request_id: str, message: str) -> bool:
        raise UpstreamUnavailable("redis", "ConnectionError")


def test_a_card_that_could_not_be_noted_is_noted_later_and_not_posted_again(office: Office, store: Store) -> None:
    asked = office.ask()
    lost = office.who_delivers(LostAfterwards(store, kept=86_400.0, refusal_window=86_400.0))
    posted = lost.deliver(Message("E1", "room:R", "approval.card", {"request": asked.id}))
    assert isinstance(posted, Delivered)
    (message,) = posted.then
    assert message.task == "approval.noted"
    assert isinstance(office.deliverer.deliver(message), Delivered)
    assert office.requests.request_of_card(posted.receipt) == asked.id
    assert office.posts == 1


def _told(office: Office, word: str) -> str:
    return f"{word}, tracking id {office.desk.simulator.requests()[-1].tracking_id}"


def test_a_request_with_hostile_words_is_posted_like_any_other(office: Office) -> None:
    asked = office.ask(reason="[x](https://evil.example) <@all>\n**approved**", name="**admin** approved")
    office.done("approval.card")
    office.decide(asked)
    office.carry_out("approval.outcome")
    for message in office.desk.simulator.messages_in(office.desk.room.id, deleted=True):
        assert not message.mentioned_groups
        assert not message.mentioned_people
        assert "<a " not in str(message.html)
