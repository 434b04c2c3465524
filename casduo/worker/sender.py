"""Sends sign-out messages: so many at a time, so many to one application, and for a while none to one that is down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from casduo.clock import Clock, system_clock
from casduo.errors import UpstreamError
from casduo.outbound.breaker import Breaker, BreakerOpen
from casduo.outbound.origins import ByOrigin
from casduo.outbound.pinned import PinnedClient, Resolve, resolve_name
from casduo.protocol.destination import Destination
from casduo.protocol.slo import BODY_TYPE, logout_body, new_message_id
from casduo.tickets.ledger import Telling

AT_ONCE = 32
"""Messages under way at a time, whoever they are for."""
PER_HOST = 4
"""Of these, to one application at most."""

_NAME = "sign-out message"
_CONNECT_TIMEOUT = 3.0
_MAX_BODY = 16 * 1024
_PAUSE = 0.5
_NO_CONNECTION = frozenset({"refused", "reset", "timeout", "connection", "dns"})
"""What a second attempt may cure: an application that is just being restarted."""
_NOT_TRIED = BreakerOpen(_NAME).detail
_FAILURES = 3
_LEFT_ALONE = 10.0
_MOST_HOSTS = 1024


@dataclass(frozen=True, slots=True)
class _Host:
    places: threading.Semaphore
    breaker: Breaker


class Sender:
    """Sends messages. Safe to share by threads and greenlets.

    An application that cannot be reached three times in a row is left alone for ten seconds; what would have gone there
    meanwhile counts as failed, so that it holds up nothing that is for others.

    :param client: carries the requests
    :param clock: epoch seconds
    :param sleep: waits before a second attempt
    """

    def __init__(
        self, client: PinnedClient, clock: Clock = system_clock, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._places = threading.Semaphore(AT_ONCE)
        self._hosts = ByOrigin(self._new_host, _MOST_HOSTS)

    def tell(self, ticket: str, to: Destination, stopping: threading.Event) -> Telling | None:
        """Tell a service that the session which ``ticket`` began has ended.

        One POST, and a second one where the first found no connection (CAS protocol 2.3.3: fire and forget). Redirects
        are answers: django-cas-ng redirects, and in front of mod_auth_cas the request itself is sent to the login page.

        :param ticket: the ticket that the service validated
        :return: how it went, ``None`` when ``stopping`` was set before anything was sent
        """
        host = self._hosts.of(to.origin)
        # The place at the host first: who queues for a slow application takes nobody else's place.
        with host.places:
            if stopping.is_set():
                return None
            body = logout_body(ticket, new_message_id(), self._clock())
            first = self._attempt(host, body, to, 1)
            if first.detail not in _NO_CONNECTION:
                return first
            self._sleep(_PAUSE)
            second = self._attempt(host, body, to, 2)
            return first if second.detail == _NOT_TRIED else second

    def _attempt(self, host: _Host, body: bytes, to: Destination, attempt: int) -> Telling:
        with self._places:
            started = time.monotonic()
            try:
                answer = host.breaker.call(lambda: self._post(body, to))
            except UpstreamError as error:
                status, detail = 0, error.detail
            else:
                status, detail = answer, "" if 200 <= answer < 400 else "status"
            milliseconds = round((time.monotonic() - started) * 1000)
        return Telling("failed" if detail else "told", status, detail, milliseconds, attempt, self._clock())

    def _post(self, body: bytes, to: Destination) -> int:
        headers = {"Content-Type": BODY_TYPE}
        return self._client.send(
            "POST", to.url, body=body, headers=headers, private=to.private, plain_http=to.plain_http
        ).status

    def _new_host(self) -> _Host:
        breaker = Breaker(_NAME, _FAILURES, _LEFT_ALONE, self._clock, probe_deadline=2 * self._client.deadline)
        return _Host(threading.Semaphore(PER_HOST), breaker)


def build_sender(
    timeout: float, extra_ca_file: str | None, clock: Clock = system_clock, resolve: Resolve = resolve_name
) -> Sender:
    """Return a sender with the limits of this module.

    :param timeout: seconds for a whole message, its answer included
    :param extra_ca_file: PEM file of authorities to trust besides the system's
    :raises UpstreamMisconfigured: that file cannot be read
    """
    client = PinnedClient(
        _NAME,
        connect_timeout=min(_CONNECT_TIMEOUT, timeout),
        deadline=timeout,
        max_body=_MAX_BODY,
        extra_ca_file=extra_ca_file,
        resolve=resolve,
    )
    return Sender(client, clock)
