"""What the built-in Duo page shows, and the page after it on which a browser can be trusted."""

from __future__ import annotations

import math
from typing import Any, Literal

from casduo.mfa.duo.pushes import SETTLED, Push, Pushes, PushName
from casduo.mfa.duo.ways import Way, named_way, ways_of
from casduo.mfa.trust import TrustedBrowsers
from casduo.rules import LoginRules
from casduo.services.index import RegistrySource
from casduo.signing import Purpose, Signing, fingerprint
from casduo.tickets.ids import parse_session_id
from casduo.tickets.registry import TicketRegistry
from casduo.webflow.actions import service
from casduo.webflow.actions.duo import decide, devices_of, terms_of
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.context import Context
from casduo.webflow.effects import TRUST_COOKIE, Form, GoOn, NewCookie, Page, ToStep
from casduo.webflow.engine import Pause

AGAIN_AFTER = 30
"""Seconds after which "send again" is offered plainly."""

_STATUS = {"limited": 429}
_STILL = "still"
"""Parameter of the page that does not load itself anew, for those who type a code without scripts."""
_DAY = 86400


def session_mark(cookie: str) -> str:
    """Return what tells one session cookie from another without being one; empty for none."""
    return fingerprint(cookie)[:16] if cookie else ""


def view(
    context: Context,
    pushes: Pushes,
    tickets: TicketRegistry,
    services: RegistrySource,
    signing: Signing,
    rules: LoginRules,
) -> Pause[Literal["proceed"]]:
    """The page to wait on. It has an address of its own, so that loading it again sends nothing again; once there is
    news, whoever asks for it goes on instead.
    """
    scope, inbound = context.scope, context.inbound
    if not context.looking:
        return Pause(ToStep(rules.step_url(scope, context.next_key)))
    if service.check(context, services) != "registered":
        return Pause(GoOn("proceed"))
    name = PushName.parse(scope.duo_push)
    push = pushes.read(name, inbound.now) if name is not None else None
    if name is not None and (push is None or push.state in SETTLED):
        return Pause(GoOn("proceed"))
    state = "signed_in" if _signed_in_elsewhere(context, tickets, rules) else scope.duo_state or "codes"
    error: dict[str, Any] | None = scope.duo_error or None
    devices = devices_of(context)
    data = {
        "service": service_facts(context.required_service, context.url),
        "state": state,
        "request": _request(push, inbound.now) if push is not None else None,
        "error": _told(error),
        "notice": _told(scope.duo_notice or None),
        "ways": [_shown(way, scope.duo_way) for way in ways_of(devices)],
        "again_in": _again_in(push, inbound.now),
        "tries": error.get("tries") if error else None,
        "wait": int((error or {}).get("facts", {}).get("seconds", 0)),
        "passcodes": True,
        # A token that types letters is a keyboard of its own; people type digits.
        "digits_only": rules.duo_passcodes.startswith("[0-9]"),
        "status_url": _status_url(name, context, signing, rules),
        "refresh_url": rules.step_url(scope, context.next_key),
        "still_url": "" if inbound.fields.get(_STILL) else f"{rules.step_url(scope, context.next_key)}&{_STILL}=true",
        "default_way": scope.duo_way,
        "default_device": getattr(named_way(devices, scope.duo_way), "label", ""),
        "continue_url": rules.login_url(scope),
        "other": scope.duo_other or None,
    }
    status = 200 if push is not None else _STATUS.get(state, 200)
    return Pause(Page("duo_push", data, status=status, form=Form(rules.home_url, tuple(rules.asked(scope)))))


def _signed_in_elsewhere(context: Context, tickets: TicketRegistry, rules: LoginRules) -> bool:
    """Whether this person signed in meanwhile in another window of this browser, well enough for this service."""
    inbound, scope = context.inbound, context.scope
    if session_mark(inbound.session_cookie) in ("", scope.duo_cookie):
        return False
    presented = parse_session_id(inbound.session_cookie)
    found = tickets.find_session(presented) if presented is not None else None
    if found is None or found.principal_id != scope.principal_id or scope.renew:
        return False
    return not decide(context, rules, found.attributes, found.strength).owed


def _request(push: Push, now: float) -> dict[str, Any]:
    return {
        "factor": push.factor,
        "device": push.device,
        "seconds": max(0, math.ceil(push.ends_at - now)),
        "code": push.code,
        "said": push.status_message,
        "status": push.status,
    }


def _told(text: dict[str, Any] | None) -> dict[str, Any] | None:
    return {"id": text["id"], "facts": text.get("facts", {}), "said": text.get("said") or None} if text else None


def _shown(way: Way, present: str) -> dict[str, Any]:
    return {"value": way.text, "kind": way.kind, "device": way.label, "again": way.text == present}


def _again_in(push: Push | None, now: float) -> int:
    return max(0, math.ceil(push.sent_at + AGAIN_AFTER - now)) if push is not None else 0


def _status_url(name: PushName | None, context: Context, signing: Signing, rules: LoginRules) -> str:
    """Return where a script asks for news. The key says of what, and for which browser; it opens nothing."""
    if name is None:
        return ""
    inbound = context.inbound
    value = [name.text, fingerprint(inbound.flow_cookie)[:32], session_mark(inbound.session_cookie)]
    return f"{rules.base}/duo/push/status?key={signing.dumps(Purpose.DUO_PUSH, value, inbound.now)}"


def trust_offered(context: Context, trusted: TrustedBrowsers, rules: LoginRules) -> bool:
    """Whether the person may choose not to be asked in this browser for a while: where the service allows it and what
    this browser already has is not enough.
    """
    terms, inbound = terms_of(context, rules), context.inbound
    if not terms.trusted_browser or not inbound.trust_cookie:
        return terms.trusted_browser > 0
    trust = trusted.look(inbound.trust_cookie, context.scope.principal_id, inbound.now)
    return trust is None or inbound.now - trust.at > terms.trusted_browser or trust.application != terms.application


def view_trust(context: Context, services: RegistrySource, rules: LoginRules) -> Pause[Literal["proceed"]]:
    """The page that asks whether this browser is the person's own."""
    if not context.looking:
        return Pause(ToStep(rules.step_url(context.scope, context.next_key)))
    if service.check(context, services) != "registered":
        return Pause(GoOn("proceed"))
    data = {
        "service": service_facts(context.required_service, context.url),
        "days": max(1, int(terms_of(context, rules).trusted_browser // _DAY)),
    }
    return Pause(Page("duo_trust", data, form=Form(rules.home_url, tuple(rules.asked(context.scope)))))


def trust(context: Context, trusted: TrustedBrowsers, tickets: TicketRegistry, rules: LoginRules) -> Literal["success"]:
    """Take note of the answer. Where everything of the person was ended since Duo's yes, what was trusted was forgotten
    with it, and this browser does not come after that.
    """
    scope, inbound, strength = context.scope, context.inbound, context.strength
    lifetime = terms_of(context, rules).trusted_browser
    if (
        inbound.fields.get("trust") == "yes"
        and lifetime > 0
        and not tickets.all_ended_since(scope.principal_id, strength.at, inbound.now)
    ):
        value = trusted.trust(
            context.batch,
            scope.principal_id,
            application=strength.application,
            agent=inbound.agent,
            address=inbound.address,
            at=strength.at,
            lifetime=lifetime,
            instead=inbound.trust_cookie,
        )
        context.cookies[TRUST_COOKIE] = NewCookie(value, int(lifetime))
    return "success"
