"""The journal that counts: every event that is noted is told to the meter, once it has come about."""

from __future__ import annotations

from casduo.events.journal import Journal
from casduo.events.model import Event
from casduo.meter import Meter
from casduo.store import Batch


class CountedJournal:
    """Tells a meter of each event, and leaves the rest to another journal; see :class:`~casduo.events.journal.Journal`.

    :param journal: usually the log
    """

    def __init__(self, journal: Journal, meter: Meter) -> None:
        self._journal = journal
        self._meter = meter

    def write(self, event: Event, batch: Batch | None = None) -> None:
        """See :class:`~casduo.events.journal.Journal`."""
        if batch is None:
            self._meter.happened(event)
        else:
            batch.then(lambda: self._meter.happened(event))
        self._journal.write(event, batch)

    def attach(self, event: Event, batch: Batch, when: str) -> None:
        """See :class:`~casduo.events.journal.Journal`."""
        self._journal.attach(event, batch, when)

    def note(self, event: Event) -> None:
        """See :class:`~casduo.events.journal.Journal`."""
        self._meter.happened(event)
        self._journal.note(event)
