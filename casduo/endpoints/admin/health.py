"""``/admin/health``: how the server and what it needs are, the same as ``/healthz/detail`` for reading."""

from __future__ import annotations

from casduo.admin.moments import iso
from casduo.admin.rows import finding_row
from casduo.diagnosis.model import worst_first
from casduo.endpoints.admin.visit import AdminVisit
from casduo.web import Reply


def health(visit: AdminVisit) -> Reply:
    """The findings, and the state of the registry file."""
    report = visit.server.health.current()
    data = {
        "at": iso(report.at, visit.tools.zone),
        "findings": [finding_row(finding) for finding in worst_first(report.findings)],
        "version": visit.registry.version,
        "services": len(visit.registry.services),
        "rejected": [str(problem) for problem in visit.server.parts.services.problems],
    }
    return visit.page("health", data)
