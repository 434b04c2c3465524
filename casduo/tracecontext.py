"""Reads and writes the headers that connect what several systems do for one request.

Source: W3C Trace Context, https://www.w3.org/TR/trace-context/. Pure but for the random ids of new traces.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import field

from casduo.values import value_object

_LENGTH = 55
"""Characters of ``traceparent`` in version 00, and of the beginning that every later version shares (3.2.4)."""
_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SIMPLE_KEY = r"[a-z0-9][a-z0-9_*/-]{0,255}"
_TENANT_KEY = r"[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}"
_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_MEMBER = re.compile(rf"({_TENANT_KEY}|{_SIMPLE_KEY})=({_VALUE})")
_MOST_MEMBERS = 32
_LONGEST_STATE = 512
_LARGE_MEMBER = 128
_KNOWN_FLAGS = 0x03
"""Sampled, and that the trace's id is random; what other bits mean nobody has said yet (3.2.2.5)."""


@value_object(frozen=True, slots=True)
class Trace:
    """Where a request stands in a trace.

    :param trace_id: 32 hexadecimal digits, the same in all systems
    :param span_id: 16 hexadecimal digits, what we do for this request
    :param flags: one byte; the lowest bit says whether whoever began the trace records it
    :param state: ``tracestate`` as it came, for systems behind us; empty for none
    """

    trace_id: str
    span_id: str
    flags: int = 0
    state: str = field(default="", repr=False)

    @property
    def traceparent(self) -> str:
        """The header for a call that we make, with us as the parent."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    def headers(self) -> dict[str, str]:
        """Return the headers for a call that we make."""
        state = {"tracestate": self.state} if self.state else {}
        return {"traceparent": self.traceparent, **state}


def begin_trace() -> Trace:
    """Return a trace that begins here. Nobody has asked for it to be recorded."""
    digits = secrets.token_hex(24)
    return Trace(digits[:32], digits[32:])


def continue_trace(traceparent: str, tracestate: str = "") -> Trace:
    """Return the trace that a request belongs to, with a span of our own; a new one where it names none.

    :param traceparent: the header as it came, empty for none. Two of them, joined by a comma, are none.
    :param tracestate: likewise; one that cannot be read is dropped, and the trace goes on without
    """
    found = _PARENT.match(traceparent)
    if found is None:
        return begin_trace()
    version, trace_id, parent_id, flags = found.groups()
    rest = traceparent[_LENGTH:]
    if version == "ff" or (rest if version == "00" else rest and rest[0] != "-"):
        return begin_trace()
    if not trace_id.strip("0") or not parent_id.strip("0"):
        return begin_trace()
    return Trace(trace_id, secrets.token_hex(8), int(flags, 16) & _KNOWN_FLAGS, read_state(tracestate))


def read_state(tracestate: str) -> str:
    """Return the header as it is to be passed on: unchanged, but for spaces and what is too much (3.3.1.5): of more
    than 512 characters members of more than 128 are dropped first, then the last ones. Empty where it cannot be read.
    """
    members = [member for member in (one.strip(" \t") for one in tracestate.split(",")) if member]
    keys = set()
    for member in members:
        found = _MEMBER.fullmatch(member)
        if found is None:
            return ""
        keys.add(found[1])
    if len(keys) < len(members) or len(members) > _MOST_MEMBERS:
        return ""
    if _length(members) > _LONGEST_STATE:
        members = [member for member in members if len(member) <= _LARGE_MEMBER]
    while _length(members) > _LONGEST_STATE:
        members.pop()
    return ",".join(members)


def _length(members: list[str]) -> int:
    return sum(map(len, members)) + max(0, len(members) - 1)
