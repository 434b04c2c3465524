"""Actions of the Duo subflow for browsers, and the pages that its outcomes lead to.

Failing open is decided in two places only, health check and preauth: before any factor was offered. Once a prompt has
begun nothing but Duo's "allow" opens a service; otherwise cutting the line at the right moment would defeat Duo.
"""

from __future__ import annotations

from typing import Literal

from casduo.events.journal import Journal
from casduo.events.model import DuoAnswered, DuoAsked, DuoBypassed, Fault
from casduo.mfa.duo.errors import DuoBadParameter, DuoBadToken, DuoFailure, DuoStale
from casduo.mfa.duo.gateway import DuoGateway, PreauthResult
from casduo.mfa.policy import owed as duo_owed
from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, Strength
from casduo.rules import LoginRules
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.context import Context
from casduo.webflow.effects import Form, Page, Redirect
from casduo.webflow.engine import Pause

_REASONS = {"timeout": "timeout", "locked_out": "locked_out"}
_FINAL_REASONS = frozenset({"locked_out", "policy", "not_asked"})
"""Refusals that trying again cannot change."""


def owed(context: Context, rules: LoginRules) -> Literal["notOwed", "owed"]:
    """Ask the rules whether this person owes Duo for this service now."""
    entry = context.required_service
    decision = duo_owed(
        entry.duo_rule,
        context.attributes,
        context.inbound.address,
        context.strength,
        context.inbound.now,
        group_attributes=rules.group_attributes,
    )
    context.facts["duo_reasons"] = decision.reasons
    return "owed" if decision.owed else "notOwed"


def health_check(
    context: Context, duo: DuoGateway, rules: LoginRules, journal: Journal
) -> Literal["success", "bypass", "unavailable"]:
    """Ask whether Duo can be used now, and decide by the service's fail mode if it cannot."""
    health = duo.health()
    if health.ok:
        return "success"
    return _without_duo(context, rules, journal, health.detail, health.message, may_open=health.may_fail_open)


def enrolment_check(
    context: Context, duo: DuoGateway, rules: LoginRules, journal: Journal
) -> Literal["auth", "unenrolled", "allowed", "denied", "bypass", "unavailable"]:
    """Ask Duo about the person before any prompt (preauth): has a device, has none, may pass, may not."""
    try:
        preauth = duo.preauth(context.scope.principal_id, context.inbound.address)
    except DuoBadParameter as failure:
        if failure.detail in ("username", "user_id"):
            return _unenrolled(context, journal, None)
        return _without_duo(context, rules, journal, failure.detail, failure.message, may_open=False)
    except DuoFailure as failure:
        return _without_duo(context, rules, journal, failure.detail, failure.message, may_open=failure.may_fail_open)
    match preauth.result:
        case PreauthResult.AUTH:
            return "auth"
        case PreauthResult.ENROLL:
            return _unenrolled(context, journal, preauth.enroll_portal_url)
        case PreauthResult.ALLOW if rules.duo_accept_allow:
            journal.write(DuoAnswered(context.subject, outcome="bypassed", detail="preauth allow"))
            _bypass(context, DUO_BYPASS)
            return "allowed"
        case PreauthResult.ALLOW:
            journal.write(DuoAnswered(context.subject, outcome="denied", detail="preauth allow is not accepted"))
            _denied(context, "not_asked", "")
            return "denied"
        case PreauthResult.DENY:
            journal.write(DuoAnswered(context.subject, outcome="denied", detail="preauth deny"))
            _denied(context, "policy", preauth.status_message)
            return "denied"


def universal_prompt(context: Context, duo: DuoGateway, journal: Journal) -> Pause[Literal["return"]]:
    """Send the browser to Duo. The state that Duo hands back is this flow's own next key: one use, bound to browser,
    person and service, and good for nothing elsewhere.
    """
    scope = context.scope
    scope.duo_nonce = duo.new_nonce()
    journal.write(
        DuoAsked(
            context.subject,
            reasons="; ".join(context.facts.get("duo_reasons", ())),
        )
    )
    return Pause(Redirect(duo.prompt_url(scope.principal_id, context.next_key, scope.duo_nonce)))


