"""The Webex of the settings, ready to be asked."""

from __future__ import annotations

from casduo.clock import Clock
from casduo.errors import UpstreamError, UpstreamMisconfigured
from casduo.outbound import Breaker
from casduo.outbound.breaker import BreakerMemory
from casduo.outbound.http import HttpClient, HttpSettings
from casduo.settings import Settings
from casduo.settings.webex import WebexSettings
from casduo.webex.cards import Look
from casduo.webex.client import WebexClient
from casduo.webex.errors import WebexMisconfigured, WebexUnavailable
from casduo.webex.pauses import NoPauses, Pauses

LARGEST_ANSWER = 1024 * 1024
"""Bytes. A thousand spaces have some 600 KiB."""
_POOL = 16


def build_webex(
    settings: Settings, clock: Clock, memory: BreakerMemory | None = None, pauses: Pauses | None = None
) -> WebexClient | None:
    """Return the bot that ``settings`` name, ``None`` where they name none. Asks nobody.

    :param clock: epoch seconds
    :param memory: what all processes know of outages; ``None`` for what this one knows
    :param pauses: what all processes know of too many calls; ``None`` where Webex alone is to say so, or the outbox,
        which looks for itself
    :raises WebexMisconfigured: ``ca_file``: a file of authorities cannot be read
    """
    webex = settings.webex
    if webex is None:
        return None
    breaker = Breaker(
        "webex",
        webex.breaker.failures,
        webex.breaker.pause,
        clock,
        probe_deadline=2 * (webex.timeout + webex.read_timeout),
        is_outage=_is_outage,
        # Nobody waits for these calls, so one that was slow is one failure like any other.
        is_slow=_never,
        memory=memory,
    )
    token = webex.token.get_secret_value()
    carrier, patience = _carrier(settings, webex), webex.breaker.pause
    return WebexClient(token, webex.base_url, carrier, breaker, patience, clock, pauses or NoPauses())


def look_of(settings: Settings) -> Look:
    """Return what cards and texts need to know of the server."""
    return Look(settings.server.url or "", settings.zone)


def http_settings(settings: Settings, webex: WebexSettings) -> HttpSettings:
    """Return how Webex is talked to.

    :param webex: the section of ``settings``
    """
    extra = settings.outbound.ca_file if webex.ca_file is None else None
    return HttpSettings(
        connect_timeout=webex.connect_timeout,
        read_timeout=webex.read_timeout,
        deadline=webex.timeout,
        max_body=LARGEST_ANSWER,
        pool=_POOL,
        ca_file=str(webex.ca_file) if webex.ca_file else None,
        extra_ca_file=str(extra) if extra else None,
        proxy=webex.proxy.get_secret_value() if webex.proxy else None,
    )


def _carrier(settings: Settings, webex: WebexSettings) -> HttpClient:
    try:
        return HttpClient("webex", http_settings(settings, webex))
    except UpstreamMisconfigured as error:
        failure = WebexMisconfigured(error.detail)
    raise failure


def _is_outage(error: UpstreamError) -> bool:
    # Whoever refuses, or says "later", is there.
    return isinstance(error, WebexUnavailable)


def _never(_error: UpstreamError) -> bool:
    return False
