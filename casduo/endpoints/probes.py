"""The addresses that load balancers and orchestrators ask."""

from __future__ import annotations

from casduo.endpoints.base import Server
from casduo.endpoints.guard import comes_from
from casduo.request import Request
from casduo.web import Reply


def healthz(server: Server, request: Request) -> Reply:
    """``/healthz``: this process answers."""
    return server.web.plain(200, "ok\n")


def readyz(server: Server, request: Request) -> Reply:
    """``/readyz``: this process should be sent people; 503 where it should not, with the word for why.

    ``/readyz?verbose`` adds a line for each dependency, for callers in ``health.networks``. ``/readyz?otherwise=404``
    says 404 in place of 503, for proxies that tell nodes which answer so from nodes which do not answer at all: nobody
    else is sent to the one, and those who are there may finish (HAProxy's ``http-check disable-on-404``).
    """
    standing = server.readiness.standing(draining=server.draining.draining)
    lines = [standing.word]
    if _wants_more(request) and comes_from(request, server.health.networks):
        lines += [dependency.line for dependency in standing.dependencies]
    otherwise = 404 if "otherwise=404" in _query(request) else 503
    return server.web.plain(200 if standing.ready else otherwise, "".join(f"{line}\n" for line in lines))


def _wants_more(request: Request) -> bool:
    return any(name.partition("=")[0] == "verbose" for name in _query(request))


def _query(request: Request) -> list[str]:
    return str(request.environ.get("QUERY_STRING", "")).split("&")
