"""Actions of the Duo subflow: what is owed, how Duo is, what it says of the person, Duo's own prompt, and the pages
that outcomes lead to. The built-in page has its own module.

Failing open is decided in two places only, health check and preauth: before any factor was offered. Once a factor was
offered nothing but Duo's "allow" opens a service; otherwise cutting the line at the right moment would defeat Duo.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from casduo.enrollment.links import EnrollmentLinks
from casduo.events.journal import Journal
from casduo.events.model import DuoAnswered, DuoAsked, DuoBypassed, Fault
from casduo.meter import meter
from casduo.mfa.duo.applications import DuoApplications
from casduo.mfa.duo.errors import DuoBadParameter, DuoBadToken, DuoFailure, DuoStale
from casduo.mfa.duo.gateway import Device, DuoGateway, HealthState, Preauth, PreauthResult
from casduo.mfa.duo.pushes import Pushes, PushName
from casduo.mfa.duo.reports import Reports
from casduo.mfa.policy import DuoDecision
from casduo.mfa.policy import owed as duo_owed
from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, UNENROLLED, Strength
from casduo.mfa.terms import DuoTerms
from casduo.mfa.trust import TrustedBrowsers
from casduo.rules import LoginRules
from casduo.services.access import Attributes
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.context import Context
from casduo.webflow.effects import Form, Page, Redirect
from casduo.webflow.engine import Pause

_REASONS = {"timeout": "timeout", "locked_out": "locked_out"}
FINAL_REASONS = frozenset({"locked_out", "policy", "not_asked"})
"""Refusals that trying again cannot change."""


def terms_of(context: Context, rules: LoginRules) -> DuoTerms:
    """Return how Duo is asked for the requested service."""
    entry = context.required_service
    terms = rules.duo.terms(entry.duo_rule)
    return terms.on_phones() if entry.channel == "phone" else terms


def gateway_of(context: Context, rules: LoginRules, duo: DuoApplications) -> DuoGateway:
    """Return the Duo application that the requested service goes by."""
    return duo.of(terms_of(context, rules).application)


def owed(
    context: Context, rules: LoginRules, trusted: TrustedBrowsers, reports: Reports, journal: Journal
) -> Literal["notOwed", "owed"]:
    """Ask the rules whether this person owes Duo for this service now, and whether this browser is trusted enough."""
    entry, scope = context.required_service, context.scope
    decision = decide(context, rules, context.attributes, context.strength)
    if decision.reported:
        application = terms_of(context, rules).application
        reports.add(context.batch, scope.principal_id, entry.id, application, context.inbound.address, decision.reasons)
    if decision.owed and (mark := _trusted(context, rules, trusted)) is not None:
        context.strength = mark
        context.scope.strength_raised = True
        journal.write(DuoAnswered(context.subject, outcome="allowed", factor="trusted_browser"), context.batch)
        return "notOwed"
    context.facts["duo_reasons"] = decision.reasons
    scope.duo_optional = decision.mode == "optional" and not scope.duo_asked
    return "owed" if decision.owed else "notOwed"


def decide(context: Context, rules: LoginRules, attributes: Attributes, strength: Strength) -> DuoDecision:
    """Decide what the requested service demands of somebody with these attributes, and whether ``strength`` pays."""
    return duo_owed(
        context.required_service.duo_rule,
        attributes,
        context.inbound.address,
        strength,
        context.inbound.now,
        group_attributes=rules.group_attributes,
        trusted_browser=terms_of(context, rules).trusted_browser,
        raised=context.scope.duo_asked,
    )


def _trusted(context: Context, rules: LoginRules, trusted: TrustedBrowsers) -> Strength | None:
    """Return the mark of this browser where it is trusted and pays what is owed. ``renew`` asks for more than that."""
    inbound = context.inbound
    if not inbound.trust_cookie or context.scope.renew or not terms_of(context, rules).trusted_browser:
        return None
    trust = trusted.look(inbound.trust_cookie, context.scope.principal_id, inbound.now)
    if trust is None:
        return None
    mark = Strength.trusted(trust.at, trust.application)
    return None if decide(context, rules, context.attributes, mark).owed else mark


def health_check(
    context: Context, duo: DuoApplications, rules: LoginRules, journal: Journal
) -> Literal["success", "bypass", "unavailable"]:
    """Ask whether Duo can be used now, and decide by the service's fail mode if it cannot.

    While only Duo's own page is down, ours takes its place.
    """
    scope, gateway = context.scope, gateway_of(context, rules, duo)
    scope.duo_page, scope.duo_notice = terms_of(context, rules).prompt, {}
    health = gateway.health(prompt=scope.duo_page == "universal")
    half_down = health.state is HealthState.UNAVAILABLE and health.auth_api_answers
    if scope.duo_page == "universal" and half_down and rules.duo_fallback and gateway.health(prompt=False).ok:
        scope.duo_page, scope.duo_notice = "push", {"id": "duo_push.notice.fallback"}
        return "success"
    if health.ok:
        return "success"
    return _without_duo(context, rules, journal, health.detail, health.message, may_open=health.may_fail_open)


def enrolment_check(
    context: Context, duo: DuoApplications, pushes: Pushes, rules: LoginRules, journal: Journal
) -> Literal["auth", "unenrolled", "allowed", "denied", "bypass", "unavailable"]:
    """Ask Duo about the person before any prompt (preauth): has a device, has none, may pass, may not. Unless it is the
    first, a push of this login is forgotten.
    """
    event = _ask_about_person(context, duo, rules, journal)
    name = PushName.parse(context.scope.duo_push)
    if event != "auth" and name is not None:
        pushes.drop(name)
    return event


def _ask_about_person(
    context: Context, duo: DuoApplications, rules: LoginRules, journal: Journal
) -> Literal["auth", "unenrolled", "allowed", "denied", "bypass", "unavailable"]:
    try:
        preauth = gateway_of(context, rules, duo).preauth(context.scope.principal_id, context.inbound.address)
    except DuoBadParameter as failure:
        if failure.detail in ("username", "user_id"):
            return _unenrolled(context, journal)
        return _without_duo(context, rules, journal, failure.detail, failure.message, may_open=False)
    except DuoFailure as failure:
        return _without_duo(context, rules, journal, failure.detail, failure.message, may_open=failure.may_fail_open)
    match preauth.result:
        case PreauthResult.AUTH:
            _note_devices(context, preauth)
            return "auth"
        case PreauthResult.ENROLL:
            return _unenrolled(context, journal)
        case PreauthResult.ALLOW:
            return "allowed" if _let_pass(context, rules, journal, "preauth allow") else "denied"
        case PreauthResult.DENY:
            journal.write(DuoAnswered(context.subject, outcome="denied", detail="preauth deny"), context.batch)
            deny(context, "policy", preauth.status_message)
            return "denied"


def _note_devices(context: Context, preauth: Preauth) -> None:
    context.scope.duo_devices = [
        {"id": device.id, "kind": device.kind, "label": device.label, "can": sorted(device.capabilities)}
        for device in preauth.devices
    ]
    # For the push that goes out in this very run; a later one asks anew.
    context.facts["duo_verified"] = preauth.verified


def devices_of(context: Context) -> list[Device]:
    """Return what preauth listed."""
    return [Device(one["id"], one["kind"], one["label"], frozenset(one["can"])) for one in context.scope.duo_devices]


def page_is_universal(context: Context) -> bool:
    """Whether Duo's own page is shown, and not ours."""
    return context.scope.duo_page == "universal"


