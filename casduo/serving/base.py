"""What the serving process asks of a WSGI server, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

LINGER = 2.0
"""Seconds for which a process that is replaced keeps its connections open: a client that uses its own meanwhile is
answered, and told that it ends. Closed at once, it might be just when the next request is on its way."""


class WsgiServer(Protocol):
    """A WSGI server in this process, on a listening socket that it did not open. Its methods may be called by any
    thread, and repeatedly.
    """

    def run(self, ready: Callable[[], None]) -> None:
        """Answer requests until :meth:`stop`, in the main thread. Returns when those in hand are answered.

        :param ready: called once connections are taken
        """

    def close_connections(self) -> None:
        """Close each connection with its next answer, and say so in the answer."""

    def let_go(self) -> None:
        """Take no more connections."""

    def stop(self) -> None:
        """Have :meth:`run` finish what is in hand and return."""
