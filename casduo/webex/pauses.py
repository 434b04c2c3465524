"""Until when Webex wants nobody with our token to call, known to all who do: the pause of the outbox's channel."""

from __future__ import annotations

from typing import Protocol

from casduo.errors import UpstreamUnavailable
from casduo.events.outbox import OUTBOX, outbox_script
from casduo.store import Store

LONGEST = 3600.0
"""Seconds. What lies further ahead was written by a clock that was wrong."""
_PAUSE = outbox_script("outbox_pause.lua")
_CHANNEL = f"{OUTBOX}:channel"


class Pauses(Protocol):
    """Knows how long a token is to be left alone."""

    def left(self, now: float) -> float:
        """Return for how many seconds nobody may call, 0 where it is free.

        :param now: epoch seconds
        """

    def pause(self, now: float, seconds: float) -> None:
        """Have nobody call for so many seconds; one that lasts longer already stays."""


class NoPauses:
    """Of who is alone with the token, and hears of each pause as it is asked for."""

    def left(self, now: float) -> float:
        """Free."""
        return 0.0

    def pause(self, now: float, seconds: float) -> None:
        """Nobody else is to know."""


class ChannelPauses:
    """The pause that also stops the outbox: Webex counts all calls of a token together.

    A Redis that does not answer stops nobody: then this process goes by what it has heard itself.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heard = 0.0

    def left(self, now: float) -> float:
        """See :class:`Pauses`. One round trip."""
        return max(_ahead(self._heard, now), _ahead(self._noted(), now))

    def pause(self, now: float, seconds: float) -> None:
        """See :class:`Pauses`. One round trip."""
        until = now + min(seconds, LONGEST)
        self._heard = max(until, now + _ahead(self._heard, now))
        try:
            self._store.call(_PAUSE, (OUTBOX,), (_ms(now), _ms(until)))
        except UpstreamUnavailable:
            # Whoever calls next is told by Webex.
            return

    def _noted(self) -> float:
        try:
            return float(self._store.command("HGET", _CHANNEL, "paused") or 0) / 1000
        except UpstreamUnavailable:
            return 0.0


def _ahead(until: float, now: float) -> float:
    left = until - now
    return left if 0 < left <= LONGEST else 0.0


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
