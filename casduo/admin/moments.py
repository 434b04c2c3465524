"""Moments as the pages show them."""

from __future__ import annotations

from datetime import datetime, tzinfo


def iso(moment: float, zone: tzinfo) -> str:
    """Return epoch seconds as ISO 8601 text with the offset of ``zone``, for the macro ``moment``."""
    return datetime.fromtimestamp(int(moment), zone).isoformat()
