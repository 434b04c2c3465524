"""Takes in what Webex sends: believes it or not, and puts presses into the inbox."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from casduo.events.journal import Journal
from casduo.events.model import Subject
from casduo.settings import WebexSettings
from casduo.store import Store
from casduo.webex.events import RefusedDelivery, WebhookRefused
from casduo.webex.inbox import Inbox
from casduo.webex.notice import MalformedNotice, notice_fault, read_notice
from casduo.webex.signature import signature_fault

PATH = "/webex/webhook"
"""Where Webex sends to, below the server's path."""
_MOST_TOLD = 10
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came: the body as it was sent, and its signatures, each empty for none."""

    body: bytes = field(repr=False)
    spark: str = ""
    webex: str = ""


class WebexHook:
    """The receiving end of the webhook. Safe to share by threads.

    :param inbox: where presses go
    :param secrets: the webhook's secret, and the one before as long as that counts
    :param strong_only: demand a signature with SHA-256 or better
    :param journal: where refusals are written; of a flood only some are
    """

    def __init__(self, inbox: Inbox, secrets: Sequence[str], *, strong_only: bool, journal: Journal) -> None:
        self._inbox = inbox
        self._secrets = tuple(secrets)
        self._strong_only = strong_only
        self._journal = journal
        self._lock = threading.Lock()
        self._minute = 0.0
        self._told = 0
        self._untold = 0

    def receive(self, delivery: Delivery, now: float) -> RefusedDelivery | None:
        """Take a delivery in. One that was told of before changes nothing. Nobody at Webex is asked.

        :param now: epoch seconds
        :return: why it is not believed, ``None`` where it is
        :raises UpstreamUnavailable: Redis does not answer, and nothing was taken in
        """
        fault = signature_fault(
            delivery.body, delivery.spark, delivery.webex, self._secrets, strong_only=self._strong_only
        )
        if fault is not None:
            return fault
        try:
            notice = read_notice(delivery.body)
        except MalformedNotice:
            return "malformed"
        foreign = notice_fault(notice, self._inbox.registration())
        if foreign is None:
            self._inbox.take(notice.action, now)
        return foreign

    def refused(self, about: Subject, reason: RefusedDelivery, now: float) -> None:
        """Write down that a delivery was refused. Anybody can send some, so that of a minute's the first few are told
        of, and the next one that is tells how many were not.
        """
        with self._lock:
            if now - self._minute >= _MINUTE:
                self._minute, self._told = now, 0
            self._told += 1
            if self._told > _MOST_TOLD:
                self._untold += 1
                return
            untold, self._untold = self._untold, 0
        self._journal.write(WebhookRefused(about, reason=reason, untold=untold))


def build_hook(settings: WebexSettings | None, store: Store, journal: Journal) -> WebexHook | None:
    """Return the receiving end as ``settings`` describe it, ``None`` where they have no secret for it."""
    secrets = webhook_secrets(settings)
    if settings is None or not secrets:
        return None
    return WebexHook(Inbox(store), secrets, strong_only=settings.webhook.require_sha256, journal=journal)


def webhook_secrets(settings: WebexSettings | None) -> tuple[str, ...]:
    """Return the secrets that count, the one that Webex is told of first; none where there is to be no webhook."""
    if settings is None or settings.webhook.secret is None:
        return ()
    hook = settings.webhook
    return tuple(secret.get_secret_value() for secret in (hook.secret, hook.previous_secret) if secret is not None)
