"""Actions around the form of a phone: its limits, the PIN, and the key that was pressed twice."""

from __future__ import annotations

from typing import Literal

from casduo.authentication.authenticator import Authenticator
from casduo.authentication.model import Credential, Rejected
from casduo.authentication.names import canonical_username
from casduo.events.journal import Journal
from casduo.events.model import SignInRefused, SignInThrottled
from casduo.phone.open_logins import OpenLogins
from casduo.phone.rules import PhoneRules
from casduo.rules import LoginRules
from casduo.throttling import PinThrottle
from casduo.ucm.model import is_pin
from casduo.webflow.actions.login_form import accept
from casduo.webflow.context import Context
from casduo.webflow.effects import Join
from casduo.webflow.stands import FlowStands

PinOutcome = Literal["success", "wrong", "locked", "mustChange", "noName", "unavailable", "busy"]


def check(
    context: Context, pins: PinThrottle, rules: LoginRules, journal: Journal
) -> Literal["accepted", "incomplete", "throttled"]:
    """Look at the limits before anything else, and at the form. UCM is asked about nothing that cannot be a PIN."""
    fields = context.inbound.fields
    context.username = canonical_username(fields.get("userid", ""), rules.username_case)
    if not context.username or not fields.get("pin"):
        context.error = "phone.form.error.missing"
        return "incomplete"
    return test_limits(context, context.username, pins, journal)


def test_limits(context: Context, userid: str, pins: PinThrottle, journal: Journal) -> Literal["accepted", "throttled"]:
    """Ask whether another PIN may be tried, and note that one is under way."""
    inbound = context.inbound
    verdict = pins.test(context.batch, userid, inbound.device, inbound.address, inbound.now)
    context.batch.run()
    if not verdict.wait:
        return "accepted"
    journal.write(SignInThrottled(context.subject, wait=verdict.wait))
    context.wait = verdict.wait
    return "throttled"


def authenticate(
    context: Context, pin_authenticator: Authenticator, pins: PinThrottle, phone_rules: PhoneRules, journal: Journal
) -> PinOutcome:
    """Check the PIN, and learn who it is. Unknown people, wrong PINs and locked accounts look alike at the phone."""
    return try_pin(context, context.username, pin_authenticator, pins, phone_rules, journal)


def try_pin(
    context: Context,
    userid: str,
    pin_authenticator: Authenticator,
    pins: PinThrottle,
    phone_rules: PhoneRules,
    journal: Journal,
) -> PinOutcome:
    """Check the PIN of ``userid`` that the form brought. Who is known then stands in the scope; what the form says when
    it is shown once more, in the context.
    """
    inbound = context.inbound
    device, address, now = inbound.device, inbound.address, inbound.now
    pin = inbound.fields.get("pin", "")
    names = context.required_service.authentication or phone_rules.pin_handlers
    outcome = (
        pin_authenticator.authenticate(Credential(userid, pin), now, names)
        if names and is_pin(pin)
        else Rejected("wrong" if names else "unavailable", detail="malformed" if names else "no handler for PINs")
    )
    if not isinstance(outcome, Rejected):
        pins.forgive(context.batch, userid, device, address, now)
        accept(context, outcome)
        return "success"
    journal.write(
        SignInRefused(context.subject, reason=outcome.reason, handler=outcome.handler, detail=outcome.detail),
        context.batch,
    )
    if outcome.reason in ("unavailable", "busy"):
        pins.release(context.batch, userid, device, address, now)
        if outcome.reason != "busy":
            return "unavailable"
        # A PIN is kept nowhere, so it has to be typed again.
        context.error = "phone.form.error.busy"
        return "busy"
    if outcome.proved:
        # The PIN was right: nobody guessed.
        pins.forgive(context.batch, userid, device, address, now)
        return "mustChange" if outcome.reason in ("must_change", "expired") else "noName"
    pins.fail(context.batch, userid, device, address, now)
    context.error = "phone.form.error.credentials"
    return "locked" if outcome.reason == "locked" else "wrong"


def join(context: Context, open_logins: OpenLogins, stands: FlowStands) -> Literal["alone", "joined"]:
    """See whether this person's login is under way at this phone already: a key was pressed twice. Then that one goes
    on, and nobody is sent a second request. Somebody else's, or one that has ended, gives way.
    """
    inbound, userid = context.inbound, context.scope.phone_user
    # First, so that whoever is told of this login finds it.
    stands.begin(context.batch, context.next_key, inbound.flow_cookie, inbound.now)
    found = open_logins.begin(context.batch, inbound.flow_cookie, userid, context.next_key)
    while found is not None:
        if found.same_person and stands.wait_for_somebody(found.execution, inbound.now):
            context.facts["joined"] = found.execution
            return "joined"
        # Of several that find the same one ended, one takes its place; the others go on with that one.
        found = open_logins.begin(context.batch, inbound.flow_cookie, userid, context.next_key, instead=found)
    return "alone"


def joined(context: Context) -> Join:
    """The page of the login that is under way."""
    return Join(context.facts["joined"])
