"""What the work at hand is done for: the request, known to every line of the log and every call to others.

A value per thread, and per greenlet in the worker (:mod:`contextvars`): set where a request or a piece of work begins,
and gone when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Literal

from casduo.tracecontext import Trace, continue_trace
from casduo.values import value_object

Propagate = Literal["internal", "all", "none"]


@value_object(frozen=True, slots=True)
class Cause:
    """What work is done for.

    :param reference: the request's, as pages and events show it
    :param trace: the trace that it belongs to, ``None`` where that is not known
    :param upstream_request_id: what a trusted proxy calls the request, empty for nothing
    :param propagate: who is told of the trace, see ``log.propagate``
    """

    reference: str
    trace: Trace | None = None
    upstream_request_id: str = ""
    propagate: Propagate = "internal"


_current: ContextVar[Cause | None] = ContextVar("cause", default=None)


class caused_by:
    """Have ``cause`` known to what is done inside. A text is a reference of which no more is known, ``""`` nothing."""

    __slots__ = ("_known", "_token")

    def __init__(self, cause: Cause | str) -> None:
        self._known = Cause(cause) if isinstance(cause, str) else cause

    def __enter__(self) -> None:
        self._token = _current.set(self._known if self._known.reference else None)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def facts() -> Mapping[str, str]:
    """Return what lines of the log tell of it."""
    cause = _current.get()
    if cause is None:
        return {}
    found = {"reference": cause.reference}
    if cause.trace is not None:
        found["trace_id"] = cause.trace.trace_id
    if cause.upstream_request_id:
        found["upstream_request_id"] = cause.upstream_request_id
    return found


def reference() -> str:
    """Return the reference of the request that the work is done for, empty for none."""
    cause = _current.get()
    return cause.reference if cause is not None else ""


def stored() -> dict[str, str]:
    """Return what goes into a queue with an order, for whoever carries it out; see :func:`taken`."""
    cause = _current.get()
    if cause is None:
        return {}
    trace = {"traceparent": cause.trace.traceparent} if cause.trace is not None else {}
    return {"reference": cause.reference, **trace}


def taken(fields: Mapping[str, str], propagate: Propagate) -> Cause:
    """Return what an order is carried out for, by what :func:`stored` has put beside it.

    :param propagate: who is told of traces
    """
    traceparent = fields.get("traceparent", "")
    trace = continue_trace(traceparent) if traceparent else None
    return Cause(fields.get("reference", ""), trace, propagate=propagate)


def trace_headers(to: Literal["internal", "application"]) -> dict[str, str]:
    """Return the headers by which somebody whom we call may go on with the trace; none where they are not to know.

    :param to: a system of the operator's, such as a UCM, or an application
    """
    cause = _current.get()
    if cause is None or cause.trace is None or cause.propagate == "none":
        return {}
    return cause.trace.headers() if to == "internal" or cause.propagate == "all" else {}
