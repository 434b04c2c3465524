"""Makes events of what the registry's watch tells, once for all processes that see the same file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from casduo.errors import UpstreamError
from casduo.events.model import RegistryChanged, RegistryRejected, Subject
from casduo.events.stream import EventStream
from casduo.services.watch import CHANGED, REJECTED
from casduo.store import Store

_NAME_LENGTH = 32


class RegistryNews:
    """Listens to a :class:`casduo.services.watch.RegistrySource`.

    Every process watches the file by itself. The event's name is made of what was found and when the file was written,
    so that it is kept once, and again when the same state comes back later. The log is left to others: there each
    process speaks for itself.

    :param path: the registry file
    """

    def __init__(self, store: Store, stream: EventStream, path: Path) -> None:
        self._store = store
        self._stream = stream
        self._path = path

    def __call__(self, news: str, facts: Mapping[str, object]) -> None:
        """Write the event. Where Redis is away each process writes it later, rather than none."""
        event = _event(news, facts)
        if event is None:
            return
        batch = self._store.batch()
        self._stream.once(batch, event, self._name(event))
        try:
            batch.run()
        except UpstreamError:
            self._stream.later(event)

    def _name(self, event: RegistryChanged | RegistryRejected) -> str:
        try:
            written = self._path.stat().st_mtime_ns
        except OSError:
            written = 0
        found = f"{event.version} {written} {event.first if isinstance(event, RegistryRejected) else ''}"
        return f"{event.name}:{hashlib.sha256(found.encode('utf-8', 'replace')).hexdigest()[:_NAME_LENGTH]}"


def _event(news: str, facts: Mapping[str, object]) -> RegistryChanged | RegistryRejected | None:
    match news, facts:
        case _, {"version": str(version), "services": int(services)} if news == CHANGED:
            return RegistryChanged(Subject(), version=version, services=services)
        case _, {"version": str(version), "problems": int(problems), "first": str(first)} if news == REJECTED:
            return RegistryRejected(Subject(), version=version, problems=problems, first=first)
    return None
