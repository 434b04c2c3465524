"""What holds for a service that somebody has to approve: who decides and where, for how long, and for which machine."""

from __future__ import annotations

from collections.abc import Iterator

from casduo.approvals.asking import addresses_of
from casduo.explanation.conditions import Facts, few
from casduo.explanation.model import Approval, Origin, Value
from casduo.fieldtypes import format_duration
from casduo.services.model import RegisteredService
from casduo.services.policies import ApprovalRule, TargetSystem
from casduo.settings import Settings


def approval(service: RegisteredService, settings: Settings, facts: Facts) -> Approval | None:
    """Return who has to approve before anybody gets into ``service``, ``None`` where nobody has to."""
    rule = service.requires_approval
    if rule is None:
        return None
    return Approval(
        approvers=rule.approvers,
        deciders=_deciders(rule, facts),
        values=tuple(_values(rule, settings)),
    )


def target(service: RegisteredService) -> tuple[Value, ...]:
    """Return the machine behind ``service``, nothing where it has none."""
    machine = service.target
    return tuple(_target(machine)) if machine is not None else ()


def condition_of(found: Approval) -> str:
    """Return what the approval adds to who gets in, as the end of a sentence."""
    if not found.deciders:
        return "once it is approved; but nobody may approve it: the only approver is who asks"
    return f"once {_either(found.deciders)} has approved it"


def _deciders(rule: ApprovalRule, facts: Facts) -> tuple[str, ...]:
    """Return who may decide about the person: nobody about themselves."""
    own = addresses_of(facts.person.attributes) if facts.person is not None else ()
    return tuple(approver for approver in rule.approvers if approver not in own)


def _values(rule: ApprovalRule, settings: Settings) -> Iterator[Value]:
    longest, waits = format_duration(rule.max_duration), format_duration(rule.expires)
    yield _value(rule, "max_duration", longest, "access can be asked for so long at most")
    yield _value(rule, "expires", waits, "a request waits so long for a decision, and no longer than until its own end")
    yield _value(rule, "approve_in", rule.approve_in, _where(rule, settings))
    yield _room(rule, settings)
    approvals = settings.approvals
    written = approvals.model_fields_set
    for name, text, meaning in (
        ("ahead", format_duration(approvals.ahead), "access can be asked for so far ahead"),
        ("most_open", str(approvals.most_open), "requests of one person that may wait at a time, for all services"),
        (
            "refusals",
            f"{approvals.refusals} within {format_duration(approvals.refusal_window)}",
            "so many refusals are a violation, and no further request of the person is taken until the time is over",
        ),
        (
            "remind",
            format_duration(approvals.remind) if approvals.remind else "",
            "how often those who decide are reminded" if approvals.remind else "nobody is reminded",
        ),
    ):
        origin: Origin = "settings" if name in written else "default"
        yield Value(f"approvals.{name}", text, meaning, origin)


def _where(rule: ApprovalRule, settings: Settings) -> str:
    portal = f"{settings.server.url}/approvals" if settings.server.url else "the page of this server"
    webex = settings.webex
    if rule.approve_in == "portal":
        return f"decided on {portal} only, signed in"
    if webex is None:
        return f"decided on {portal}: there is no section webex"
    if not (rule.room or webex.room):
        return f"decided on {portal}: no space is named in which requests are posted"
    if webex.webhook.secret is None:
        return f"decided on {portal}: webex.webhook has no secret, so no press of a button comes back"
    return f"decided by buttons in Webex or on {portal}"


def _room(rule: ApprovalRule, settings: Settings) -> Value:
    own = settings.webex.room if settings.webex is not None else None
    if settings.webex is None:
        return _value(rule, "room", rule.room or "", "requests are posted nowhere: there is no section webex")
    if rule.room is None and own is not None:
        return Value("room", own, "Webex space in which requests are posted", "settings")
    meaning = "Webex space in which requests are posted" if rule.room else "requests are posted nowhere"
    return _value(rule, "room", rule.room or "", meaning)


def _target(machine: TargetSystem) -> Iterator[Value]:
    for name, text, meaning in (
        ("host", machine.host, "the machine that people are let in to"),
        ("ip", machine.ip, "its address"),
        ("account", machine.account, "the account that is used on it; nobody approves access to their own"),
    ):
        if text:
            yield Value(name, text, meaning, "entry")


def _value(rule: ApprovalRule, name: str, text: str, meaning: str) -> Value:
    return Value(name, text, meaning, "entry" if name in rule.model_fields_set else "default")


def _either(addresses: tuple[str, ...]) -> str:
    return addresses[0] if len(addresses) == 1 else f"one of {few(addresses)}"
