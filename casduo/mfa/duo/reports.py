"""What Duo would have done at services that only want to know: questions queued at a login, answered later.

A service in report mode (``requires_duo: {mode: report}``) lets everybody in as if it had no rule. Its logins neither
wait for Duo nor depend on it: a worker asks Duo afterwards and writes the answer to the journal
(:class:`casduo.events.model.DuoWouldHave`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casduo.authentication.names import folded_username
from casduo.cause import stored
from casduo.signing import fingerprint
from casduo.store import Batch, Store, load_script

_ADD = load_script(__file__, "report_add.lua")

REPORTS = "casduo:{duo.reports}:queue"
"""The stream of questions."""
_ASKED_MS = 3_600_000
"""How often one person and service are asked about: Duo's answer hardly changes, and Duo limits requests."""
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Report:
    """A question. ``application`` is the name of the Duo application in the settings, ``address`` where the person
    signed in, ``reasons`` say which rule would have demanded Duo.
    """

    principal: str
    service: str
    application: str
    address: str
    reasons: str


class Reports:
    """The end of the queue at which logins are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, batch: Batch, principal: str, service: str, application: str, address: str, reasons: Sequence[str]
    ) -> None:
        """Add the question what Duo would have said; once an hour for each person and service.

        Of more questions than a worker can put in time the oldest are forgotten.

        :param service: the registry id
        """
        known = fingerprint(f"{folded_username(principal)}\0{service}")[:32]
        record = {
            **stored(),
            "principal": principal,
            "service": service,
            "application": application,
            "address": address,
            "reasons": "; ".join(reasons),
        }
        words = (word for pair in record.items() for word in pair)
        batch.script(_ADD, (REPORTS, f"casduo:{{duo.reports}}:asked:{known}"), (_ASKED_MS, _MOST, *words))


def report_from(entry: Mapping[str, str]) -> Report:
    """Return the question that an entry of the queue asks."""
    return Report(
        principal=entry["principal"],
        service=entry["service"],
        application=entry["application"],
        address=entry["address"],
        reasons=entry["reasons"],
    )
