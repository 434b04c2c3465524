"""The addresses of those who decide about requests for access: the list, and a page on which one is decided.

Who may decide is read from the registry each time. Whoever may not sees the same as if there were no such request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from casduo.approvals.deciding import Decider, Moment, is_oneself, may_decide
from casduo.approvals.events import ApprovalRefused, Decided, RefusedPress
from casduo.approvals.model import ApprovalRequest, Decision
from casduo.approvals.pages import stage_of
from casduo.approvals.telling import decided_event
from casduo.approvals.wording import LONGEST_COMMENT, cleaned
from casduo.endpoints.approval_visit import ApprovalVisit, decider_of
from casduo.endpoints.base import Server
from casduo.request import Request
from casduo.services.builtin import APPROVALS
from casduo.tickets.model import LiveSession
from casduo.web import Reply

_MOST_DECIDED = 20
_CHOICES: Final[Mapping[str, Decided]] = {word: word for word in get_args(Decided)}
_LONGEST_TYPED = 4 * LONGEST_COMMENT
"""Characters that are shown once more of what was typed and is too long."""


def approvals(server: Server, request: Request) -> Reply:
    """``/approvals``: what waits for the person's decision, and what was decided lately."""
    visit = ApprovalVisit(server, request, APPROVALS, server.parts.rules.approvals_url)
    session = _admitted(visit)
    if isinstance(session, Reply):
        return session
    decider, now, kept = decider_of(session), request.now, server.parts.approvals
    services = visit.decided_by(decider)
    waiting = [one for one in kept.waiting(services=services) if stage_of(one, now) == "pending"]
    recent = [one for one in kept.recent(services=services) if stage_of(one, now) != "pending"]
    own = frozenset(one.id for one in waiting if is_oneself(one, decider))
    return visit.show(visit.pages.approvals(waiting, recent[:_MOST_DECIDED], own, now))


def approval(server: Server, request: Request, request_id: str) -> Reply:
    """``/approvals/ID``: one request with all facts, by GET, which decides nothing; the decision, by POST."""
    visit = ApprovalVisit(server, request, APPROVALS, f"{server.parts.rules.approvals_url}/{request_id}")
    session = _admitted(visit)
    if isinstance(session, Reply):
        return session
    asked, decider = server.parts.approvals.get(request_id), decider_of(session)
    if asked is None or not _may_see(visit, asked, decider):
        if asked is not None and request.method == "POST":
            _refuse(visit, asked, decider, "not_an_approver" if visit.rule_of(asked) is not None else "service_gone")
        return visit.nothing()
    if request.method == "POST":
        return _decide(visit, session, asked, decider)
    return _shown(visit, session, asked, decider, late=bool(request.parameters.get("late", "")))


def _admitted(visit: ApprovalVisit) -> LiveSession | Reply:
    """Return the session of somebody who may be on these pages now, or else what brings them there."""
    arrival = visit.arrival()
    if arrival is not None:
        return arrival
    session = visit.session()
    return session if session is not None and visit.admits(session) else visit.sign_in()


def _may_see(visit: ApprovalVisit, asked: ApprovalRequest, decider: Decider) -> bool:
    rule = visit.rule_of(asked)
    return rule is not None and bool(decider.approver_address(rule))


def _shown(
    visit: ApprovalVisit,
    session: LiveSession,
    asked: ApprovalRequest,
    decider: Decider,
    *,
    late: bool = False,
    problem: str = "",
    comment: str = "",
) -> Reply:
    decided = asked.decision
    mine = decided is not None and decided.by.lower() in decider.emails
    page = visit.pages.approval(
        asked,
        visit.server.parts.approvals.of_person(asked.principal),
        visit.token(session),
        visit.request.now,
        own=is_oneself(asked, decider),
        mine=mine,
        late=late and not mine,
        problem=problem,
        comment=comment,
    )
    return visit.show(page)


def _decide(visit: ApprovalVisit, session: LiveSession, asked: ApprovalRequest, decider: Decider) -> Reply:
    """Take a decision. Whatever comes of it, the page that says so is loaded by a request of its own."""
    request, parts = visit.request, visit.server.parts
    ours, choice = visit.is_ours(session), _CHOICES.get(request.parameters.get("decision", ""))
    typed = request.parameters.get("comment", "")
    comment = cleaned(typed)
    rule = visit.rule_of(asked)
    refused = may_decide(asked, rule, decider, Moment(request.now, request.now))
    if refused is not None:
        return _refused(visit, asked, decider, refused)
    if not ours or choice is None or len(comment) > LONGEST_COMMENT:
        problem = "stale" if not ours else "choice" if choice is None else "comment"
        return _shown(
            visit, session, asked, decider, problem=f"approval.error.{problem}", comment=typed[:_LONGEST_TYPED]
        )
    assert rule is not None
    by = decider.approver_address(rule)
    decision = Decision(choice, by, decider.name, decider.person, "portal", request.now, comment)
    event = decided_event(asked, decision, reference=request.reference, address=request.address)
    settled = parts.approvals.decide(asked.id, decision, event)
    if settled.request is None:
        return visit.nothing()
    if not settled.first:
        # Somebody else was at it in the same moment.
        late: RefusedPress = "too_late" if settled.request.state == "expired" else "already_decided"
        return _refused(visit, asked, decider, late)
    parts.journal.note(event)
    if settled.violation is not None:
        parts.journal.note(settled.violation)
    return visit.to(visit.address)


def _refused(visit: ApprovalVisit, asked: ApprovalRequest, decider: Decider, reason: RefusedPress) -> Reply:
    _refuse(visit, asked, decider, reason)
    return visit.to(visit.address if reason == "oneself" else f"{visit.address}?late=1")


def _refuse(visit: ApprovalVisit, asked: ApprovalRequest, decider: Decider, reason: RefusedPress) -> None:
    by = next(iter(decider.emails), decider.person)
    subject = visit.request.subject(asked.principal, asked.service)
    event = ApprovalRefused(subject, request=asked.id, reason=reason, by=by, via="portal")
    visit.server.parts.journal.write(event)
