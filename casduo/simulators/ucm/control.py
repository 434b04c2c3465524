"""Steers the simulated UCM over HTTP."""

from __future__ import annotations

from casduo.simulators.control import ControlApplication
from casduo.simulators.server import SimulatorServer
from casduo.simulators.ucm.commands import COMMANDS
from casduo.simulators.ucm.descriptions import describe_state
from casduo.simulators.ucm.errors import LoginRefusal
from casduo.simulators.ucm.simulator import UcmSimulator

__all__ = ["COMMANDS", "control_server"]


def control_server(simulator: UcmSimulator, port: int = 0) -> SimulatorServer:
    """Return a server for the control interface, not started yet. It speaks plain HTTP on the loopback address."""
    application = ControlApplication(simulator, COMMANDS, describe_state, (LoginRefusal,))
    return SimulatorServer(application, port=port, name="ucm-control")
