"""A stand-in for Duo's cloud: Auth API v2, the Universal Prompt's OIDC endpoints, and the phones people hold.

Written from Duo's public documentation of both interfaces and checked against the unmodified official clients.
"""

from casduo.simulators.duo.simulator import DuoSimulator

__all__ = ["DuoSimulator"]
