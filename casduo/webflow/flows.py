"""The list of flows."""

from __future__ import annotations

from casduo.webflow.actions import FUNCTIONS
from casduo.webflow.duo import DUO
from casduo.webflow.engine import Flow, check
from casduo.webflow.login import LOGIN
from casduo.webflow.logout import LOGOUT

FLOWS: dict[str, Flow] = {flow.name: flow for flow in (LOGIN, DUO, LOGOUT)}

check(FLOWS, FUNCTIONS)
