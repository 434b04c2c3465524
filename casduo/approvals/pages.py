"""The pages about requests for access as data: what each one shows, to whom, and which way on. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from casduo.approvals.model import ApprovalRequest
from casduo.approvals.risks import MOST_EARLIER, Risks, earlier_requests, risks_of
from casduo.approvals.wording import LONGEST_COMMENT
from casduo.errors import MalformedService
from casduo.rules import LoginRules
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.services.urls import ServiceUrl, parse_service
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.effects import Form, Page
from casduo.webflow.scope import Scope

Stage = Literal["pending", "early", "open", "over", "rejected", "expired", "cancelled"]
"""How a request stands at a moment, as its page says it. Approved ones are ``early`` until their time begins, then
``open``, then ``over``.
"""

_POLL = 3
"""Seconds between two questions of the page's script while somebody may decide at any moment."""
_SLOWEST = 60
"""The same where the next change is known and far off."""
_REFRESH = 10
"""Seconds after which a page without script loads itself anew, ``_SLOWEST_REFRESH`` where nothing can come sooner."""
_SLOWEST_REFRESH = 300


def stage_of(request: ApprovalRequest, now: float) -> Stage:
    """Say how ``request`` stands at ``now`` (epoch seconds).

    What nobody decided in time counts as expired at once, whether or not it is noted yet.
    """
    if request.state == "pending":
        return "pending" if now < request.expires else "expired"
    if request.state != "approved":
        return request.state
    return "early" if now < request.start else "open" if now < request.end else "over"


def ask_again_after(request: ApprovalRequest, now: float) -> int:
    """Return after how many seconds it makes sense to ask how ``request`` stands; 0: nothing changes any more."""
    match stage_of(request, now):
        case "pending":
            return _POLL
        case "early":
            return _within(_POLL, request.start - now, _SLOWEST)
        case "open":
            return _within(_POLL, request.end - now, _SLOWEST)
    return 0


