"""Leases: one at a time does something, and whoever dies over it is followed by another."""

from __future__ import annotations

from casduo.store.scripts import load_script
from casduo.store.store import Store

_TAKE = load_script(__file__, "lease_take.lua", when_full=True)
_FREE = load_script(__file__, "lease_free.lua")


def take_lease(store: Store, key: str, token: str, seconds: float) -> bool:
    """Take a lease, or keep the one that was taken with this token for as long again. One round trip.

    :param token: of whoever wants it, nobody else's
    :param seconds: after which it frees itself
    :return: whether ``token`` has it now
    :raises UpstreamUnavailable: Redis does not answer
    """
    return bool(store.call(_TAKE, (key,), (token, int(seconds * 1000))))


def free_lease(store: Store, key: str, token: str) -> bool:
    """Give a lease back. One round trip. Another's is left alone.

    :return: whether it was still held with ``token``
    :raises UpstreamUnavailable: Redis does not answer
    """
    return bool(store.call(_FREE, (key,), (token,)))
