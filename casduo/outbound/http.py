"""One pooled HTTP client per upstream: time-outs, a deadline, a size cap, no redirects, and errors casduo knows."""

from __future__ import annotations

import io
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import unquote, urlencode

import requests
import urllib3

from casduo.cause import trace_headers
from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.failures import STANDARD, Failures, failure_for

_CHUNK = 65536
_POOLS = 4
"""Hosts and ports to which connections are kept."""
_ONCE = urllib3.Retry(total=False)
_LEAST_WAIT = 0.001
"""Seconds. A socket that may wait for no time at all does not wait, and fails for another reason."""
_HEADERS = {
    "User-Agent": "casduo",
    "Accept": "*/*",
    # Compressed answers would make the size cap a matter of what they grow to.
    "Accept-Encoding": "identity",
}

_KINDS = Failures(
    hangs_up=STANDARD.hangs_up,
    untrusted=(*STANDARD.untrusted, requests.exceptions.SSLError, urllib3.exceptions.SSLError),
    # Addresses, schemes and header values that nobody can send; an error of TLS that is one too was looked at before.
    our_request=(*STANDARD.our_request, ValueError),
    outages=(
        ((requests.exceptions.ProxyError, urllib3.exceptions.ProxyError), "proxy"),
        ((urllib3.exceptions.NameResolutionError,), "dns"),
        *STANDARD.outages,
        # urllib3 counts every connection that did not come about among its time-outs, so this stands before those.
        ((urllib3.exceptions.NewConnectionError,), "connection"),
        ((requests.Timeout, urllib3.exceptions.TimeoutError), "timeout"),
        (
            (
                requests.exceptions.ChunkedEncodingError,
                requests.exceptions.ContentDecodingError,
                urllib3.exceptions.IncompleteRead,
                urllib3.exceptions.InvalidChunkLength,
                urllib3.exceptions.DecodeError,
            ),
            "unreadable",
        ),
    ),
)
"""What the exceptions of Requests and urllib3 mean, besides those of Python."""


class UpstreamUnreached(UpstreamUnavailable):
    """No connection came about, TLS included: the request certainly never left."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How to talk to one upstream. Times are seconds, all of them required to be above 0.

    :param connect_timeout: for TCP and TLS each. The system's resolver keeps its own time.
    :param read_timeout: longest silence while waiting for the answer or within it.
    :param deadline: for the whole call, looked at between two pieces of the answer; so a call may last one
        ``read_timeout`` longer.
    :param max_body: largest answer in bytes.
    :param pool: connections kept open; at least as many as threads may call at a time.
    :param ca_file: PEM file of the only authorities to trust, in place of the system's.
    :param extra_ca_file: PEM file of authorities to trust besides.
    :param proxy: ``http://[user:password@]host:port``. The environment's proxies are never used.
    :param traced: a system of the operator's, which may know of the trace that a request belongs to.
    """

    connect_timeout: float
    read_timeout: float
    deadline: float
    max_body: int = 1024 * 1024
    pool: int = 16
    ca_file: str | None = None
    extra_ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    traced: bool = False


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, read to its end. Header names are matched without regard to case."""

    status: int
    reason: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body parsed as JSON.

        :raises ValueError: it is not JSON.
        """
        try:
            return json.loads(self.body)
        except RecursionError:
            # Without its cause, which is as long as the answer is deep.
            raise ValueError("nested too deeply") from None

    @property
    def is_json(self) -> bool:
        """Whether the body parses as JSON, whatever the headers call it."""
        try:
            self.json()
        except ValueError:
            return False
        return True


