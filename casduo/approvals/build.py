"""Builds what keeps requests for access from the settings, the same for server, worker and commands."""

from __future__ import annotations

from casduo.approvals.requests import ApprovalRequests
from casduo.settings import Settings
from casduo.store import Store


def build_requests(settings: Settings, store: Store) -> ApprovalRequests:
    """Return the requests in ``store``, kept and judged as ``settings`` say."""
    approvals = settings.approvals
    return ApprovalRequests(
        store,
        kept=approvals.kept,
        refusal_window=approvals.refusal_window,
        refusals=approvals.refusals,
        remind=approvals.remind or 0.0,
    )
