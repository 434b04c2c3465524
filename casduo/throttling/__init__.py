"""Named limits on failures, counted in Redis."""

from __future__ import annotations

from casduo.throttling.limits import Limit, Verdict
from casduo.throttling.logins import LoginThrottle
from casduo.throttling.pins import PinThrottle, below_lockout

__all__ = ["Limit", "LoginThrottle", "PinThrottle", "Verdict", "below_lockout"]
