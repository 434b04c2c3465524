"""What operators ask of one application: what it was told of ended sessions, and which of its validations failed."""

from __future__ import annotations

from casduo.admin.rows import failure_row, told_row
from casduo.admin.sessions import MOST_TYPED
from casduo.endpoints.admin.visit import AdminVisit
from casduo.explanation.failures import explain_failures
from casduo.explanation.recent import NOBODY, UnknownApplication, recent_failures, wanted_by
from casduo.web import Reply

SIGN_OUTS, FAILURES = "/admin/signouts", "/admin/failures"


def sign_outs(visit: AdminVisit) -> Reply:
    """``/admin/signouts``: what an application was told of the end of sessions, and how that went."""
    typed = visit.request.parameters.get("service", "").strip()[:MOST_TYPED]
    visit.object = typed
    entry = visit.registry.by_id(typed) if typed else None
    problems = {"service": "admin.sessions.error.service"} if typed and entry is None else {}
    lines = visit.tools.ledger.of_service(typed) if entry is not None else []
    data = {
        "service": typed,
        "name": entry.name if entry is not None else "",
        "asked": entry is not None,
        "problems": problems,
        "lines": [told_row(line, visit.tools.zone) for line in lines],
        "search_url": visit.url(SIGN_OUTS),
    }
    return visit.page("signouts", data, status=422 if problems else 200)


def failures(visit: AdminVisit) -> Reply:
    """``/admin/failures``: which validations of tickets failed of late, why, and what helps."""
    parts = visit.server.parts
    typed = visit.request.parameters.get("service", "").strip()[:MOST_TYPED]
    visit.object = typed
    problems, found, name = {}, [], ""
    if typed:
        login = f"{visit.request.origin}{parts.rules.base}/login"
        try:
            wanted = wanted_by(typed, visit.registry, login)
            recent = recent_failures(wanted, parts.failures, visit.request.now)
            name = recent.wanted.name
            found = [failure_row(one, visit.tools.zone) for one in explain_failures(recent.failures)]
        except UnknownApplication:
            problems = {"service": "admin.failures.error.service"}
    data = {
        "service": typed,
        "name": name,
        "asked": bool(typed) and not problems,
        "problems": problems,
        "failures": found,
        "search_url": visit.url(FAILURES),
        "unregistered_url": f"{visit.url(FAILURES)}?service={NOBODY}",
    }
    return visit.page("failures", data, status=422 if problems else 200)
