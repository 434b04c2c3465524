"""The addresses that monitoring asks."""

from __future__ import annotations

from casduo.endpoints.base import Server
from casduo.errors import UpstreamError
from casduo.request import Request
from casduo.web import Reply


def healthz(server: Server, request: Request) -> Reply:
    """``/healthz``: this process answers."""
    return server.web.plain(200, "ok\n")


def readyz(server: Server, request: Request) -> Reply:
    """``/readyz``: this process can sign people in, as far as it depends on Redis."""
    try:
        server.parts.store.ping()
    except UpstreamError:
        return server.web.plain(503, "redis\n")
    return server.web.plain(200, "ok\n")
