"""The outbox: messages wait in Redis until they are delivered, each destination's in their order, each once.

A destination that has work has one token, and whoever holds the token works the destination off. Tokens are entries of
a queue with a group of workers (:mod:`casduo.store.streams`): a worker that dies over one is followed by another after
a while. A token that has to wait lies in a sorted set meanwhile, so that nobody waits with it. What is urgent has
destinations, tokens and a queue of its own.

Everything that moves messages or tokens is one script, and whatever a worker does with a token it lost meanwhile does
nothing. To pause or stop the channel and then to lay the token down are two: whoever dies between them leaves a token
that others take over. Nothing is ever trimmed. Where the clock matters it is the worker's ``now``, in epoch seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from casduo.events.messages import Message
from casduo.events.outbox_model import (
    Attempt,
    DeadLetter,
    Lane,
    Token,
    Until,
    Waiting,
    destination_of,
    message_in,
    text_of,
)
from casduo.events.outbox_rules import Terms
from casduo.events.record import EventRecord
from casduo.events.stream import READERS, STREAM, EventReader, ReaderName
from casduo.store import Batch, Script, Store, Value, load_script
from casduo.store.streams import WORKERS

OUTBOX: Final = "casduo:{events}:outbox"
"""What the keys of the outbox begin with."""
READY: Final[Mapping[Lane, str]] = {"calm": f"{OUTBOX}:ready", "urgent": f"{OUTBOX}:ready:urgent"}
"""The queues of tokens, each for an :class:`~casduo.worker.errands.Errands`."""
READER: Final[ReaderName] = "outbox"
BACKLOG_MOST: Final = 1000
"""Messages of one destination that are looked through at a time."""
UNREADABLE: Final = "unreadable"
"""The task of what stands for a message that cannot be read."""

KNOWN_MS = 7 * 86_400_000
"""For how long a message that was delivered is known, so that nothing enqueues it again."""
_IN_HAND_MS = 500
"""A worker that has to wait for no longer than this keeps the token in hand."""
_MOVED_TOGETHER = 200


def outbox_script(name: str, *, when_full: bool = True, before: Sequence[str] = ()) -> Script:
    """Read one of the outbox's scripts, with what they have in common in front of it.

    :param when_full: see :func:`casduo.store.load_script`; what waits is to go out, whatever is full
    :param before: scripts of the same folder that come between the two
    """
    return load_script(__file__, name, when_full=when_full, after=("outbox_shared.lua", *before))


_PUT = outbox_script("outbox_put.lua", when_full=False)
_FAN_OUT = outbox_script("stream_advance.lua", before=("outbox_fan_out.lua",))
_LOOK = outbox_script("outbox_look.lua")
_TAKE = outbox_script("outbox_take.lua")
_DONE = outbox_script("outbox_done.lua")
_BURY = outbox_script("outbox_bury.lua")
_PUT_OFF = outbox_script("outbox_put_off.lua")
_PAUSE = outbox_script("outbox_pause.lua")
_STOP = outbox_script("outbox_stop.lua")
_MOVE = outbox_script("outbox_move.lua")


class Outbox:
    """Where messages are put."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def enqueue(self, batch: Batch, messages: Sequence[Message]) -> None:
        """Add the enqueueing of messages to the round trip of the change by which they become due.

        It may be repeated: a message that waits, was delivered within the last seven days or is a dead letter is not
        enqueued again.
        """
        if messages:
            batch.script(_PUT, (OUTBOX,), (_json(_rows(messages)),))

    def fan_out(self, reader: EventReader, entry: str, messages: Sequence[Message]) -> bool:
        """Enqueue the messages that events lead to and move the reader on, in one step. One round trip.

        :param reader: the reader ``outbox`` of the stream of events
        :param entry: the last entry of the stream that these messages tell of
        :return: ``False`` where another one reads by now, and nothing was changed
        :raises UpstreamUnavailable: Redis does not answer
        """
        keys = (OUTBOX, STREAM, READERS, reader.lease_key)
        arguments = (*reader.advance_arguments(entry), _json(_rows(messages)))
        return bool(self._store.call(_FAN_OUT, keys, arguments))


