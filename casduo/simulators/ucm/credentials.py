"""PINs and passwords, and the credential policy: who fails too often is locked out for a while."""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass, field

from casduo.simulators.ucm.policy import Policy


@dataclass(slots=True)
class Credential:
    """A PIN or a password with its count of failures. An empty secret is never right."""

    secret: str = field(default="", repr=False)
    failures: int = 0
    failed_at: float = -math.inf
    locked_at: float = -math.inf
    _previous: str = field(default="", repr=False)
    _changed_at: float = -math.inf

    def change(self, secret: str, now: float) -> None:
        """Set another secret, which also ends a lock."""
        self._previous, self._changed_at = self.secret, now
        self.secret = secret
        self.unlock()

    def unlock(self) -> None:
        """Forget failures and lock."""
        self.failures, self.failed_at, self.locked_at = 0, -math.inf, -math.inf

    def locked(self, now: float, policy: Policy) -> bool:
        """Return whether nothing is looked at for now."""
        return now < self.locked_at + policy.lockout_seconds

    def check(self, given: str, now: float, policy: Policy) -> bool:
        """Look at what was given and count it. While locked, nothing is right and nothing is counted."""
        if self.locked(now, policy):
            return False
        if self._matches(given, now, policy):
            self.unlock()
            return True
        if now >= self.failed_at + policy.failures_forgotten_seconds or self.locked_at > -math.inf:
            self.failures, self.locked_at = 0, -math.inf
        self.failures += 1
        self.failed_at = now
        if self.failures >= policy.lockout_failures:
            self.locked_at = now
        return False

    def _matches(self, given: str, now: float, policy: Policy) -> bool:
        right = [self.secret]
        if now < self._changed_at + policy.pin_cache_seconds:
            right.append(self._previous)
        return any(each and hmac.compare_digest(each.encode(), given.encode()) for each in right)
