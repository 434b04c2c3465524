"""Self-service enrolment: people without a device register one with Duo, and go on to where they wanted to go."""

from __future__ import annotations
