"""What a serving process knows of its own end, and who is to be answered before it."""

from __future__ import annotations

import time

_LOOK_SECONDS = 0.05


class Draining:
    """How far this process is on its way out.

    ``draining`` is set when no other process takes its place: ``/readyz`` then says so, that proxies in front may look
    elsewhere. ``closing`` is set when no answer may leave its connection open. ``in_hand`` names the requests that are
    being worked on, each by its reference.
    """

    __slots__ = ("closing", "draining", "in_hand")

    def __init__(self) -> None:
        self.draining = False
        self.closing = False
        self.in_hand: set[str] = set()

    def wait_for_those_in_hand(self) -> None:
        """Return when all requests are answered that are in hand at this moment.

        Others may have come meanwhile: those who ask for health, and whoever comes without a proxy. Nobody waits for
        them, so that a stream of newcomers does not put off the end.
        """
        left = self.in_hand.copy()
        while left:
            time.sleep(_LOOK_SECONDS)
            left &= self.in_hand
