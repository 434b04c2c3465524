"""Password hashes: Argon2id by argon2-cffi, and nothing else."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass

import argon2
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from casduo.errors import UpstreamUnavailable

_SALT_OCTETS = 16
_HASH_OCTETS = 32
_HASH_FORM = re.compile(r"\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,172}")


@dataclass(frozen=True, slots=True)
class Argon2Settings:
    """What one hash costs (RFC 9106). The default is one of the equal choices of the OWASP password storage sheet.

    :param memory_kib: memory per hash in KiB, at least 8 per lane. Times the parallel logins this must fit the machine.
    :param time_cost: passes over the memory, at least 1.
    :param parallelism: lanes, at least 1.
    """

    memory_kib: int = 47104
    time_cost: int = 1
    parallelism: int = 1

    def __post_init__(self) -> None:
        if self.parallelism < 1 or self.time_cost < 1 or self.memory_kib < 8 * self.parallelism:
            raise ValueError("argon2 needs at least one lane, one pass and 8 KiB of memory per lane")


class Passwords:
    """Makes and checks hashes. Safe to share between threads; hashing runs outside Python's lock."""

    def __init__(self, settings: Argon2Settings) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=settings.time_cost,
            memory_cost=settings.memory_kib,
            parallelism=settings.parallelism,
            hash_len=_HASH_OCTETS,
            salt_len=_SALT_OCTETS,
            type=argon2.Type.ID,
        )
        self._decoy = _random_hash(settings)

    def hash(self, password: str) -> str:
        """Return a new hash in the PHC string form, ``$argon2id$v=19$m=..,t=..,p=..$salt$hash``."""
        return self._hasher.hash(password)

    def matches(self, encoded: str, password: str) -> bool:
        """Return whether ``encoded`` was made from ``password``, at the cost written in ``encoded``.

        :raises UpstreamUnavailable: it could not be computed, for want of memory say. That must not look like a
            wrong password, nor like a right one.
        """
        try:
            return self._hasher.verify(encoded, password)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError) as error:
            raise UpstreamUnavailable("argon2", type(error).__name__) from None

    def spend(self, password: str) -> None:
        """Spend the time of one check at the configured cost. What it finds is thrown away."""
        self.matches(self._decoy, password)


def is_hash(text: str) -> bool:
    """Return whether ``text`` is an Argon2id hash in the form that :meth:`Passwords.hash` makes."""
    return _HASH_FORM.fullmatch(text) is not None


def _random_hash(settings: Argon2Settings) -> str:
    """Return a hash of nothing: random salt, random result. Checking it costs the same as checking a true one."""
    salt, result = (
        base64.b64encode(secrets.token_bytes(octets)).decode().rstrip("=") for octets in (_SALT_OCTETS, _HASH_OCTETS)
    )
    cost = f"m={settings.memory_kib},t={settings.time_cost},p={settings.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${result}"
