"""What the log knows a request by, and the line that is written when it is answered."""

from __future__ import annotations

import re

import structlog

from casduo.cause import Cause, Propagate
from casduo.request import Request
from casduo.tracecontext import continue_trace
from casduo.web import Reply

_HARMLESS = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = structlog.get_logger("casduo.requests")


class RequestLog:
    """Names requests, and writes a line for each.

    :param written: whether there are such lines
    :param header: in which a trusted proxy tells its own id of a request; empty where none is trusted
    :param propagate: who is told of traces
    """

    def __init__(self, *, written: bool = False, header: str = "", propagate: Propagate = "internal") -> None:
        self._written = written
        self._variable = f"HTTP_{header.upper().replace('-', '_')}" if header else ""
        self._propagate = propagate

    def cause_of(self, request: Request) -> Cause:
        """Return what all that is done for a request is known by. Of what it says itself only what cannot do harm."""
        environ = request.environ
        theirs = str(environ.get(self._variable, "")) if self._variable else ""
        trace = continue_trace(environ.get("HTTP_TRACEPARENT", ""), environ.get("HTTP_TRACESTATE", ""))
        return Cause(request.reference, trace, theirs if _HARMLESS.fullmatch(theirs) else "", self._propagate)

    def note(self, request: Request, reply: Reply, seconds: float) -> None:
        """Write the line of a request that is answered. Paths and queries hold tickets; the route's name does not."""
        if self._written:
            _log.info(
                "request",
                route=request.route,
                method=request.method if request.method in _METHODS else "other",
                status=reply.status,
                ms=round(seconds * 1000, 1),
                bytes=len(reply.body),
                address=request.address,
            )
