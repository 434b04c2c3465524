"""Which readers of the stream of events the settings switch on."""

from __future__ import annotations

from casduo.events.journal import Journal, StreamJournal
from casduo.events.stream import EventStream, ReaderName
from casduo.settings import Settings


def readers_of(settings: Settings) -> tuple[ReaderName, ...]:
    """Return the readers for whom events stay in the stream; without any, nothing needs to be written to it."""
    readers: list[ReaderName] = []
    if settings.audit.enabled:
        readers.append("audit")
    if settings.webex is not None:
        readers.append("outbox")
    return tuple(readers)


def events_to(journal: Journal, stream: EventStream, settings: Settings) -> Journal:
    """Return where events go: to ``journal``, and to the stream if the settings let anybody read that."""
    return StreamJournal(journal, stream) if readers_of(settings) else journal
