"""One at a time decides about a phone: a lock for each device, around looking who is on it and changing that. Another
one for each person keeps two phones from letting the same person in because each found them nowhere.
"""

from __future__ import annotations

from casduo.signing import random_text
from casduo.store import Store
from casduo.store.leases import free_lease, take_lease

LOCKED = 30.0
"""Seconds after which a lock frees itself. Whoever holds one asks UCM for less time than that."""
_TOKEN_LENGTH = 22


class DeviceLocks:
    """The locks in one store. Every method is one round trip and may raise ``UpstreamUnavailable``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, device: str, token: str = "") -> str:
        """Take the lock of ``device`` and return the token to free it with; empty while somebody else has it.

        :param token: of who had it before: it is held for as long again, and taken anew where it has freed itself
        """
        token = token or random_text(_TOKEN_LENGTH)
        return token if take_lease(self._store, _key(device), token, LOCKED) else ""

    def free(self, device: str, token: str) -> bool:
        """Give the lock back. Returns whether it was still held with ``token``; another's is left alone."""
        return free_lease(self._store, _key(device), token)


def _key(device: str) -> str:
    return f"casduo:{{phone:{device}}}:lock"
