"""What the outbox holds, as values: destinations, messages as texts, dead letters, and how all of it stands. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from casduo.events.messages import Message

URGENT: Final = "urgent:"
"""Stands in front of the destinations of what is urgent: those have an order of their own."""

Lane = Literal["calm", "urgent"]
"""What is urgent is worked off apart from the rest."""

Reason = Literal["refused", "tries", "expired", "age", "unreadable"]
"""Why a message is dead: nothing would help; it failed too often; its time is over, by itself or by the settings;
another version wrote it.
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message with its place in the queue of its destination; ``entry`` is Redis's id."""

    entry: str
    message: Message


@dataclass(frozen=True, slots=True)
class Token:
    """The right to work off one destination: of all workers one has it. ``entry`` is Redis's id."""

    destination: str
    entry: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that has begun, or might: see :meth:`~casduo.events.outbox.OutboxWorker.look`.

    :param first: what is to be delivered
    :param waiting: how many messages wait for the destination, this one among them
    :param tries: how many tries count, one that has begun included: those that failed by its fault, or were never heard
        of again
    :param fails: how many have failed before this one, whether they count or not
    :param upto: the last entry of the digest in place of which it was tried before, empty for none
    :param probe: it shows whether a channel that was stopped works again
    """

    token: Token
    first: Waiting
    waiting: int
    tries: int
    fails: int = 0
    upto: str = ""
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Until:
    """It is not time yet: ask again at this moment, in epoch seconds, with the token in hand."""

    moment: float


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was put aside.

    :param message: as it waited
    :param at: when, in epoch seconds
    :param reason: see :data:`Reason`
    :param tries: how many were counted
    :param status: HTTP status of the last answer, 0 for none
    :param detail: fixed words, with the other side's reference
    """

    message: Message
    at: float
    reason: str
    tries: int = 0
    status: int = 0
    detail: str = ""

    def to_json(self) -> str:
        """Return the letter as one line; see :meth:`from_json`."""
        facts = {name: getattr(self, name) for name in ("at", "reason", "tries", "status", "detail")}
        return json.dumps({**facts, "message": members_of(self.message)}, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> DeadLetter:
        """Return the letter that ``text`` holds.

        :raises ValueError: it holds none
        """
        members: Any = json.loads(text)
        try:
            tries, status = int(members["tries"]), int(members["status"])
            reason, detail = str(members["reason"]), str(members["detail"])
            return cls(_message(members["message"]), float(members["at"]), reason, tries, status, detail)
        except (KeyError, TypeError):
            raise ValueError("not a dead letter") from None


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How the outbox stands.

    :param destinations: how many have work
    :param waiting: messages that wait, ``urgent`` of them beside the others
    :param oldest: seconds that the oldest has waited
    :param dead: dead letters
    :param paused_until: when sending goes on, in epoch seconds; 0 where it is not paused. It may be past
    :param stopped_since: since when nothing can be sent, in epoch seconds; 0 where it can
    :param status: of the answer that stopped it, and ``detail`` its fixed words
    """

    destinations: int
    waiting: int
    urgent: int
    oldest: float
    dead: int
    paused_until: float
    stopped_since: float
    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class DestinationLine:
    """How one destination stands; ``next`` is when it is tried, in epoch seconds, 0 for as soon as possible."""

    destination: str = field(repr=False)
    waiting: int
    oldest: float
    tries: int
    next: float


def destination_of(message: Message) -> str:
    """Return the name of the queue in which a message waits."""
    return (URGENT if message.urgent else "") + message.to


def members_of(message: Message) -> dict[str, Any]:
    """Return a message as the members of one JSON object."""
    return {
        "id": message.id,
        "to": message.to,
        "task": message.task,
        "body": dict(message.body),
        "urgent": message.urgent,
        "created": message.created,
        "expires": message.expires,
        "cause": dict(message.cause),
    }


def text_of(message: Message) -> str:
    """Return a message as one line; see :func:`message_in`."""
    return json.dumps(members_of(message), separators=(",", ":"), ensure_ascii=False)


def message_in(text: str) -> Message:
    """Return the message that ``text`` holds.

    :raises ValueError: it holds none
    """
    return _message(json.loads(text))


def shown(to: str) -> str:
    """Return a destination for logs and lists: of a person's address or name the first letter, and the host."""
    lane = URGENT if to.startswith(URGENT) else ""
    kind, colon, name = to.removeprefix(URGENT).partition(":")
    if kind != "person" or not colon:
        return to
    local, at, host = name.partition("@")
    return f"{lane}person:{local[:1]}***{at}{host}"


def _message(members: Any) -> Message:
    match members:
        case {
            "id": str(name),
            "to": str(to),
            "task": str(task),
            "body": dict(body),
            "urgent": bool(urgent),
            "created": int() | float() as created,
            "expires": int() | float() as expires,
        }:
            return Message(name, to, task, body, urgent, float(created), float(expires), _cause(members.get("cause")))
    raise ValueError("not a message")


def _cause(members: Any) -> dict[str, str]:
    # What was written before has none.
    known = members.items() if isinstance(members, dict) else ()
    return {name: value for name, value in known if isinstance(value, str)}