class HttpClient:
    """Calls one upstream. Safe to share by threads and greenlets; connections are kept and reused.

    Neither environment variables nor ``.netrc`` have a say, and cookies are not kept. It stands on urllib3 without
    Requests: among thousands of calls that wait at a time, what a layer holds meanwhile counts.

    :param name: the upstream, as errors name it.
    :param monotonic: a clock that never goes back, for the deadline.
    :raises UpstreamMisconfigured: a file of authorities cannot be read.
    """

    def __init__(self, name: str, settings: HttpSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._settings = settings
        self._monotonic = monotonic
        self._connections = _connections(settings, _tls_context(name, settings))
        self._timeout = urllib3.Timeout(connect=settings.connect_timeout, read=settings.read_timeout)

    def request(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        within: float | None = None,
    ) -> HttpAnswer:
        """Send one request and read its answer. Any status is an answer, redirects included: none is followed.

        :param form: fields to send as an ``application/x-www-form-urlencoded`` body.
        :param body: the body as it is to be sent, in place of ``form``.
        :param repeatable: the request may safely reach the upstream twice. It is then sent once more if the upstream
            hangs up before answering, as happens when it closes a kept connection at the moment we use it.
        :param within: seconds for the whole call, above 0, where fewer are left than the settings allow. Time-outs and
            deadline shrink to it. Only a resolver, or a name of several addresses that all keep silent, takes longer.
        :raises UpstreamUnavailable: no answer, or none that can be read. ``detail`` is one of ``refused``, ``dns``,
            ``reset``, ``timeout``, ``deadline``, ``proxy``, ``unreadable``, ``too_large``, ``connection``.
        :raises UpstreamUnreached: likewise, and the request never left.
        :raises UpstreamUntrusted: TLS cannot be trusted.
        :raises UpstreamMisconfigured: the request itself cannot be sent; ``detail`` is ``request``.
        """
        traced = trace_headers("internal") if self._settings.traced else {}
        fields = {**_HEADERS, **(headers or {}), **traced}
        if form is not None:
            body = urlencode(form)
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        content = body.encode() if isinstance(body, str) else body
        started = self._monotonic()
        try:
            return self._attempt(started, method, url, content, fields, within)
        except UpstreamUnavailable as error:
            if not repeatable or error.detail != "reset":
                raise
        return self._attempt(started, method, url, content, fields, within)

    def close(self) -> None:
        """Close the kept connections. The client stays usable."""
        self._connections.clear()

    def _attempt(
        self,
        started: float,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        within: float | None,
    ) -> HttpAnswer:
        timeout = self._timeout if within is None else self._shrunk(started + within - self._monotonic())
        ends = started + (self._settings.deadline if within is None else min(within, self._settings.deadline))

        def left() -> float:
            seconds = ends - self._monotonic()
            if seconds <= 0:
                raise UpstreamUnavailable(self.name, "deadline")
            return seconds

        _under_way.left = left
        try:
            response = self._open(method, url, body, headers, timeout)
            try:
                content = self._read(response, left, hurried=within is not None)
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()
        except (OSError, ValueError, HTTPException, urllib3.exceptions.HTTPError) as error:
            failure = transport_failure(self.name, error)
            if isinstance(failure, UpstreamUnavailable) and _never_left(error, failure):
                failure = UpstreamUnreached(self.name, failure.detail)
        else:
            return HttpAnswer(response.status, str(response.reason or ""), response.headers, content)
        finally:
            _under_way.left = None
        # Raised out here, the failure drags no library exception along: those quote URLs.
        raise failure

    def _shrunk(self, left: float) -> urllib3.Timeout:
        """Return time-outs that fit into the seconds that are left, together as well.

        :raises UpstreamUnreached: nothing is left.
        """
        if left <= 0:
            raise UpstreamUnreached(self.name, "deadline")
        return urllib3.Timeout(total=left, connect=self._settings.connect_timeout, read=self._settings.read_timeout)

    def _open(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeout: urllib3.Timeout
    ) -> urllib3.BaseHTTPResponse:
        target = urllib3.util.parse_url(url)
        if target.scheme is None:
            raise ValueError("no scheme")
        pool = self._connections.connection_from_host(target.host, target.port, target.scheme)
        # A proxy is told the whole address of what is sent in the clear (RFC 9112, 3.2.2).
        whole = self._connections.proxy is not None and target.scheme == "http"
        return pool.urlopen(
            method,
            target._replace(fragment=None).url if whole else target.request_uri,
            body=body,
            headers=headers,
            retries=_ONCE,
            redirect=False,
            assert_same_host=False,
            timeout=timeout,
            preload_content=False,
            decode_content=False,
        )

    def _read(self, response: urllib3.BaseHTTPResponse, left: Callable[[], float], *, hurried: bool) -> bytes:
        """Return the body.

        :param left: the seconds that are left; raises when there are none
        :param hurried: they may be fewer than the time-out of a connection
        """
        pieces: list[bytes] = []
        size = 0
        if hurried:
            self._hurry(response, left())
        while piece := response.read1(_CHUNK, decode_content=False):
            size += len(piece)
            if size > self._settings.max_body:
                raise UpstreamUnavailable(self.name, "too_large")
            seconds = left()
            if hurried:
                self._hurry(response, seconds)
            pieces.append(piece)
        return b"".join(pieces)

    def _hurry(self, response: urllib3.BaseHTTPResponse, left: float) -> None:
        """Wait for the next piece of a body no longer than the seconds that are left."""
        # A connection that is not kept has already let go of its socket; there the first time-out stays in force.
        connection = getattr(response.connection, "sock", None)
        if connection is not None:
            connection.settimeout(max(_LEAST_WAIT, min(left, self._settings.read_timeout)))


_under_way = threading.local()
"""``left`` of this thread's call: the seconds that it has, or an error when there are none. urllib3 hands nothing
through to those who read.
"""


class _Incoming(io.RawIOBase):
    """An answer as it comes in. A peer that sends it drop by drop, never silent for long, must not outlast the call:
    http.client reads status and headers in one go, and so the lines between the pieces of a body and behind it.
    """

    def __init__(self, source: io.RawIOBase) -> None:
        self._source = source
        self._left: Callable[[], float] | None = getattr(_under_way, "left", None)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._left is not None:
            self._left()
        return self._source.readinto(buffer)

    def close(self) -> None:
        self._source.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Here and not where it begins: of a proxy's answer to CONNECT only the first lines are read, and not by that.
        self.fp = io.BufferedReader(_Incoming(self.fp.detach()))


class _Plain(urllib3.connection.HTTPConnection):
    response_class = _Response


_HANDSHAKE_FAILURES: tuple[type[BaseException], ...] = (*STANDARD.hangs_up, TimeoutError)


class _Tls(urllib3.connection.HTTPSConnection):
    """A connection that tells a handshake that failed from a request that did: urllib3 calls both the same."""

    response_class = _Response

    def connect(self) -> None:
        try:
            super().connect()
        except _HANDSHAKE_FAILURES as error:
            failure = urllib3.exceptions.ConnectTimeoutError("handshake")
            failure.__cause__ = error
        else:
            return
        raise failure


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Tls


def _never_left(error: Exception, failure: UpstreamUnavailable) -> bool:
    """Whether no connection came about: not to the upstream, and not to or through the proxy.

    urllib3 calls it an error of the proxy too when a connection through one is reset later.
    """
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return True
    return isinstance(error, urllib3.exceptions.ProxyError) and failure.detail == "proxy"


def transport_failure(upstream: str, error: BaseException) -> UpstreamError:
    """Return what an exception of Requests, urllib3 or Python itself means for ``upstream``."""
    return failure_for(upstream, error, _KINDS)


def _tls_context(name: str, settings: HttpSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.extra_ca_file is not None:
            context.load_verify_locations(settings.extra_ca_file)
    except OSError:
        raise UpstreamMisconfigured(name, "ca_file") from None
    return context


def _kept_alive() -> list[tuple[int, int, int | bytes]]:
    """Socket options that keep firewalls from forgetting an idle connection, and notice when one did."""
    options: list[tuple[int, int, int | bytes]] = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            options.append((socket.IPPROTO_TCP, getattr(socket, option), value))
    return options


def _connections(settings: HttpSettings, context: ssl.SSLContext) -> urllib3.PoolManager:
    options: dict[str, Any] = {
        "num_pools": _POOLS,
        "maxsize": settings.pool,
        "ssl_context": context,
        "socket_options": _kept_alive(),
    }
    if settings.proxy is None:
        manager = urllib3.PoolManager(**options)
    else:
        user = urllib3.util.parse_url(settings.proxy).auth
        headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
        manager = urllib3.ProxyManager(settings.proxy, proxy_headers=headers, **options)
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
    return manager


class _WithoutQueries(logging.Filter):
    """Cuts query strings out of urllib3's log lines: they hold transaction ids and codes."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())
