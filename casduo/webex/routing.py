"""What is sent because of an event: notifications by the settings, and what requests for access need. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from casduo.events.messages import Message
from casduo.events.record import EventRecord
from casduo.services.index import Registry
from casduo.settings.webex import WebexRoute, WebexSettings
from casduo.webex.cards import Look, violation_card
from casduo.webex.templates import default_way, rendered, service_name, template_for

VIOLATION = "policy.violation"
_ENDS = frozenset({"approval.approved", "approval.rejected", "approval.expired", "approval.cancelled"})


def messages_for(record: EventRecord, settings: WebexSettings, registry: Registry, look: Look) -> tuple[Message, ...]:
    """Return the messages that an event makes, the most urgent first; none for most kinds.

    Their ids are made of the event's: the same event makes the same messages, however often it is read.

    :param registry: as it is now, for names, spaces and terms
    :param look: address and time zone of the server
    """
    return (*_of_request(record, settings, registry), *_notification(record, settings, registry, look))


def route_of(kind: str, settings: WebexSettings) -> WebexRoute:
    """Return where events of a kind go: by the settings, else the built-in way."""
    return settings.notify.get(kind) or WebexRoute(to=default_way(kind))


def address_of(principal: str, settings: WebexSettings) -> str:
    """Return the e-mail address to which a person is written for an event; empty where none is known.

    Events carry names. A name that looks like an address is one, any other is one with ``webex.mail_domain``.
    """
    name, at, domain = principal.partition("@")
    if not name or any(character.isspace() or not character.isprintable() for character in principal):
        return ""
    if at:
        return principal if "." in domain.strip(".") and "@" not in domain else ""
    return f"{principal}@{settings.mail_domain}" if settings.mail_domain else ""


def _notification(record: EventRecord, settings: WebexSettings, registry: Registry, look: Look) -> Iterator[Message]:
    route = route_of(record.kind, settings)
    to = _destination(record, route, settings)
    if not to:
        return
    markdown = rendered(template_for(record.kind, route.template), record, registry, look.zone)
    body: dict[str, Any] = {"kind": record.kind, "markdown": markdown}
    if record.kind == VIOLATION:
        body["card"] = violation_card(record, service_name(record.about.service, registry), look)
        yield _message(record, "violation", to, body, urgent=True)
    else:
        yield _message(record, "event", to, body)


def _destination(record: EventRecord, route: WebexRoute, settings: WebexSettings) -> str:
    if route.to == "space":
        room = route.room or settings.room
        return f"room:{room}" if room else ""
    if route.to == "person":
        address = address_of(record.about.principal, settings)
        return f"person:{address}" if address else ""
    return ""


def _of_request(record: EventRecord, settings: WebexSettings, registry: Registry) -> Iterator[Message]:
    """Yield what a request for access needs, whatever ``notify`` says: without it nobody would decide or be told."""
    request = record.text("request")
    if not request or not record.kind.startswith("approval."):
        return
    service = registry.by_id(record.about.service)
    rule = service.requires_approval if service is not None else None
    # Where the entry is gone, the request itself still knows its space: this only says what keeps its order.
    room = (rule.room if rule is not None else None) or settings.room or f"of:{request}"
    body = {"request": request}
    if record.kind == "approval.requested":
        expires = record.at + rule.expires if rule is not None else 0.0
        yield _message(record, "approval.card", f"room:{room}", body, urgent=True, expires=expires)
    elif record.kind == "approval.reminded":
        yield _message(record, "approval.reminder", f"room:{room}", body, urgent=True)
    elif record.kind in _ENDS:
        yield _message(record, "approval.outcome", f"room:{room}", body, urgent=True)
        yield _message(record, "approval.told", f"person:{record.about.principal}", body, urgent=True)


def _message(
    record: EventRecord, task: str, to: str, body: dict[str, Any], *, urgent: bool = False, expires: float = 0.0
) -> Message:
    cause = {"reference": record.about.reference}
    return Message(
        f"{record.id}:{task}", to, task, body, urgent=urgent, created=record.at, expires=expires, cause=cause
    )
