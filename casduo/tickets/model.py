"""What tickets carry: the single sign-on session behind a TGT, and the service ticket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from casduo.mfa.strength import Strength
from casduo.tickets.ids import TicketId

_FINGERPRINT = 64
"""Characters of a SHA-256 in hexadecimal."""

Attributes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class TicketGrantingTicket:
    """A single sign-on session.

    ``authenticated_at`` is the moment of the password, in epoch seconds; ``strength`` what a second factor added to it,
    kept apart from the session's existence. ``ask_before`` is the CAS "warn" preference: the person wants to be asked
    before another application learns who they are.
    """

    principal_id: str
    attributes: Attributes
    handler: str
    authenticated_at: float
    strength: Strength = field(default_factory=Strength)
    ask_before: bool = False
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session as found in the registry: its ticket and the id that it was found by."""

    id: TicketId
    ticket: TicketGrantingTicket


@dataclass(frozen=True, slots=True)
class ServiceTicket:
    """A ticket for one service.

    ``service`` is the identifier exactly as received at login, ``service_id`` the registry entry that matched then.
    ``primary`` is true only for the one ticket made in the run in which the password was verified: it decides
    ``isFromNewLogin`` and ``renew`` (CAS protocol 2.5 and 3.1). ``address`` is where the browser was then, which need
    not be where the session began; rules about networks go by it.
    """

    service: str
    service_id: str
    primary: bool
    session: str
    """Fingerprint of the TGT."""
    address: str = ""


@dataclass(frozen=True, slots=True)
class TakenTicket:
    """A service ticket that was just used up, with the session that stands behind it, or none when that has ended."""

    ticket: ServiceTicket
    session: TicketGrantingTicket | None


def session_text(ticket: TicketGrantingTicket) -> str:
    """Return the session as it is stored, without its strength, which may change."""
    return _json(
        [
            ticket.principal_id,
            ticket.attributes,
            ticket.handler,
            ticket.authenticated_at,
            ticket.ask_before,
            ticket.address,
            ticket.agent,
        ]
    )


def strength_text(strength: Strength) -> str:
    """Return the strength as it is stored."""
    return _json(strength.to_fields())


def session_from(text: str, strength: str) -> TicketGrantingTicket:
    """Return the session that the stored texts tell of."""
    principal_id, attributes, handler, authenticated_at, ask_before, address, agent = json.loads(text)
    return TicketGrantingTicket(
        principal_id=principal_id,
        attributes={name: tuple(values) for name, values in attributes.items()},
        handler=handler,
        authenticated_at=authenticated_at,
        strength=Strength.from_fields(json.loads(strength)),
        ask_before=ask_before,
        address=address,
        agent=agent,
    )


def principal_of(session: str) -> str:
    """Return whose session the stored text tells of."""
    return str(json.loads(session)[0])


def service_ticket_text(ticket: ServiceTicket) -> str:
    """Return the ticket as it is stored. The session's fingerprint stands in front: the take script cuts it off."""
    return ticket.session + _json([ticket.service, ticket.service_id, ticket.primary, ticket.address])


def service_ticket_from(text: str) -> ServiceTicket:
    """Return the ticket that the stored text tells of."""
    service, service_id, primary, address = json.loads(text[_FINGERPRINT:])
    return ServiceTicket(service, service_id, primary, text[:_FINGERPRINT], address)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
