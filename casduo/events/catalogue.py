"""Every kind of event there is, in one list."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from casduo.account import events as account
from casduo.admin import events as admin
from casduo.approvals import events as approvals
from casduo.enrollment import events as enrollment
from casduo.events import model, outbox_events, phone
from casduo.events.model import Event
from casduo.webex import events as webex

EVENTS: Final[tuple[type[Event], ...]] = (
    model.SignedIn,
    model.SignInRefused,
    model.SignInThrottled,
    model.SignedOut,
    account.SignInDisowned,
    account.TrustForgotten,
    model.ServiceTold,
    model.ServiceNotTold,
    model.TicketGranted,
    model.ProxyTicketGranted,
    model.TicketValidated,
    model.ValidationRefused,
    model.TicketLoop,
    model.ServiceRefused,
    model.DuoAsked,
    model.DuoAnswered,
    model.DuoBypassed,
    model.DuoWouldHave,
    enrollment.EnrollmentStarted,
    enrollment.EnrollmentFinished,
    enrollment.EnrollmentRefused,
    approvals.ApprovalRequested,
    approvals.ApprovalDecided,
    approvals.ApprovalExpired,
    approvals.ApprovalCancelled,
    approvals.ApprovalReminded,
    approvals.ApprovalRefused,
    model.TargetAccessed,
    model.PolicyViolation,
    phone.PhoneLoggedIn,
    phone.PhoneLoggedOut,
    phone.PhoneLoginRefused,
    phone.PhoneDeviceRefused,
    phone.PhoneLoginUnsure,
    phone.PhoneLogoutDelayed,
    admin.AdminViewed,
    admin.AdminChanged,
    admin.AdminRefused,
    model.RestAnswered,
    model.RestClientRefused,
    model.RegistryChanged,
    model.RegistryEdited,
    model.RegistryRejected,
    model.FlowRefused,
    model.RequestRefused,
    model.Fault,
    webex.WebhookRefused,
    webex.WebhookRepaired,
    *outbox_events.OUTBOX_EVENTS,
)
"""One row a class. What is not in it is in no audit trail."""

KINDS: Final = MappingProxyType({kind: event for event in EVENTS for kind in event.kinds()})
"""By what notifications are chosen, with the class of each."""
