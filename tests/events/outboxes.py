"""Workers that hold tokens of the outbox, one step at a time, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casduo.events.messages import Message
from casduo.events.model import Subject
from casduo.events.outbox import READY, Outbox, OutboxWorker
from casduo.events.outbox_events import ChannelResumed, ChannelStopped, MessageDead
from casduo.events.outbox_model import Attempt, DeadLetter, Lane, Token, Until, Waiting
from casduo.events.outbox_rules import Terms
from casduo.events.record import EventRecord, record_of
from casduo.events.stream import STREAM
from casduo.store import Store
from casduo.store.streams import StreamQueue

NOW = 1_800_000_000.0
ROOM = "room:r1"
OTHER = "room:r2"
AT_ONCE = Terms(per_space=1e9, per_token=1e9)
"""No pace."""
SOON = 0.01


def message(name: object, to: str = ROOM, *, urgent: bool = False, expires: float = 0.0) -> Message:
    return Message(f"m{name}", to, "event", {"number": str(name)}, urgent=urgent, created=NOW, expires=expires)


def put(store: Store, *messages: Message) -> None:
    batch = store.batch()
    Outbox(store).enqueue(batch, messages)
    batch.run()


def events(store: Store) -> list[str]:
    """The kinds of the events in the stream, in their order."""
    return [EventRecord.from_json(flat[1]).kind for _, flat in store.command("XRANGE", STREAM, "-", "+")]


@dataclass
class Hand:
    """A worker: takes tokens and does with them what it is told."""

    store: Store
    name: str = "ada"
    terms: Terms = AT_ONCE

    @property
    def outbox(self) -> OutboxWorker:
        return OutboxWorker(self.store, self.name, self.terms)

    def queue(self, lane: Lane = "calm") -> StreamQueue:
        return StreamQueue(self.store, READY[lane], self.name)

    def tokens(self, lane: Lane = "calm") -> list[Token]:
        """Take every token that is ready."""
        return [Token(entry.fields["to"], entry.id) for entry in self.queue(lane).read(1000, SOON)]

    def token(self, lane: Lane = "calm") -> Token:
        (token,) = self.tokens(lane)
        return token

    def claimed(self) -> list[Token]:
        """Take over what another one holds."""
        return [Token(entry.fields["to"], entry.id) for entry in self.queue().claim(1000, 0.0)]

    def begun(self, token: Token, now: float = NOW) -> Attempt:
        """Begin with what is first, which has to be possible at once."""
        found = self.outbox.take(token, now)
        assert isinstance(found, Attempt), found
        return found

    def wait(self, token: Token, now: float) -> float:
        """Ask in vain; return how many seconds to wait with the token in hand."""
        found = self.outbox.take(token, now)
        assert isinstance(found, Until), found
        return found.moment - now

    def done(self, attempt: Attempt, *covered: Waiting, then: Sequence[Message] = ()) -> bool:
        resumed = record_of(ChannelResumed(Subject()), NOW)
        return self.outbox.done(attempt, covered or [attempt.first], "receipt", then, resumed)[0]

    def bury(self, attempt: Attempt, *, answered: bool = True, then: Sequence[Message] = ()) -> bool:
        first = attempt.first
        letter = DeadLetter(first.message, NOW, "refused", attempt.tries, 404, "status 404")
        dead = record_of(MessageDead(Subject(), first.message.id), NOW)
        resumed = record_of(ChannelResumed(Subject()), NOW) if answered else None
        return self.outbox.bury(attempt, [(first.entry, letter, then)], dead, resumed)[0]

    def stop(self, attempt: Attempt, now: float = NOW) -> bool:
        stopped = record_of(ChannelStopped(Subject(), 401, "status 401"), now)
        return self.outbox.stop(attempt, 401, "status 401", now, stopped)

    def deliver_all(self, lane: Lane = "calm", now: float = NOW) -> list[str]:
        """Work everything off that is ready; return the ids in their order."""
        delivered = []
        while tokens := self.tokens(lane):
            for token in tokens:
                more = True
                while more:
                    attempt = self.begun(token, now)
                    delivered.append(attempt.first.message.id)
                    more = self.done(attempt)
        return delivered
