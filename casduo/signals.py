"""What a server is told by signals, at whatever moment: to stop (SIGTERM, Ctrl-C), or to read its settings (SIGHUP)."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

_STOP = frozenset({signal.SIGTERM, signal.SIGINT})
_SIGNALS = (*_STOP, signal.SIGHUP)


class Signals:
    """Takes signals from now on, in a thread of its own.

    A handler that runs in the main thread can raise where nobody sees it (while a module is imported), or wait for a
    lock that the main thread holds itself. So the system writes the signal's number into a pipe, and a thread reads it.
    To be made in the main thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: list[signal.Signals] = []
        self._call: Callable[[signal.Signals], None] | None = None
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._write_end, False)
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, _nothing)
        os.register_at_fork(after_in_child=_as_before)
        threading.Thread(target=self._listen, name="signals", daemon=True).start()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return not _STOP.isdisjoint(self._told)

    def then(self, call: Callable[[signal.Signals], None]) -> None:
        """Have ``call`` made with each signal that comes, and at once with those that have come before."""
        with self._lock:
            self._call = call
            told = tuple(self._told)
        for number in told:
            call(number)

    def _listen(self) -> None:
        while numbers := os.read(self._read_end, 64):
            for number in numbers:
                if number not in _SIGNALS:
                    continue
                with self._lock:
                    self._told.append(signal.Signals(number))
                    call = self._call
                if call is not None:
                    call(signal.Signals(number))


def _as_before() -> None:
    """Have a process that is forked end when it is told to while it is still loading; Ctrl-C, and a terminal that is
    closed, reach its parent too, which then tells it.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _nothing(*_: object) -> None:
    """Only for the system to tell of the signal rather than end the process."""
