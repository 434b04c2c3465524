"""What Redis knows of the audit trail: where it ends, how far its reader has come, and what stands in its way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from casduo.events.audit import Confirmed
from casduo.events.audit_files import Obstacle
from casduo.events.audit_line import Position
from casduo.events.stream import READERS, STREAM, EventReader, ReaderName
from casduo.store import Batch, Reply, Store, fields_of, load_script

_WRITTEN = load_script(__file__, "stream_advance.lua", when_full=True, after=("audit_written.lua",))

HEAD = "casduo:{events}:audit:head"
PLACES = "casduo:{events}:audit:places"
TROUBLE = "casduo:{events}:audit:trouble"
_TROUBLE_MS = 600_000
"""How long the word of a worker counts that has said nothing since."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What stands in the way of the trail.

    :param since: epoch seconds
    :param place: host and directory
    """

    obstacle: Obstacle
    detail: str
    since: float
    place: str


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """How it is with the trail.

    :param last: its last line, ``None`` before there is one
    :param file: the file of that line
    :param place: host and directory of that file
    :param at: when it was written, in epoch seconds
    :param trouble: what stands in the way, ``None`` if nothing does
    """

    last: Position | None = None
    file: str = ""
    place: str = ""
    at: float = 0.0
    trouble: Trouble | None = None


class AuditStatusReply:
    """The status, readable once the batch has run."""

    def __init__(self, head: Reply, trouble: Reply) -> None:
        self._head = head
        self._trouble = trouble

    @property
    def value(self) -> AuditStatus:
        """The status."""
        head = fields_of(self._head.value)
        trouble = Trouble(**json.loads(self._trouble.value)) if self._trouble.value else None
        if not head:
            return AuditStatus(trouble=trouble)
        last = Position(int(head["seq"]), head["hash"])
        return AuditStatus(last, head["file"], head["place"], float(head["at"]), trouble)


def audit_status(batch: Batch) -> AuditStatusReply:
    """Add the question how it is with the audit trail."""
    return AuditStatusReply(batch.command("HGETALL", HEAD), batch.command("GET", TROUBLE))


class AuditHead:
    """Redis's side of the trail, for the worker that writes it.

    :param readers: all readers that the settings switch on, ``audit`` among them
    :param worker: a name of this worker's own
    :param place: host and directory in which it writes
    """

    def __init__(self, store: Store, readers: Sequence[ReaderName], worker: str, place: str) -> None:
        self.reader = EventReader(store, "audit", readers, worker)
        self._store = store
        self._place = place

    def confirmed(self) -> Confirmed:
        """Return what is known of the trail's end.

        :raises UpstreamUnavailable: Redis does not answer
        """
        batch = self._store.batch()
        status, here = audit_status(batch), batch.command("HGET", PLACES, self._place)
        batch.run()
        found = status.value
        seq, _, seal = (here.value or "").partition(" ")
        return Confirmed(found.last, Position(int(seq), seal) if seal else None, found.place not in ("", self._place))

    def confirm(self, entry: str, last: Position, file: str, now: float) -> bool:
        """Say that everything up to ``entry`` of the stream is in the trail, which ends with ``last``. One round trip.

        :return: ``False`` where another one writes by now, and nothing was changed
        :raises UpstreamUnavailable: Redis does not answer
        """
        keys = (STREAM, READERS, self.reader.lease_key, HEAD, PLACES)
        end = (last.seq, last.hash, file, self._place, f"{now:.3f}")
        return bool(self._store.call(_WRITTEN, keys, (*end, *self.reader.advance_arguments(entry))))

    def hinder(self, trouble: Trouble) -> None:
        """Make known what stands in the way. It is forgotten if it is not said again for some minutes.

        :raises UpstreamUnavailable: Redis does not answer
        """
        self._store.command("SET", TROUBLE, json.dumps(asdict(trouble)), "PX", _TROUBLE_MS)

    def unhinder(self) -> None:
        """Make known that nothing stands in the way any more.

        :raises UpstreamUnavailable: Redis does not answer
        """
        self._store.command("DEL", TROUBLE)

    def drop_unread(self, before: float) -> None:
        """Drop events that nobody will read.

        :param before: epoch seconds
        :raises UpstreamUnavailable: Redis does not answer
        """
        self._store.command("XTRIM", STREAM, "MINID", int(before * 1000))