def universal_prompt(
    context: Context, duo: DuoApplications, rules: LoginRules, journal: Journal
) -> Pause[Literal["return"]]:
    """Send the browser to Duo. The state that Duo hands back is this flow's own next key: one use, bound to browser,
    person and service, and good for nothing elsewhere.
    """
    scope, gateway = context.scope, gateway_of(context, rules, duo)
    scope.duo_nonce, scope.duo_prompted_at = gateway.new_nonce(), context.inbound.now
    journal.write(
        DuoAsked(context.subject, reasons="; ".join(context.facts.get("duo_reasons", ())), factor="prompt"),
        context.batch,
    )
    return Pause(Redirect(gateway.prompt_url(scope.principal_id, context.next_key, scope.duo_nonce)))


def universal_return(
    context: Context, duo: DuoApplications, rules: LoginRules, journal: Journal
) -> Literal["allowed", "bypassed", "denied", "fraud", "stale", "unavailable"]:
    """Turn what the browser brought back from Duo into a verdict that Duo itself vouches for. Whom the prompt let pass
    unasked has not passed Duo: the prompt's policy may be another one than that of preauth, or have changed since.
    """
    scope, fields = context.scope, context.inbound.fields
    nonce, scope.duo_nonce = scope.duo_nonce, ""
    if fields.get("error") or not fields.get("duo_code"):
        journal.write(
            DuoAnswered(context.subject, outcome="stale", detail="error at Duo" if fields.get("error") else "no code"),
            context.batch,
        )
        context.verdict = "duoRestart"
        return "stale"
    try:
        verdict = gateway_of(context, rules, duo).exchange(fields["duo_code"], scope.principal_id, nonce)
    except (DuoStale, DuoBadToken) as failure:
        if failure.detail == "username":
            # The names differ between casduo and Duo for good: beginning again would only go round in a circle.
            journal.write(
                Fault(context.subject, code=failure.code, detail="Duo answered for another spelling of the user name")
            )
            context.verdict = "duoUnavailable"
            return "unavailable"
        journal.write(DuoAnswered(context.subject, outcome="stale", detail=failure.detail), context.batch)
        context.verdict = "duoRestart"
        return "stale"
    except DuoFailure as failure:
        journal.write(Fault(context.subject, code=failure.code, detail=failure.message or failure.detail))
        context.verdict = "duoUnavailable"
        return "unavailable"
    if verdict.unasked:
        return "bypassed" if _let_pass(context, rules, journal, "prompt allow", verdict.txid) else "denied"
    outcome = "allowed" if verdict.allowed else "fraud" if verdict.status == "fraud" else "denied"
    meter().duo_answered("prompt", outcome, context.inbound.now - scope.duo_prompted_at)
    if verdict.allowed:
        journal.write(
            DuoAnswered(context.subject, outcome="allowed", factor=verdict.factor, transaction=verdict.txid),
            context.batch,
        )
        prove(context, rules, verdict.factor)
        return "allowed"
    if verdict.status == "fraud" and verdict.factor != "passcode":
        journal.write(
            DuoAnswered(context.subject, outcome="fraud", factor=verdict.factor, transaction=verdict.txid),
            context.batch,
        )
        return "fraud"
    journal.write(
        DuoAnswered(
            context.subject, outcome="denied", factor=verdict.factor, transaction=verdict.txid, detail=verdict.status
        ),
        context.batch,
    )
    deny(context, _REASONS.get(verdict.status, "refused"), verdict.status_message)
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
    form = None if reason in FINAL_REASONS else Form(rules.login_url(context.scope))
    return Page("duo_denied", data, status=403, form=form)


