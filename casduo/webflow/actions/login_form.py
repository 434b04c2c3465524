"""Actions around the sign-in form: showing it, taking it back once, checking the password."""

from __future__ import annotations

from typing import Literal

from casduo.authentication.authenticator import Authenticator
from casduo.authentication.model import Authenticated, Credential, ExpiresIn, GraceLogins, PasswordWarning, Rejected
from casduo.authentication.names import canonical_username
from casduo.events.journal import Journal
from casduo.events.model import FlowRefused, SignInRefused, SignInThrottled
from casduo.mfa.strength import Strength
from casduo.rules import LoginRules
from casduo.throttling import LoginThrottle
from casduo.tickets.ids import parse_session_id
from casduo.tickets.registry import TicketRegistry
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.context import Context
from casduo.webflow.effects import Form, Page
from casduo.webflow.engine import Pause

_STATUS = {"login.error.throttled": 429, "login.error.unavailable": 503, "login.error.busy": 503}


def view(context: Context, rules: LoginRules) -> Pause[Literal["submit"]]:
    """The sign-in form. Errors keep the user name and lose the password."""
    scope = context.scope
    scope.principal_id, scope.attributes, scope.session, scope.fresh = "", {}, "", False
    hidden = [*rules.asked(scope), *([("gateway", "true")] if scope.gateway else [])]
    error = {"id": context.error, "facts": context.error_facts} if context.error else None
    who = context.session.ticket.principal_id if context.session is not None else ""
    data = {
        "service": service_facts(context.service, context.url) if context.service is not None else None,
        "username": context.username,
        "error": error,
        "notice": context.notice or None,
        "who": {"name": who, "logout_url": rules.logout_url} if who else None,
        "warn_offered": True,
        "remember_me_offered": rules.remember_me and (context.service is None or context.service.accept_remember_me),
    }
    status = _STATUS.get(context.error, 401 if context.error else 200)
    form = Form(rules.home_url, tuple(hidden))
    steady = not (error or context.notice or who or context.username)
    return Pause(Page("login", data, status=status, form=form, wait=context.wait, steady=steady))


def check(
    context: Context, throttle: LoginThrottle, tickets: TicketRegistry, rules: LoginRules, journal: Journal
) -> Literal["accepted", "used", "throttled", "incomplete"]:
    """Take the form: its key is good for one use, and too many failures close the door for a while.

    Both questions travel in one round trip, and the key is used up whatever the answer.
    """
    inbound = context.inbound
    context.username = canonical_username(inbound.fields.get("username", ""), rules.username_case)
    claim = context.batch.confirmed("SET", context.claim, "1", "NX", "EX", int(rules.form_lifetime))
    if not context.username or not inbound.fields.get("password"):
        context.batch.run()
        context.error = "login.error.missing"
        return "used" if claim.value is None else "incomplete"
    verdict = throttle.test(context.batch, context.username, inbound.address, inbound.now)
    presented = parse_session_id(inbound.session_cookie)
    live = tickets.exists(context.batch, presented.name) if presented is not None else None
    context.batch.run()
    context.stale_cookie = live is not None and not live.value
    if claim.value is None:
        if verdict.wait == 0:
            throttle.release(context.batch, context.username, inbound.address, inbound.now)
        journal.write(FlowRefused(context.subject, code="FLOW_USED"))
        context.notice = "login.notice.used"
        return "used"
    if verdict.wait:
        journal.write(SignInThrottled(context.subject, wait=verdict.wait))
        context.error, context.error_facts = "login.error.throttled", {"seconds": verdict.wait}
        context.wait = verdict.wait
        return "throttled"
    return "accepted"


def authenticate(
    context: Context, authenticator: Authenticator, throttle: LoginThrottle, rules: LoginRules, journal: Journal
) -> Literal[
    "success", "authenticationFailure", "accountLocked", "accountDisabled", "mustChangePassword", "unavailable"
]:
    """Check the password. Outside, a wrong password, an unknown name and a locked account look the same; the event
    keeps the reason.
    """
    inbound, scope = context.inbound, context.scope
    credential = Credential(context.username, inbound.fields["password"])
    allowed = context.service.authentication if context.service is not None else ()
    outcome = authenticator.authenticate(credential, inbound.now, allowed)
    if isinstance(outcome, Rejected):
        return _refuse(context, outcome, throttle, journal)
    throttle.forgive(context.batch, context.username, inbound.address, inbound.now)
    accept(context, outcome)
    scope.ask_before = bool(inbound.fields.get("warn"))
    scope.remembered = rules.remember_me and bool(inbound.fields.get("rememberMe"))
    return "success"


def accept(context: Context, outcome: Authenticated) -> None:
    """Take note of who it is. Nothing of an earlier sign-in stands any more."""
    scope = context.scope
    scope.principal_id = outcome.principal.id
    scope.attributes = {name: list(values) for name, values in outcome.principal.attributes.items()}
    scope.handler = outcome.handler
    scope.authenticated_at = context.inbound.now
    scope.fresh = True
    scope.session = ""
    scope.warnings = [_warning_facts(warning) for warning in outcome.warnings]
    # A new password proves nothing about a second factor: renew asks for both.
    context.strength = Strength()


def _refuse(
    context: Context, outcome: Rejected, throttle: LoginThrottle, journal: Journal
) -> Literal["authenticationFailure", "accountLocked", "accountDisabled", "mustChangePassword", "unavailable"]:
    inbound = context.inbound
    journal.write(
        SignInRefused(
            context.subject,
            reason=outcome.reason,
            handler=outcome.handler,
            detail=outcome.detail,
        ),
        context.batch,
    )
    if outcome.reason in ("unavailable", "busy"):
        throttle.release(context.batch, context.username, inbound.address, inbound.now)
        context.error, context.wait = f"login.error.{outcome.reason}", 10
        return "unavailable"
    throttle.fail(context.batch, context.username, inbound.address, inbound.now)
    if outcome.proved and outcome.reason in ("disabled", "not_permitted_now"):
        context.error = "login.error.disabled"
        return "accountDisabled"
    if outcome.proved and outcome.reason in ("must_change", "expired"):
        context.error = f"login.error.{outcome.reason}"
        return "mustChangePassword"
    context.error = "login.error.credentials"
    return "accountLocked" if outcome.reason == "locked" else "authenticationFailure"


def _warning_facts(warning: PasswordWarning) -> dict[str, object]:
    match warning:
        case GraceLogins(left=left):
            return {"logins": left}
        case ExpiresIn(seconds=seconds):
            return {"days": seconds // 86400}
