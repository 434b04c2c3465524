"""Events of what became of requests for access, as the requests themselves tell them. Pure."""

from __future__ import annotations

from casduo.approvals.events import ApprovalCancelled, ApprovalDecided, ApprovalExpired, ApprovalReminded
from casduo.approvals.model import ApprovalRequest, Decision
from casduo.approvals.wording import cleaned, cleaned_comment
from casduo.events.model import Subject


def decided_event(
    request: ApprovalRequest, decision: Decision, *, reference: str = "", address: str = ""
) -> ApprovalDecided:
    """Return the event of a decision; what others wrote in it is cleaned and cut.

    :param reference: of the visit in which it was decided; by default of the one in which access was asked for
    :param address: from where it was decided
    """
    return ApprovalDecided(
        about_request(request, reference, address),
        request=request.id,
        decision=decision.decision,
        by=decision.by,
        decider=cleaned(decision.name),
        person=cleaned(decision.person),
        via=decision.via,
        action=cleaned(decision.action),
        comment=cleaned_comment(decision.comment),
    )


def cancelled_event(
    request: ApprovalRequest, *, by: str = "requester", reference: str = "", address: str = ""
) -> ApprovalCancelled:
    """Return the event of a request that is no longer wanted; the other arguments as for :func:`decided_event`.

    :param by: ``requester`` or ``administrator``
    """
    return ApprovalCancelled(about_request(request, reference, address), request=request.id, by=by)


def expired_event(request: ApprovalRequest) -> ApprovalExpired:
    """Return the event of a request that nobody decided in time."""
    return ApprovalExpired(about_request(request), request=request.id)


def reminded_event(request: ApprovalRequest) -> ApprovalReminded:
    """Return the event of a request that still waits."""
    return ApprovalReminded(about_request(request), request=request.id)


def about_request(request: ApprovalRequest, reference: str = "", address: str = "") -> Subject:
    """Return what an event about a request is about.

    :param reference: of the visit in which it happens; by default of the one in which access was asked for
    :param address: from where
    """
    return Subject(reference or request.reference, address, request.principal, request.service)
