"""At which addresses phones are registered, as a worker read it from UCM of late; nobody asks UCM while somebody waits.

Anyone on the network can name a phone in an address of ours; to ask from where that phone is registered is harder.
"""

from __future__ import annotations

from collections.abc import Sequence

from casduo.phone.devices import bound_address
from casduo.store import Store
from casduo.store.leases import take_lease
from casduo.ucm.model import Registrations

_LEASE = "casduo:{phone.addresses}:lease"


class PhoneAddresses:
    """One note for each phone, which vanishes some time after it is too old. Every method is one round trip and may
    raise ``UpstreamUnavailable``.

    :param max_age: seconds for which a note is believed
    """

    def __init__(self, store: Store, max_age: float) -> None:
        self._store = store
        self._max_age = max_age
        self._kept_ms = int(2 * max_age * 1000)

    def of(self, device: str, now: float) -> tuple[str, ...]:
        """Return the addresses of a phone in their exact form (:func:`~casduo.phone.devices.bound_address`); none where
        it is not registered, or where that was not read, or too long ago.

        :param device: in upper case
        """
        read_at, *addresses = (self._store.command("GET", _key(device)) or "0").split(" ")
        return tuple(addresses) if now - float(read_at) <= self._max_age else ()

    def keep(self, asked: Sequence[str], found: Registrations, now: float) -> None:
        """Note where phones are, and of those that were asked for and are nowhere, that they are nowhere.

        :param now: when UCM was asked, epoch seconds
        """
        batch = self._store.batch()
        for device in {name.upper() for name in asked}:
            addresses = found.addresses.get(device, ())
            if addresses:
                exact = " ".join(bound_address(address, "exact") for address in addresses)
                batch.command("SET", _key(device), f"{now:.3f} {exact}", "PX", self._kept_ms)
            elif found.complete:
                batch.command("DEL", _key(device))
        batch.run()

    def lead(self, worker: str, seconds: float) -> bool:
        """Take or keep the lease of the one worker that asks UCM. Returns whether this is the one.

        :param worker: a name of this worker's own
        :param seconds: after which another one may take it, if it is not kept
        """
        return take_lease(self._store, _LEASE, worker, seconds)


def _key(device: str) -> str:
    return f"casduo:{{phone:{device}}}:address"
