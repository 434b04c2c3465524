"""Which events are counted where, in one table. Pure.

What an event tells becomes the value of a label only if the label's set has it; everything else is ``other``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from casduo.account import events as account
from casduo.admin import events as admin
from casduo.approvals import events as approvals
from casduo.enrollment import events as enrollment
from casduo.events import model, outbox_events, phone
from casduo.events.model import Event
from casduo.metrics import table
from casduo.metrics.table import Instrument, among
from casduo.values import value_object
from casduo.webex import events as webex

_DUO_FACTORS: Final = {
    "duo_push": "push",
    "phone_call": "phone",
    "sms_passcode": "passcode",
    "duo_mobile_passcode": "passcode",
    "hardware_token": "passcode",
    "bypass_code": "passcode",
    "": "none",
}
"""Duo's names of factors in its prompt and its log, and ours. What it may call others is ``other``."""
_REGISTERED: Final = 64
"""Longest id of a registry entry, in characters."""


@value_object(frozen=True, slots=True)
class Count:
    """What is to be added, and where. ``labels`` are in the order of the instrument's."""

    instrument: Instrument
    labels: tuple[str, ...] = ()
    amount: float = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """How events of one class are counted.

    :param values: returns the values of the labels; they are checked against the label's set
    :param amount: what one event adds
    """

    instrument: Instrument
    values: Callable[[Any], tuple[str, ...]] = lambda event: ()
    amount: Callable[[Any], float] = lambda event: 1.0


ROWS: Final[Mapping[type[Event], Row]] = {
    model.SignedIn: Row(table.SIGN_INS, lambda event: ("ok", "")),
    model.SignInRefused: Row(table.SIGN_INS, lambda event: ("refused", event.reason)),
    model.SignInThrottled: Row(table.SIGN_INS, lambda event: ("throttled", "")),
    model.SignedOut: Row(table.SESSIONS_ENDED, lambda event: (event.cause,), lambda event: event.sessions),
    model.ServiceTold: Row(table.SIGN_OUT_MESSAGES, lambda event: ("told",)),
    model.ServiceNotTold: Row(table.SIGN_OUT_MESSAGES, lambda event: ("failed",)),
    model.TicketGranted: Row(table.TICKETS, lambda event: ("service",)),
    model.ProxyTicketGranted: Row(table.TICKETS, lambda event: ("proxy",)),
    model.TicketValidated: Row(table.VALIDATIONS, lambda event: (event.protocol, "ok")),
    model.ValidationRefused: Row(table.VALIDATIONS, lambda event: (event.protocol, event.code)),
    model.TicketLoop: Row(table.TICKET_LOOPS),
    model.ServiceRefused: Row(table.SERVICES_REFUSED, lambda event: (event.reason.partition(":")[0],)),
    model.DuoAsked: Row(table.DUO_ASKED, lambda event: (_factor(event.factor),)),
    model.DuoAnswered: Row(table.DUO_ANSWERED, lambda event: (event.outcome, _factor(event.factor))),
    model.DuoBypassed: Row(table.DUO_BYPASSED),
    model.DuoWouldHave: Row(table.DUO_WOULD_HAVE, lambda event: (event.outcome,)),
    enrollment.EnrollmentStarted: Row(table.ENROLLMENTS, lambda event: ("started",)),
    enrollment.EnrollmentFinished: Row(table.ENROLLMENTS, lambda event: ("finished",)),
    enrollment.EnrollmentRefused: Row(table.ENROLLMENTS, lambda event: ("refused",)),
    approvals.ApprovalRequested: Row(table.APPROVALS, lambda event: ("requested",)),
    approvals.ApprovalDecided: Row(table.APPROVALS, lambda event: (event.decision,)),
    approvals.ApprovalExpired: Row(table.APPROVALS, lambda event: ("expired",)),
    approvals.ApprovalCancelled: Row(table.APPROVALS, lambda event: ("cancelled",)),
    approvals.ApprovalRefused: Row(table.APPROVALS, lambda event: ("refused",)),
    model.TargetAccessed: Row(table.TARGETS),
    model.PolicyViolation: Row(table.VIOLATIONS, lambda event: (event.rule,)),
    phone.PhoneLoggedIn: Row(table.PHONES, lambda event: ("logged_in",)),
    phone.PhoneLoggedOut: Row(table.PHONES, lambda event: ("logged_out",)),
    phone.PhoneLoginRefused: Row(table.PHONES, lambda event: ("refused",)),
    phone.PhoneDeviceRefused: Row(table.PHONES, lambda event: ("device_refused",)),
    phone.PhoneLoginUnsure: Row(table.PHONES, lambda event: ("unsure",)),
    phone.PhoneLogoutDelayed: Row(table.PHONES, lambda event: ("logout_delayed",)),
    model.RestAnswered: Row(table.REST_CALLS, lambda event: (f"{event.status // 100}xx",)),
    model.RestClientRefused: Row(table.REST_STRANGERS, lambda event: (event.why,)),
    model.FlowRefused: Row(table.FLOWS_REFUSED, lambda event: (event.code,)),
    model.RequestRefused: Row(table.REQUESTS_REFUSED, lambda event: (event.code,)),
    model.Fault: Row(table.FAULTS, lambda event: (event.code,)),
    webex.WebhookRefused: Row(table.WEBHOOK_REFUSED, amount=lambda event: 1 + event.untold),
    webex.WebhookRepaired: Row(table.WEBHOOK_REPAIRED),
    outbox_events.MessageDead: Row(table.MESSAGES_DEAD, amount=lambda event: event.messages),
    outbox_events.ChannelStopped: Row(table.CHANNEL_STOPPED),
}
"""One row for each class of events that is counted."""

