"""How a request waits for a person: on the account's lock, by the simulator's clock, woken by what it waits for only.

One condition per transaction, so that an approval among two thousand pending pushes wakes one thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from casduo.simulators.clock import VirtualClock, wait_on
from casduo.simulators.duo.account import Account
from casduo.simulators.duo.transactions import Transaction


class Waiting:
    """Guards an account and lets threads wait for its transactions.

    :param account: everything in it is touched under :attr:`lock` only.
    :param clock: tells the time in epoch seconds; a :class:`VirtualClock` wakes waiting threads when it is advanced.
    """

    def __init__(self, account: Account, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self._account = account
        self._clock = clock
        self._conditions: dict[str, list[threading.Condition]] = {}
        self._arrival = threading.Condition(self.lock)
        self._stopped = False
        account.on_change = self._wake
        if isinstance(clock, VirtualClock):
            clock.on_advance(self.wake_all)

    def until(self, transaction: Transaction, news: Callable[[Transaction], bool], seconds: float) -> None:
        """Wait until ``news`` is true of the transaction, ``seconds`` have passed, or the simulator stops.

        The caller holds :attr:`lock`; it is released while waiting.
        """
        condition = threading.Condition(self.lock)
        waiting = self._conditions.setdefault(transaction.txid, [])
        waiting.append(condition)
        self._arrival.notify_all()
        try:
            now = self._clock()
            deadline = now + seconds
            self._account.settle(now)
            while not news(transaction) and now < deadline and not self._stopped:
                wait_on(condition, self._clock, min(deadline, max(transaction.due, now)) - now)
                now = self._clock()
                self._account.settle(now)
        finally:
            waiting.remove(condition)
            if not waiting:
                with suppress(KeyError):
                    del self._conditions[transaction.txid]

    def await_arrivals(self, count: int, timeout: float) -> bool:
        """Wait until ``count`` threads wait in :meth:`until`. Returns False after ``timeout`` real seconds."""
        with self.lock:
            return self._arrival.wait_for(lambda: sum(map(len, self._conditions.values())) >= count, timeout)

    def resume(self) -> None:
        """Allow waiting again after :meth:`stop`."""
        with self.lock:
            self._stopped = False

    def stop(self) -> None:
        """Send every waiting thread on its way."""
        with self.lock:
            self._stopped = True
        self.wake_all()

    def wake_all(self) -> None:
        """Have every waiting thread look at its transaction again."""
        with self.lock:
            for conditions in self._conditions.values():
                for condition in conditions:
                    condition.notify_all()

    def _wake(self, transaction: Transaction) -> None:
        for condition in self._conditions.get(transaction.txid, ()):
            condition.notify_all()
