"""What tickets carry: the single sign-on session behind a TGT, and the service ticket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from casduo.mfa.strength import Strength
from casduo.tickets.ids import TicketId

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


def session_fields(ticket: TicketGrantingTicket) -> list[str]:
    """Return the session as field, value, field, value ... for the store."""
    fields = [
        "principal",
        ticket.principal_id,
        "attributes",
        json.dumps(ticket.attributes, separators=(",", ":")),
        "handler",
        ticket.handler,
        "authenticated",
        repr(ticket.authenticated_at),
        "ask",
        "1" if ticket.ask_before else "",
        "address",
        ticket.address,
        "agent",
        ticket.agent,
    ]
    fields += strength_fields(ticket.strength)
    return fields


def strength_fields(strength: Strength) -> list[str]:
    """Return the strength as field, value ... for the store."""
    return [text for pair in strength.to_fields().items() for text in pair]


def session_from(flat: Sequence[str]) -> TicketGrantingTicket:
    """Return the session that the store's flat list of fields and values tells of."""
    values = dict(zip(flat[::2], flat[1::2], strict=True))
    attributes = json.loads(values["attributes"])
    return TicketGrantingTicket(
        principal_id=values["principal"],
        attributes={name: tuple(texts) for name, texts in attributes.items()},
        handler=values["handler"],
        authenticated_at=float(values["authenticated"]),
        strength=Strength.from_fields(values),
        ask_before=values["ask"] == "1",
        address=values["address"],
        agent=values["agent"],
    )


def service_ticket_fields(ticket: ServiceTicket) -> list[str]:
    """Return the ticket as field, value ... for the store. ``tgt`` is the name the take script looks for."""
    return [
        "tgt",
        ticket.session,
        "service",
        ticket.service,
        "entry",
        ticket.service_id,
        "primary",
        "1" if ticket.primary else "",
        "address",
        ticket.address,
    ]


def service_ticket_from(flat: Sequence[str]) -> ServiceTicket:
    """Return the ticket that the store's flat list of fields and values tells of."""
    values = dict(zip(flat[::2], flat[1::2], strict=True))
    return ServiceTicket(
        service=values["service"],
        service_id=values["entry"],
        primary=values["primary"] == "1",
        session=values["tgt"],
        address=values["address"],
    )