def way_on(request: ApprovalRequest, registry: Registry) -> tuple[RegisteredService, ServiceUrl] | None:
    """Return the service that ``request`` is for, with the address that was asked for; ``None`` where the address is
    that of another service now, or of none, or the service is switched off.
    """
    try:
        url = parse_service(request.url, registry.schemes)
    except MalformedService:
        return None
    entry = registry.find(url)
    return (entry, url) if entry is not None and entry.id == request.service and entry.enabled else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What pages show of a request. Moments are ISO 8601 with the zone of the settings; texts that are not there are
    empty, moments ``None``.

    ``minutes`` is how long access lasts, ``decider`` who decided and ``decided`` when, with ``comment``.
    """

    short: str
    stage: Stage
    service: str
    host: str
    ip: str
    account: str
    start: str
    end: str
    minutes: int
    reason: str
    created: str
    expires: str
    name: str
    username: str
    email: str
    address: str
    decider: str
    decided: str | None
    comment: str


@dataclass(frozen=True, slots=True)
class Row:
    """A request in a list. ``at`` is when it was decided or expired, ``None`` where that has not happened; ``reason``
    is what it was made for, ``comment`` what came of that in words.
    """

    url: str
    stage: Stage
    name: str
    service: str
    start: str
    end: str
    expires: str
    decider: str
    at: str | None
    own: bool = False
    reason: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalPages:
    """Makes the pages."""

    rules: LoginRules

    # -- for the person who asked ------------------------------------------------------------------------------------

    def requests(self, listed: Iterable[ApprovalRequest], now: float) -> Page:
        """The list of one's own requests, in the order given."""
        return Page("requests", {"requests": [self._row(one, self.rules.requests_url, now) for one in listed]})

    def request(
        self, request: ApprovalRequest, registry: Registry, csrf: str, now: float, *, still: bool = False
    ) -> Page:
        """The page of one request.

        :param csrf: for the form that withdraws it
        :param still: whether somebody without script wants the page not to load itself anew
        """
        stage, found = stage_of(request, now), way_on(request, registry)
        address = f"{self.rules.requests_url}/{request.id}"
        # Our own login, which looks at everything once more: where the request began is never an address to send to.
        login = self.rules.login_url(Scope(service=request.url)) if found is not None else None
        again = ask_again_after(request, now)
        data = {
            "asked": self.asked(request, now),
            "service": service_facts(*found) if found is not None else None,
            "history": self._history(request, now),
            "continue_url": login if stage == "open" else None,
            "ask_url": login if stage in ("over", "rejected", "expired", "cancelled") else None,
            "requests_url": self.rules.requests_url,
            "status_url": f"{address}/status" if again else "",
            "again": again,
            "refresh": 0 if still else self._refresh(request, now),
            "refresh_url": address,
            "still_url": f"{address}?still=1",
        }
        form = Form(f"{address}/cancel", csrf=csrf) if stage == "pending" else None
        return Page("request", data, form=form)

    # -- for those who decide ----------------------------------------------------------------------------------------

    def approvals(
        self, waiting: Iterable[ApprovalRequest], recent: Iterable[ApprovalRequest], own: frozenset[str], now: float
    ) -> Page:
        """The list of those who decide.

        :param waiting: what waits for this person, and what they asked for themselves
        :param recent: what was decided of late
        :param own: ids of the requests that are this person's own
        """
        data = {
            "waiting": [self._row(one, self.rules.approvals_url, now, own=one.id in own) for one in waiting],
            "decided": [self._row(one, self.rules.approvals_url, now, own=one.id in own) for one in recent],
        }
        return Page("approvals", data)

    def approval(
        self,
        request: ApprovalRequest,
        of_person: Sequence[ApprovalRequest],
        csrf: str,
        now: float,
        *,
        own: bool,
        mine: bool,
        late: bool = False,
        problem: str = "",
        comment: str = "",
    ) -> Page:
        """The page on which one request is decided, or that says how it was.

        :param of_person: all requests of the person who asks, newest first
        :param own: whether whoever looks is the person who asks
        :param mine: whether whoever looks has decided it
        :param late: whether they have just tried to, and others or the time were first
        :param problem: id of the text that says why a decision was not taken
        :param comment: what was typed then
        """
        stage, address = stage_of(request, now), self.rules.approvals_url
        earlier = earlier_requests(request, of_person)
        asked = self.asked(request, now)
        open_to_decide = stage == "pending" and not own
        risks = risks_of(request, earlier, self.rules.approvals.zone)
        data = {
            "asked": asked,
            "own": own,
            "mine": mine,
            "late": late and not open_to_decide,
            "risks": _risk_texts(risks, asked) if open_to_decide else None,
            "earlier": [self._row(one, self.rules.approvals_url, now) for one in earlier[:MOST_EARLIER]],
            "error": {"id": problem, "facts": _problem_facts(problem)} if problem else None,
            "comment": comment,
            "longest_comment": LONGEST_COMMENT,
            "approvals_url": address,
        }
        form = Form(f"{address}/{request.id}", csrf=csrf) if open_to_decide else None
        return Page("approval", data, form=form)

    # -- pieces ------------------------------------------------------------------------------------------------------

    def asked(self, request: ApprovalRequest, now: float) -> Asked:
        """Return what pages show of ``request`` at ``now``."""
        decision = request.decision
        return Asked(
            short=request.short,
            stage=stage_of(request, now),
            service=request.service_name,
            host=request.target.host,
            ip=request.target.ip,
            account=request.target.account,
            start=self._iso(request.start),
            end=self._iso(request.end),
            minutes=max(1, round((request.end - request.start) / 60)),
            reason=request.reason,
            created=self._iso(request.created),
            expires=self._iso(request.expires),
            name=request.name or request.principal,
            username=request.principal,
            email=request.emails[0] if request.emails else "",
            address=request.address,
            decider=(decision.name or decision.by) if decision is not None else "",
            decided=self._iso(decision.at) if decision is not None else None,
            comment=decision.comment if decision is not None else "",
        )

    def _row(self, request: ApprovalRequest, area: str, now: float, *, own: bool = False) -> Row:
        asked = self.asked(request, now)
        at = asked.decided or (asked.expires if asked.stage == "expired" else None)
        return Row(
            f"{area}/{request.id}",
            asked.stage,
            asked.name,
            asked.service,
            asked.start,
            asked.end,
            asked.expires,
            asked.decider,
            at,
            own,
            asked.reason,
            asked.comment,
        )

    def _history(self, request: ApprovalRequest, now: float) -> list[dict[str, str | None]]:
        """What has become of a request so far, the oldest first; nobody notes when one was withdrawn."""
        asked = self.asked(request, now)
        steps = [_step("asked", asked.created)]
        match request.state:
            case "approved":
                steps.append(_step("approved", asked.decided, asked))
                steps += [_step("began", asked.start)] if now >= request.start else []
                steps += [_step("ended", asked.end)] if now >= request.end else []
            case "rejected":
                steps.append(_step("rejected", asked.decided, asked))
            case "cancelled":
                steps.append(_step("cancelled", None))
        if asked.stage == "expired":
            steps.append(_step("expired", asked.expires))
        return steps

    def _refresh(self, request: ApprovalRequest, now: float) -> int:
        match stage_of(request, now):
            case "pending":
                return _REFRESH
            case "early":
                return _within(_REFRESH, request.start - now, _SLOWEST_REFRESH)
        return 0

    def _iso(self, moment: float) -> str:
        return datetime.fromtimestamp(int(moment), self.rules.approvals.zone).isoformat()


def _step(word: str, at: str | None, asked: Asked | None = None) -> dict[str, str | None]:
    """One line of a history. ``name`` and ``comment`` are of who decided."""
    return {
        "step": word,
        "at": at,
        "name": asked.decider if asked is not None else None,
        "comment": asked.comment if asked is not None else None,
    }


def _risk_texts(risks: Risks, asked: Asked) -> list[dict[str, object]]:
    """Return id and facts of the text for each risk."""
    found: list[dict[str, object]] = []
    if risks.first:
        found.append({"id": "approval.risk.first", "facts": {"name": asked.name, "service": asked.service}})
    if risks.refused:
        found.append({"id": "approval.risk.refused", "facts": {"count": risks.refused, "service": asked.service}})
    if risks.outside_hours:
        found.append({"id": "approval.risk.hours", "facts": {}})
    if risks.weekend:
        found.append({"id": "approval.risk.weekend", "facts": {}})
    return found


def _problem_facts(problem: str) -> dict[str, int]:
    return {"longest": LONGEST_COMMENT} if problem == "approval.error.comment" else {}


def _within(least: int, seconds: float, most: int) -> int:
    return min(max(least, math.ceil(seconds)), most)
