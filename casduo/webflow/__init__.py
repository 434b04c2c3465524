"""How a login proceeds: an engine that knows nothing of CAS, tables that are one page each, and actions."""

from __future__ import annotations
