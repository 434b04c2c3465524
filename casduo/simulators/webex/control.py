"""Steers the simulated Webex over HTTP."""

from __future__ import annotations

from casduo.simulators.control import ControlApplication
from casduo.simulators.server import SimulatorServer
from casduo.simulators.webex.commands import COMMANDS
from casduo.simulators.webex.descriptions import describe_state
from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.simulator import WebexSimulator

__all__ = ["COMMANDS", "control_server"]


def control_server(simulator: WebexSimulator, port: int = 0) -> SimulatorServer:
    """Return a server for the control interface, not started yet. It speaks plain HTTP on the loopback address."""
    application = ControlApplication(simulator, COMMANDS, describe_state, (WebexRefusal,))
    return SimulatorServer(application, port=port, name="webex-control")
