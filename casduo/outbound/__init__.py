"""Calls to others: a pooled HTTP client, a breaker, a bulkhead, and calls that many share."""

from __future__ import annotations

from casduo.outbound.breaker import Breaker, BreakerOpen, BreakerState
from casduo.outbound.bulkhead import Bulkhead
from casduo.outbound.shared import Shared

__all__ = ["Breaker", "BreakerOpen", "BreakerState", "Bulkhead", "Shared"]
