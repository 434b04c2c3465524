"""A stand-in for a Cisco Unified Communications Manager ("UCM"): AXL, the Extension Mobility API and the real-time
information service over one model.

Written from Cisco's public documentation of these interfaces; AXL's answers are held against its published schema.
"""

from casduo.simulators.ucm.logins import Login
from casduo.simulators.ucm.policy import Policy
from casduo.simulators.ucm.simulator import UcmSimulator

__all__ = ["Login", "Policy", "UcmSimulator"]
