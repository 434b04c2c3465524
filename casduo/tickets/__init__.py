"""Tickets: ids, the ticket registry on Redis, granting and validating."""

from __future__ import annotations
