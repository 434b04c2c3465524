"""Actions about services that somebody has to approve: how a person stands, asking, and where it goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from casduo.approvals.asking import Window, new_request, read_window, requested_event, suggested
from casduo.approvals.model import Standing
from casduo.approvals.requests import ApprovalRequests, Created
from casduo.events.journal import Journal
from casduo.rules import LoginRules
from casduo.services.index import RegistrySource
from casduo.services.policies import ApprovalRule
from casduo.tickets.model import Permit
from casduo.tickets.registry import TicketRegistry
from casduo.webflow.actions import service
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.actions.session import current
from casduo.webflow.context import Context
from casduo.webflow.effects import Form, GoOn, Page, Redirect, ToStep
from casduo.webflow.engine import Pause

_FIELDS = ("start_date", "start_time", "end_date", "end_time", "reason")
_LONGEST_FIELD = 4000
"""Characters that are shown once more of what was typed; far more than is taken."""


def owed(context: Context, approvals: ApprovalRequests, rules: LoginRules, journal: Journal) -> bool:
    """Whether the service demands an approval that the person does not have now. Who comes before the time that was
    approved, or after it, is noted as having done so, once.
    """
    if context.required_service.requires_approval is None:
        return False
    found = _standing(context, approvals)
    if found.is_open:
        return False
    violation = approvals.warn_outside(context.subject, found, rules.approvals.zone, context.inbound.now)
    if violation is not None:
        journal.note(violation)
    return True


def standing(
    context: Context, approvals: ApprovalRequests, rules: LoginRules
) -> Literal["notNeeded", "open", "waiting", "early", "ask", "refused"]:
    """Say how the person stands with the service."""
    if context.required_service.requires_approval is None:
        # The registry has changed a moment ago.
        return "notNeeded"
    found = _standing(context, approvals)
    if found.is_open:
        return "open"
    if found.pending is not None:
        context.facts["request"] = found.pending.request
        return "waiting"
    if found.phase == "early" and found.line is not None:
        context.facts["request"] = found.line.request
        return "early"
    if found.refused >= rules.approvals.refusals:
        context.facts["reason"] = "refusals"
        return "refused"
    context.scope.approval_refused = found.refused
    return "ask"


def ask_at_phone(
    context: Context, approvals: ApprovalRequests, rules: LoginRules, journal: Journal
) -> Literal["open", "sent", "waiting", "early", "refused"]:
    """Ask for access from now on, for as long as it can be granted: at a phone nobody types a reason."""
    found = standing(context, approvals, rules)
    rule = context.required_service.requires_approval
    if found == "notNeeded" or rule is None:
        return "open"
    if found != "ask":
        return found
    now = context.inbound.now
    window = Window(now, now + rule.max_duration, f"At the phone {context.inbound.device}")
    outcome = _create(context, rule, window, approvals, rules, journal)
    return "sent" if outcome == "created" else "waiting" if outcome == "pending" else "refused"


def view_form(context: Context, services: RegistrySource, rules: LoginRules) -> Pause[Literal["proceed"]]:
    """The form of a request, with what was typed before. It has an address of its own, and can be loaded again."""
    scope, terms, now = context.scope, rules.approvals, context.inbound.now
    if not context.looking:
        return Pause(ToStep(rules.step_url(scope, context.next_key)))
    rule = _rule(context, services)
    if rule is None:
        return Pause(GoOn("proceed"))
    data = {
        **_about(context),
        "longest_minutes": int(rule.max_duration / 60),
        "ahead_days": int(terms.ahead / 86400),
        "waits_minutes": int(rule.expires / 60),
        "zone": terms.zone_name,
        "first_date": _day(now, rules),
        "last_date": _day(now + terms.ahead + rule.max_duration, rules),
        "values": scope.approval_form or suggested(now, rule, terms.zone),
        "problems": scope.approval_problems,
        "refused": scope.approval_refused,
        "cancel_url": rules.home_url,
    }
    return Pause(Page("approval_form", data, form=Form(rules.home_url, tuple(rules.asked(scope)))))


def read_form(context: Context, rules: LoginRules) -> Literal["complete", "incomplete", "notNeeded"]:
    """Read what was typed; all that is wrong with it is told at once."""
    if context.required_service.requires_approval is None:
        return "notNeeded"
    fields = context.inbound.fields
    context.scope.approval_form = {name: fields.get(name, "")[:_LONGEST_FIELD] for name in _FIELDS}
    return "complete" if _window(context, rules) is not None else "incomplete"


def view_review(context: Context, services: RegistrySource, rules: LoginRules) -> Pause[Literal["proceed"]]:
    """What is about to be sent, once more."""
    scope = context.scope
    if not context.looking:
        return Pause(ToStep(rules.step_url(scope, context.next_key)))
    window = _window(context, rules) if _rule(context, services) is not None else None
    if window is None:
        # Time has passed, or the registry has changed: whatever comes next says so.
        return Pause(GoOn("proceed"))
    data = {
        **_about(context),
        "start": _iso(window.start, rules),
        "end": _iso(window.end, rules),
        "zone": rules.approvals.zone_name,
        "reason": window.reason,
    }
    return Pause(Page("approval_review", data, form=Form(rules.home_url, tuple(rules.asked(scope)))))


def send(
    context: Context, approvals: ApprovalRequests, tickets: TicketRegistry, rules: LoginRules, journal: Journal
) -> Literal["sent", "notNeeded", "change", "sessionEnded", "refused"]:
    """Send the request, unless it is to be changed. One that waits already stays the only one."""
    rule = context.required_service.requires_approval
    if rule is None:
        return "notNeeded"
    window = _window(context, rules)
    if window is None or "send" not in context.inbound.fields:
        return "change"
    session = current(context)
    if session is None or tickets.find_session(session.id) is None:
        context.notice = "login.notice.signed_out"
        if session is not None:
            # Otherwise the cookie is of another session, which may well live.
            context.set_cookie = ""
        return "sessionEnded"
    found = _standing(context, approvals)
    if found.refused >= rules.approvals.refusals:
        context.facts["reason"] = "refusals"
        return "refused"
    outcome = _create(context, rule, window, approvals, rules, journal)
    if outcome == "limit":
        context.facts["reason"] = "open_requests"
        return "refused"
    if outcome == "created":
        return "sent"
    # Pressed twice, or sent from another window.
    waiting = approvals.standing(context.scope.principal_id, context.required_service.id, context.inbound.now).pending
    context.facts["request"] = waiting.request if waiting is not None else ""
    return "sent"


def to_request(context: Context, rules: LoginRules) -> Redirect:
    """Send the browser to the page of the request, which goes on by itself once the service is open."""
    request = context.facts["request"]
    return Redirect(f"{rules.requests_url}/{request}" if request else rules.requests_url)


def view_not_now(context: Context, rules: LoginRules) -> Page:
    """The page that says why no request is taken."""
    data = {**_about(context), "reason": context.facts["reason"], "requests_url": rules.requests_url, "until": None}
    return Page("approval_not_now", data, status=403)


def _create(
    context: Context,
    rule: ApprovalRule,
    window: Window,
    approvals: ApprovalRequests,
    rules: LoginRules,
    journal: Journal,
) -> Created:
    request = new_request(
        context.required_service,
        rule,
        window,
        principal=context.scope.principal_id,
        attributes=context.attributes,
        url=context.scope.service,
        room=rule.room or rules.approvals.room,
        address=context.inbound.address,
        reference=context.inbound.reference,
        now=context.inbound.now,
    )
    event = requested_event(request, context.subject)
    outcome = approvals.create(request, event, rules.approvals.most_open)
    if outcome == "created":
        journal.note(event)
        context.facts["request"] = request.id
    return outcome


def _standing(context: Context, approvals: ApprovalRequests) -> Standing:
    """Return how the person stands with the service, read in the round trip of what this request writes anyway."""
    reading = approvals.reading(context.batch, context.scope.principal_id, context.required_service.id)
    context.batch.run()
    found = reading.standing(context.inbound.now)
    if found.is_open and found.line is not None:
        context.permit = Permit(found.line.request, found.line.end)
    return found


def _rule(context: Context, services: RegistrySource) -> ApprovalRule | None:
    """Return what the service demands as the registry has it now, for a page that is shown once more."""
    return context.required_service.requires_approval if service.check(context, services) == "registered" else None


def _window(context: Context, rules: LoginRules) -> Window | None:
    """Return the time and the reason that were asked for; what is wrong with them is noted for the form."""
    rule = context.required_service.requires_approval
    if rule is None:
        return None
    terms = rules.approvals
    found = read_window(context.scope.approval_form, rule, context.inbound.now, terms.zone, terms.ahead)
    if isinstance(found, Window):
        context.scope.approval_problems = []
        return found
    context.scope.approval_problems = [
        {"field": problem.field, "message": problem.message, "facts": dict(problem.facts)} for problem in found
    ]
    return None


def _about(context: Context) -> dict[str, Any]:
    target = context.required_service.target
    facts = {"host": target.host, "ip": target.ip or "", "account": target.account or ""} if target else None
    return {"service": service_facts(context.required_service, context.url), "target": facts}


def _day(moment: float, rules: LoginRules) -> str:
    return datetime.fromtimestamp(moment, rules.approvals.zone).date().isoformat()


def _iso(moment: float, rules: LoginRules) -> str:
    return datetime.fromtimestamp(int(moment), rules.approvals.zone).isoformat()
