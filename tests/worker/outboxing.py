"""What tests of the outbox's jobs share: somebody who delivers as a test says, and workers by a clock that is set."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from casduo.events.messages import Delivered, Message, NotDelivered
from casduo.events.outbox import OUTBOX, READY, Outbox, OutboxWorker
from casduo.events.outbox_desk import OutboxDesk
from casduo.events.outbox_model import OutboxStatus
from casduo.events.outbox_rules import Terms
from casduo.simulators.clock import VirtualClock
from casduo.worker.outbox import OutboxSender, OutboxTimes, UrgentOutboxSender
from casduo.worker.parts import Parts
from casduo.worker.process import Job
from tests.worker.working import Site, Working, eventually, working

REGISTRY = "services:\n  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n"
SETTINGS = "webex: {token: made-up-token, room: r1, base_url: 'http://localhost:9/v1'}\n"
AT_ONCE = Terms(per_space=1e9, per_token=1e9, digest_above=0)
"""No pace and no digests."""
ROOM = "room:r1"
SOON = 0.01

Outcome = Delivered | NotDelivered


@dataclass
class Postman:
    """A :class:`~casduo.events.messages.Deliverer`. ``answer`` says how each delivery goes; all that were asked for and
    those that went well are written down with the moment. For one destination there is never more than one at a time.
    ``following`` says what becomes due by a burial.
    """

    clock: VirtualClock
    answer: Callable[[Message], Outcome] = lambda _message: Delivered("receipt")
    asked: list[Message] = field(default_factory=list)
    delivered: list[Message] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    together: bool = False
    following: Callable[[Message], tuple[Message, ...]] = lambda _message: ()
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(self, message: Message) -> Outcome:
        to = f"{message.urgent}{message.to}"
        with self._lock:
            self.together |= to in self._busy
            self._busy.add(to)
            self.asked.append(message)
            self.moments.append(self.clock())
        try:
            outcome = self.answer(message)
        finally:
            with self._lock:
                self._busy.discard(to)
        if isinstance(outcome, Delivered):
            with self._lock:
                self.delivered.append(message)
        return outcome

    def digestible(self, message: Message) -> bool:
        return message.task == "signin"

    def digest(self, messages: Sequence[Message]) -> Message | None:
        first = messages[0]
        return Message(first.id, first.to, "digest", {"count": len(messages)}, created=first.created)

    def buried(self, message: Message) -> tuple[Message, ...]:
        return self.following(message)

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.delivered]

    def ids_to(self, to: str) -> list[str]:
        return [message.id for message in self.delivered if message.to == to]


@dataclass
class OutboxStage:
    """An outbox, its workers and who delivers, all by one clock."""

    site: Site
    clock: VirtualClock
    terms: Terms = AT_ONCE
    lease: float = 60.0

    def __post_init__(self) -> None:
        self.site.write(REGISTRY, SETTINGS)
        self.postman = Postman(self.clock)
        self.desk = OutboxDesk(self.site.store, told=True)
        self._numbers = 0

    def message(self, name: object, to: str = ROOM, *, urgent: bool = False, task: str = "event") -> Message:
        return Message(f"m{name}", to, task, {"text": f"text {name}"}, urgent, self.clock())

    def put(self, *messages: Message) -> None:
        batch = self.site.store.batch()
        Outbox(self.site.store).enqueue(batch, messages)
        batch.run()

    def jobs(self) -> list[Callable[[Parts], Job]]:
        def sender(make: type[OutboxSender]) -> Callable[[Parts], Job]:
            return lambda parts: make(
                self._by_clock(parts), lambda _parts, _webex: self.postman, self.terms, self.lease, every=SOON
            )

        def times(parts: Parts) -> Job:
            return OutboxTimes(self._by_clock(parts), self.terms, every=SOON)

        return [sender(UrgentOutboxSender), sender(OutboxSender), times]

    def working(self) -> AbstractContextManager[Working]:
        return working(self.site, *self.jobs())

    def advance(self, seconds: float) -> None:
        """Move the clock, and wait until the workers have done all that is due by then."""
        self.clock.advance(seconds)
        self.settle()

    def settle(self) -> None:
        """Wait until every token is laid down, or no more."""
        outbox = OutboxWorker(self.site.store, "the test", self.terms)
        while outbox.move(self.clock()) == 0:
            pass
        eventually(lambda: not any(self.site.store.command("XLEN", key) for key in READY.values()))

    def emptied(self) -> None:
        """Wait until nothing waits."""
        eventually(lambda: not self.site.store.command("SCARD", f"{OUTBOX}:tokens"))

    def status(self) -> OutboxStatus:
        return self.desk.status()

    def counted(self) -> Counter[str]:
        """How often each message was delivered."""
        return Counter(self.postman.ids)

    def _by_clock(self, parts: Parts) -> Parts:
        return replace(parts, clock=self.clock)
