"""Numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping

from casduo.endpoints.base import Route, Server
from casduo.endpoints.guard import comes_from
from casduo.request import Request
from casduo.web import Reply


def metrics(server: Server, request: Request) -> Reply:
    """``/metrics``: the numbers of all processes of this server, to callers in ``metrics.networks``; others get 403,
    and a word for whoever set it up.
    """
    scrape = server.metrics
    assert scrape is not None
    if not comes_from(request, scrape.networks):
        return server.web.plain(403, "not from this address: see metrics.networks and server.trusted_proxies\n")
    body, kind = scrape.answer(request.environ.get("HTTP_ACCEPT", ""))
    return server.web.machine(body, kind)


METRICS_ROUTES: Mapping[str, Route] = {"/metrics": Route(metrics, ("GET",), "probe")}
"""The address that Prometheus asks; it exists where ``Server.metrics`` does."""
