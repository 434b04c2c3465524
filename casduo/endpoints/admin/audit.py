"""``/admin/audit``: a search in the audit trail, from its end, a stretch of it at a time."""

from __future__ import annotations

from pathlib import Path

from casduo.admin.audit import AuditAsked, read_audit_search
from casduo.admin.moments import iso
from casduo.admin.rows import entry_row
from casduo.endpoints.admin.visit import AdminVisit
from casduo.events.audit_files import trail_files
from casduo.events.audit_search import Search, search
from casduo.events.model import Fault
from casduo.web import Reply

AUDIT = "/admin/audit"
_SHOWN = 20


def audit(visit: AdminVisit) -> Reply:
    """The search and what it found."""
    tools = visit.tools
    asked = read_audit_search(visit.request.parameters, tools.zone)
    visit.object = " ".join(f"{name}:{value}" for name, value in asked.typed.items() if value)
    found, unreadable = None, False
    if not asked.problems and tools.audit_directory is not None:
        try:
            found = _search(tools.audit_directory, asked)
        except OSError as error:
            unreadable = True
            visit.server.parts.journal.write(Fault(visit.about(), code="AUDIT_UNREADABLE", detail=str(error)))
    url = visit.url(AUDIT)
    data = {
        "search": asked.typed,
        "problems": asked.problems,
        "switched_off": tools.audit_directory is None,
        "unreadable": unreadable,
        "entries": [entry_row(entry, tools.zone) for entry in found.entries] if found is not None else [],
        "looked_at": found.looked_at if found is not None else 0,
        "damaged": found.damaged if found is not None else 0,
        "chained": found is not None and found.chained and found.looked_at > 0,
        "oldest": iso(found.oldest, tools.zone) if found is not None and found.oldest else None,
        "older_url": asked.address(url, found.following) if found is not None and found.following else None,
        "newest_url": asked.address(url) if asked.before is not None else None,
        "search_url": url,
    }
    return visit.page("audit", data, status=422 if asked.problems else 200)


def _search(directory: Path, asked: AuditAsked) -> Search:
    paths = trail_files(directory) if directory.is_dir() else []
    return search(paths, asked.selection, _SHOWN, before=asked.before, reference=asked.reference)
