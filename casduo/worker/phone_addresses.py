"""The job that reads from UCM at which addresses phones are registered, where the settings want to know."""

from __future__ import annotations

from collections import deque

from casduo.errors import UpstreamError
from casduo.events.model import Fault, Subject
from casduo.outbound.budget import Budget
from casduo.phone.addresses import PhoneAddresses
from casduo.phone.devices import device_name
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmUnavailable
from casduo.ucm.ris_documents import MOST_NAMES
from casduo.worker.parts import Parts

EVERY = 60.0
"""Seconds between two readings."""
LEASE = 120.0
"""Seconds after which another worker reads; longer than a question and a pause take."""
MOST = 10
"""Questions in one reading: UCM allows 15 a minute, to all programs together."""
_NAMES_AGE = 300.0
_PATIENCE = 30.0
_REFUSED_PAUSE = 300.0


class PhoneRegistrations:
    """Reads where phones are, once a minute, as long as the worker runs; of several workers one does.

    The names come over AXL, every few minutes, and those that may not be logged in on are left out. While UCM does not
    answer, what was read before is believed for as long as the settings say; then phones are refused. Nothing is
    given back at the end, so that workers that come and go do not ask more often.

    :param every: see :data:`EVERY`
    :param lease: see :data:`LEASE`
    :param most: see :data:`MOST`; phones that are left over come first in the next reading
    """

    name = "phone-addresses"

    def __init__(self, parts: Parts, every: float = EVERY, lease: float = LEASE, most: int = MOST) -> None:
        self._parts = parts
        self._phones = parts.settings.phones
        self._addresses = PhoneAddresses(parts.store, self._phones.registered_address_age)
        self._every = every
        self._lease = lease
        self._most = most
        self._names: tuple[str, ...] = ()
        self._named_at = 0.0
        self._left: deque[tuple[str, ...]] = deque()
        self._troubled = False

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        stopping = self._parts.stopping
        if self._phones.registered_address != "require":
            stopping.wait()
        while not stopping.is_set():
            stopping.wait(self._turn())

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. What is being read is given up."""

    def _turn(self) -> float:
        """Read, if this is the worker that does; return how long to wait then."""
        if not self._leads():
            return self._every
        try:
            self._read()
        except (UcmUnavailable, UcmBusy, UcmMisconfigured) as error:
            self._tell(error)
            # An account that is refused again and again would be locked.
            return _REFUSED_PAUSE if isinstance(error, UcmMisconfigured) else self._every
        self._troubled = False
        return self._every

    def _read(self) -> None:
        if not self._left:
            names = self._listed(self._parts.clock())
            starts = range(0, len(names), MOST_NAMES)
            self._left.extend(names[start : start + MOST_NAMES] for start in starts)
        for _ in range(min(self._most, len(self._left))):
            if self._parts.stopping.is_set() or not self._leads():
                return
            # What fails is left for the next round, so that it does not keep the others from being read.
            asked, now = self._left.popleft(), self._parts.clock()
            self._addresses.keep(asked, self._parts.ucm.phones.registrations(asked, Budget(_PATIENCE)), now)

    def _listed(self, now: float) -> tuple[str, ...]:
        """Return the names of phones; those of last time while AXL does not answer."""
        if not self._names or now - self._named_at >= _NAMES_AGE:
            try:
                named = self._parts.ucm.phones.names(Budget(_PATIENCE))
            except (UcmUnavailable, UcmBusy):
                if not self._names:
                    raise
            else:
                self._names = tuple(name for name in named if device_name(name, self._phones.device_names) is not None)
                self._named_at = now
        return self._names

    def _leads(self) -> bool:
        return self._addresses.lead(self._parts.name, self._lease)

    def _tell(self, error: UpstreamError) -> None:
        """Write down that UCM cannot be asked, once for as long as that lasts."""
        if not self._troubled:
            detail = f"{error.upstream}: {error.detail}"
            self._parts.journal.write(Fault(Subject(), code=error.code, detail=detail, path=self.name))
        self._troubled = True
