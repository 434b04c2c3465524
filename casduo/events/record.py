"""An event as it is kept: one flat record of JSON types, the same in the stream, in the audit trail and in messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from casduo.events.model import Event, Subject
from casduo.signing import random_text
from casduo.values import value_object

Fact = str | int | float | bool

_SUBJECT = tuple(item.name for item in fields(Subject))
_ABOUT = attrgetter(*_SUBJECT)
_ID_LENGTH = 20
_FACTS: dict[type[Event], tuple[str, ...]] = {}


@value_object(frozen=True, slots=True)
class EventRecord:
    """One event that happened.

    :param id: a name of its own
    :param at: epoch seconds
    :param kind: one of :data:`casduo.events.catalogue.KINDS`
    :param level: ``info``, ``warning`` or ``error``
    :param about: whom and what it is about
    :param facts: what else its class tells, without empty values
    """

    id: str
    at: float
    kind: str
    level: str
    about: Subject
    facts: Mapping[str, Fact]

    def text(self, name: str) -> str:
        """Return a fact as text, empty where the event does not have it."""
        return str(self.facts.get(name, ""))

    def to_json(self) -> str:
        """Return the record as one line of JSON; see :meth:`from_json`."""
        members = self.members()
        try:
            return to_json(members).decode()
        except PydanticSerializationError:
            # Half a character, as a request can bring it, is nothing that can be sent; written out it is JSON.
            text = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
            return text.encode("utf-8", "backslashreplace").decode()

    def members(self) -> dict[str, Any]:
        """Return the record as the members of one JSON object. What is empty is left out."""
        found: dict[str, Any] = {"id": self.id, "at": round(self.at, 3), "event": self.kind, "level": self.level}
        for name, value in zip(_SUBJECT, _ABOUT(self.about), strict=True):
            if value:
                found[name] = value
        if self.facts:
            found["facts"] = dict(self.facts)
        return found

    @classmethod
    def from_json(cls, text: str) -> EventRecord:
        """Return the record that ``text`` holds.

        :raises ValueError: it holds none
        """
        return cls.from_members(json.loads(text))

    @classmethod
    def from_members(cls, members: Any) -> EventRecord:
        """Return the record that a JSON object holds; members that records do not have are left out.

        :raises ValueError: it holds none
        """
        match members:
            case {"id": str(name), "at": int() | float() as at, "event": str(kind), "level": str(level)}:
                about = Subject(*[str(members.get(name, "")) for name in _SUBJECT])
                facts = members.get("facts", {})
                if isinstance(facts, dict):
                    return cls(name, float(at), kind, level, about, facts)
        raise ValueError("not a record of an event")


def facts_of(kind: type[Event]) -> tuple[str, ...]:
    """Return the names of what a class of events tells besides whom and what it is about."""
    names = _FACTS.get(kind)
    if names is None:
        names = _FACTS[kind] = tuple(item.name for item in fields(kind) if item.name != "about")
    return names


def record_of(event: Event, at: float, name: str = "") -> EventRecord:
    """Return the record of an event.

    :param at: when it happened, in epoch seconds
    :param name: its name where it must be the same each time it is written
    """
    facts = {fact: value for fact in facts_of(type(event)) if (value := getattr(event, fact)) not in ("", None)}
    return EventRecord(name or random_text(_ID_LENGTH), at, event.kind, event.level, event.about, facts)
