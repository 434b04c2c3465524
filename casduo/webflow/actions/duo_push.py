"""Actions of the built-in Duo page: what is sent to which device, what the person types, what became of it.

Nobody waits here for a person. A push is sent and noted in Redis; a worker follows it; the page looks at the note. What
the page asks for comes back as a form, or as the browser's own look once there is news.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from casduo.events.journal import Journal
from casduo.events.model import DuoAnswered, DuoAsked, Fault
from casduo.mfa.duo.applications import DuoApplications
from casduo.mfa.duo.entry import Asked, Passcode, read_entry
from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure
from casduo.mfa.duo.gateway import RequestFactor
from casduo.mfa.duo.info import push_info
from casduo.mfa.duo.passcodes import PasscodeOutcome, Passcodes
from casduo.mfa.duo.pushes import DUO_FACTORS, Push, Pushes, PushName, PushRequest
from casduo.mfa.duo.sending import send_push
from casduo.mfa.duo.ways import Way, first_way, named_way, typed_way
from casduo.rules import LoginRules
from casduo.services.index import RegistrySource
from casduo.signing import fingerprint
from casduo.webflow.actions.duo import deny, devices_of, gateway_of, prove, terms_of, without_device
from casduo.webflow.actions.duo_page import session_mark
from casduo.webflow.context import Context
from casduo.webflow.effects import WAY_COOKIE, NewCookie

_WAY_LIFETIME = 365 * 86400


def start(context: Context) -> Literal["send", "wait"]:
    """Decide whether something is sent by itself: a push, to the device that answered last, and only where a form was
    sent. Who only follows a link or loads a page again gets no push on their phone. At an IP phone nobody comes here
    without having sent one, be it a page or two before.
    """
    scope = context.scope
    scope.duo_offered = True
    scope.duo_cookie = session_mark(context.inbound.session_cookie)
    way = first_way(devices_of(context), context.inbound.way_cookie)
    if way is None:
        scope.duo_state = "codes"
        return "wait"
    scope.duo_way = way.text
    if context.inbound.posted or context.on_phone:
        return "send"
    scope.duo_state = "ready"
    return "wait"


def send(
    context: Context,
    duo: DuoApplications,
    pushes: Pushes,
    services: RegistrySource,
    rules: LoginRules,
    journal: Journal,
) -> Literal["sent", "notSent", "unenrolled", "unavailable"]:
    """Send what was asked for to the device: a push, a call, or passcodes as a text message."""
    scope = context.scope
    way = named_way(devices_of(context), scope.duo_way)
    if way is None:
        # It was there a moment ago: devices are asked for anew before each request.
        return _not_sent(context, "codes", "duo_push.error.no_device")
    try:
        if way.kind == "sms":
            return _send_codes(context, way, duo, pushes, rules, journal)
        return _send_push(context, way, way.kind, duo, pushes, services, rules, journal)
    except DuoBadParameter as failure:
        if failure.detail in ("username", "user_id"):
            without_device(context, journal)
            return "unenrolled"
        return _not_sent(context, "codes", "duo_push.error.no_device")
    except DuoFailure as failure:
        return _unavailable(context, failure, journal)


def _send_push(
    context: Context,
    way: Way,
    factor: RequestFactor,
    duo: DuoApplications,
    pushes: Pushes,
    services: RegistrySource,
    rules: LoginRules,
    journal: Journal,
) -> Literal["sent", "notSent"]:
    scope, inbound, entry = context.scope, context.inbound, context.required_service
    request = PushRequest(
        principal=scope.principal_id,
        application=terms_of(context, rules).application,
        service=entry.id,
        factor=factor,
        device=way.label,
        address=inbound.address,
        browser=fingerprint(inbound.flow_cookie)[:32],
        agent=context.subject.agent,
    )
    former, scope.duo_push = PushName.parse(scope.duo_push), ""
    host = context.url.host if context.url is not None else ""
    opening = send_push(
        gateway_of(context, rules, duo),
        pushes,
        request,
        way.device,
        info=push_info(entry.name, host, inbound.address, rules.duo_places, inbound.device),
        verified=context.facts.get("duo_verified"),
        now=inbound.now,
        instead=former,
    )
    match opening.outcome:
        case "pending":
            other = services.current().by_id(opening.other.service) if opening.other is not None else None
            scope.duo_other = other.name if other is not None else ""
            scope.duo_state, scope.duo_error = "pending", {}
            return "notSent"
        case "limited":
            return _not_sent(context, "limited", "duo_push.error.limited", {"seconds": opening.wait})
        case "unfollowed":
            # Without a worker nobody would hear what the person answers.
            journal.write(Fault(context.subject, code="DUO", detail="no worker runs to follow a push"))
            return _not_sent(context, "codes", "duo_push.error.unfollowed")
    assert opening.name is not None
    journal.write(
        DuoAsked(context.subject, factor=factor, reasons="; ".join(context.facts.get("duo_reasons", ()))), context.batch
    )
    scope.duo_push, scope.duo_state, scope.duo_error = opening.name.text, "waiting", {}
    return "sent"


def _send_codes(
    context: Context, way: Way, duo: DuoApplications, pushes: Pushes, rules: LoginRules, journal: Journal
) -> Literal["sent", "notSent", "unavailable"]:
    scope, inbound = context.scope, context.inbound
    wait = pushes.count(scope.principal_id, inbound.now)
    if wait:
        return _not_sent(context, "limited", "duo_push.error.limited", {"seconds": wait})
    verdict = gateway_of(context, rules, duo).send_codes(scope.principal_id, inbound.address, way.device)
    journal.write(DuoAsked(context.subject, factor="sms"), context.batch)
    if verdict.status != "sent":
        # Refused, though Duo calls the sending of codes a refusal too (Auth API, `sms`).
        return _not_sent(context, "codes", "duo_push.error.no_device", said=verdict.status_message)
    scope.duo_notice = {"id": "duo_push.notice.sent", "facts": {"device": way.label}, "said": verdict.status_message}
    scope.duo_state, scope.duo_error = scope.duo_state or "codes", {}
    # The request to a device that is under way, if there is one, stays the one that can be sent again.
    scope.duo_way = context.facts.get("former_way", scope.duo_way)
    return "sent"


def read_form(
    context: Context, pushes: Pushes, rules: LoginRules
) -> Literal["settled", "factor", "passcode", "again", "cancel", "reported"]:
    """Find out what the person wants: a button, or what was typed into the field, which takes words as well.

    What has been answered on the device comes first: no form overtakes a report of fraud.
    """
    scope, fields = context.scope, context.inbound.fields
    scope.duo_notice = {}
    if not context.inbound.posted or _decided(context, pushes):
        return "settled"
    if fields.get("cancel"):
        return "cancel"
    if fields.get("report") and scope.duo_state == "denied":
        return "reported"
    if fields.get("factor"):
        _choose(context, named_way(devices_of(context), fields["factor"]))
        return "factor"
    entry = read_entry(fields.get("passcode", ""), rules.duo_passcodes)
    match entry:
        case Passcode(code):
            context.facts["passcode"] = code
            return "passcode"
        case Asked(word, number):
            _choose(context, typed_way(devices_of(context), word, number))
            return "factor"
    scope.duo_error = {"id": "duo_push.error.unreadable"}
    return "again"


def _decided(context: Context, pushes: Pushes) -> bool:
    """Whether the push under way was approved or reported, or ended in a lock-out."""
    name = PushName.parse(context.scope.duo_push)
    push = pushes.read(name, context.inbound.now) if name is not None else None
    return push is not None and push.state in ("allowed", "fraud", "locked_out")


def _choose(context: Context, way: Way | None) -> None:
    context.facts["former_way"] = context.scope.duo_way
    context.scope.duo_way = way.text if way is not None else ""


def outcome(
    context: Context, pushes: Pushes, rules: LoginRules, journal: Journal
) -> Literal["waiting", "allowed", "refused", "fraud", "lockedOut", "unavailable"]:
    """Take what became of the push, once. The worker has written down what the person answered."""
    scope = context.scope
    name = PushName.parse(scope.duo_push)
    if name is None:
        return "waiting"
    push = pushes.take(name, context.inbound.now)
    if push is None:
        scope.duo_push = ""
        return _refused(context, "timeout", "duo_push.error.gone")
    if push.state in ("sending", "waiting"):
        return "waiting"
    scope.duo_push = ""
    match push.state:
        case "allowed" if push.application != terms_of(context, rules).application:
            # The registry has changed meanwhile: it is another one whose yes is needed.
            return _refused(context, "timeout", "duo_push.error.gone")
        case "allowed":
            return _allowed(context, rules, DUO_FACTORS[push.factor], scope.duo_way)
        case "fraud":
            return "fraud"
        case "locked_out":
            deny(context, "locked_out", push.status_message)
            return "lockedOut"
        case "unavailable":
            context.verdict = "duoUnavailable"
            return "unavailable"
        case "timeout":
            return _refused(context, "timeout", "duo_push.error.timeout", push)
        case _:
            return _refused(context, "denied", "duo_push.error.denied", push)


def check_passcode(
    context: Context, duo: DuoApplications, passcodes: Passcodes, pushes: Pushes, rules: LoginRules, journal: Journal
) -> Literal["allowed", "refused", "lockedOut", "unenrolled", "unavailable"]:
    """Let Duo check the passcode. It makes an open push superfluous where it is right, and leaves it alone if not."""
    scope, inbound = context.scope, context.inbound
    found = passcodes.check(
        gateway_of(context, rules, duo),
        scope.principal_id,
        context.facts["passcode"],
        context.batch,
        inbound.now,
        origin=inbound.address,
        told=inbound.address,
    )
    match found.result:
        case "allowed":
            journal.write(DuoAnswered(context.subject, outcome="allowed", factor="passcode"), context.batch)
            _drop(context, pushes)
            return _allowed(context, rules, "passcode", "passcode")
        case "throttled":
            context.wait = found.wait
            scope.duo_error = {"id": "duo_push.error.throttled", "facts": {"seconds": found.wait}}
            return "refused"
        case "unavailable":
            assert found.failure is not None
            _drop(context, pushes)
            return _unavailable(context, found.failure, journal)
    outcome = "locked_out" if found.result == "locked_out" else "denied"
    journal.write(
        DuoAnswered(context.subject, outcome=outcome, factor="passcode", detail=found.status or found.result),
        context.batch,
    )
    match found.result:
        case "locked_out":
            _drop(context, pushes)
            deny(context, "locked_out", found.said)
            return "lockedOut"
        case "unknown":
            _drop(context, pushes)
            without_device(context, journal)
            return "unenrolled"
    context.batch.run()
    scope.duo_error = _wrong(found)
    return "refused"


def cancel(context: Context, pushes: Pushes) -> Literal["success"]:
    """Forget the push under way: whatever is answered now opens nothing."""
    _drop(context, pushes)
    return "success"


def report(context: Context, pushes: Pushes, journal: Journal) -> Literal["success"]:
    """Take the word of the person at the browser for it that a request was not theirs."""
    _drop(context, pushes)
    journal.write(DuoAnswered(context.subject, outcome="fraud", detail="reported at the browser"), context.batch)
    return "success"


def _allowed(context: Context, rules: LoginRules, factor: str, way: str) -> Literal["allowed"]:
    prove(context, rules, factor)
    context.cookies[WAY_COOKIE] = NewCookie(way, _WAY_LIFETIME)
    return "allowed"


def _refused(context: Context, state: str, text: str, push: Push | None = None) -> Literal["refused"]:
    """Stay on the page, with what happened and Duo's own words for it ("Login timed out.")."""
    context.scope.duo_state = state
    context.scope.duo_error = {"id": text, "said": push.status_message if push is not None else ""}
    return "refused"


def _not_sent(
    context: Context, state: str, text: str, facts: Mapping[str, Any] | None = None, said: str = ""
) -> Literal["notSent"]:
    context.scope.duo_state = state
    context.scope.duo_error = {"id": text, "facts": dict(facts or {}), "said": said}
    return "notSent"


def _wrong(found: PasscodeOutcome) -> dict[str, Any]:
    text = "duo_push.error.reused" if found.result == "reused" else "duo_push.error.passcode"
    return {"id": text, "said": found.said, "tries": found.left or None}


def _unavailable(context: Context, failure: DuoFailure, journal: Journal) -> Literal["unavailable"]:
    """Duo went away after a factor was offered: nothing opens, whatever the service's fail mode."""
    journal.write(Fault(context.subject, code=failure.code, detail=failure.message or failure.detail))
    context.verdict = "duoUnavailable"
    return "unavailable"


def _drop(context: Context, pushes: Pushes) -> None:
    name = PushName.parse(context.scope.duo_push)
    context.scope.duo_push = ""
    if name is not None:
        pushes.drop(name)
