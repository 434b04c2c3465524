"""``/admin/approvals``: requests for access to all services, and the cancelling of one that waits."""

from __future__ import annotations

from casduo.admin.rows import request_row
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.pages import stage_of
from casduo.approvals.telling import cancelled_event
from casduo.approvals.wording import LONGEST_COMMENT, cleaned_comment
from casduo.endpoints.admin.visit import AdminVisit
from casduo.web import Reply

APPROVALS = "/admin/approvals"
_SHOWN = 100
_VIEWS = ("waiting", "open", "all")


def approvals(visit: AdminVisit) -> Reply:
    """The list: what waits, what is open now, or the latest of all."""
    wanted = visit.request.parameters.get("show", "waiting")
    view = wanted if wanted in _VIEWS else "waiting"
    now, url = visit.request.now, visit.url(APPROVALS)
    found = _requests(visit, view)
    data = {
        "view": view,
        "views": [{"name": name, "url": f"{url}?show={name}", "current": name == view} for name in _VIEWS],
        "requests": [{**request_row(one, visit.tools.zone, now), "url": f"{url}/{one.id}"} for one in found[:_SHOWN]],
        "more": len(found) > _SHOWN,
    }
    visit.object = view
    return visit.page("approvals", data)


def approval(visit: AdminVisit, request_id: str) -> Reply:
    """One request with all facts; by POST it is cancelled."""
    kept, now = visit.server.parts.approvals, visit.request.now
    asked = kept.get(request_id)
    if asked is None:
        return visit.nothing()
    visit.object = f"{asked.id} {asked.principal} {asked.service}"
    address = visit.url(f"{APPROVALS}/{asked.id}")
    if visit.request.method == "POST":
        return visit.to(f"{address}?cancelled={int(_cancel(visit, asked))}")
    waits = stage_of(asked, now) == "pending"
    done = visit.request.parameters.get("cancelled", "")
    data = {
        "request": request_row(asked, visit.tools.zone, now),
        "may_cancel": waits and visit.may_change,
        # What the page itself says of the request is true in any case.
        "late": done == "0" and asked.state != "pending",
        "list_url": visit.url(APPROVALS),
        "longest": LONGEST_COMMENT,
    }
    return visit.page("approval", data, form=visit.form(f"{APPROVALS}/{asked.id}"))


def _cancel(visit: AdminVisit, asked: ApprovalRequest) -> bool:
    """Cancel a request, unless somebody decided it meanwhile; say whether it was cancelled."""
    request, parts = visit.request, visit.server.parts
    event = cancelled_event(asked, by="administrator", reference=request.reference, address=request.address)
    if not parts.approvals.cancel(asked.id, event, request.now).first:
        return False
    parts.journal.note(event)
    visit.changed("approval.cancelled", visit.object, cleaned_comment(request.parameters.get("reason", "")))
    return True


def _requests(visit: AdminVisit, view: str) -> list[ApprovalRequest]:
    kept, now = visit.server.parts.approvals, visit.request.now
    if view == "waiting":
        return [one for one in kept.waiting(_SHOWN + 1) if stage_of(one, now) == "pending"]
    if view == "open":
        return [one for one in kept.recent(10 * _SHOWN) if stage_of(one, now) in ("early", "open")]
    return kept.recent(_SHOWN + 1)
