"""Steers the simulated Duo over HTTP."""

from __future__ import annotations

from casduo.simulators.control import ControlApplication
from casduo.simulators.duo.commands import COMMANDS
from casduo.simulators.duo.descriptions import describe_state
from casduo.simulators.duo.simulator import DuoSimulator
from casduo.simulators.server import SimulatorServer

__all__ = ["COMMANDS", "control_server"]


def control_server(simulator: DuoSimulator, port: int = 0) -> SimulatorServer:
    """Return a server for the control interface, not started yet. It speaks plain HTTP on the loopback address."""
    application = ControlApplication(simulator, COMMANDS, describe_state)
    return SimulatorServer(application, port=port, name="duo-control")
