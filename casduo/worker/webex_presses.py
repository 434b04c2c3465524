"""The job that sees through what Webex has told of: somebody pressed a button on the card of a request for access."""

from __future__ import annotations

import time
from collections.abc import Sequence

from casduo.events.model import Fault, Subject
from casduo.store.breakers import RedisBreakerMemory
from casduo.store.streams import Entry
from casduo.webex.build import build_webex
from casduo.webex.errors import WebexError, WebexMisconfigured, WebexUnavailable
from casduo.webex.hook import webhook_secrets
from casduo.webex.inbox import INBOX, told_in
from casduo.webex.pauses import ChannelPauses
from casduo.worker.errands import Errands
from casduo.worker.parts import Parts
from casduo.worker.press_desk import PressDesk

LEASE = 30.0
"""Seconds after which others take over a press that a worker died over, and after which one is looked at again that
Webex gave no answer about."""
PAUSES = (1.0, 3.0)
"""Seconds; see :class:`WebexPresses`."""
_AT_ONCE = 8
_LONGEST_REST = 300.0
_MISCONFIGURED_REST = 60.0


class WebexPresses:
    """Looks up what was pressed and by whom, and decides the request or tells why not, as long as the worker runs.

    Nothing in the notice of Webex counts but the press's id. What a worker dies over is done anew by the next one: a
    request is decided once, and a refusal is told of once. While Webex does not answer, presses wait. Without a secret
    for the webhook nothing is looked at.

    :param lease: see :data:`LEASE`
    :param pauses: seconds before it is tried again, while whoever pressed may still be looking; then it is put back
    """

    name = "webex-presses"

    def __init__(self, parts: Parts, lease: float = LEASE, pauses: Sequence[float] = PAUSES) -> None:
        self._parts = parts
        webex = parts.settings.webex
        # Without, this is no job of a worker.
        assert webex is not None
        self._desk = _desk(parts) if webhook_secrets(webex) else None
        self._errands = Errands(parts, self.name, INBOX, self._see_to, lease=lease, most=_AT_ONCE)
        self._max_age = webex.max_age
        self._pauses = pauses
        self._rest_until = 0.0
        self._troubled = False

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        if self._desk is None:
            self._parts.stopping.wait()
        else:
            self._errands.run()

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`."""
        if self._desk is not None:
            self._errands.finish(seconds)

    def _see_to(self, entry: Entry) -> bool:
        """See a press through. Returns whether that is done, or will never be."""
        assert self._desk is not None
        told = told_in(entry)
        for pause in (*self._pauses, 0.0):
            if time.monotonic() < self._rest_until:
                return False
            try:
                self._desk.see_through(told.action)
            except WebexError as error:
                if self._parts.clock() >= told.received + self._max_age:
                    self._tell(error, gave_up=True)
                    return True
                if self._put_off(error) or not pause or self._parts.stopping.wait(pause):
                    return False
            else:
                self._troubled = False
                return True
        return False

    def _put_off(self, error: WebexError) -> bool:
        """Take note that Webex gave no answer. Returns whether all presses have to wait for longer than a moment."""
        self._tell(error)
        asked = float(getattr(error, "after", 0.0))
        rest = max(asked, _MISCONFIGURED_REST if isinstance(error, WebexMisconfigured) else 0.0)
        if rest:
            self._rest_until = time.monotonic() + min(rest, _LONGEST_REST)
        return rest > 0 or not isinstance(error, WebexUnavailable)

    def _tell(self, error: WebexError, *, gave_up: bool = False) -> None:
        """Write down that Webex cannot be asked, once for as long as that lasts, and each press that is given up."""
        if gave_up or not self._troubled:
            detail = f"webex: {error.told}" + (", a press was given up" if gave_up else "")
            self._parts.journal.write(Fault(Subject(), code=error.code, detail=detail, path=self.name))
        self._troubled = True


def _desk(parts: Parts) -> PressDesk:
    client = build_webex(parts.settings, parts.clock, RedisBreakerMemory(parts.store), ChannelPauses(parts.store))
    assert client is not None
    return PressDesk(parts, client)
