"""One line of the audit trail: an event, its number, and the hashes that chain it to the line before. Pure.

A line is a JSON object in ASCII: ``seq``, the members of the event's record, ``prev`` and, last, ``hash``. The hash is
the SHA-256 of the line as it stands, without ``,"hash":"..."`` and the line feed; ``prev`` is the hash of the line
before. Whoever changes, removes, inserts or swaps lines has to write every later line anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casduo.errors import CasduoError
from casduo.events.record import EventRecord

NOTHING_BEFORE = "0" * 64
"""What the very first line has for the hash of the one before."""

_SEAL = re.compile(rb',"hash":"([0-9a-f]{64})"\}')
# In ASCII: no terminal that shows the file can be played with, and no text is too strange to be written.
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_SEAL_LENGTH = len(b',"hash":""}') + 64


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the trail: the number of a line, counted from 1, and its hash."""

    seq: int
    hash: str


START = Position(0, NOTHING_BEFORE)
"""Before the first line."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line that was read and whose hash is that of its content. ``id`` is the event's.

    The record is made when it is asked for: to verify a chain is half the work without.
    """

    position: Position
    prev: str
    id: str
    members: Mapping[str, Any]

    @property
    def record(self) -> EventRecord:
        """The event."""
        return EventRecord.from_members(self.members)

    def follows(self, before: Position) -> bool:
        """Whether it is the line after ``before``."""
        return self.position.seq == before.seq + 1 and self.prev == before.hash


class DamagedLine(CasduoError):
    """A line is not as it was written. ``reason`` is a fixed word: ``unfinished``, ``unreadable`` or ``changed``."""

    code = "AUDIT_LINE_DAMAGED"

    def __init__(self, reason: str) -> None:
        super().__init__(f"a line of the audit trail is damaged: {reason}")
        self.reason = reason


def written_line(record: EventRecord, before: Position) -> tuple[bytes, Position]:
    """Return the line for ``record``, with its line feed, and its place.

    :param before: the line before
    """
    members = {"seq": before.seq + 1, **record.members(), "prev": before.hash}
    body = _ENCODE(members).encode("ascii")
    seal = hashlib.sha256(body).hexdigest()
    return body[:-1] + b',"hash":"' + seal.encode("ascii") + b'"}\n', Position(before.seq + 1, seal)


def read_line(line: bytes) -> AuditEntry:
    """Return what a line holds.

    :param line: with its line feed
    :raises DamagedLine: it is not as it was written
    """
    if not line.endswith(b"\n"):
        raise DamagedLine("unfinished")
    body, seal = line[: -_SEAL_LENGTH - 1], _SEAL.fullmatch(line[-_SEAL_LENGTH - 1 : -1])
    if seal is None:
        raise DamagedLine("unreadable")
    found = seal[1].decode("ascii")
    if hashlib.sha256(body + b"}").hexdigest() != found:
        raise DamagedLine("changed")
    try:
        members = json.loads((body + b"}").decode("ascii"))
    except (ValueError, RecursionError):
        raise DamagedLine("unreadable") from None
    match members:
        case {
            "seq": int(seq),
            "prev": str(prev),
            "id": str(name),
            "at": int() | float(),
            "event": str(),
            "level": str(),
        }:
            if seq is not True and isinstance(members.get("facts", {}), dict):
                return AuditEntry(Position(seq, found), prev, name, members)
    raise DamagedLine("unreadable")