def universal_return(
    context: Context, duo: DuoGateway, journal: Journal
) -> Literal["allowed", "denied", "fraud", "stale", "unavailable"]:
    """Turn what the browser brought back from Duo into a verdict that Duo itself vouches for."""
    scope, fields = context.scope, context.inbound.fields
    nonce, scope.duo_nonce = scope.duo_nonce, ""
    if fields.get("error") or not fields.get("duo_code"):
        journal.write(
            DuoAnswered(context.subject, outcome="stale", detail="error at Duo" if fields.get("error") else "no code")
        )
        context.verdict = "duoRestart"
        return "stale"
    try:
        verdict = duo.exchange(fields["duo_code"], scope.principal_id, nonce)
    except (DuoStale, DuoBadToken) as failure:
        if failure.detail == "username":
            # The names differ between casduo and Duo for good: beginning again would only go round in a circle.
            journal.write(
                Fault(context.subject, code=failure.code, detail="Duo answered for another spelling of the user name")
            )
            context.verdict = "duoUnavailable"
            return "unavailable"
        journal.write(DuoAnswered(context.subject, outcome="stale", detail=failure.detail))
        context.verdict = "duoRestart"
        return "stale"
    except DuoFailure as failure:
        journal.write(Fault(context.subject, code=failure.code, detail=failure.message or failure.detail))
        context.verdict = "duoUnavailable"
        return "unavailable"
    if verdict.allowed:
        journal.write(DuoAnswered(context.subject, outcome="allowed", factor=verdict.factor, transaction=verdict.txid))
        context.strength = Strength.duo(verdict.factor, context.inbound.now)
        context.facts["strength_raised"] = True
        return "allowed"
    if verdict.status == "fraud" and verdict.factor != "passcode":
        journal.write(DuoAnswered(context.subject, outcome="fraud", factor=verdict.factor, transaction=verdict.txid))
        return "fraud"
    journal.write(
        DuoAnswered(
            context.subject, outcome="denied", factor=verdict.factor, transaction=verdict.txid, detail=verdict.status
        )
    )
    _denied(context, _REASONS.get(verdict.status, "refused"), verdict.status_message)
    return "denied"


def view_unavailable(context: Context, rules: LoginRules) -> Page:
    """Duo cannot be asked and the service stays closed. Trying again asks for Duo only, not for the password."""
    return Page("duo_unavailable", _facts(context), status=503, form=Form(rules.login_url(context.scope)), wait=10)


def view_denied(context: Context, rules: LoginRules) -> Page:
    """Duo said no; Duo's own words are shown with ours."""
    reason = context.facts.get("duo_reason", "refused")
    data = {
        **_facts(context),
        "reason": f"duo_denied.reason.{reason}",
        "status": context.facts.get("duo_message") or None,
        "ended": False,
    }
    form = None if reason in _FINAL_REASONS else Form(rules.login_url(context.scope))
    return Page("duo_denied", data, status=403, form=form)


def view_fraud(context: Context) -> Page:
    """A sign-in that its owner disowned. The page stays neutral: whoever has the password may be reading it."""
    data = {**_facts(context), "reason": "duo_denied.reason.policy", "status": None, "ended": True}
    return Page("duo_denied", data, status=403)


def view_unenrolled(context: Context, rules: LoginRules) -> Page:
    """No device yet: how to get one, and that everything else already works."""
    entry = context.required_service
    address = entry.enrollment_url or rules.duo_enrollment_url or context.facts.get("duo_portal")
    data = {
        **_facts(context),
        "enrolment_url": address or None,
        "continue_url": rules.login_url(context.scope),
    }
    return Page("duo_unenrolled", data, status=403)


def view_restart(context: Context, rules: LoginRules) -> Page:
    """What came back from Duo is of no use (any more): begin again."""
    return Page("duo_restart", {"retry_url": rules.login_url(context.scope)}, status=400)


def _facts(context: Context) -> dict[str, object]:
    return {"service": service_facts(context.required_service, context.url)}


def _unenrolled(context: Context, journal: Journal, portal: str | None) -> Literal["unenrolled"]:
    journal.write(DuoAnswered(context.subject, outcome="unenrolled"))
    context.verdict = "duoUnenrolled"
    # Made by Duo for this person, once and for a few minutes: shown now, kept nowhere.
    context.facts["duo_portal"] = portal
    return "unenrolled"


def _denied(context: Context, reason: str, message: str) -> None:
    context.verdict = "duoDenied"
    context.facts["duo_reason"] = reason
    context.facts["duo_message"] = message


def _bypass(context: Context, why: str) -> None:
    """Mark that Duo was due and did not happen. An older yes of Duo's is worth more and stays: it was too old for this
    service, not for others.
    """
    if context.strength.level != "duo":
        context.strength = Strength.bypassed(why, context.inbound.now)
        context.facts["strength_raised"] = True


def _without_duo(
    context: Context, rules: LoginRules, journal: Journal, detail: str, message: str, *, may_open: bool
) -> Literal["bypass", "unavailable"]:
    entry = context.required_service
    mode = (entry.duo_rule.fail if entry.duo_rule is not None else None) or rules.duo_fail
    if may_open and mode == "open":
        _bypass(context, UNAVAILABLE)
        journal.write(
            DuoBypassed(
                context.subject,
                detail=detail,
            )
        )
        return "bypass"
    journal.write(Fault(context.subject, code="DUO", detail=f"{detail}: {message}" if message else detail))
    context.verdict = "duoUnavailable"
    return "unavailable"
