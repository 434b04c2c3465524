"""Delivers webhooks: threads that send bodies to targets on this machine, and a record of what became of each."""

from __future__ import annotations

import heapq
import http.client
import itertools
import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from casduo.simulators.clock import VirtualClock, wait_on
from casduo.simulators.webex.faults import DeliveryFault, DeliveryKind, WebexFaults
from casduo.simulators.webex.model import Webhook
from casduo.simulators.webex.settings import Settings
from casduo.simulators.webex.signatures import signature_headers

_log = logging.getLogger("casduo.simulators.webex")

_THREADS = 4
_JSON = "application/json; charset=utf-8"

State = Literal["waiting", "held", "sending", "delivered", "failed", "lost"]
Report = Callable[[str, bool, float], None]


@dataclass(slots=True)
class Delivery:
    """One delivery.

    :param body: as it is sent
    :param headers: as they are sent
    :param fault: what was made to go wrong with it
    :param due: when it is to be sent, by the simulator's clock
    :param state: ``held`` waits for the next one, ``waiting`` for its time or a thread
    :param status: HTTP status of the receiver; None while there is none
    """

    webhook_id: str
    url: str
    body: bytes
    headers: dict[str, str] = field(repr=False)
    fault: DeliveryKind | None
    due: float
    state: State = "waiting"
    status: int | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will become of it any more."""
        return self.state in ("delivered", "failed", "lost")


class Deliveries:
    """Everything that was, is being or will be delivered.

    :param report: told about every delivery that was tried: webhook, whether it succeeded, and when
    """

    def __init__(self, settings: Settings, faults: WebexFaults, clock: Callable[[], float], report: Report) -> None:
        self._settings = settings
        self._faults = faults
        self._clock = clock
        self._report = report
        self._condition = threading.Condition()
        self._queue: list[tuple[float, int, Delivery]] = []
        self._numbers = itertools.count()
        self._record: list[Delivery] = []
        self._threads: list[threading.Thread] = []
        self._running = False
        self._trusted: ssl.SSLContext | None = None
        if isinstance(clock, VirtualClock):
            clock.on_advance(self._wake)

    def trust(self, ca_file: Path) -> None:
        """Believe receivers whose certificates this authority signed. :raises OSError: the file cannot be read"""
        self._trusted = ssl.create_default_context(cafile=ca_file)

    def start(self) -> None:
        """Begin to deliver."""
        with self._condition:
            self._running = True
        self._threads = [
            threading.Thread(target=self._work, name=f"webex-delivery-{number + 1}", daemon=True)
            for number in range(_THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Deliver no more; what is being sent ends first. Harmless when not started."""
        with self._condition:
            self._running = False
            self._condition.notify_all()
        deadline = time.monotonic() + self._settings.delivery_timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._threads = []

    def send(self, webhook: Webhook, body: bytes) -> None:
        """Deliver a body, soon, or as faults say."""
        fault = self._faults.take_delivery()
        delivery = self._made(webhook, body, fault)
        with self._condition:
            self._record.append(delivery)
            if delivery.state == "waiting":
                self._enqueue(delivery)
            if fault is not None and fault.kind == "twice":
                again = self._made(webhook, body, fault)
                self._record.append(again)
                self._enqueue(again)

    def record(self) -> list[Delivery]:
        """Return every delivery so far, in the order of the events."""
        with self._condition:
            return list(self._record)

    def wait(self, timeout: float) -> None:
        """Return once everything that is due was delivered or has failed. What is late or held does not count.

        :param timeout: real seconds
        :raises TimeoutError: that takes longer
        """
        deadline = time.monotonic() + timeout
        with self._condition:
            while self._busy():
                left = deadline - time.monotonic()
                if left <= 0 or not self._running:
                    raise TimeoutError("deliveries are not over yet")
                self._condition.wait(min(left, 0.2))

    def release(self) -> None:
        """Deliver at once what is late or held."""
        with self._condition:
            now = self._clock()
            for delivery in self._record:
                if not delivery.over and delivery.state != "sending":
                    delivery.due = min(delivery.due, now)
                    delivery.state = "waiting"
            self._queue = []
            for delivery in self._record:
                if delivery.state == "waiting":
                    self._enqueue(delivery)

    def _made(self, webhook: Webhook, body: bytes, fault: DeliveryFault | None) -> Delivery:
        kind = None if fault is None else fault.kind
        headers = {"Content-Type": _JSON, **signature_headers(webhook.secret, body, self._settings.signatures)}
        if kind == "other_content_type":
            headers["Content-Type"] = "text/plain"
        elif kind == "no_signature":
            headers = {"Content-Type": _JSON}
        elif kind == "bad_signature":
            headers |= signature_headers(f"not {webhook.secret}", body, self._settings.signatures)
        elif kind == "changed_body":
            body = _one_byte_changed(body)
        late = fault.seconds if fault is not None and kind == "late" else 0.0
        delivery = Delivery(webhook.id, webhook.target_url, body, headers, kind, self._clock() + late)
        if kind == "lost":
            delivery.state = "lost"
        elif kind == "out_of_order":
            delivery.state = "held"
        return delivery

    def _enqueue(self, delivery: Delivery) -> None:
        heapq.heappush(self._queue, (delivery.due, next(self._numbers), delivery))
        self._condition.notify_all()

    def _busy(self) -> bool:
        now = self._clock()
        return any(
            delivery.state == "sending" or (delivery.state == "waiting" and delivery.due <= now)
            for delivery in self._record
        )

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _work(self) -> None:
        while (delivery := self._next()) is not None:
            delivery.status = self._post(delivery)
            succeeded = delivery.status is not None and 200 <= delivery.status <= 299
            self._report(delivery.webhook_id, succeeded, self._clock())
            _log.info("delivery to %s %s", delivery.url, delivery.status or "failed")
            with self._condition:
                delivery.state = "delivered" if succeeded else "failed"
                self._let_go(delivery.webhook_id)
                self._condition.notify_all()

    def _next(self) -> Delivery | None:
        """Wait for something to deliver; None when there is nothing to wait for any more."""
        with self._condition:
            while self._running:
                now = self._clock()
                if self._queue and self._queue[0][0] <= now:
                    delivery = heapq.heappop(self._queue)[2]
                    delivery.state = "sending"
                    return delivery
                if self._queue:
                    wait_on(self._condition, self._clock, self._queue[0][0] - now)
                else:
                    self._condition.wait()
            return None

    def _let_go(self, webhook_id: str) -> None:
        """Send what was held until another delivery to the same webhook was over."""
        for delivery in self._record:
            if delivery.state == "held" and delivery.webhook_id == webhook_id:
                delivery.state, delivery.due = "waiting", self._clock()
                self._enqueue(delivery)

    def _post(self, delivery: Delivery) -> int | None:
        """Send it and return the status of the answer, None where none came."""
        parts = urlsplit(delivery.url)
        host = parts.hostname or ""
        if host not in self._settings.delivery_hosts:
            _log.warning("delivery to %s: not a host that deliveries go to", host)
            return None
        timeout = self._settings.delivery_timeout
        connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=self._trusted)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=timeout)
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target, delivery.body, delivery.headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            _log.info("delivery to %s: %s", host, error)
            return None
        finally:
            connection.close()


def _one_byte_changed(body: bytes) -> bytes:
    """Return a body that is still JSON and says something else: another millennium in its last date."""
    place = body.rindex(b'"created":"') + len(b'"created":"')
    digit = b"1" if body[place : place + 1] == b"2" else b"2"
    return body[:place] + digit + body[place + 1 :]
