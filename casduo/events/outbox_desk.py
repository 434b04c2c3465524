"""The outbox for those who look after it: how it stands, and what becomes of dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from casduo.events.model import Subject
from casduo.events.outbox import KNOWN_MS, OUTBOX, outbox_script
from casduo.events.outbox_events import MessageEvent, OutboxDiscarded, OutboxRedriven
from casduo.events.outbox_model import DeadLetter, DestinationLine, OutboxStatus, destination_of, shown, text_of
from casduo.events.record import record_of
from casduo.events.stream import STREAM
from casduo.store import Batch, Reply, Store, Value

_STATUS = outbox_script("outbox_status.lua")
_LINES = outbox_script("outbox_lines.lua")
_REDRIVE = outbox_script("outbox_redrive.lua")
_DISCARD = outbox_script("outbox_discard.lua")

_DEAD = f"{OUTBOX}:dead"
_TOGETHER = 200


class StatusReading:
    """How the outbox stands; readable once the batch has run."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    @property
    def status(self) -> OutboxStatus:
        """The answer.

        :raises RuntimeError: the batch has not run
        """
        destinations, waiting, urgent, oldest, dead, paused, stopped, status, detail = self._reply.value
        return OutboxStatus(
            destinations=destinations,
            waiting=waiting,
            urgent=urgent,
            oldest=oldest / 1000,
            dead=dead,
            paused_until=float(paused or 0) / 1000,
            stopped_since=float(stopped or 0) / 1000,
            status=int(status or 0),
            detail=detail,
        )


def outbox_status(batch: Batch) -> StatusReading:
    """Add the question how the outbox stands. Redis looks at each destination that has work."""
    return StatusReading(batch.script(_STATUS, (OUTBOX,)))


class OutboxDesk:
    """What operators ask and do. Every method may raise ``UpstreamUnavailable``.

    :param told: whether somebody reads the stream of events, for what is done here to be in it
    """

    def __init__(self, store: Store, *, told: bool) -> None:
        self._store = store
        self._told = told

    def status(self) -> OutboxStatus:
        """Return how the outbox stands. One round trip."""
        batch = self._store.batch()
        reading = outbox_status(batch)
        batch.run()
        return reading.status

    def destinations(self, most: int) -> list[DestinationLine]:
        """Return destinations that have work, those first whose oldest message has waited longest. One round trip."""
        rows = self._store.call(_LINES, (OUTBOX,), (most,))
        return [
            DestinationLine(to, waiting, waited / 1000, int(tries), float(following or 0) / 1000)
            for to, waiting, waited, tries, following in rows
        ]

    def letters(self, most: int) -> list[DeadLetter]:
        """Return dead letters, the oldest first. Two round trips."""
        return self._letters(self._store.command("ZRANGE", f"{_DEAD}:at", 0, most - 1))

    def letter(self, message: str) -> DeadLetter | None:
        """Return the dead letter of the message with this id. One round trip."""
        found = self._letters([message])
        return found[0] if found else None

    def retry(self, letters: Sequence[DeadLetter], by: str, now: float) -> list[MessageEvent]:
        """Have dead letters sent once more, behind what waits for the same destination, with the age of new ones.

        :param by: whoever has it done
        :param now: epoch seconds
        :return: what was done: of those that were still there
        """

        def redrive(batch: Batch, letter: DeadLetter) -> tuple[Reply, MessageEvent]:
            message = letter.message
            event = OutboxRedriven(Subject(), message.id, shown(message.to), message.task, by)
            expires = message.expires if message.expires > now else 0.0
            again = replace(message, created=now, expires=expires)
            arguments = (message.id, destination_of(again), text_of(again), self._record(event, now))
            return batch.script(_REDRIVE, (OUTBOX, STREAM), arguments), event

        return self._each(letters, redrive)

    def discard(self, letters: Sequence[DeadLetter], by: str, now: float) -> list[MessageEvent]:
        """Drop dead letters. The parameters and the answer are those of :meth:`retry`."""

        def discard(batch: Batch, letter: DeadLetter) -> tuple[Reply, MessageEvent]:
            message = letter.message
            event = OutboxDiscarded(Subject(), message.id, shown(message.to), message.task, by)
            arguments: tuple[Value, ...] = (message.id, KNOWN_MS, self._record(event, now))
            return batch.script(_DISCARD, (OUTBOX, STREAM), arguments), event

        return self._each(letters, discard)

    def _each(
        self, letters: Sequence[DeadLetter], step: Callable[[Batch, DeadLetter], tuple[Reply, MessageEvent]]
    ) -> list[MessageEvent]:
        done: list[MessageEvent] = []
        for first in range(0, len(letters), _TOGETHER):
            batch = self._store.batch()
            steps = [step(batch, letter) for letter in letters[first : first + _TOGETHER]]
            batch.run()
            done += [event for reply, event in steps if reply.value]
        return done

    def _letters(self, names: Iterable[str]) -> list[DeadLetter]:
        names = list(names)
        texts = self._store.command("HMGET", _DEAD, *names) if names else []
        return [DeadLetter.from_json(text) for text in texts if text is not None]

    def _record(self, event: MessageEvent, now: float) -> str:
        return record_of(event, now).to_json() if self._told else ""
