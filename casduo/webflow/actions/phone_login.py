"""Actions that log a person in on a phone: once, whatever is pressed twice and whichever answers get lost.

What is on the phone is looked at and changed under the phone's lock. A change is sent once; where its answer is lost
the phone is looked at before anything is sent again.
"""

from __future__ import annotations

from typing import Literal

from casduo.authentication.names import folded_username
from casduo.events.journal import Journal
from casduo.events.phone import PhoneLoggedIn, PhoneLoggedOut, PhoneLoginRefused, PhoneLoginUnsure
from casduo.outbound.budget import Budget
from casduo.phone.locks import DeviceLocks
from casduo.phone.plan import Plan, plan, reached
from casduo.phone.rules import PhoneRules
from casduo.phone.timers import LogoutTimers
from casduo.signing import fingerprint
from casduo.ucm.errors import UCM_ERRORS, UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.interfaces import PhoneLogins
from casduo.ucm.model import PhoneState, same_user
from casduo.webflow.actions.phone_entry import AGAIN_AFTER, put_off, trouble, wait_on
from casduo.webflow.context import Context
from casduo.webflow.effects import GoOn, Page
from casduo.webflow.engine import Pause

_ENOUGH = 0.5
"""Part of a request's time that has to be left for a step that may take long."""
_SETTLED = 2.0
"""Seconds after which a change that was carried out can be seen."""
_TRIES = 2

Refused = Literal["unknown", "notEnabled", "occupied", "elsewhere", "refused", "mustChange"]


def in_time(context: Context, phone_rules: PhoneRules) -> bool:
    """Whether enough of the time for this request is left to go on in it."""
    return context.budget(phone_rules.budget).left >= _ENOUGH * phone_rules.budget


def view_moment(context: Context) -> Pause[Literal["proceed"]]:
    """A page that asks again by itself: what comes next gets a request of its own."""
    return Pause(GoOn("proceed") if context.looking else Page("phone_moment", {"seconds": AGAIN_AFTER}))


def lock(context: Context, device_locks: DeviceLocks, phone_rules: PhoneRules) -> Literal["taken", "later", "busy"]:
    """Take the leave to change who is on the phone and, where it matters, where else the person is. This login may have
    had it before, and waited for longer than it is given for.
    """
    scope = context.scope
    names = [context.inbound.device]
    if phone_rules.login.looks_elsewhere:
        # In one order everywhere, so that no two wait for each other.
        names.append(f"of {fingerprint(folded_username(scope.phone_user))[:32]}")
    for name in names:
        token = device_locks.take(name, scope.phone_lock)
        if not token:
            _free(context, device_locks)
            return wait_on(context, phone_rules)
        scope.phone_lock = token
        if name not in scope.phone_locked:
            scope.phone_locked.append(name)
    return "taken"


def write(
    context: Context,
    phone_logins: PhoneLogins,
    device_locks: DeviceLocks,
    logout_timers: LogoutTimers,
    phone_rules: PhoneRules,
    journal: Journal,
) -> Literal[
    "done",
    "already",
    "unsure",
    "unknown",
    "notEnabled",
    "occupied",
    "elsewhere",
    "refused",
    "mustChange",
    "unavailable",
    "busy",
    "later",
]:
    """Look who is where, and bring the person onto the phone if that may be."""
    tries = context.scope.phone_tries
    try:
        found = _plan(context, phone_logins, phone_rules)
        if found.outcome == "done":
            return _done(context, device_locks, journal, already=True)
        if found.outcome != "write":
            return _refuse(context, found, device_locks, journal)
        _carry_out(context, found, phone_logins, device_locks, logout_timers, phone_rules, journal)
    except UcmUnavailable as error:
        if not error.sent:
            _free(context, device_locks)
            event = trouble(context, error, journal)
            # Once somebody was logged out for it, the login is not given up for lack of time.
            return wait_on(context, phone_rules) if context.facts.get("made_room") else event
        journal.write(
            PhoneLoginUnsure(context.subject, device=context.inbound.device, detail=error.detail), context.batch
        )
        return "unsure"
    except UcmRefused as error:
        return _refused(context, error, device_locks, journal)
    except (UcmBusy, UcmMisconfigured) as error:
        _free(context, device_locks)
        # Nothing was carried out, so it was none.
        context.scope.phone_tries = tries
        return put_off(context, error, phone_rules, journal)
    return _done(context, device_locks, journal, already=False)


def settle(
    context: Context,
    phone_logins: PhoneLogins,
    device_locks: DeviceLocks,
    phone_rules: PhoneRules,
    journal: Journal,
) -> Literal["done", "again", "wait", "failed"]:
    """Look what became of a change whose answer was lost."""
    scope, now = context.scope, context.inbound.now
    try:
        state = _state(context, phone_logins, phone_rules)
    except UCM_ERRORS as error:
        trouble(context, error, journal)
        if now - scope.phone_written_at < phone_rules.transaction_lifetime / 4:
            return "wait"
        _free(context, device_locks)
        return "failed"
    if reached(state, scope.phone_user, scope.phone_profile):
        _done(context, device_locks, journal, already=False)
        return "done"
    if now - scope.phone_written_at < _SETTLED:
        return "wait"
    if scope.phone_tries < _TRIES:
        return "again"
    _free(context, device_locks)
    return "failed"


