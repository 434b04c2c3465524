"""What an exception of the network means: the peer hung up, cannot be trusted, is away, or the mistake is ours."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, RemoteDisconnected

from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable

Kinds = tuple[type[BaseException], ...]


class UpstreamUntrusted(UpstreamMisconfigured):
    """TLS with the upstream cannot be trusted: a certificate of another authority or name, an expired one.

    Either our list of authorities is wrong or somebody is in the middle. Never a reason to let anybody in.
    """

    code = "UPSTREAM_UNTRUSTED"

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream, "certificate")


@dataclass(frozen=True, slots=True)
class Failures:
    """Exceptions by what they mean. ``outages`` are looked through in order, each with the word for it."""

    hangs_up: Kinds
    untrusted: Kinds
    our_request: Kinds
    outages: tuple[tuple[Kinds, str], ...]


STANDARD = Failures(
    hangs_up=(
        RemoteDisconnected,
        ConnectionResetError,
        ConnectionAbortedError,
        BrokenPipeError,
        ssl.SSLEOFError,
        ssl.SSLZeroReturnError,
    ),
    untrusted=(ssl.SSLError, ssl.CertificateError),
    our_request=(UnicodeEncodeError,),
    outages=(
        ((socket.gaierror,), "dns"),
        ((ConnectionRefusedError,), "refused"),
        ((TimeoutError,), "timeout"),
        ((HTTPException,), "unreadable"),
    ),
)
"""The exceptions of Python's own library."""
_OUR_FILES: Kinds = (FileNotFoundError, PermissionError, IsADirectoryError)


def failure_for(upstream: str, error: BaseException, kinds: Failures = STANDARD) -> UpstreamError:
    """Return what ``error`` means for ``upstream``.

    A TLS error must never pass for an outage, so trust is looked at before anything else but a peer that hangs up,
    which is an outage also where it happens during the handshake.
    """
    chain = tuple(_chain(error))

    def has(wanted: Kinds) -> bool:
        return any(isinstance(each, wanted) for each in chain)

    for each in chain:
        if isinstance(each, UpstreamError):
            return each
    if has(kinds.hangs_up):
        return UpstreamUnavailable(upstream, "reset")
    if has(kinds.untrusted):
        return UpstreamUntrusted(upstream)
    if has(kinds.our_request):
        return UpstreamMisconfigured(upstream, "request")
    if has(_OUR_FILES):
        return UpstreamMisconfigured(upstream, "ca_file")
    detail = next((detail for wanted, detail in kinds.outages if has(wanted)), "connection")
    return UpstreamUnavailable(upstream, detail)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps, in whatever way the libraries wrap: argument, reason or cause."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        # Not __context__: it may hold whatever the caller was busy with when it called us.
        pending += [*each.args, getattr(each, "reason", None), each.__cause__]
