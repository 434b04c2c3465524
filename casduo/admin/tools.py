"""What the administration pages work with besides the parts that every page has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from casduo.admin.ending import SessionEnding
from casduo.admin.trial import Trial
from casduo.events.outbox_desk import OutboxDesk
from casduo.services.editing.desk import RegistryDesk
from casduo.tickets.finding import SessionFinder
from casduo.tickets.ledger import Ledger


@dataclass(frozen=True, slots=True)
class AdminTools:
    """The tools.

    :param duo_age: seconds after which Duo, or the password where there is no Duo, is asked for again
    :param with_duo: whether it is Duo
    :param zone: of the moments on the pages
    :param desk: where the registry is changed
    :param trial: explains a URL for a person
    :param outbox_used: whether anything is sent at all
    :param audit_directory: where the audit trail lies, ``None`` where none is written
    """

    duo_age: float
    with_duo: bool
    zone: tzinfo
    audit_directory: Path | None
    ledger: Ledger
    desk: RegistryDesk
    trial: Trial
    sessions: SessionFinder
    ending: SessionEnding
    outbox: OutboxDesk
    outbox_used: bool
