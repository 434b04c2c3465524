"""What somebody sees who signed in without wanting to go anywhere: what they may open, and how they are signed in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from casduo.approvals.model import Phase, Standing
from casduo.approvals.requests import ApprovalRequests
from casduo.authentication.names import lowered_address
from casduo.csrf import CsrfTokens
from casduo.rules import LoginRules
from casduo.services.access import decide
from casduo.services.builtin import ACCOUNT, ADMIN, APPROVALS, OWN_SERVICES, REQUESTS
from casduo.services.index import Registry, RegistrySource
from casduo.services.model import RegisteredService
from casduo.webflow.context import Context
from casduo.webflow.effects import Form, Page

_START = re.compile(r"(https?://[^*]+?)\*{0,2}")
"""A pattern whose fixed beginning is an address to open: nothing variable but a trailing ``**``."""
_MOST_APPLICATIONS = 50

_Opened = tuple[RegisteredService, str]
"""A service that the person may open, and its address."""


def signed_in(
    context: Context, rules: LoginRules, services: RegistrySource, csrf: CsrfTokens, approvals: ApprovalRequests
) -> Page:
    """The page of the signed in."""
    scope, registry = context.scope, services.current()
    token = csrf.make(scope.session, context.inbound.now)
    opened = _opened(registry, context, rules)
    asking = any(entry.requires_approval is not None for entry in registry.services)
    data = {
        "username": scope.principal_id,
        "display_name": next(iter(context.attributes.get("displayName", ())), None),
        "applications": [{"name": entry.name, "url": url} for entry, url in opened if entry.target is None],
        "targets": _targets(
            [(entry, url) for entry, url in opened if entry.target is not None], context, approvals, rules
        ),
        "account_url": rules.account_url,
        "requests_url": rules.requests_url if asking else None,
        "approvals_url": rules.approvals_url if decides(registry, context.attributes.get("mail", ())) else None,
        "logout": Form(rules.logout_url, csrf=token),
        "logout_everywhere": Form(rules.logout_url, (("everywhere", "true"),), csrf=token),
    }
    return Page("signed_in", data)


def decides(registry: Registry, emails: tuple[str, ...]) -> bool:
    """Whether somebody with these addresses decides about requests for any service."""
    known = set(map(lowered_address, emails))
    rules = (entry.requires_approval for entry in registry.services)
    return any(rule is not None and not known.isdisjoint(rule.approvers) for rule in rules)


def _opened(registry: Registry, context: Context, rules: LoginRules) -> list[_Opened]:
    """Return what the person may open, as far as the registry tells a fixed address: all machines, and of other
    applications as many as somebody reads.
    """
    found: list[_Opened] = []
    applications = 0
    # Our own pages last: people come for the others. Those about requests are linked where they have something to say.
    own = (
        entry
        for entry in map(registry.by_id, sorted(OWN_SERVICES - {ACCOUNT, APPROVALS, REQUESTS}))
        if entry is not None
    )
    for entry in chain((entry for entry in registry.services if entry.id not in OWN_SERVICES), own):
        url = _START.fullmatch(entry.urls[0])
        if url is None or not entry.enabled or entry.channel != "browser":
            continue
        if entry.id == ADMIN and rules.admin.role_of(context.scope.principal_id, context.attributes) is None:
            continue
        access = decide(
            entry.access,
            context.attributes,
            context.inbound.address,
            context.inbound.now,
            group_attributes=rules.group_attributes,
        )
        if access.allowed and (entry.target is not None or applications < _MOST_APPLICATIONS):
            found.append((entry, url[1]))
            applications += entry.target is None
    return found


def _targets(
    opened: list[_Opened], context: Context, approvals: ApprovalRequests, rules: LoginRules
) -> list[dict[str, Any]]:
    """Return the machines that the person may go to, each with how it stands now. One round trip at most."""
    readings = {
        entry.id: approvals.reading(context.batch, context.scope.principal_id, entry.id)
        for entry, _ in opened
        if entry.requires_approval is not None
    }
    if readings:
        context.batch.run()
    now = context.inbound.now
    standings = {service: reading.standing(now) for service, reading in readings.items()}
    return [_target(entry, url, standings.get(entry.id), rules) for entry, url in opened]


def _target(entry: RegisteredService, url: str, standing: Standing | None, rules: LoginRules) -> dict[str, Any]:
    assert entry.target is not None
    state: Phase | str = standing.phase if standing is not None else "free"
    line = standing.line if standing is not None else None
    moments = {"open": line.end, "early": line.start} if line is not None else {}
    return {
        "name": entry.name,
        "url": url,
        "host": entry.target.host,
        "ip": entry.target.ip or "",
        "account": entry.target.account or "",
        "state": state,
        "at": _iso(moments[state]) if state in moments else None,
        "request_url": f"{rules.requests_url}/{line.request}" if line is not None else None,
    }


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).isoformat()
