"""Cisco Unified Communications Manager ("UCM"): who its users are, and who is logged in on which phone."""
