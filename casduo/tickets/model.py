"""What tickets carry: the session behind a TGT, service and proxy tickets, and what a session leaves behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from casduo.mfa.strength import Strength
from casduo.tickets.ids import TicketId
from casduo.values import value_object

_DECODER = json.JSONDecoder()
_json = json.JSONEncoder(separators=(",", ":")).encode
_FINGERPRINT = 64
"""Characters of a SHA-256 in hexadecimal."""

Attributes = Mapping[str, tuple[str, ...]]


@value_object(frozen=True, slots=True)
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
    remembered: bool = False
    used_at: float = 0.0


@value_object(frozen=True, slots=True)
class LiveSession:
    """A session as found in the registry: its ticket and the id that it was found by."""

    id: TicketId
    ticket: TicketGrantingTicket


@value_object(frozen=True, slots=True)
class Permit:
    """The approved request by which a service was open, and until when that holds, in epoch seconds."""

    request: str
    until: float


@value_object(frozen=True, slots=True)
class ServiceTicket:
    """A ticket for one service, for one use: a service ticket, or a proxy ticket where ``proxies`` names somebody.

    ``service`` is the identifier exactly as received at login, ``service_id`` the registry entry that matched then.
    ``primary`` is true only for the one ticket made in the run in which the password was verified: it decides
    ``isFromNewLogin`` and ``renew`` (CAS protocol 2.5 and 3.1). ``address`` is where the browser was then, which need
    not be where the session began; rules about networks go by it. ``proxies`` are the callback URLs of the chain that
    asked for a proxy ticket, the most recent one first (CAS protocol 2.6.2).
    """

    service: str
    service_id: str
    primary: bool
    session: str
    """Fingerprint of the TGT."""
    address: str = ""
    proxies: tuple[str, ...] = ()
    permit: Permit | None = None


@value_object(frozen=True, slots=True)
class TakenTicket:
    """A service ticket that was just used up, with the session that stands behind it, or none when that has ended."""

    ticket: ServiceTicket
    session: TicketGrantingTicket | None


@value_object(frozen=True, slots=True)
class ProxyGrantingTicket:
    """What lets a service ask for proxy tickets, as often as it likes while the session lives (CAS protocol 3.3).

    ``service_id`` is the registry entry it was given to; ``proxies`` the chain up to and including it, its own callback
    URL first.
    """

    service_id: str
    session: str
    """Fingerprint of the TGT."""
    proxies: tuple[str, ...]
    address: str = ""


@value_object(frozen=True, slots=True)
class FoundProxyGranting:
    """A proxy-granting ticket as found, with the session that stands behind it, or none when that has ended."""

    ticket: ProxyGrantingTicket
    session: TicketGrantingTicket | None


@value_object(frozen=True, slots=True)
class Visit:
    """A ticket that a service has validated: the service has to be told when the session ends (CAS protocol 2.3.3).

    ``ticket`` is the used-up ticket's id, by which the service knows the session it began.
    """

    ticket: str = field(repr=False)
    service: str
    service_id: str


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
            ticket.remembered,
        ]
    )


def strength_text(strength: Strength) -> str:
    """Return the strength as it is stored."""
    return _json(strength.to_fields())


def session_from(text: str, strength: str, used: str | None = None) -> TicketGrantingTicket:
    """Return the session that the stored texts tell of; ``used`` are milliseconds."""
    principal_id, attributes, handler, authenticated_at, ask_before, address, agent, remembered = _read(text)
    return TicketGrantingTicket(
        principal_id=principal_id,
        attributes={name: tuple(values) for name, values in attributes.items()},
        handler=handler,
        authenticated_at=authenticated_at,
        strength=Strength.from_fields(_read(strength)),
        ask_before=ask_before,
        address=address,
        agent=agent,
        remembered=remembered,
        used_at=int(used) / 1000 if used else 0.0,
    )


def principal_of(session: str) -> str:
    """Return whose session the stored text tells of."""
    return str(_read(session)[0])


def service_ticket_text(ticket: ServiceTicket) -> str:
    """Return the ticket as it is stored: the session's fingerprint and the entry's id in front, for the scripts."""
    permit = [ticket.permit.request, ticket.permit.until] if ticket.permit is not None else []
    rest = _json([ticket.service, ticket.primary, ticket.address, ticket.proxies, *permit])
    return f"{ticket.session}{ticket.service_id} {rest}"


def service_ticket_from(text: str) -> ServiceTicket:
    """Return the ticket that the stored text tells of."""
    service_id, _, rest = text[_FINGERPRINT:].partition(" ")
    service, primary, address, proxies, *permit = _read(rest)
    owner = text[:_FINGERPRINT]
    return ServiceTicket(
        service, service_id, primary, owner, address, tuple(proxies), Permit(*permit) if permit else None
    )


def proxy_granting_text(ticket: ProxyGrantingTicket) -> str:
    """Return the ticket as it is stored, in the form of a service ticket."""
    return f"{ticket.session}{ticket.service_id} {_json([ticket.proxies, ticket.address])}"


def proxy_granting_from(text: str) -> ProxyGrantingTicket:
    """Return the ticket that the stored text tells of."""
    service_id, _, rest = text[_FINGERPRINT:].partition(" ")
    proxies, address = _read(rest)
    return ProxyGrantingTicket(service_id, text[:_FINGERPRINT], tuple(proxies), address)


def visit_text(ticket_id: str, ticket: ServiceTicket) -> str:
    """Return the visit that the take script notes for a ticket: its id, then what is stored of it."""
    return f"{ticket_id} {service_ticket_text(ticket)[_FINGERPRINT:]}"


def visit_from(text: str) -> Visit:
    """Return the visit that the stored text tells of."""
    ticket, service_id, rest = text.split(" ", 2)
    return Visit(ticket, _read(rest)[0], service_id)


def _read(text: str) -> Any:
    """Return what a text of our own holds: as ``json.loads``, without looking for white space around it."""
    return _DECODER.raw_decode(text)[0]