WITHOUT: Final[Mapping[type[Event], str]] = {
    approvals.ApprovalReminded: "says nothing that the requests which wait do not say",
    model.RegistryChanged: "each process counts what it reads itself: casduo_registry_reloads_total",
    model.RegistryRejected: "each process counts what it reads itself: casduo_registry_reloads_total",
    model.RegistryEdited: "every process that takes the change over counts it: casduo_registry_reloads_total",
    account.SignInDisowned: "what it amounts to is counted as a violation: casduo_policy_violations_total",
    account.TrustForgotten: "a person changed something of their own: that is for the audit trail",
    admin.AdminViewed: "a person looked at something: that is for the audit trail",
    admin.AdminChanged: "a person changed something: that is for the audit trail",
    admin.AdminRefused: "a person was refused a page of administrators: that is for the audit trail",
    outbox_events.OutboxRedriven: "a person changed something: that is for the audit trail",
    outbox_events.OutboxDiscarded: "a person changed something: that is for the audit trail",
    outbox_events.ChannelResumed: "casduo_outbox_stopped tells it",
}
"""The classes of events that are not counted, and why."""


def counts_of(event: Event, *, by_service: bool = False) -> tuple[Count, ...]:
    """Return what an event adds to which metrics.

    :param by_service: whether tickets and validations are counted for each service too
    """
    row = ROWS.get(type(event))
    if row is None:
        return ()
    values = tuple(
        among(value, known) for value, known in zip(row.values(event), row.instrument.labels.values(), strict=True)
    )
    found = Count(row.instrument, values, row.amount(event))
    return (found, *_of_service(event)) if by_service else (found,)


def _of_service(event: Event) -> tuple[Count, ...]:
    service = event.service
    if not service or len(service) > _REGISTERED:
        return ()
    match event:
        case model.TicketGranted() | model.ProxyTicketGranted():
            return (Count(table.SERVICE_TICKETS, (service,)),)
        case model.TicketValidated():
            return (Count(table.SERVICE_VALIDATIONS, (service, "ok")),)
        case model.ValidationRefused():
            return (Count(table.SERVICE_VALIDATIONS, (service, "refused")),)
    return ()


def _factor(name: str) -> str:
    return _DUO_FACTORS.get(name, name)
