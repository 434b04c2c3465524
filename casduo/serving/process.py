"""One serving process as its parent sees it."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress

from casduo.serving.child import IDLE, READY, Order, serve_in_child
from casduo.settings.sections import ServerSettings


class ServingProcess:
    """A process that answers what comes to one listener. Started at once, as a copy of this one.

    :param others: those that run; the new process lets go of what they and this one say to each other
    :param spare: sockets that it has no use for
    :param news: called by a thread: first with ``ready`` or not at all, with ``idle`` when :attr:`Order.FINISH` is
        carried out, then with ``ended`` and the exit status, which is negative for the number of a signal
    :raises OSError: there is no memory, or there may be no more processes
    """

    def __init__(
        self,
        section: ServerSettings,
        server: str,
        listener: socket.socket,
        others: Iterable[ServingProcess],
        spare: Iterable[socket.socket],
        news: Callable[[ServingProcess, str, int], None],
    ) -> None:
        self.born = time.monotonic()
        self.ready = False
        self.leaving = False
        """Whether it was told to end."""
        self._news = news
        self._ended = False
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with warnings.catch_warnings():
            # That threads run here is known: the copy has none of them, and needs nothing that they may hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                self.pid = os.fork()
            except OSError:
                self._control.close()
                theirs.close()
                raise
        if self.pid == 0:
            for end in (self._control, *(one._control for one in others), *spare):
                end.close()
            serve_in_child(section, server, listener, theirs)
        theirs.close()
        threading.Thread(target=self._watch, name=f"serving-{self.pid}", daemon=True).start()

    def tell(self, order: Order) -> None:
        """Give it an order; nothing happens when it has ended."""
        if order not in (Order.DRAIN, Order.FINISH):
            self.leaving = True
        with suppress(OSError):
            self._control.send(order.value)

    def kill(self) -> None:
        """End it whatever it has in hand; nothing happens when it has ended."""
        with self._lock, suppress(ProcessLookupError):
            # Not once it was asked for its status: its id may be somebody else's by then.
            if not self._ended:
                os.kill(self.pid, signal.SIGKILL)

    def _watch(self) -> None:
        with suppress(OSError):
            # Its silence for good is its end.
            while word := self._control.recv(1):
                if word == READY:
                    self.ready = True
                    self._news(self, "ready", 0)
                elif word == IDLE:
                    self._news(self, "idle", 0)
        # Wait without asking first, so that nobody else can get its id before the lock is taken.
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            _, status = os.waitpid(self.pid, 0)
            self._ended = True
        self._control.close()
        self._news(self, "ended", os.waitstatus_to_exitcode(status))
