"""Typed events: what happened, to whom, for which service, with which reference."""

from __future__ import annotations
