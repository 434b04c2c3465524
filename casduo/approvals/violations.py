"""What somebody should look at about requests for access: who is refused again and again, who comes outside the time
that was approved. Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from casduo.approvals.events import ApprovalDecided
from casduo.approvals.model import Standing
from casduo.events.model import PolicyViolation, Subject


def too_many_refusals(event: ApprovalDecided, refusals: int) -> PolicyViolation | None:
    """Return what a refusal amounts to where it is one too many; ``None`` for an approval.

    :param refusals: how many are too many, 0: none are
    """
    if event.decision != "rejected" or refusals <= 0:
        return None
    count = "1 request" if refusals == 1 else f"{refusals} requests or more"
    detail = f"{count} of this person for this service refused in a short time"
    return PolicyViolation(event.about, rule="too_many_refusals", request=event.request, detail=detail)


def outside_window(about: Subject, standing: Standing, zone: tzinfo = UTC) -> PolicyViolation | None:
    """Return what an attempt to enter amounts to: a violation where access was approved for another time.

    :param about: who wants to enter what
    :param zone: in which moments are written
    """
    line = standing.line
    if line is None or standing.phase not in ("early", "over"):
        return None
    start, end = (datetime.fromtimestamp(int(at), zone).isoformat() for at in (line.start, line.end))
    word = "before" if standing.phase == "early" else "after"
    detail = f"access {word} the time that was approved, from {start} to {end}"
    return PolicyViolation(about, rule="outside_window", request=line.request, detail=detail)
