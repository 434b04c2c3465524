"""How a command of the control interface names a node."""

from __future__ import annotations

from casduo.simulators.steering import Arguments, ControlError
from casduo.simulators.ucm.node import Node
from casduo.simulators.ucm.simulator import UcmSimulator


def nodes_of(simulator: UcmSimulator, arguments: Arguments) -> tuple[Node, ...]:
    """Return the node that ``node`` names, from 1, or all of them. :raises ControlError: there is no such node"""
    if not arguments.has("node"):
        return simulator.nodes
    number = arguments.number("node")
    if number not in range(1, len(simulator.nodes) + 1):
        raise ControlError(f"node must be a whole number from 1 to {len(simulator.nodes)}")
    return (simulator.nodes[int(number) - 1],)
