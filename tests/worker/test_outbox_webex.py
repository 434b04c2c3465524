"""From events to messages in the simulated Webex, by the real client: outages, lost answers, limits, a lost token."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import pytest

from casduo.events.messages import Message as Waiting
from casduo.events.model import Event, SignedIn, SignedOut, Subject, TargetAccessed, TicketGranted
from casduo.events.outbox import OUTBOX, READY, Outbox, OutboxWorker
from casduo.events.outbox_desk import OutboxDesk
from casduo.events.outbox_rules import Terms
from casduo.events.record import EventRecord
from casduo.events.stream import STREAM, EventStream
from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import WebexSimulator
from casduo.worker.fan_out import FanOut
from casduo.worker.outbox import OutboxSender, OutboxTimes, UrgentOutboxSender
from casduo.worker.parts import Parts
from casduo.worker.process import Job
from tests.worker.outboxing import AT_ONCE, REGISTRY, SOON
from tests.worker.working import Site, eventually, working

HOUR = 3600.0
MANY = 10_000
LONG = 300.0
"""Real seconds for ten thousand messages, where other tests run beside this one."""

KINDS: tuple[type[Event], ...] = (SignedIn, SignedOut, TicketGranted, TargetAccessed)
"""One for each space."""


@dataclass
class House:
    """A casduo with events, whose workers post in the simulated Webex; its time is set, Webex's goes by."""

    site: Site
    webex: WebexSimulator
    clock: VirtualClock
    rooms: list[str]
    terms: Terms

    def write(self, *events: Event) -> None:
        stream, batch = EventStream(self.site.store, self.clock), self.site.store.batch()
        for event in events:
            stream.add(batch, event)
        batch.run()

    def put(self, *messages: Waiting) -> None:
        batch = self.site.store.batch()
        Outbox(self.site.store).enqueue(batch, messages)
        batch.run()

    def line(self, number: object, room: int = 0) -> Waiting:
        body = {"kind": "ticket.granted", "markdown": f"user{number}"}
        return Waiting(f"m{number}", f"room:{self.rooms[room]}", "event", body, created=self.clock())

    @contextmanager
    def workers(self, number: int = 1) -> Iterator[None]:
        with ExitStack() as stack:
            for _ in range(number):
                stack.enter_context(working(self.site, *self._jobs()))
            yield

    def read(self, room: int = 0) -> list[str]:
        """What was posted in a space, in the order it came."""
        return [message.markdown or "" for message in self.webex.messages_in(self.rooms[room])]

    def users(self, room: int = 0) -> list[str]:
        return [re.findall(r"user\d+", text)[0] for text in self.read(room)]

    def fanned_out(self) -> None:
        eventually(lambda: self.site.store.command("XLEN", STREAM) == 0, LONG)

    def advance(self, seconds: float) -> None:
        """Move the clock, and wait until the workers have done all that is due by then."""
        self.clock.advance(seconds)
        self.settle()

    def settle(self) -> None:
        outbox = OutboxWorker(self.site.store, "the test", self.terms)
        while outbox.move(self.clock()) == 0:
            pass
        eventually(lambda: not any(self.site.store.command("XLEN", key) for key in READY.values()), LONG)

    def emptied(self) -> None:
        eventually(lambda: not self.site.store.command("SCARD", f"{OUTBOX}:tokens"), LONG)

    def see_out(self) -> None:
        """Let minutes pass until nothing waits. For the breaker a second of Redis has to pass, too."""

        def nothing_waits() -> bool:
            self.advance(60)
            return not self.site.store.command("SCARD", f"{OUTBOX}:tokens")

        eventually(nothing_waits, LONG)

    def _jobs(self) -> list[Callable[[Parts], Job]]:
        def by_clock(parts: Parts) -> Parts:
            return replace(parts, clock=self.clock)

        def sender(make: type[OutboxSender]) -> Callable[[Parts], Job]:
            return lambda parts: make(by_clock(parts), terms=self.terms, every=SOON)

        return [
            lambda parts: FanOut(by_clock(parts), every=SOON),
            sender(UrgentOutboxSender),
            sender(OutboxSender),
            lambda parts: OutboxTimes(by_clock(parts), self.terms, every=SOON),
        ]


@pytest.fixture
def webex() -> Iterator[WebexSimulator]:
    with WebexSimulator() as simulator:
        simulator.add_bot("casduo", token="the-bots-token")
        yield simulator


@pytest.fixture
def house(site: Site, webex: WebexSimulator) -> House:
    bot = webex.person("casduo@webex.bot")
    rooms = [webex.add_room(f"Space {number}", [bot]).id for number in range(4)]
    routes = ", ".join(
        f"{kind.name}: {{to: space, room: {room}, template: '{{user}}'}}"
        for kind, room in zip(KINDS, rooms, strict=True)
    )
    site.write(
        REGISTRY,
        f"webex: {{token: the-bots-token, base_url: '{webex.base_url}', room: {rooms[0]}, notify: {{{routes}}},\n"
        "  breaker: {failures: 5, pause: 1s}, read_timeout: 1s}\n"
        "audit: {enabled: false}\n",
    )
    return House(site, webex, VirtualClock(1_800_000_000.0), rooms, AT_ONCE)


