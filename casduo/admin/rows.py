"""What the lists of the operators' pages show of a request for access, a message, a sign-out, a failed validation, an
entry of the audit trail. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from casduo.admin.moments import iso
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.pages import Stage, stage_of
from casduo.diagnosis.model import Finding
from casduo.events.audit_line import AuditEntry
from casduo.events.outbox_model import DeadLetter, DestinationLine, OutboxStatus, shown
from casduo.explanation.failures import ExplainedFailure
from casduo.tickets.ledger import ServiceLine

_LONGEST_FACT = 300


def request_row(request: ApprovalRequest, zone: tzinfo, now: float) -> dict[str, Any]:
    """Return what is shown of a request for access."""
    decision = request.decision
    stage: Stage = stage_of(request, now)
    return {
        "id": request.id,
        "short": request.short,
        "stage": stage,
        "name": request.name or request.principal,
        "user": request.principal,
        "service": request.service_name,
        "service_id": request.service,
        "host": request.target.host,
        "account": request.target.account,
        "start": iso(request.start, zone),
        "end": iso(request.end, zone),
        "created": iso(request.created, zone),
        "expires": iso(request.expires, zone),
        "address": request.address,
        "reason": request.reason,
        "decider": (decision.name or decision.by) if decision is not None else "",
        "decided": iso(decision.at, zone) if decision is not None else None,
        "comment": decision.comment if decision is not None else "",
    }


def outbox_facts(status: OutboxStatus, zone: tzinfo, now: float) -> dict[str, Any]:
    """Return what is shown of the outbox as a whole."""
    return {
        "waiting": status.waiting,
        "urgent": status.urgent,
        "destinations": status.destinations,
        "oldest": iso(now - status.oldest, zone) if status.waiting else None,
        "dead": status.dead,
        "paused_until": iso(status.paused_until, zone) if status.paused_until > now else None,
        "stopped_since": iso(status.stopped_since, zone) if status.stopped_since else None,
        "status": str(status.status or ""),
        "detail": status.detail,
    }


def destination_row(line: DestinationLine, zone: tzinfo, now: float) -> dict[str, Any]:
    """Return what is shown of a destination for which messages wait."""
    return {
        "to": shown(line.destination),
        "waiting": line.waiting,
        "oldest": iso(now - line.oldest, zone),
        "tries": line.tries,
        "next": iso(line.next, zone) if line.next else None,
    }


def letter_row(letter: DeadLetter, zone: tzinfo) -> dict[str, Any]:
    """Return what is shown of a dead letter: not what it says, which may name people and their reasons."""
    return {
        "id": letter.message.id,
        "at": iso(letter.at, zone),
        "created": iso(letter.message.created, zone),
        "to": shown(letter.message.to),
        "task": letter.message.task,
        "reason": letter.reason,
        "tries": letter.tries,
        "status": str(letter.status or ""),
        "detail": letter.detail,
    }


def told_row(line: ServiceLine, zone: tzinfo) -> dict[str, Any]:
    """Return what is shown of a service that was told of a sign-out."""
    telling = line.telling
    return {
        "at": iso(telling.at, zone),
        "ticket": line.ticket,
        "state": telling.state,
        "status": str(telling.status or ""),
        "detail": telling.detail,
        "milliseconds": telling.milliseconds,
        "attempts": telling.attempts,
    }


def failure_row(explained: ExplainedFailure, zone: tzinfo) -> dict[str, Any]:
    """Return what is shown of a failed validation."""
    failure = explained.failure
    return {
        "at": iso(failure.at, zone),
        "since": iso(explained.since, zone) if explained.times > 1 else None,
        "times": explained.times,
        "code": failure.code,
        "endpoint": failure.endpoint,
        "happened": explained.advice.happened,
        "cause": explained.advice.cause,
        "remedy": explained.advice.remedy,
        "granted": failure.granted,
        "presented": failure.presented,
        "difference": failure.difference,
        "why": "" if failure.difference else failure.why,
        "address": failure.address,
        "ticket": failure.ticket,
        "reference": failure.reference,
    }


def finding_row(finding: Finding) -> dict[str, str]:
    """Return what is shown of an examination."""
    return {
        "part": finding.part,
        "examined": finding.examined,
        "level": finding.level,
        "found": finding.found,
        "cause": finding.cause,
        "remedy": finding.remedy,
    }


def entry_row(entry: AuditEntry, zone: tzinfo) -> dict[str, Any]:
    """Return what is shown of an entry of the audit trail."""
    record = entry.record
    about = record.about
    return {
        "seq": entry.position.seq,
        "hash": entry.position.hash[:12],
        "at": iso(record.at, zone),
        "kind": record.kind,
        "level": record.level,
        "user": about.principal,
        "service": about.service,
        "address": about.address,
        "reference": about.reference,
        "facts": [{"name": name, "value": _fact(value)} for name, value in record.facts.items()],
    }


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_fact(one)}" for name, one in value.items())[:_LONGEST_FACT]
    if isinstance(value, list | tuple):
        return ", ".join(map(_fact, value))[:_LONGEST_FACT]
    return str(value)[:_LONGEST_FACT]
