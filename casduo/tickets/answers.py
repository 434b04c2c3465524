"""Waiting a moment for applications to answer a sign-out, so that the page can say who was told."""

from __future__ import annotations

import time
from collections.abc import Callable

from casduo.errors import UpstreamBusy
from casduo.outbound.bulkhead import Bulkhead
from casduo.store import Batch, Reply, Store
from casduo.tickets.ledger import Ledger, LedgerLine
from casduo.tickets.signouts import SignOut

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25


class SignOutAnswers:
    """Looks at a ledger until every application has answered, or the time is over.

    Nobody waits where no worker could deliver anything, and only so many at a time: a thread that waits here answers
    nobody else.

    :param worker_alive: adds the question whether a worker lives to a batch
    :param seconds: longest wait
    :param most: how many threads may wait at a time
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        worker_alive: Callable[[Batch], Reply],
        seconds: float,
        most: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._worker_alive = worker_alive
        self._seconds = seconds
        self._bulkhead = Bulkhead("sign-out answers", most)
        self._sleep = sleep

    def settle(self, sign_out: SignOut) -> tuple[LedgerLine, ...]:
        """Return what became of telling the services, waiting a moment for those that have not answered."""
        lines, alive = self._look(sign_out)
        try:
            with self._bulkhead:
                pause, left = _FIRST_PAUSE, self._seconds
                while alive and left > 0 and any(line.state == "waiting" for line in lines):
                    self._sleep(pause)
                    left -= pause
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    lines, alive = self._look(sign_out)
        except UpstreamBusy:
            pass
        return lines

    def now(self, sign_out: SignOut) -> tuple[LedgerLine, ...]:
        """Return what is known without waiting."""
        return tuple(self._ledger.read(sign_out))

    def _look(self, sign_out: SignOut) -> tuple[tuple[LedgerLine, ...], bool]:
        batch = self._store.batch()
        reading = self._ledger.reading(batch, sign_out)
        alive = self._worker_alive(batch)
        batch.run()
        return tuple(reading.lines), bool(alive.value)
