"""``/admin/flows``: how logins proceed, drawn from the tables that run."""

from __future__ import annotations

from casduo.admin.drawing import drawing_of
from casduo.endpoints.admin.visit import AdminVisit
from casduo.web import Reply
from casduo.webflow.flows import FLOWS

FLOW_PAGES = "/admin/flows"


def flows(visit: AdminVisit) -> Reply:
    """The first of the flows."""
    return flow(visit, next(iter(FLOWS)))


def flow(visit: AdminVisit, name: str) -> Reply:
    """One flow: its picture and its table."""
    found = FLOWS.get(name)
    if found is None:
        return visit.nothing()
    visit.object = name
    data = {
        "name": name,
        "flows": [{"name": one, "url": visit.url(f"{FLOW_PAGES}/{one}"), "current": one == name} for one in FLOWS],
        "first": found.first,
        "states": [
            {
                "name": state.name,
                "kind": state.kind.value,
                "function": state.function,
                "flow_url": visit.url(f"{FLOW_PAGES}/{state.function}") if state.kind.value == "subflow" else None,
                "on": list(state.on.items()),
            }
            for state in found.rows
        ],
        "drawing": drawing_of(found),
    }
    return visit.page("flows", data)
