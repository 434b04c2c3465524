"""Named limits on failures, counted in Redis."""

from __future__ import annotations

from casduo.throttling.limits import Limit, LoginThrottle, Verdict

__all__ = ["Limit", "LoginThrottle", "Verdict"]
