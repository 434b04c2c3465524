"""Signed values for cookies and forms. Each purpose has its own salt, and so has each application.

Two applications of one organisation may share a key by mistake; a cookie of the one must still be worth nothing at the
other, or a session made without a second factor would open the application that demands one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import Enum
from typing import Any

from itsdangerous import BadData, URLSafeSerializer


class Purpose(Enum):
    """What a value is signed for. The text is part of the salt and never changes its meaning."""

    SESSION = "session"
    ATTEMPT = "attempt"
    GATEWAY = "gateway"
    SIGN_OUT = "sign-out"


class Signer:
    """Signs JSON values and reads them back.

    :param keys: newest first; every one verifies, the first signs.
    :param audience: what tells this application from all others.
    """

    def __init__(self, keys: Sequence[str], audience: str) -> None:
        oldest_first = [key.encode() for key in reversed(keys)]
        self._serializers = {
            purpose: URLSafeSerializer(
                oldest_first,
                salt=f"casduo.middleware/{purpose.value}/{audience}",
                signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
            )
            for purpose in Purpose
        }

    def sign(self, purpose: Purpose, value: Any) -> str:
        """Return ``value`` as URL-safe text with its signature, compressed where that helps."""
        return self._serializers[purpose].dumps(value)

    def read(self, purpose: Purpose, text: str) -> Any | None:
        """Return what was signed for this purpose, or ``None`` if that is not what ``text`` is."""
        try:
            return self._serializers[purpose].loads(text)
        except BadData:
            return None
