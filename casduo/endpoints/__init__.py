"""Endpoints: for each address the few lines between a request and the part that answers it."""

from __future__ import annotations
