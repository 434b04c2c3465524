"""How the server is, in detail, for those who watch over it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from casduo.diagnosis.health import HealthReport
from casduo.diagnosis.text import as_values
from casduo.endpoints.base import Route, Server
from casduo.endpoints.guard import comes_from
from casduo.request import Request
from casduo.web import Reply


def health_detail(server: Server, request: Request) -> Reply:
    """``/healthz/detail``: a report in JSON, to callers in ``health.networks``; others get 403, and a word for whoever
    set it up.

    The status is 200 however the server is: this is for reading. Whether it can serve, ``/readyz`` says, and that does
    not depend on Duo.
    """
    if not comes_from(request, server.health.networks):
        return server.web.plain(403, "not from this address: see health.networks and server.trusted_proxies\n")
    return server.web.machine(json.dumps(_values(server.health.current())).encode(), "application/json")


def _values(report: HealthReport) -> dict[str, object]:
    at = datetime.fromtimestamp(report.at, UTC).isoformat(timespec="seconds")
    return {"level": report.level, "at": at, "findings": [as_values(finding) for finding in report.findings]}


HEALTH_ROUTES: Mapping[str, Route] = {"/healthz/detail": Route(health_detail, ("GET",), "probe")}