def view_fraud(context: Context) -> Page:
    """A sign-in that its owner disowned. The page stays neutral: whoever has the password may be reading it."""
    data = {**_facts(context), "reason": "duo_denied.reason.policy", "status": None, "ended": True}
    return Page("duo_denied", data, status=403)


def view_unenrolled(context: Context, rules: LoginRules, links: EnrollmentLinks) -> Page:
    """No device yet: how to get one, and that everything else already works."""
    entry = context.required_service
    external = entry.enrollment_url or terms_of(context, rules).enrollment_url
    asked, now = context.scope.asked(), context.inbound.now
    if external:
        address: str | None = links.external(external, asked, now)
    else:
        address = links.built_in(asked, now) if rules.duo_enrollment else None
    data = {
        **_facts(context),
        "enrolment_url": address,
        "expires": int(links.lifetime // 60) if address else None,
        "continue_url": rules.login_url(context.scope),
    }
    return Page("duo_unenrolled", data, status=403)


def view_refused(context: Context, rules: LoginRules) -> Page:
    """No device, and an application that sends such people back to the sign-in page."""
    again = rules.login_url(replace(context.scope, renew=True))
    return Page("duo_refused", {**_facts(context), "sign_in_url": again}, status=403)


def view_restart(context: Context, rules: LoginRules) -> Page:
    """What came back from Duo is of no use (any more): begin again."""
    return Page("duo_restart", {"retry_url": rules.login_url(context.scope)}, status=400)


def prove(context: Context, rules: LoginRules, factor: str) -> None:
    """Mark that Duo said yes."""
    context.strength = Strength.duo(factor, context.inbound.now, terms_of(context, rules).application)
    context.scope.strength_raised = True


def deny(context: Context, reason: str, message: str) -> None:
    """Note a refusal: the id of our text for it, and Duo's own words."""
    context.verdict = "duoDenied"
    context.facts["duo_reason"] = reason
    context.facts["duo_message"] = message


def without_device(context: Context, journal: Journal) -> None:
    """Note that the person has nothing to answer Duo with."""
    journal.write(DuoAnswered(context.subject, outcome="unenrolled"), context.batch)
    refuse = context.required_service.unenrolled == "refuse"
    context.verdict = "duoRefused" if refuse else "duoUnenrolled"


def _facts(context: Context) -> dict[str, object]:
    return {"service": service_facts(context.required_service, context.url)}


def _unenrolled(context: Context, journal: Journal) -> Literal["unenrolled", "allowed"]:
    if context.scope.duo_optional:
        journal.write(
            DuoAnswered(context.subject, outcome="bypassed", detail="no device, and Duo is optional"), context.batch
        )
        _bypass(context, UNENROLLED)
        return "allowed"
    without_device(context, journal)
    return "unenrolled"


def _let_pass(context: Context, rules: LoginRules, journal: Journal, detail: str, transaction: str = "") -> bool:
    """Decide about somebody from whom Duo wants no factor. Returns whether the settings take that."""
    if terms_of(context, rules).accept_allow:
        answered = DuoAnswered(context.subject, outcome="bypassed", transaction=transaction, detail=detail)
        journal.write(answered, context.batch)
        _bypass(context, DUO_BYPASS)
        return True
    detail = f"{detail} is not accepted"
    journal.write(DuoAnswered(context.subject, outcome="denied", transaction=transaction, detail=detail), context.batch)
    deny(context, "not_asked", "")
    return False


def _bypass(context: Context, why: str) -> None:
    """Mark that Duo was due and did not happen. An older yes of Duo's stays beside it: it was too old for this service,
    or of another application, not for others.
    """
    context.strength = context.strength.after_bypass(why, context.inbound.now)
    context.scope.strength_raised = True


def _without_duo(
    context: Context, rules: LoginRules, journal: Journal, detail: str, message: str, *, may_open: bool
) -> Literal["bypass", "unavailable"]:
    if may_open and not context.scope.duo_offered and terms_of(context, rules).fail == "open":
        _bypass(context, UNAVAILABLE)
        journal.write(DuoBypassed(context.subject, detail=detail), context.batch)
        return "bypass"
    journal.write(Fault(context.subject, code="DUO", detail=f"{detail}: {message}" if message else detail))
    context.verdict = "duoUnavailable"
    return "unavailable"
