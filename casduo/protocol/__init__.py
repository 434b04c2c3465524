"""The CAS protocol on the wire: parameters, validation, and the answers applications read."""

from __future__ import annotations
