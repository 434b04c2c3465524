"""Signed tokens: one salt per purpose, a list of keys for rotation. No other module signs anything.

A token made for one purpose never verifies for another, because the purpose is the salt from which the signing key
is derived. Tokens carry the moment they were made; age is judged by the caller's ``now``, so a test sets the clock.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from itsdangerous import BadData, HMACAlgorithm, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from casduo.clock import Clock, system_clock

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_UNBIASED = 256 // len(_ALPHABET) * len(_ALPHABET)
_TO_ALPHABET = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_REJECTED = bytes(range(_UNBIASED, 256))
_to_json = json.JSONEncoder(separators=(",", ":")).encode
_CLOCK_TOLERANCE = 60.0
"""Seconds by which a token may come from the future: nodes' clocks differ a little."""


class Purpose(Enum):
    """What a token is for. The value is the salt and must never be reused or changed in meaning."""

    FLOW_KEY = "casduo.flow-key.v1"
    CSRF = "casduo.csrf.v1"
    SIGN_OUT = "casduo.sign-out.v1"
    DUO_PUSH = "casduo.duo-push.v1"
    REST_PUSH = "casduo.rest-push.v1"
    TRUSTED_BROWSER = "casduo.trusted-browser.v1"
    ENROLL_RETURN = "casduo.enroll-return.v1"
    ENROLL = "casduo.enroll.v1"
    PHONE = "casduo.phone.v1"
    PHONE_COOKIE = "casduo.phone-cookie.v1"


class _ShortHmac(HMACAlgorithm):
    """HMAC cut to 128 bits (RFC 2104, section 5: no less than half of the hash), for where there is little room."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:16]


_SHORT = frozenset({Purpose.PHONE, Purpose.PHONE_COOKIE})
"""Purposes whose tokens have to fit into the addresses and cookies of phones."""


class TokenInvalid(Exception):
    """The token was not made by this server for this purpose, or it is damaged."""


class TokenExpired(TokenInvalid):
    """The token is genuine but older than allowed. ``value`` is what it carried."""

    def __init__(self, value: Any) -> None:
        super().__init__("token expired")
        self.value = value


NEVER = math.inf
"""When a key signs that only verifies."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key. ``signs_from`` is the moment, in epoch seconds, from which it signs, until a later one does."""

    text: str = field(repr=False)
    signs_from: float = 0.0

    @property
    def fingerprint(self) -> str:
        """What people call it by. Nobody gets from there to a key that was made by chance."""
        return hashlib.sha256(b"casduo.key-fingerprint.v1:" + self.text.encode()).hexdigest()[:12]


def signing_key_at(keys: Sequence[SigningKey], now: float) -> SigningKey:
    """Return the key that signs at a moment: of those that may by then the one that began last, of equals the first.

    :param keys: at least one. Where none may sign yet, the first to come does.
    """
    begun = [key for key in keys if key.signs_from <= now]
    return max(begun, key=lambda key: key.signs_from) if begun else min(keys, key=lambda key: key.signs_from)


class Signing:
    """Makes and reads tokens.

    :param keys: every one verifies, :func:`signing_key_at` says which signs. A text stands for a key that has signed
        since ever, so that of texts alone the first signs. None may be empty.
    :param clock: the moment of signatures that do not carry one
    """

    def __init__(self, keys: Sequence[str | SigningKey], clock: Clock = system_clock) -> None:
        self._keys = [SigningKey(key) if isinstance(key, str) else key for key in keys]
        if not self._keys or not all(key.text for key in self._keys):
            raise ValueError("at least one signing key is needed and none may be empty")
        self._clock = clock
        self._by_key = {key: self._signers_of(key) for key in self._keys}
        # Whichever verifies tries all keys.
        self._signers = self._by_key[self._keys[0]]

    def _signers_of(self, key: SigningKey) -> dict[Purpose, Signer]:
        # The library signs with the last of the keys, and tries them from there when it verifies.
        last = [*(other.text.encode() for other in reversed(self._keys) if other is not key), key.text.encode()]
        return {
            purpose: Signer(
                # Derived as the library does it by "hmac", but once and not for each token.
                [hmac.digest(text, purpose.value.encode(), "sha256") for text in last],
                key_derivation="none",
                digest_method=hashlib.sha256,
                algorithm=_ShortHmac(hashlib.sha256) if purpose in _SHORT else None,
            )
            for purpose in Purpose
        }

    def _signer(self, purpose: Purpose, now: float) -> Signer:
        return self._by_key[signing_key_at(self._keys, now)][purpose]

    def dumps(self, purpose: Purpose, value: Any, now: float) -> str:
        """Return a URL-safe token that carries ``value`` (JSON types) and the moment ``now``."""
        payload = _to_json([int(now), value]).encode()
        return self._signer(purpose, now).sign(base64_encode(payload)).decode("ascii")

    def sign(self, purpose: Purpose, text: str) -> str:
        """Return ``text`` with a signature behind a full stop. It says nothing of when it was made."""
        return self._signer(purpose, self._clock()).sign(text.encode()).decode("ascii")

    def unsign(self, purpose: Purpose, token: str) -> str:
        """Return the text that was signed.

        :raises TokenInvalid: not by this server for this purpose
        """
        try:
            return self._signers[purpose].unsign(token).decode()
        except (BadData, ValueError) as error:
            raise TokenInvalid("token not readable") from error

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
