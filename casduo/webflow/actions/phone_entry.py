"""Actions about a phone that asks: may it, who is on it, and what it is shown first."""

from __future__ import annotations

from typing import Literal

from casduo.events.journal import Journal
from casduo.events.model import Fault
from casduo.events.phone import DeviceRefusal, PhoneDeviceRefused, PhoneLoginRefused
from casduo.phone.addresses import PhoneAddresses
from casduo.phone.devices import bound_address, device_name
from casduo.phone.rules import PhoneRules
from casduo.services.access import in_networks
from casduo.ucm.errors import UCM_ERRORS, UcmBusy, UcmError, UcmRefused
from casduo.ucm.interfaces import PhoneLogins
from casduo.ucm.model import same_user
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.context import Context
from casduo.webflow.effects import Page

Trouble = Literal["unavailable", "busy"]
AGAIN_AFTER = 2
"""Seconds after which a phone asks again for what could not be done."""


def check(
    context: Context, phone_rules: PhoneRules, phone_addresses: PhoneAddresses, journal: Journal
) -> Literal["known", "refused", "unproved"]:
    """Look at name and address of the phone. The name can be made up; what it can be is still limited, and where the
    settings say so it has to come from where the phone is registered.
    """
    inbound = context.inbound
    reason = detail = ""
    if device_name(inbound.device, phone_rules.device_names) is None:
        reason = "name"
    elif phone_rules.networks and not in_networks(phone_rules.networks, inbound.address):
        reason = "network"
    elif phone_rules.registered_address:
        registered = phone_addresses.of(inbound.device, inbound.now)
        if bound_address(inbound.address, "exact") not in registered:
            reason, detail = "address", " ".join(registered) or "not_known"
    if not reason:
        return "known"
    refusal = PhoneDeviceRefused(
        context.subject, device=inbound.device, model=inbound.model, reason=reason, detail=detail
    )
    journal.write(refusal)
    return "unproved" if reason == "address" else "refused"


def occupant(
    context: Context, phone_logins: PhoneLogins, phone_rules: PhoneRules, journal: Journal
) -> Literal["free", "occupied", "unknown", "notEnabled", "unavailable", "busy"]:
    """Ask who is logged in on the phone."""
    try:
        state = phone_logins.state(context.inbound.device, context.budget(phone_rules.budget))
    except UCM_ERRORS as error:
        return trouble(context, error, journal)
    if not state.known or state.enabled is False:
        reason: DeviceRefusal = "not_enabled" if state.known else "unknown"
        inbound = context.inbound
        journal.write(PhoneDeviceRefused(context.subject, device=inbound.device, model=inbound.model, reason=reason))
        return "notEnabled" if state.known else "unknown"
    context.scope.phone_occupant = state.user
    return "occupied" if state.user else "free"


def usable(
    context: Context, phone_logins: PhoneLogins, phone_rules: PhoneRules, journal: Journal
) -> Literal["usable", "occupied", "unknown", "notEnabled", "unavailable", "busy"]:
    """Look whether the phone can be logged in on at all, before anybody is asked for a second factor. It is looked at
    once more, under lock, when that is to be done.
    """
    event = occupant(context, phone_logins, phone_rules, journal)
    user, context.scope.phone_occupant = context.scope.phone_occupant, ""
    if event == "free":
        return "usable"
    if event != "occupied":
        return event
    context.facts["occupant"] = user
    if same_user(user, context.scope.phone_user) or phone_rules.login.other_user == "take_over":
        return "usable"
    journal.write(PhoneLoginRefused(context.subject, device=context.inbound.device, reason="occupied"))
    return "occupied"


def trouble(context: Context, error: UcmError, journal: Journal) -> Trouble:
    """Take note of a UCM that did not answer, and say what a person is told of it."""
    detail = error.kind if isinstance(error, UcmRefused) else f"{error.upstream}: {error.detail}"
    journal.write(Fault(context.subject, code=error.code, detail=detail))
    return "busy" if isinstance(error, UcmBusy) else "unavailable"


def put_off(
    context: Context,
    error: UcmError,
    phone_rules: PhoneRules,
    journal: Journal,
) -> Trouble | Literal["later"]:
    """As :func:`trouble`, in a flow that waits: who is busy is asked again, for as long as :func:`wait_on` says."""
    event = trouble(context, error, journal)
    return wait_on(context, phone_rules) if event == "busy" else event


def wait_on(context: Context, phone_rules: PhoneRules) -> Literal["later", "busy"]:
    """Decide whether a step that found somebody busy is tried again, by the phone itself. People have done their part
    by then, so they are not made to begin anew before half a login's lifetime is over.
    """
    scope, now = context.scope, context.inbound.now
    scope.phone_busy_since = scope.phone_busy_since or now
    return "later" if now - scope.phone_busy_since < phone_rules.transaction_lifetime / 2 else "busy"


def submitted(context: Context) -> bool:
    """Whether the form with user id and PIN has been sent."""
    return context.inbound.posted


def wants_form(context: Context, phone_rules: PhoneRules) -> bool:
    """Whether the form is asked for on a phone in use, where the settings let the next one take it over."""
    return context.inbound.step == "login" and phone_rules.login.other_user == "take_over"


def view_form(context: Context) -> Page:
    """The form for user id and PIN. Nothing waits behind it: a PIN is checked as it comes."""
    context.scope.phone_occupant = ""
    error = {"id": context.error, "facts": context.error_facts} if context.error else None
    data = {
        "service": service_facts(context.required_service, context.url),
        "error": error,
        "userid": context.username,
    }
    return Page("phone_form", data)


def view_again(context: Context) -> Page:
    """A page that asks the same again by itself: nothing waits behind it."""
    return Page("phone_moment", {"seconds": AGAIN_AFTER, "again": "entry"})


def view_occupied(context: Context, phone_rules: PhoneRules) -> Page:
    """Who is on the phone, and the way to log out."""
    shown = context.scope.phone_occupant if phone_rules.show_occupant else ""
    # The page belongs to no flow, as the form does: nothing is kept of it.
    context.scope.phone_occupant = ""
    take_over = phone_rules.login.other_user == "take_over"
    return Page("phone_occupied", {"user": shown, "own": False, "take_over": take_over})
