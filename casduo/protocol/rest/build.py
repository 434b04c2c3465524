"""Builds the REST protocol from the settings."""

from __future__ import annotations

from casduo.parts import Parts
from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.rest.clients import RestClients, rest_client
from casduo.protocol.rest.factors import SecondFactor
from casduo.protocol.rest.passwords import Passwords
from casduo.protocol.rest.sessions import RestProtocol
from casduo.services.pairwise import PairwiseIds
from casduo.settings import Settings


def build_rest(
    settings: Settings, parts: Parts, entitlement: EntitlementRules, pairwise: PairwiseIds
) -> RestProtocol | None:
    """Return what the REST protocol works with; ``None`` where the settings switch it off."""
    if not settings.rest.enabled:
        return None
    clients = (
        rest_client(client.name, client.key.get_secret_value() if client.key else "", client.networks, client.services)
        for client in settings.rest.clients
    )
    rules = parts.rules
    passwords = Passwords(parts.authenticator, parts.throttle, parts.journal, rules.username_case)
    factor = SecondFactor(
        parts.duo, rules.duo, parts.passcodes, parts.pushes, parts.signing, parts.journal, rules.duo_passcodes
    )
    return RestProtocol(
        RestClients(clients),
        passwords,
        factor,
        parts.services,
        parts.tickets,
        parts.store,
        parts.throttle,
        entitlement,
        parts.journal,
        parts.reports,
        parts.approvals.standing,
        pairwise,
    )
