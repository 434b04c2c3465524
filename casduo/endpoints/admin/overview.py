"""``/admin/``: what needs attention, and the counts that matter."""

from __future__ import annotations

from casduo.admin.rows import finding_row
from casduo.approvals.pages import stage_of
from casduo.diagnosis.model import worst_first
from casduo.endpoints.admin.approvals import APPROVALS
from casduo.endpoints.admin.outbox import OUTBOX
from casduo.endpoints.admin.visit import AdminVisit
from casduo.services.builtin import OWN_SERVICES
from casduo.web import Reply

HEALTH, SERVICES = "/admin/health", "/admin/services"
_MOST_COUNTED = 1000


def overview(visit: AdminVisit) -> Reply:
    """The first page."""
    parts, now = visit.server.parts, visit.request.now
    report, status = visit.server.health.current(), visit.tools.outbox.status()
    kept = parts.approvals
    waiting = [one for one in kept.waiting(_MOST_COUNTED) if stage_of(one, now) == "pending"]
    is_open = [one for one in kept.recent(_MOST_COUNTED) if stage_of(one, now) == "open"]
    services = [entry for entry in visit.registry.services if entry.id not in OWN_SERVICES]
    data = {
        "level": report.level,
        "findings": [finding_row(finding) for finding in worst_first(report.findings) if finding.level != "ok"],
        "rejected": len(parts.services.problems),
        "counts": [
            {"id": "admin.overview.services", "count": len(services), "url": visit.url(SERVICES)},
            {"id": "admin.overview.waiting", "count": len(waiting), "url": f"{visit.url(APPROVALS)}?show=waiting"},
            {"id": "admin.overview.open", "count": len(is_open), "url": f"{visit.url(APPROVALS)}?show=open"},
            {"id": "admin.overview.outbox", "count": status.waiting, "url": visit.url(OUTBOX)},
            {"id": "admin.overview.dead", "count": status.dead, "url": visit.url(OUTBOX)},
        ],
        "stopped": bool(status.stopped_since),
        "health_url": visit.url(HEALTH),
        "outbox_url": visit.url(OUTBOX),
    }
    return visit.page("overview", data)
