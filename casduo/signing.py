"""Signed tokens: one salt per purpose, a list of keys for rotation. No other module signs anything.

A token made for one purpose never verifies for another, because the purpose is the salt from which the signing key
is derived. Tokens carry the moment they were made; age is judged by the caller's ``now``, so a test sets the clock.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from enum import Enum
from typing import Any

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_UNBIASED = 256 // len(_ALPHABET) * len(_ALPHABET)
_TO_ALPHABET = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_REJECTED = bytes(range(_UNBIASED, 256))
_CLOCK_TOLERANCE = 60.0
"""Seconds by which a token may come from the future: nodes' clocks differ a little."""


class Purpose(Enum):
    """What a token is for. The value is the salt and must never be reused or changed in meaning."""

    FLOW_KEY = "casduo.flow-key.v1"
    CSRF = "casduo.csrf.v1"
    SIGN_OUT = "casduo.sign-out.v1"


class TokenInvalid(Exception):
    """The token was not made by this server for this purpose, or it is damaged."""


class TokenExpired(TokenInvalid):
    """The token is genuine but older than allowed. ``value`` is what it carried."""

    def __init__(self, value: Any) -> None:
        super().__init__("token expired")
        self.value = value


class Signing:
    """Makes and reads tokens.

    :param keys: signing keys, newest first; every one verifies, the first signs. None may be empty.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or not all(keys):
            raise ValueError("at least one signing key is needed and none may be empty")
        oldest_first = [key.encode() for key in reversed(keys)]
        self._signers = {
            purpose: Signer(oldest_first, salt=purpose.value, key_derivation="hmac", digest_method=hashlib.sha256)
            for purpose in Purpose
        }

    def dumps(self, purpose: Purpose, value: Any, now: float) -> str:
        """Return a URL-safe token that carries ``value`` (JSON types) and the moment ``now``."""
        payload = json.dumps([int(now), value], separators=(",", ":")).encode()
        return self._signers[purpose].sign(base64_encode(payload)).decode("ascii")

    def loads(self, purpose: Purpose, token: str, max_age: float, now: float) -> Any:
        """Return what ``token`` carries.

        :param max_age: seconds a token of this purpose is good for
        :raises TokenExpired: genuine, but too old; the value is on the error
        :raises TokenInvalid: anything else is wrong with it
        """
        try:
            issued, value = json.loads(base64_decode(self._signers[purpose].unsign(token)))
        except (BadData, ValueError, TypeError) as error:
            raise TokenInvalid("token not readable") from error
        if not isinstance(issued, int) or issued > now + _CLOCK_TOLERANCE:
            raise TokenInvalid("token from the future")
        if now - issued > max_age:
            raise TokenExpired(value)
        return value


def random_text(length: int) -> str:
    """Return ``length`` characters of ``A-Za-z0-9`` from the operating system's generator (5.95 bits each).

    Bytes that would make some characters likelier than others are thrown away.
    """
    text = b""
    while len(text) < length:
        text += secrets.token_bytes(2 * length).translate(_TO_ALPHABET, _REJECTED)
    return text[:length].decode("ascii")


def fingerprint(value: str) -> str:
    """Return the SHA-256 of ``value`` in hexadecimal: what is stored instead of a bearer value."""
    return hashlib.sha256(value.encode()).hexdigest()


def equal(left: str, right: str) -> bool:
    """Compare two texts in time that does not depend on where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())
