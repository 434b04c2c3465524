"""Approvals: requests for access that somebody has to decide, decided once, for a time."""
