"""What every page about the registry says of the file, and how pages are told of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from casduo.endpoints.admin.visit import AdminVisit
from casduo.errors import SettingsError, UpstreamError
from casduo.nodes.model import Node, in_force
from casduo.nodes.roster import present_nodes
from casduo.services.editing.history import Change
from casduo.services.file import registry_version


def standing(visit: AdminVisit) -> Mapping[str, object]:
    """Return what every page about the registry says of the file: whether it can be changed, and is in force."""
    desk, source = visit.tools.desk, visit.server.parts.services
    try:
        version = registry_version(desk.content())
    except SettingsError:
        version = ""
    serving = _serving(visit)
    force = in_force(serving, version) if serving and version else None
    last = desk.history.last()
    saved = visit.request.parameters.get("saved", "")
    done = last if last is not None and saved == str(last.number) else None
    return {
        "read_only": desk.read_only,
        "version": version,
        "in_force": force.everywhere if force is not None else version == source.current().version,
        "nodes": {"on": force.on, "of": force.of, "lagging": [node.name for node in force.lagging]} if force else None,
        "rejected": bool(source.problems),
        "done": told_change(visit, done) if done is not None else None,
        "new_url": visit.url("/admin/services/new"),
        "history_url": visit.url("/admin/services/history"),
        "trial_url": visit.url("/admin/services/try"),
    }


def _serving(visit: AdminVisit) -> Sequence[Node]:
    """Return the nodes that serve; none where nobody announces itself, or Redis does not answer now."""
    try:
        return [node for node in present_nodes(visit.server.parts.store) if node.role == "server"]
    except UpstreamError:
        return ()


def told_change(visit: AdminVisit, change: Change) -> Mapping[str, object]:
    """Return a change of the history for a page."""
    return {
        "number": change.number,
        "at": datetime.fromtimestamp(int(change.at), visit.tools.zone).isoformat(),
        "by": change.by,
        "kind": change.kind,
        "entry": change.entry,
        "reason": change.reason,
        "before": change.before,
        "after": change.after,
        "url": visit.url(f"/admin/services/history/{change.number}"),
    }
