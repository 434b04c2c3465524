"""Actions of logging out at a phone: asked first, and done by a step of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from casduo.authentication.authenticator import Authenticator
from casduo.events.journal import Journal
from casduo.events.phone import PhoneLoggedOut, PhoneLoginUnsure
from casduo.phone.locks import DeviceLocks
from casduo.phone.rules import PhoneRules
from casduo.phone.timers import LogoutTimers
from casduo.throttling import PinThrottle
from casduo.ucm.errors import UCM_ERRORS, UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.interfaces import PhoneLogins
from casduo.ucm.model import same_user
from casduo.webflow.actions.phone_entry import AGAIN_AFTER, put_off, trouble, wait_on
from casduo.webflow.actions.phone_form import PinOutcome, test_limits, try_pin
from casduo.webflow.actions.phone_told import told
from casduo.webflow.context import Context
from casduo.webflow.effects import Page
from casduo.webflow.engine import Pause


def view(context: Context, phone_rules: PhoneRules) -> Pause[Literal["proceed"]]:
    """The question, with the name of who is logged in."""
    shown = context.scope.phone_occupant if phone_rules.show_occupant else ""
    error = {"id": context.error, "facts": {}} if context.error else None
    return Pause(Page("phone_logout", {"user": shown, "pin": phone_rules.logout_pin, "error": error}))


def read_form(
    context: Context, pins: PinThrottle, phone_rules: PhoneRules, journal: Journal
) -> Literal["confirmed", "pin", "again", "throttled", "cancel"]:
    """Find out what the person wants."""
    fields = context.inbound.fields
    if fields.get("cancel"):
        return "cancel"
    if not context.inbound.posted:
        return "again"
    if not phone_rules.logout_pin:
        return "confirmed"
    if not fields.get("pin"):
        context.error = "phone.form.error.missing"
        return "again"
    event = test_limits(context, context.scope.phone_occupant, pins, journal)
    return "pin" if event == "accepted" else "throttled"


def check_pin(
    context: Context, pin_authenticator: Authenticator, pins: PinThrottle, phone_rules: PhoneRules, journal: Journal
) -> PinOutcome:
    """Check the PIN of who is logged in."""
    return try_pin(context, context.scope.phone_occupant, pin_authenticator, pins, phone_rules, journal)


def log_out(
    context: Context,
    phone_logins: PhoneLogins,
    device_locks: DeviceLocks,
    logout_timers: LogoutTimers,
    phone_rules: PhoneRules,
    journal: Journal,
) -> Literal["done", "nobody", "changed", "unsure", "unavailable", "busy", "later", "refused"]:
    """Log out whom the question was about; somebody who came since is left alone."""
    scope, device = context.scope, context.inbound.device
    token = device_locks.take(device)
    if not token:
        return wait_on(context, phone_rules)
    budget = context.budget(phone_rules.budget)
    try:
        state = phone_logins.state(device, budget)
        if not state.user:
            return "nobody"
        if not same_user(state.user, scope.phone_occupant):
            return "changed"
        phone_logins.log_out(device, budget)
        # While the lock is held: the timer of whoever comes next must stay.
        logout_timers.clear(context.batch, device)
        context.batch.run()
    except UcmUnavailable as error:
        if not error.sent:
            return trouble(context, error, journal)
        journal.write(
            PhoneLoginUnsure(context.subject, device=device, step="logout", detail=error.detail), context.batch
        )
        return "unsure"
    except UcmRefused as error:
        trouble(context, error, journal)
        return "nobody" if error.kind == "nobody" else "refused"
    except (UcmBusy, UcmMisconfigured) as error:
        return put_off(context, error, phone_rules, journal)
    finally:
        device_locks.free(device, token)
    return _done(context, journal)


def settle(
    context: Context, phone_logins: PhoneLogins, phone_rules: PhoneRules, journal: Journal
) -> Literal["done", "failed", "unavailable", "busy", "later"]:
    """Look what became of a change whose answer was lost. It is not sent again: people can press once more."""
    try:
        state = phone_logins.state(context.inbound.device, context.budget(phone_rules.budget))
    except UCM_ERRORS as error:
        return put_off(context, error, phone_rules, journal)
    if same_user(state.user, context.scope.phone_occupant):
        return "failed"
    return _done(context, journal)


def view_again(context: Context) -> Page:
    """A page that asks by itself once more who is on the phone: nothing waits behind it."""
    return Page("phone_moment", {"seconds": AGAIN_AFTER, "again": "logout"})


def logged_out(context: Context, phone_rules: PhoneRules) -> Page:
    """Nobody is logged in any more; on request the phone forgets whom its last user has called."""
    page = told("logged_out", "again", "exit")
    return replace(page, data={**page.data, "clear_calls": phone_rules.clear_call_history})


def _done(context: Context, journal: Journal) -> Literal["done"]:
    journal.write(PhoneLoggedOut(context.subject, device=context.inbound.device, cause="asked"), context.batch)
    return "done"
