"""The ledger of sign-outs: which service was told of which end of session, and how that went.

For each sign-out a hash with a record per visit, kept as long as the sign-out: until somebody could tell everybody, and
then for as long as the sign-out page may ask for it; and for each service a short list of what it was told lately, for
those who operate it. A visit without a record still waits. Records name tickets by
fingerprint or masked: nothing in a ledger ends a session.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from casduo.signing import fingerprint
from casduo.store import Batch, Reply, Store, fields_of
from casduo.tickets.ids import parse_ticket_id
from casduo.tickets.model import Visit, visit_from
from casduo.tickets.signouts import KEPT_MS, SETTLED_MS, SignOut

State = Literal["waiting", "told", "failed", "unsupported", "browser"]
"""``told``: the service answered; ``failed``: it did not, or refused; ``unsupported``: nobody is to be told, ``detail``
says why; ``browser``: the person's browser carries the message.
"""

_MOST_PER_SERVICE = 100
_PER_SERVICE_MS = 30 * 86400 * 1000


@dataclass(frozen=True, slots=True)
class Telling:
    """How telling a service went.

    ``status`` is the HTTP status of its answer, 0 for none; ``detail`` a fixed word for what went wrong;
    ``milliseconds`` what the last attempt took; ``at`` the moment it ended, in epoch seconds.
    """

    state: State
    status: int = 0
    detail: str = ""
    milliseconds: int = 0
    attempts: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A visit of an ended session and what became of it."""

    visit: Visit
    telling: Telling

    @property
    def state(self) -> State:
        """The state of its telling."""
        return self.telling.state


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One telling of a service; ``ticket`` is masked."""

    ticket: str
    telling: Telling


@dataclass(frozen=True, slots=True)
class Reading:
    """The ledger of a sign-out, readable once the batch has run."""

    visits: Reply
    records: Reply

    @property
    def lines(self) -> list[LedgerLine]:
        """A line for every visit, in the order of the visits; empty when there were none or they are forgotten."""
        records = fields_of(self.records.value)
        return [_line(visit_from(text), records) for text in self.visits.value]


class Ledger:
    """All ledgers in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, sign_out: SignOut) -> list[LedgerLine]:
        """Return a line for every visit of the ended session, in their order. One round trip."""
        batch = self._store.batch()
        reading = self.reading(batch, sign_out)
        batch.run()
        return reading.lines

    def reading(self, batch: Batch, sign_out: SignOut) -> Reading:
        """Add the reading of a ledger, for those who ask for more in the same round trip."""
        return Reading(
            batch.command("LRANGE", sign_out.waiting_key, 0, -1), batch.command("HGETALL", sign_out.ledger_key)
        )

    def write(self, batch: Batch, sign_out: SignOut, visit: Visit, telling: Telling) -> None:
        """Add the record of a visit, in place of an earlier one, and the note in the list of its service."""
        record = [telling.state, telling.status, telling.detail, telling.milliseconds, telling.attempts, telling.at]
        batch.command("HSET", sign_out.ledger_key, fingerprint(visit.ticket), _json(record))
        batch.command("PEXPIRE", sign_out.ledger_key, KEPT_MS)
        key = _service_key(visit.service_id)
        batch.command("LPUSH", key, _json([masked(visit.ticket), *record]))
        batch.command("LTRIM", key, 0, _MOST_PER_SERVICE - 1)
        batch.command("PEXPIRE", key, _PER_SERVICE_MS)

    def settle(self, sign_out: SignOut) -> None:
        """Say that every visit has a record: from now on nobody but the sign-out page asks. One round trip."""
        batch = self._store.batch()
        for key in (sign_out.waiting_key, sign_out.ledger_key):
            batch.command("PEXPIRE", key, SETTLED_MS)
        batch.run()

    def of_service(self, service_id: str) -> list[ServiceLine]:
        """Return what a service was told lately, the newest first: 100 at most, none after 30 days of silence."""
        texts = self._store.command("LRANGE", _service_key(service_id), 0, -1)
        return [ServiceLine(ticket, Telling(*record)) for ticket, *record in map(json.loads, texts)]


def masked(ticket: str) -> str:
    """Return a visit's ticket as logs may show it, empty when it is none of ours."""
    found = parse_ticket_id(ticket)
    return found.masked if found is not None else ""


def _line(visit: Visit, records: Mapping[str, str]) -> LedgerLine:
    record = records.get(fingerprint(visit.ticket))
    return LedgerLine(visit, Telling("waiting") if record is None else Telling(*json.loads(record)))


def _service_key(service_id: str) -> str:
    return f"casduo:{{signouts:{service_id}}}:told"


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
