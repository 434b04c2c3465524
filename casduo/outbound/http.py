"""One pooled HTTP client per upstream: time-outs, a deadline, a size cap, no redirects, and errors casduo knows."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.failures import STANDARD, Failures, failure_for

_CHUNK = 65536

_KINDS = Failures(
    hangs_up=STANDARD.hangs_up,
    untrusted=(*STANDARD.untrusted, requests.exceptions.SSLError, urllib3.exceptions.SSLError),
    our_request=(
        *STANDARD.our_request,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidHeader,
    ),
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


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How to talk to one upstream. Times are seconds, all of them required to be above 0.

    :param connect_timeout: for TCP and TLS each. The system's resolver keeps its own time.
    :param read_timeout: longest silence while waiting for the answer or within it.
    :param deadline: for the whole call, looked at between two pieces of the body; so a call may last one
        ``read_timeout`` longer.
    :param max_body: largest answer in bytes.
    :param pool: connections kept open; at least as many as threads may call at a time.
    :param ca_file: PEM file of the only authorities to trust, in place of the system's.
    :param extra_ca_file: PEM file of authorities to trust besides.
    :param proxy: ``http://[user:password@]host:port``. The environment's proxies are never used.
    """

    connect_timeout: float
    read_timeout: float
    deadline: float
    max_body: int = 1024 * 1024
    pool: int = 16
    ca_file: str | None = None
    extra_ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)


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
        return json.loads(self.body)

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

    Neither environment variables nor ``.netrc`` have a say, and cookies are not kept.

    :param name: the upstream, as errors name it.
    :param monotonic: a clock that never goes back, for the deadline.
    :raises UpstreamMisconfigured: a file of authorities cannot be read.
    """

    def __init__(self, name: str, settings: HttpSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._settings = settings
        self._monotonic = monotonic
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Compressed answers would make the size cap a matter of what they grow to.
        self._session.headers["Accept-Encoding"] = "identity"
        if settings.proxy is not None:
            self._session.proxies = {"http": settings.proxy, "https": settings.proxy}
        self._session.mount("https://", _Adapter(settings.pool, _tls_context(name, settings)))
        self._session.mount("http://", _Adapter(settings.pool, None))

    def request(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> HttpAnswer:
        """Send one request and read its answer. Any status is an answer, redirects included: none is followed.

        :param form: fields to send as an ``application/x-www-form-urlencoded`` body.
        :param body: the body as it is to be sent, in place of ``form``.
        :param repeatable: the request may safely reach the upstream twice. It is then sent once more if the upstream
            hangs up before answering, as happens when it closes a kept connection at the moment we use it.
        :raises UpstreamUnavailable: no answer, or none that can be read. ``detail`` is one of ``refused``, ``dns``,
            ``reset``, ``timeout``, ``deadline``, ``proxy``, ``unreadable``, ``too_large``, ``connection``.
        :raises UpstreamUntrusted: TLS cannot be trusted.
        :raises UpstreamMisconfigured: the request itself cannot be sent; ``detail`` is ``request``.
        """
        started = self._monotonic()
        try:
            return self._attempt(started, method, url, form, body, headers)
        except UpstreamUnavailable as error:
            if not repeatable or error.detail != "reset":
                raise
        return self._attempt(started, method, url, form, body, headers)

    def close(self) -> None:
        """Close the kept connections. The client stays usable."""
        self._session.close()

    def _attempt(
        self,
        started: float,
        method: str,
        url: str,
        form: Mapping[str, str] | None,
        body: str | bytes | None,
        headers: Mapping[str, str] | None,
    ) -> HttpAnswer:
        settings = self._settings
        try:
            response = self._session.request(
                method,
                url,
                data=body.encode() if isinstance(body, str) else body or form,
                headers=headers,
                timeout=(settings.connect_timeout, settings.read_timeout),
                allow_redirects=False,
                stream=True,
            )
            try:
                content = self._read(response, started)
            finally:
                response.close()
        except (OSError, ValueError, HTTPException, urllib3.exceptions.HTTPError) as error:
            failure = transport_failure(self.name, error)
        else:
            return HttpAnswer(response.status_code, str(response.reason or ""), response.headers, content)
        # Raised out here, the failure drags no library exception along: those quote URLs.
        raise failure

    def _read(self, response: requests.Response, started: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := response.raw.read1(_CHUNK, decode_content=False):
            size += len(piece)
            if size > self._settings.max_body:
                raise UpstreamUnavailable(self.name, "too_large")
            if self._monotonic() - started > self._settings.deadline:
                raise UpstreamUnavailable(self.name, "deadline")
            pieces.append(piece)
        return b"".join(pieces)


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


class _Adapter(HTTPAdapter):
    """Hands our TLS context to the connection pools, and keeps Requests from adding its own authorities to it."""

    def __init__(self, pool: int, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__(pool_connections=4, pool_maxsize=pool)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(
            connections, maxsize, block, ssl_context=self._context, socket_options=_kept_alive(), **options
        )

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **options)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing: the context decides, and it always verifies."""


class _WithoutQueries(logging.Filter):
    """Cuts query strings out of urllib3's log lines: they hold transaction ids and codes."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutQueries())
