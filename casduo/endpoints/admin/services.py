"""The pages about the service registry: the list and the history; those about one entry are beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from casduo.admin.moments import iso
from casduo.admin.service_list import FILTERS, SORTS, Listing, Query, counts, listing, read_query
from casduo.endpoints.admin.service_change import review, save, shown_diff
from casduo.endpoints.admin.service_entry import entry, lint, new
from casduo.endpoints.admin.service_standing import standing, told_change
from casduo.endpoints.admin.service_trial import trial
from casduo.endpoints.admin.visit import AdminPage, AdminVisit
from casduo.errors import SettingsError, UpstreamError
from casduo.services.builtin import OWN_SERVICES
from casduo.services.editing.drafts import Draft
from casduo.services.editing.errors import UnknownEntry
from casduo.services.file import read_registry, registry_version
from casduo.services.index import Registry
from casduo.tickets.use import last_uses
from casduo.web import Reply

_MOST_SHOWN = 100
"""Changes on the page of the history."""


def services(visit: AdminVisit) -> Reply:
    """``/admin/services``: the list."""
    query = read_query(visit.request.parameters)
    visit.object = query.text
    registry, problems = _registry(visit)
    found = _problems(visit, query)
    own = OWN_SERVICES
    shown = listing(query, registry, own, found, _last_uses(visit))
    data = {
        "list": shown,
        "query": query,
        "counts": counts(registry, own),
        "columns": _columns(visit, query),
        "filters": [
            {"name": name, "values": values, "chosen": query.filters.get(name, "")} for name, values in FILTERS.items()
        ],
        "pages": _pages(visit, query, shown),
        "used": {row.id: iso(row.used, visit.tools.zone) for row in shown.rows if row.used},
        "entry_url": visit.url("/admin/services/entry/"),
        "list_url": visit.url("/admin/services"),
        "problems": [str(problem) for problem in problems],
        "standing": standing(visit),
    }
    return visit.page("services", data)


def _registry(visit: AdminVisit) -> tuple[Registry, tuple[object, ...]]:
    """Return the registry as the file has it; where that cannot be used, the one in force, and why."""
    source = visit.server.parts.services
    try:
        content = visit.tools.desk.content()
    except SettingsError as error:
        return source.current(), error.problems
    if registry_version(content) == source.current().version:
        return source.current(), ()
    # Saved a moment ago, or with a mistake in it.
    reading = read_registry(content, str(source.path), None)
    return reading.registry or source.current(), reading.problems if reading.registry is None else ()


def _last_uses(visit: AdminVisit) -> Mapping[str, float]:
    """Return when services were last used; nothing where Redis does not answer now."""
    try:
        return last_uses(visit.server.parts.store)
    except UpstreamError:
        return {}


def _problems(visit: AdminVisit, query: Query) -> Mapping[int, int] | None:
    """Return how many findings the entries have; None where nobody asked, for looking takes its time."""
    if "problems" not in query.filters:
        return None
    desk = visit.tools.desk
    try:
        verdict = desk.findings(desk.text())
    except SettingsError:
        return None
    return Counter(one.entry for one in verdict.others if one.level != "note")


def _columns(visit: AdminVisit, query: Query) -> list[Mapping[str, object]]:
    columns: list[Mapping[str, object]] = []
    for sort in SORTS:
        chosen = query.sort == sort
        turned = "1" if chosen and not query.down else ""
        address = visit.url("/admin/services") + query.address(sort=sort, down=turned, page=1)
        order = ("descending" if query.down else "ascending") if chosen else ""
        columns.append({"name": sort, "url": address, "order": order})
    return columns


def _pages(visit: AdminVisit, query: Query, shown: Listing) -> Mapping[str, object]:
    base = visit.url("/admin/services")
    return {
        "page": shown.page,
        "of": shown.pages,
        "before": base + query.address(page=shown.page - 1) if shown.page > 1 else "",
        "after": base + query.address(page=shown.page + 1) if shown.page < shown.pages else "",
    }


# --- the history ----------------------------------------------------------------------------------------------------


def history(visit: AdminVisit) -> Reply:
    """``/admin/services/history``: every change that is known."""
    about = standing(visit)
    changes = visit.tools.desk.history.changes()
    wanted = visit.request.parameters.get("entry", "")
    visit.object = wanted
    kept = [one for one in changes if not wanted or one.entry == wanted]
    data = {
        "changes": [told_change(visit, one) for one in kept[:_MOST_SHOWN]],
        "more": max(0, len(kept) - _MOST_SHOWN),
        "entry": wanted,
        "list_url": visit.url("/admin/services"),
        "standing": about,
    }
    return visit.page("service_history", data)


def history_entry(visit: AdminVisit, number: str) -> Reply:
    """``/admin/services/history/N``: one change, and by POST the way back to before or after it."""
    desk = visit.tools.desk
    about = standing(visit)
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return visit.nothing()
    visit.object = number
    try:
        change = desk.history.change(int(number))
        after = desk.history.text(change.after)
        before = desk.history.text(change.before) if change.before else after
    except UnknownEntry:
        return visit.nothing()
    if visit.request.method == "POST":
        wanted = change.before if visit.request.parameters.get("to") == "before" and change.before else change.after
        return review(visit, Draft("returned", str(about["version"]), text=wanted))
    data = {
        "change": told_change(visit, change),
        "diff": shown_diff(before, after),
        "present": change.after == about["version"],
        "form": visit.form(f"/admin/services/history/{number}") if visit.may_change and not desk.read_only else None,
        "standing": about,
    }
    return visit.page("service_change", data)


SERVICE_PAGES: Final[tuple[AdminPage, ...]] = (
    AdminPage("/admin/services", services, "admin.nav.services"),
    AdminPage("/admin/services/new", new, post="change"),
    AdminPage("/admin/services/entry/{}", entry, post="change"),
    AdminPage("/admin/services/lint", lint, post="ask", get=False),
    AdminPage("/admin/services/try", trial, post="ask"),
    AdminPage("/admin/services/save", save, post="change", get=False),
    AdminPage("/admin/services/history", history),
    AdminPage("/admin/services/history/{}", history_entry, post="change"),
)
"""The pages about the registry, for the list of all pages."""
