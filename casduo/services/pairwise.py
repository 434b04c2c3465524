"""Names for people that are stable for one service and tell two services nothing about being the same person."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable

_LENGTH = 32
"""Characters, each of five bits: 160 bits, as many as nobody will ever see twice."""

_PURPOSE = b"casduo pairwise id 1"


def pairwise_id(key: str, service_id: str, name: str) -> str:
    """Return what the service ``service_id`` knows the person ``name`` by.

    Without the key nobody can tell whose it is, nor which names of two services belong together. OpenID Connect (Core
    1.0, section 8.1) and SAML (V2.0 Subject Identifier Attributes Profile 1.0, section 3.4) know such names too; as in
    the latter, no two differ in the case of letters only.

    :param key: a secret that is used for nothing else; with another key everybody gets another name
    :param service_id: id of the registry entry
    :param name: the person's name, the same at every sign-in
    :return: 32 characters out of ``a`` to ``z`` and ``2`` to ``7``
    """
    parts = (_PURPOSE, service_id.encode(), name.encode())
    # Each part with its length in front: no two pairs of service and name can be taken for each other.
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    digest = hmac.digest(key.encode(), message, "sha256")
    return base64.b32encode(digest)[:_LENGTH].decode("ascii").lower()


class PairwiseIds:
    """Pairwise ids with one key, which is fetched when the first one is needed: most registries need none.

    :param key: returns the key, the same every time; what it raises is raised when an id is asked for
    """

    __slots__ = ("_fetch", "_key")

    def __init__(self, key: Callable[[], str]) -> None:
        self._fetch = key
        self._key = ""

    def prepare(self) -> None:
        """Fetch the key now, to learn at the start that it cannot be had."""
        if not self._key:
            self._key = self._fetch()

    def of(self, service_id: str, name: str) -> str:
        """Return what the service knows the person by; see :func:`pairwise_id`."""
        self.prepare()
        return pairwise_id(self._key, service_id, name)
