"""Takes events: to the log, one JSON line each, and to the stream from which audit trail and notifications are made."""

from __future__ import annotations

from dataclasses import fields
from typing import Protocol

import structlog

from casduo.events.model import Event, Subject
from casduo.events.record import facts_of
from casduo.events.stream import EventStream
from casduo.events.violations import violation_in
from casduo.store import Batch


class Journal(Protocol):
    """Where events go. Writing never fails and never waits."""

    def write(self, event: Event, batch: Batch | None = None) -> None:
        """Take note of ``event``.

        :param batch: the writes of the change that it tells of, if there is one, for it to travel along
        """

    def attach(self, event: Event, batch: Batch, when: str) -> None:
        """Have ``event`` kept if what it tells of comes about in this batch; then :meth:`note` it.

        :param when: a key that exists once it has
        """

    def note(self, event: Event) -> None:
        """Take note of an event that the change itself has put into the stream."""


class LogJournal:
    """Events as log lines: ``event`` is the event's name, empty facts are left out."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("casduo.events")

    def write(self, event: Event, batch: Batch | None = None) -> None:
        """Write ``event`` as one line, after the change that it tells of."""
        _note_with(self, event, batch)

    def attach(self, event: Event, batch: Batch, when: str) -> None:
        """See :class:`Journal`. Nothing is written before it is certain."""

    def note(self, event: Event) -> None:
        """See :meth:`write`."""
        level = _LEVELS[event.level]
        if not self._log.is_enabled_for(level):
            return
        facts = {name: value for name in _SUBJECT if (value := getattr(event.about, name))}
        facts |= {name: value for name in facts_of(type(event)) if (value := getattr(event, name)) not in ("", None)}
        self._log.log(level, event.name, **facts)


class StreamJournal:
    """Events to another journal and to the stream; with the violation of a rule that an event amounts to.

    :param journal: usually the log
    """

    def __init__(self, journal: Journal, stream: EventStream) -> None:
        self._journal = journal
        self._stream = stream

    def write(self, event: Event, batch: Batch | None = None) -> None:
        """See :class:`Journal`."""
        _note_with(self._journal, event, batch)
        if batch is None:
            self._stream.later(event)
        else:
            self._stream.add(batch, event)
        violation = violation_in(event)
        if violation is not None:
            self.write(violation, batch)

    def attach(self, event: Event, batch: Batch, when: str) -> None:
        """See :class:`Journal`."""
        self._stream.add(batch, event, when=when)

    def note(self, event: Event) -> None:
        """See :class:`Journal`."""
        self._journal.note(event)


def _note_with(journal: Journal, event: Event, batch: Batch | None) -> None:
    """Note an event, but not before the change that it tells of has come about."""
    if batch is None:
        journal.note(event)
    else:
        batch.then(lambda: journal.note(event))


_SUBJECT = tuple(item.name for item in fields(Subject))
_LEVELS = {"info": 20, "warning": 30, "error": 40}
