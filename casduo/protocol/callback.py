"""The proxy callback: hands a proxy-granting ticket to the application that asked for one (CAS protocol 2.5.4).

The request names the address (``pgtUrl``), so the registry has the first word: what no pattern of the service means is
not even resolved. Then one GET, no redirects, and the status decides. The application hears about every failure as
``INVALID_PROXY_CALLBACK``; what exactly went wrong is in the error's ``why``, for the log.
"""

from __future__ import annotations

import re
from typing import Final

from casduo.clock import Clock, system_clock
from casduo.errors import MalformedService, UpstreamBusy, UpstreamError
from casduo.outbound.breaker import Breaker, BreakerOpen
from casduo.outbound.bulkhead import Bulkhead
from casduo.outbound.failures import UpstreamUntrusted
from casduo.outbound.origins import ByOrigin
from casduo.outbound.pinned import AddressRefused, PinnedClient, Resolve, resolve_name
from casduo.protocol.errors import InvalidProxyCallback
from casduo.services.patterns import compile_pattern
from casduo.services.policies import ProxyRule
from casduo.services.urls import WEB_SCHEMES, ServiceUrl, location, open_ended, origin_of, parse_service

CONNECT_TIMEOUT: Final = 3.0
"""Seconds for a connection to the callback host."""
DEADLINE: Final = 8.0
"""Seconds for the whole callback; the application's own request waits meanwhile."""
MAX_BODY: Final = 64 * 1024
"""Bytes that are read of the answer, of which nothing but the status is wanted."""
MAX_HOSTS: Final = 256
"""Hosts whose failures are remembered; a pattern with ``*`` in its host may mean any number."""

_NAME: Final = "proxy callback"
_ORIGIN = re.compile(r"\A[^:]+://[^/?]*")
_TICKET = re.compile(r"[A-Za-z0-9-]+")
_PARAMETERS = frozenset({"pgtId", "pgtIou"})

_OUTAGES = {
    "refused": "the callback host refused the connection",
    "dns": "the name of the callback host does not resolve",
    "reset": "the callback host hung up without an answer",
    "unreadable": "the answer of the callback cannot be read",
}


def build_client(extra_ca_file: str | None = None, resolve: Resolve = resolve_name) -> PinnedClient:
    """Return the client for callbacks, with the limits of this module.

    :param extra_ca_file: PEM file of authorities to trust besides the system's
    :raises UpstreamMisconfigured: that file cannot be read
    """
    return PinnedClient(
        _NAME,
        connect_timeout=CONNECT_TIMEOUT,
        deadline=DEADLINE,
        max_body=MAX_BODY,
        extra_ca_file=extra_ca_file,
        resolve=resolve,
    )


class ProxyCallback:
    """Makes callbacks. Safe to share by threads.

    :param client: what carries the request; its deadline is the callback's.
    :param concurrency: how many callbacks may be under way at once, at least 1. Each holds the thread of a validation.
    :param failures: failures in a row after which a host is left alone.
    :param pause: seconds for which it is.
    :param clock: epoch seconds.
    """

    def __init__(
        self,
        client: PinnedClient,
        concurrency: int,
        *,
        failures: int = 5,
        pause: float = 10.0,
        clock: Clock = system_clock,
    ) -> None:
        self._client = client
        self._bulkhead = Bulkhead(_NAME, concurrency)
        self._breakers = ByOrigin(
            lambda: Breaker(_NAME, failures, pause, clock, probe_deadline=2 * client.deadline), MAX_HOSTS
        )

    def deliver(
        self, url_text: str, pgt: str, iou: str, rule: ProxyRule, schemes: frozenset[str] = WEB_SCHEMES
    ) -> None:
        """Hand over a proxy-granting ticket, and return once the application has taken it.

        Nothing is asked of anybody unless ``rule`` means the URL. Whether ``rule`` lets the service proxy at all is the
        caller's question. The URL is sent as it came but for its host, which is sent as it was matched.

        :param url_text: the ``pgtUrl``, decoded once
        :param pgt: the proxy-granting ticket
        :param iou: its IOU
        :param schemes: the schemes of the registry
        :raises InvalidProxyCallback: the URL is not allowed, or the callback failed. ``why`` names the host at most.
        :raises ValueError: ``pgt`` or ``iou`` is no ticket
        """
        if not (_TICKET.fullmatch(pgt) and _TICKET.fullmatch(iou)):
            raise ValueError("a ticket is sent without encoding")
        url = _read(url_text, schemes)
        _check(url, rule)
        status = self._get(url, f"{_requested(url)}pgtId={pgt}&pgtIou={iou}", private=rule.private_addresses)
        if status not in rule.accept_status:
            raise InvalidProxyCallback(f"status {status} ({url.host})")

    def _get(self, url: ServiceUrl, request_url: str, *, private: bool) -> int:
        breaker = self._breakers.of(origin_of(url))
        try:
            with self._bulkhead:
                return breaker.call(lambda: self._client.send("GET", request_url, private=private)).status
        except UpstreamBusy:
            failure = InvalidProxyCallback("too many callbacks under way")
        except UpstreamError as error:
            failure = InvalidProxyCallback(f"{self._explained(error)} ({url.host})")
        raise failure

    def _explained(self, error: UpstreamError) -> str:
        match error:
            case AddressRefused():
                return f"address refused: {error.scope}"
            case UpstreamUntrusted():
                return "the certificate of the callback host is not trusted, or it does not speak TLS"
            case BreakerOpen():
                return "the callback host failed several times in a row and is left alone for a moment"
            case UpstreamError(detail="timeout"):
                return f"no connection to the callback host within {self._client.connect_timeout:g} seconds"
            case UpstreamError(detail="deadline"):
                return (
                    f"the callback did not answer within {self._client.deadline:g} seconds; a single-threaded "
                    "application cannot answer while it waits for this validation"
                )
        return _OUTAGES.get(error.detail, "the callback host cannot be reached")


def _read(url_text: str, schemes: frozenset[str]) -> ServiceUrl:
    try:
        return parse_service(url_text, schemes)
    except MalformedService as error:
        failure = InvalidProxyCallback(f"the callback is no URL that can be used: {error.reason}")
    raise failure


def _check(url: ServiceUrl, rule: ProxyRule) -> None:
    if url.scheme != "https":
        raise InvalidProxyCallback("the callback is not https")
    if "#" in url.raw:
        raise InvalidProxyCallback("the callback has a fragment")
    if not any(compile_pattern(pattern).matches(url) for pattern in rule.callback):
        raise InvalidProxyCallback(f"no callback pattern of the service fits ({url.host})")
    # Of two values an application may believe the first, which would be the caller's and not ours.
    if any(parameter.partition("=")[0] in _PARAMETERS for parameter in url.parameters):
        raise InvalidProxyCallback("the callback has a pgtId or pgtIou already")


def _requested(url: ServiceUrl) -> str:
    """Return what is requested, up to where parameters are added: the host as matched, the rest byte for byte."""
    return origin_of(url) + open_ended(_ORIGIN.sub("", location(url.raw)))
