"""Requests for access and their lines as they are written down, and read again. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

from casduo.approvals.model import ApprovalRequest, Decision, Line, Target
from casduo.store import fields_of

_BY_STATE = ("state", "decision", "cards")
"""What changes, and is kept apart from the rest."""


def request_text(request: ApprovalRequest) -> str:
    """Return what never changes of a request, as JSON."""
    members = {name: value for name, value in asdict(request).items() if name not in _BY_STATE}
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False)


def decision_text(decision: Decision) -> str:
    """Return a decision as JSON."""
    return json.dumps(asdict(decision), separators=(",", ":"), ensure_ascii=False)


def read_request(flat: Sequence[str]) -> ApprovalRequest | None:
    """Return the request of a record, ``None`` where there is none.

    :param flat: the fields and values of the record's hash
    :raises ValueError: what is there is no request
    """
    found = fields_of(flat)
    if not found:
        return None
    try:
        members = _members(ApprovalRequest, json.loads(found["record"]))
        members["emails"] = tuple(members["emails"])
        members["target"] = Target(**_members(Target, members["target"]))
        members["decision"] = _decision(found.get("decision", ""))
        members["cards"] = tuple(found.get("cards", "").split())
        return ApprovalRequest(**{**members, "state": found["state"]})
    except (KeyError, TypeError) as error:
        raise ValueError("not a request for access") from error


def line_text(line: Line) -> str:
    """Return a line without its request's id, as the scripts write it too."""
    return f"{line.state} {line.start!r} {line.end!r} {line.expires!r} {line.at!r}"


def read_lines(flat: Sequence[str]) -> tuple[Line, ...]:
    """Return the lines of a hash of them, by its fields and values."""
    return tuple(_line(name, text) for name, text in fields_of(flat).items())


def still_noted(lines: Iterable[Line], now: float, window: float) -> tuple[Line, ...]:
    """Return the lines that count for something still: those over for less than ``window`` seconds."""
    return tuple(line for line in lines if now < _over(line) + window)


def _decision(text: str) -> Decision | None:
    return Decision(**_members(Decision, json.loads(text))) if text else None


def _members(kind: type, members: dict[str, Any]) -> dict[str, Any]:
    # A newer casduo beside this one may write more.
    return {item.name: members[item.name] for item in fields(kind) if item.name in members}


def _over(line: Line) -> float:
    if line.state == "approved":
        # It may have been approved when it was all but over.
        return max(line.end, line.at)
    return line.expires if line.state == "pending" else line.at


def _line(name: str, text: str) -> Line:
    state, start, end, expires, at = text.split(" ")
    return Line(name, state, float(start), float(end), float(expires), float(at))  # type: ignore[arg-type]
