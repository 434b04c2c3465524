"""The list of flows."""

from __future__ import annotations

from casduo.webflow.actions import FUNCTIONS
from casduo.webflow.approval import APPROVAL
from casduo.webflow.duo import DUO
from casduo.webflow.engine import Flow, check
from casduo.webflow.extension_mobility import EXTENSION_MOBILITY, EXTENSION_MOBILITY_LOGOUT
from casduo.webflow.login import LOGIN
from casduo.webflow.logout import LOGOUT

FLOWS: dict[str, Flow] = {
    flow.name: flow for flow in (LOGIN, DUO, APPROVAL, EXTENSION_MOBILITY, EXTENSION_MOBILITY_LOGOUT, LOGOUT)
}

PHONE_FLOWS: frozenset[str] = frozenset({EXTENSION_MOBILITY.name, EXTENSION_MOBILITY_LOGOUT.name})
"""Those that run at phones, and never in a browser."""

check(FLOWS, FUNCTIONS)
