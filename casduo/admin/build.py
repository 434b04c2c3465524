"""Builds the tools of the administration pages from the settings."""

from __future__ import annotations

from casduo.admin.ending import SessionEnding
from casduo.admin.tools import AdminTools
from casduo.admin.trial import Trial
from casduo.clock import Clock
from casduo.events.outbox_desk import OutboxDesk
from casduo.events.readers import readers_of
from casduo.mfa.trust import TrustRecords
from casduo.services.editing.desk import RegistryDesk
from casduo.settings import Settings
from casduo.store import Store
from casduo.tickets.finding import SessionFinder
from casduo.tickets.ledger import Ledger
from casduo.tickets.registry import TicketRegistry


def build_admin(settings: Settings, store: Store, tickets: TicketRegistry, clock: Clock) -> AdminTools | None:
    """Return the tools, ``None`` where the settings name no administrators and there are no such pages."""
    admin = settings.admin
    if not admin.enabled or (settings.duo is None and not admin.without_duo):
        return None
    finder = SessionFinder(store, tickets)
    return AdminTools(
        duo_age=admin.duo_age,
        with_duo=settings.duo is not None,
        zone=settings.zone,
        audit_directory=settings.audit_directory if settings.audit.enabled else None,
        ledger=Ledger(store),
        desk=RegistryDesk(settings.registry, settings.server.state_directory, settings, clock),
        trial=Trial(settings),
        sessions=finder,
        ending=SessionEnding(finder, tickets, TrustRecords(store)),
        outbox=OutboxDesk(store, told=bool(readers_of(settings))),
        outbox_used="outbox" in readers_of(settings),
    )
