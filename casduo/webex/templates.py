"""What is posted of which kind of event where the settings say nothing, and how a template becomes a text. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import Final, Literal

from casduo.approvals.wording import LONGEST_REASON
from casduo.events.record import EventRecord
from casduo.services.index import Registry
from casduo.webex.text import cut, escape, moment

Way = Literal["space", "person", "none"]

DEFAULT_WAYS: Final[Mapping[str, Way]] = MappingProxyType(
    {
        "signin.ok": "space",
        "signout": "space",
        "signout.administrator": "space",
        "target.accessed": "space",
        "policy.violation": "space",
    }
)
"""Where kinds of event go by themselves; all others nowhere."""

DIGESTIBLE: Final = frozenset({"signin.ok", "signout", "signout.administrator"})
"""Kinds that one message may count in place of telling each."""

_WHO_AND_WHERE = "**{user}** at {service}, from {address}, {time}"

TEMPLATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "signin.ok": "**{user}** signed in to {service} from {address}, {time} ({reference})",
        "signin.refused": "Sign-in refused: " + _WHO_AND_WHERE + ": {detail} ({reference})",
        "signin.disowned": "**{user}** says of a sign-in that it was not theirs, {time}: {detail} ({reference})",
        "trust.forgotten": "**{user}** no longer trusts a browser of theirs, {time} ({reference})",
        "signin.throttled": "Too many sign-ins: " + _WHO_AND_WHERE + " ({reference})",
        "signout": "**{user}** signed out, {time} ({reference})",
        "signout.administrator": "**{user}** was signed out by an administrator, {time} ({reference})",
        "service.refused": "No access: " + _WHO_AND_WHERE + ": {detail} ({reference})",
        "duo.denied": "Duo, denied: " + _WHO_AND_WHERE + " ({reference})",
        "duo.fraud": "Duo, **reported as fraud**: " + _WHO_AND_WHERE + " ({reference})",
        "duo.unavailable": "Duo cannot be asked: " + _WHO_AND_WHERE + ": {detail} ({reference})",
        "duo.bypassed": "**{user}** went on without Duo to {service} from {address}, {time}: {detail} ({reference})",
        "enrollment.finished": "**{user}** has registered a device, from {address}, {time} ({reference})",
        "target.accessed": "Remote access: **{user}** opens {service}, {account} at {host} ({ip}), from {address}, "
        "{time}, request {request} ({reference})",
        "policy.violation": "**Policy violation**: **{user}** at {service}, {time}: {detail} ({reference})",
        "approval.refused": "Decision refused: request {request} of **{user}** for {service}, {time}: {detail}",
        "phone.logged_in": "**{user}** logged in on a phone, {service}, {time} ({reference})",
        "phone.logged_out": "**{user}** logged out of a phone, {service}, {time} ({reference})",
        "registry.changed": "The registry has changed, {time}",
        "registry.rejected": "The registry file cannot be used and the last good one stays in force, {time}: {detail}",
        "fault": "Something failed, {time}: {detail} ({reference})",
    }
)
"""The built-in texts, in Webex's Markdown."""
OTHER_TEMPLATE: Final = "{event}: **{user}**, {service}, from {address}, {time}: {detail} ({reference})"
"""For every other kind."""

_NOTHING = "—"
_DETAILS = ("detail", "reason", "first", "cause", "rule", "code", "why")
"""Facts of which the first that is there counts as the detail."""
_STRENGTHS = {"none": "password", "bypassed": "password, without Duo"}


def default_way(kind: str) -> Way:
    """Return where events of a kind go by themselves."""
    return DEFAULT_WAYS.get(kind, "none")


def template_for(kind: str, own: str | None) -> str:
    """Return the text with placeholders for a kind of event.

    :param own: the administrator's, ``None`` for none
    """
    return own if own is not None else TEMPLATES.get(kind, OTHER_TEMPLATE)


def rendered(template: str, record: EventRecord, registry: Registry, zone: tzinfo) -> str:
    """Return the text of a notification, short enough for Webex.

    :param template: Markdown with the placeholders of :data:`casduo.webex.placeholders.PLACEHOLDERS`
    :param registry: for the name of the service
    :param zone: of the server
    """
    return cut(template.format_map(_values(record, registry, zone)))


def service_name(service: str, registry: Registry) -> str:
    """Return what people call a service: its name, else its id; for none, the server itself."""
    found = registry.by_id(service) if service else None
    return found.name if found is not None else service or "casduo"


def strength_in_words(strength: str) -> str:
    """Return what was confirmed, empty where nobody says."""
    return _STRENGTHS.get(strength, "password and Duo") if strength else ""


def detail_of(record: EventRecord) -> str:
    """Return what else is known of an event; empty for nothing."""
    return next((found for name in _DETAILS if (found := record.text(name))), "")


def _values(record: EventRecord, registry: Registry, zone: tzinfo) -> dict[str, str]:
    """Return what stands for each placeholder, harmless in Markdown."""
    about = record.about
    values = {
        "user": about.principal,
        "service": service_name(about.service, registry),
        "service_id": about.service,
        "address": about.address,
        "time": moment(record.at, zone),
        "strength": strength_in_words(about.strength),
        "reference": about.reference,
        "event": record.kind,
        "host": record.text("host"),
        "ip": record.text("ip"),
        "account": record.text("account"),
        "request": record.text("request"),
    }
    shown = {name: escape(value) or _NOTHING for name, value in values.items()}
    return {**shown, "detail": escape(detail_of(record), LONGEST_REASON) or _NOTHING}