def _plan(context: Context, phone_logins: PhoneLogins, phone_rules: PhoneRules) -> Plan:
    scope = context.scope
    state = _state(context, phone_logins, phone_rules)
    elsewhere = None
    if phone_rules.login.looks_elsewhere:
        elsewhere = phone_logins.devices_of(scope.phone_user, context.budget(phone_rules.budget))
    found = plan(state, elsewhere, scope.phone_user, scope.phone_profile, phone_rules.login)
    context.facts["occupant"], context.facts["places"] = state.user, ", ".join(found.places)
    return found


def _state(context: Context, phone_logins: PhoneLogins, phone_rules: PhoneRules) -> PhoneState:
    return phone_logins.state(context.inbound.device, context.budget(phone_rules.budget))


def _carry_out(
    context: Context,
    found: Plan,
    phone_logins: PhoneLogins,
    device_locks: DeviceLocks,
    logout_timers: LogoutTimers,
    phone_rules: PhoneRules,
    journal: Journal,
) -> None:
    scope, device = context.scope, context.inbound.device
    budget = context.budget(phone_rules.budget)
    scope.phone_tries += 1
    scope.phone_written_at = context.inbound.now
    for other in found.log_out:
        if other == device:
            taken = not same_user(context.facts["occupant"], scope.phone_user)
            done = _log_out(phone_logins, other, budget)
        else:
            taken = False
            done = _move_from(context, other, phone_logins, device_locks, budget)
        if done:
            context.facts["made_room"] = True
            journal.write(
                PhoneLoggedOut(context.subject, device=other, cause="taken_over" if taken else "moved"), context.batch
            )
    timed = phone_rules.login_lifetime > 0 and not phone_logins.ends_logins
    if timed:
        # Under the lock, and before the login: if this process dies in between, nobody stays logged in for good.
        ends_at = context.inbound.now + phone_rules.login_lifetime
        logout_timers.set(context.batch, device, scope.phone_user, ends_at, context.inbound.now)
        context.batch.run()
    try:
        phone_logins.log_in(device, scope.phone_user, scope.phone_profile, phone_rules.login_lifetime, budget)
    except (UcmRefused, UcmBusy, UcmMisconfigured):
        if timed:
            logout_timers.clear(context.batch, device)
            context.batch.run()
        raise


def _move_from(
    context: Context, other: str, phone_logins: PhoneLogins, device_locks: DeviceLocks, budget: Budget
) -> bool:
    """Log the person out of another phone, unless somebody else is there by now. Returns whether that was done.

    :raises UcmBusy: somebody logs in or out there at this moment
    """
    token = device_locks.take(other)
    if not token:
        raise UcmBusy("phone lock", "taken")
    try:
        there = same_user(phone_logins.state(other, budget).user, context.scope.phone_user)
        return there and _log_out(phone_logins, other, budget)
    finally:
        device_locks.free(other, token)


def _log_out(phone_logins: PhoneLogins, device: str, budget: Budget) -> bool:
    try:
        phone_logins.log_out(device, budget)
    except UcmRefused as error:
        if error.kind != "nobody":
            raise
        return False
    return True


def _done(
    context: Context, device_locks: DeviceLocks, journal: Journal, *, already: bool
) -> Literal["done", "already"]:
    inbound, profile = context.inbound, context.scope.phone_profile
    _free(context, device_locks)
    journal.write(
        PhoneLoggedIn(context.subject, device=inbound.device, model=inbound.model, profile=profile, already=already),
        context.batch,
    )
    return "already" if already else "done"


def _refuse(context: Context, found: Plan, device_locks: DeviceLocks, journal: Journal) -> Refused:
    _free(context, device_locks)
    journal.write(PhoneLoginRefused(context.subject, device=context.inbound.device, reason=found.outcome))
    match found.outcome:
        case "occupied" | "elsewhere":
            return found.outcome
        case "no_device":
            return "unknown"
    return "notEnabled"


def _refused(context: Context, error: UcmRefused, device_locks: DeviceLocks, journal: Journal) -> Refused:
    _free(context, device_locks)
    journal.write(
        PhoneLoginRefused(context.subject, device=context.inbound.device, reason=error.kind, detail=error.detail)
    )
    match error.kind:
        case "occupied" | "elsewhere":
            return error.kind
        case "no_device":
            return "unknown"
        case "not_enabled":
            return "notEnabled"
        case "password_change":
            return "mustChange"
    return "refused"


def _free(context: Context, device_locks: DeviceLocks) -> None:
    scope = context.scope
    for name in scope.phone_locked:
        device_locks.free(name, scope.phone_lock)
    scope.phone_lock, scope.phone_locked = "", []
