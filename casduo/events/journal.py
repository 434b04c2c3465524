"""Writes events to the log, one JSON line each."""

from __future__ import annotations

from dataclasses import fields
from typing import Protocol

import structlog

from casduo.events.model import Event, Subject


class Journal(Protocol):
    """Where events go. Writing never fails and never waits."""

    def write(self, event: Event) -> None:
        """Take note of ``event``."""


class LogJournal:
    """Events as log lines: ``event`` is the event's name, empty facts are left out."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("casduo.events")
        self._names: dict[type[Event], tuple[str, ...]] = {}

    def write(self, event: Event) -> None:
        """Write ``event`` as one line."""
        kind = type(event)
        names = self._names.get(kind)
        if names is None:
            names = self._names[kind] = tuple(item.name for item in fields(event) if item.name != "about")
        facts = {name: value for name in _SUBJECT if (value := getattr(event.about, name))}
        facts |= {name: value for name in names if (value := getattr(event, name)) not in ("", None)}
        self._log.log(_LEVELS[event.level], event.name, **facts)


_SUBJECT = tuple(item.name for item in fields(Subject))
_LEVELS = {"info": 20, "warning": 30, "error": 40}
