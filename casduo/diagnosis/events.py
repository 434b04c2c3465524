"""Examines what becomes of events: whether they are read, and how it is with the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from casduo.diagnosis.model import Explained, Finding, Part
from casduo.events.audit_files import Obstacle
from casduo.events.audit_head import AuditStatus, AuditStatusReply, Trouble, audit_status
from casduo.events.stream import STREAM, ReaderName, stream_length
from casduo.fieldtypes import format_duration
from casduo.store import Batch, Reply

MOST_WAITING = 10_000
LONGEST_WAIT = 300.0
"""Events and seconds beyond which nobody seems to read."""

_PART = Part("Events")
_TROUBLES: dict[Obstacle, tuple[str, str]] = {
    "full": ("there is no room on the disk, or a quota or limit is reached", "make room: it goes on by itself"),
    "read_only": ("the file system is mounted read-only", "mount it for writing: it goes on by itself"),
    "denied": ("the worker's user may not write there", "give the directory to that user, with mode 0700"),
    "foreign": (
        "the directory or a file in it is a symbolic link, another user's, or writable for others",
        "give it to the worker's user, with mode 0700, or set audit.directory",
    ),
    "locked": ("another process holds the directory", "end that process; a worker of ours lets go by itself"),
    "failing": ("the file system fails", "look at the disk, and at the system's log"),
}


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What Redis says of events.

    :param waiting: how many are not read by everybody
    :param oldest: when the first of them was written, in epoch seconds by Redis's clock; 0 without any
    :param audit: how it is with the audit trail
    """

    waiting: int = 0
    oldest: float = 0.0
    audit: AuditStatus = field(default_factory=AuditStatus)


class EventQuestions:
    """The facts, readable once the batch has run."""

    def __init__(self, length: Reply, first: Reply, audit: AuditStatusReply) -> None:
        self._length = length
        self._first = first
        self._audit = audit

    @property
    def facts(self) -> EventFacts:
        """The facts."""
        oldest = int(self._first.value[0][0].partition("-")[0]) / 1000 if self._first.value else 0.0
        return EventFacts(int(self._length.value), oldest, self._audit.value)


def ask_events(batch: Batch) -> EventQuestions:
    """Add the questions about events."""
    first = batch.command("XRANGE", STREAM, "-", "+", "COUNT", 1)
    return EventQuestions(stream_length(batch), first, audit_status(batch))


def judge_events(facts: EventFacts, readers: Collection[ReaderName], now: float) -> Iterator[Finding]:
    """Yield what is to say about events; nothing where the settings let nobody read them.

    :param readers: who is to read them
    :param now: epoch seconds by Redis's clock
    """
    if readers:
        yield _judge_stream(facts, now)
    if "audit" in readers:
        yield _judge_trail(facts.audit, now)


def _judge_stream(facts: EventFacts, now: float) -> Finding:
    age = max(0.0, now - facts.oldest) if facts.waiting else 0.0
    known = {"waiting": facts.waiting, "oldest": round(age)}
    if facts.waiting <= MOST_WAITING and age <= LONGEST_WAIT:
        return _PART.ok("stream", f"{facts.waiting or 'none'} waiting to be read", **known)
    found = f"{facts.waiting} waiting to be read, the first for {format_duration(round(age))}"
    cause = "no worker reads events, or one of their readers is held up; they are kept in the memory of Redis meanwhile"
    remedy = "see that a worker runs, that the audit trail can be written, and what its log says"
    return _PART.attention("stream", found, "unread", cause, remedy, **known)


def _judge_trail(status: AuditStatus, now: float) -> Finding:
    if status.trouble is not None:
        return _explained(status.trouble, now).finding(Part(_PART.name, _known(status)), "audit trail")
    if status.last is None:
        return _PART.ok("audit trail", "nothing is written yet")
    found = f"ends with entry {status.last.seq} in {status.file} of {status.place}"
    return _PART.ok("audit trail", found, **_known(status))


def _explained(trouble: Trouble, now: float) -> Explained:
    found = f"cannot be written in {trouble.place} for {format_duration(round(now - trouble.since))}: {trouble.detail}"
    cause, remedy = _TROUBLES[trouble.obstacle]
    return Explained(found, trouble.obstacle, f"{cause}; events wait in Redis until then", remedy)


def _known(status: AuditStatus) -> dict[str, str | int]:
    if status.last is None:
        return {}
    return {"last": f"{status.last.seq}:{status.last.hash}", "file": status.file, "place": status.place}