class OutboxWorker:
    """The outbox for one worker. Every method is one round trip and may raise ``UpstreamUnavailable``.

    :param worker: the name under which the worker reads the tokens
    """

    def __init__(self, store: Store, worker: str, terms: Terms) -> None:
        self._store = store
        self._worker = worker
        self._pace = (_ms(1 / terms.per_space), _ms(1 / terms.per_token))
        self._probe_ms = _ms(terms.probe_every)

    def look(self, token: Token) -> Attempt | None:
        """Return what a destination has first. Nothing begins, and no place in the pace is used up.

        :return: ``None`` where the worker does not have the token any more, or nothing waits
        """
        match self._store.call(_LOOK, (OUTBOX,), self._holder(token)):
            case [entry, text, waiting, tries, fails, upto]:
                return Attempt(token, _waiting(token, entry, text), waiting, int(tries), int(fails), upto)
        return None

    def take(self, token: Token, now: float) -> Attempt | Until | None:
        """Begin with what a destination has first, if it is time.

        :return: ``None`` where the worker does not have the token any more: nothing is to be done now, or ever
        """
        arguments = (*self._holder(token), _ms(now), *self._pace, self._probe_ms, _IN_HAND_MS)
        match self._store.call(_TAKE, (OUTBOX,), arguments):
            case ["go", entry, text, waiting, tries, fails, upto, probe]:
                first = _waiting(token, entry, text)
                return Attempt(token, first, waiting, tries, int(fails), upto, bool(probe))
            case ["wait", moment]:
                return Until(moment / 1000)
        return None

    def backlog(self, token: Token, upto: str = "") -> list[Waiting]:
        """Return what waits for the destination, the oldest first, up to :data:`BACKLOG_MOST` messages.

        :param upto: the last entry to be returned; empty for no such limit
        """
        queue = f"{OUTBOX}:to:{token.destination}"
        rows = self._store.command("XRANGE", queue, "-", upto or "+", "COUNT", BACKLOG_MOST)
        return [_waiting(token, entry, flat[1]) for entry, flat in rows]

    def done(
        self,
        attempt: Attempt,
        covered: Sequence[Waiting],
        receipt: str,
        then: Sequence[Message],
        resumed: EventRecord | None,
    ) -> tuple[bool, bool]:
        """Take note that messages were delivered, and enqueue those that become due by it.

        :param covered: what was delivered: the first, or all that a digest stands for
        :param receipt: the other side's id
        :param resumed: what to write if the channel had been stopped and works again; ``None`` where nobody was asked:
            then the next message may show it
        :return: whether the worker still has the token and there is more to do; whether ``resumed`` was written
        """
        pairs = _json([[one.entry, one.message.id] for one in covered])
        record = resumed.to_json() if resumed is not None and attempt.probe else ""
        unasked = int(resumed is None and attempt.probe)
        arguments = (*self._holder(attempt.token), pairs, receipt, KNOWN_MS, _json(_rows(then)), record, unasked)
        more, back = self._store.call(_DONE, (OUTBOX, STREAM), arguments)
        return bool(more), bool(back)

    def bury(
        self,
        attempt: Attempt,
        letters: Sequence[tuple[str, DeadLetter, Sequence[Message]]],
        dead: EventRecord,
        resumed: EventRecord | None,
    ) -> tuple[bool, bool, bool]:
        """Put messages aside.

        :param letters: each with the entry of its message in front, and behind it the messages that become due by it
        :param dead: what to write about it
        :param resumed: what to write if the channel had been stopped, where this shows that it works; or ``None``
        :return: as :meth:`done`; and whether ``dead`` was written
        """
        rows = _json([[entry, letter.message.id, letter.to_json(), _rows(then)] for entry, letter, then in letters])
        record = resumed.to_json() if resumed is not None and attempt.probe else ""
        moment = _ms(letters[0][1].at)
        arguments = (*self._holder(attempt.token), moment, rows, dead.to_json(), record)
        more, back, made = self._store.call(_BURY, (OUTBOX, STREAM), arguments)
        return bool(more), bool(back), bool(made)

    def put_off(self, attempt: Attempt, moment: float, *, counts: bool, failed: bool, upto: str = "") -> None:
        """Lay the token down until ``moment``. What was tried stays first.

        :param counts: whether the try is one of those that a message has
        :param failed: whether the pauses are to grow
        :param upto: the last entry of the digest that was tried
        """
        self._lay_down(attempt, _ms(moment), counts=counts, failed=failed, upto=upto)

    def step_back(self, token: Token) -> None:
        """Lay the token down behind all others, for them to get their turn. Nothing has begun."""
        self._store.call(_PUT_OFF, (OUTBOX,), (*self._holder(token), 0, 0, 0, ""))

    def pause(self, attempt: Attempt, moment: float, now: float) -> None:
        """Have nobody send anything until ``moment``, and lay the token down. The try does not count."""
        batch = self._store.batch()
        batch.script(_PAUSE, (OUTBOX,), (_ms(now), _ms(moment)))
        self._lay_down(attempt, _ms(now), counts=False, failed=False, upto=attempt.upto, batch=batch)
        batch.run()

    def stop(self, attempt: Attempt, status: int, detail: str, now: float, stopped: EventRecord) -> bool:
        """Have nobody send anything until a try goes well, and lay the token down. The try does not count.

        :param stopped: what to write if the channel was not stopped before
        :return: whether it was written
        """
        batch = self._store.batch()
        arguments = (_ms(now), _ms(now) + self._probe_ms, status, detail, stopped.to_json())
        first = batch.script(_STOP, (OUTBOX, STREAM), arguments)
        self._lay_down(attempt, _ms(now), counts=False, failed=False, upto=attempt.upto, batch=batch)
        batch.run()
        return bool(first.value)

    def move(self, now: float) -> float | None:
        """Have the tokens get ready whose time has come.

        :return: for how many seconds there is nothing to do, ``None`` where nothing waits
        """
        arguments = (_ms(now), _MOVED_TOGETHER, self._probe_ms, self._pace[0])
        answer = int(self._store.call(_MOVE, (OUTBOX,), arguments))
        return None if answer < 0 else answer / 1000

    def _lay_down(
        self, attempt: Attempt, moment: int, *, counts: bool, failed: bool, upto: str, batch: Batch | None = None
    ) -> None:
        tries, fails = attempt.tries - (not counts), attempt.fails + failed
        arguments = (*self._holder(attempt.token), moment, tries, fails, upto)
        if batch is None:
            self._store.call(_PUT_OFF, (OUTBOX,), arguments)
        else:
            batch.script(_PUT_OFF, (OUTBOX,), arguments)

    def _holder(self, token: Token) -> tuple[Value, ...]:
        return (token.destination, token.entry, WORKERS, self._worker)


def _rows(messages: Sequence[Message]) -> list[list[str]]:
    return [[message.id, destination_of(message), text_of(message)] for message in messages]


def _json(rows: Sequence[object]) -> str:
    # Half a character would be more than a script can read, and no event is to stand in the way of all others.
    return json.dumps(rows, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")


def _waiting(token: Token, entry: str, text: str) -> Waiting:
    try:
        return Waiting(entry, message_in(text))
    except ValueError:
        # Another version wrote it. It becomes a dead letter, under a name that only it has.
        return Waiting(entry, Message(f"unreadable-{entry}", token.destination, UNREADABLE, {"text": text}))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
