"""Whether what happened was written down: each whole login has its lines in the audit trail."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.faults.stage import Stage
from tests.faults.stream import Stream
from tests.support.waiting import until

KINDS = ("ticket.granted", "ticket.validated")
Line = tuple[str, str, str]
"""The kind of an event, who it is about, and the last four characters of the ticket."""


def settle(stream: Stream, stage: Stage, *, in_log: Iterable[str] = ()) -> None:
    """Stop the stream, present all tickets once more, and note in its tally which events the trails lack, and which
    are twice in one of them.

    :param in_log: kinds that may be in a node's log alone, because a process died that had not handed them on yet
        (docs/audit.md says which can)
    """
    stream.stop()
    stream.present_again()
    wanted = Counter((kind, login.username, login.ticket[-4:]) for login in stream.logins for kind in KINDS)
    allowed = set(in_log)
    logged = Counter(line for path in stage.logs for line in _lines(path) if line[0] in allowed)

    def missing() -> Counter[Line]:
        return wanted - sum((_written(trail) for trail in stage.trails), Counter()) - logged

    try:
        until(lambda: not missing(), "the trail has every event")
    except AssertionError:
        stream.tally.lost = [" ".join(line) for line in missing().elements()]
    for trail in stage.trails:
        # By their ids: of some thousand tickets two may well end in the same four characters.
        again = [name for name, number in Counter(_records(trail)).items() if number > 1]
        stream.tally.wrong += [f"written twice: {name}" for name in again]


def _records(trail: Path) -> Iterator[str]:
    """Yield the id of each line of a trail."""
    for path in trail.glob("*.jsonl"):
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            # The last line may be half of one, as a worker left it that was killed.
            if text.startswith("{") and text.endswith("}"):
                yield str(json.loads(text).get("id"))


def _written(trail: Path) -> Counter[Line]:
    return Counter(line for path in trail.glob("*.jsonl") for line in _lines(path))


def _lines(path: Path) -> list[Line]:
    found = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if not text.startswith("{") or '"ticket.' not in text:
            continue
        record = json.loads(text)
        facts = record.get("facts", record)
        found.append((record["event"], record.get("principal", ""), str(facts.get("ticket", ""))[-4:]))
    return found