def an_event(number: int) -> Event:
    return KINDS[number % 4](Subject(principal=f"user{number}", service="library"))


def test_ten_thousand_events_of_an_outage_of_six_hours_are_each_told_once_and_in_order(house: House) -> None:
    with house.workers(2):
        house.webex.stop_listening()
        for portion in range(40):
            house.write(*(an_event(number) for number in range(portion * 250, portion * 250 + 250)))
            house.fanned_out()
            house.advance(6 * HOUR / 40)
        assert OutboxDesk(house.site.store, told=True).status().waiting == MANY
        house.webex.listen_again()
        house.see_out()
    for room in range(4):
        assert house.users(room) == [f"user{number}" for number in range(room, MANY, 4)]
    assert OutboxDesk(house.site.store, told=True).status().dead == 0


def test_sign_ins_of_an_outage_are_counted_and_the_counts_add_up(house: House) -> None:
    house.terms = replace(AT_ONCE, digest_above=20)
    house.webex.stop_listening()
    with house.workers():
        for _ in range(20):
            house.write(*(SignedIn(Subject(principal=f"user{number}", service="library")) for number in range(500)))
            house.fanned_out()
            house.advance(HOUR / 4)
        house.webex.listen_again()
        house.see_out()
    counts = [re.findall(r"\*\*(\d+)\*\*", text) for text in house.read()]
    assert sum(int(found[0]) if found else 1 for found in counts) == MANY
    assert len(counts) < 50


def test_only_what_an_answer_got_lost_of_is_doubled(house: House) -> None:
    with house.workers(2):
        house.webex.faults.drop("POST /messages", done=True)
        house.put(*(house.line(number) for number in range(5)))
        house.settle()
        assert house.users() == ["user0"]
        house.advance(9.9)
        assert house.users() == ["user0"]
        house.advance(0.2)
        house.emptied()
    assert house.users() == ["user0", "user0", "user1", "user2", "user3", "user4"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_troubles_of_webex_itself_are_waited_for(house: House, status: int) -> None:
    with house.workers():
        house.webex.faults.fail("POST /messages", status, times=3)
        house.put(*(house.line(number) for number in range(3)))
        for _ in range(4):
            house.advance(300)
        house.emptied()
    assert house.users() == ["user0", "user1", "user2"]


def test_a_limit_of_webex_holds_for_every_worker_and_every_space(house: House) -> None:
    house.webex.faults.fail("POST /messages", 429, retry_after=120)
    with house.workers(3):
        house.put(house.line(0))
        house.settle()
        house.put(*(house.line(number, number % 4) for number in range(1, 9)))
        house.settle()
        house.advance(119)
        assert len(house.webex.requests("POST", "/messages")) == 1
        house.advance(1.1)
        house.emptied()
    posted = Counter(user for room in range(4) for user in house.users(room))
    assert posted == {f"user{number}": 1 for number in range(9)}


def test_a_withdrawn_token_stops_everything_and_nothing_is_lost(house: House) -> None:
    desk = OutboxDesk(house.site.store, told=True)
    house.webex.faults.fail("*", 401, times=None)
    with house.workers(2):
        house.put(*(house.line(number, number % 4) for number in range(12)))
        house.settle()
        asked = len(house.webex.requests("POST", "/messages"))
        house.advance(59)
        assert len(house.webex.requests("POST", "/messages")) == asked
        house.advance(1.1)
        eventually(lambda: len(house.webex.requests("POST", "/messages")) == asked + 1)
        assert desk.status().status == 401
        house.settle()
        house.webex.faults.clear()
        house.advance(60.1)
        house.emptied()
    assert sum(len(house.users(room)) for room in range(4)) == 12
    assert (desk.status().stopped_since, desk.status().dead) == (0, 0)


def test_a_space_that_is_gone_keeps_no_other_waiting(house: House) -> None:
    house.webex.remove_room(house.rooms[1])
    with house.workers():
        house.put(*(house.line(number, number % 2) for number in range(6)))
        house.emptied()
    assert house.users() == ["user0", "user2", "user4"]
    letters = OutboxDesk(house.site.store, told=True).letters(10)
    assert [(letter.message.id, letter.status, letter.reason) for letter in letters] == [
        (f"m{number}", 404, "refused") for number in (1, 3, 5)
    ]
    assert all("tracking id" in letter.detail for letter in letters)


def test_what_nobody_has_to_be_asked_for_does_not_show_that_the_token_is_good_again(house: House) -> None:
    desk = OutboxDesk(house.site.store, told=True)
    house.webex.faults.fail("*", 401, times=None)
    with house.workers():
        house.put(house.line(0))
        house.settle()
        since = desk.status().stopped_since
        assert since
        # The card of a request that is kept no longer: there is nothing to post.
        card = Waiting("card", f"room:{house.rooms[1]}", "approval.card", {"request": "gone"}, urgent=True)
        house.clock.advance(61)
        house.put(card)
        eventually(lambda: house.site.store.command("GET", f"{OUTBOX}:mark:card") == "sent ")
        house.settle()
    assert desk.status().stopped_since == since
    kinds = [EventRecord.from_json(flat[1]).kind for _, flat in house.site.store.command("XRANGE", STREAM, "-", "+")]
    assert "webex.resumed" not in kinds
