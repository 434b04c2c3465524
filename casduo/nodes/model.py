"""What a process says of itself, what the processes of a node add up to, and where a state of the registry is in force.
Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Role = Literal["server", "worker"]


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a node, as it describes itself.

    :param node: the name of the node: all processes of one ``casduo serve`` have the same
    :param process: its id on that machine
    :param role: whether it serves, or works behind those that do
    :param version: of casduo
    :param registry: fingerprint of the state of the registry in force in it
    :param loaded: when that was read, in epoch seconds by its own clock
    :param rejected: the registry file has changed since and cannot be used
    :param started: when it started, in epoch seconds by its own clock
    """

    node: str
    process: int
    role: Role
    version: str
    registry: str
    loaded: float
    rejected: bool
    started: float

    @property
    def name(self) -> str:
        """Tells it from all others."""
        return f"{self.node}/{self.process}"

    def to_json(self) -> str:
        """Return it as one line; see :meth:`from_json`."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Member:
        """Return the process that ``text`` describes. What another version says besides is left out.

        :raises ValueError: it describes none
        """
        match json.loads(text):
            case {
                "node": str(node),
                "process": int(process),
                "role": "server" | "worker" as role,
                "version": str(version),
                "registry": str(registry),
                "loaded": int() | float() as loaded,
                "rejected": bool(rejected),
                "started": int() | float() as started,
            }:
                return cls(node, process, role, version, registry, float(loaded), rejected, float(started))
        raise ValueError("not a process of a node")


@dataclass(frozen=True, slots=True)
class Node:
    """One ``casduo serve`` with all of its serving processes, or one worker.

    :param members: at least one, in the order of their ids
    """

    name: str
    role: Role
    members: tuple[Member, ...]

    @property
    def registry(self) -> str:
        """The state of the registry that is in force on all of its processes, empty where they differ."""
        states = {member.registry for member in self.members}
        return states.pop() if len(states) == 1 else ""

    @property
    def version(self) -> str:
        """The version of casduo; of several the lowest in the order of text, and a node never has several for long."""
        return min(member.version for member in self.members)

    @property
    def rejected(self) -> bool:
        """Whether one of its processes could not use the registry file as it is now."""
        return any(member.rejected for member in self.members)

    @property
    def started(self) -> float:
        """When the first of its processes started, in epoch seconds."""
        return min(member.started for member in self.members)


@dataclass(frozen=True, slots=True)
class InForce:
    """Where a state of the registry is in force: on ``on`` of ``of`` nodes; ``lagging`` are the others.

    :param registry: the state, empty without any node
    """

    registry: str
    on: int
    of: int
    lagging: tuple[Node, ...]

    @property
    def everywhere(self) -> bool:
        """Whether there is no node on which it is not."""
        return not self.lagging

    def sentence(self) -> str:
        """Return it in words: ``in force on 2 of 3 nodes; these lag: sso2-4711``."""
        found = f"in force on {self.on} of {self.of} node{'' if self.of == 1 else 's'}"
        return found if self.everywhere else f"{found}; these lag: {', '.join(node.name for node in self.lagging)}"


def nodes_of(members: Iterable[Member]) -> tuple[Node, ...]:
    """Return the nodes that processes make up, in the order of their names, serving ones first."""
    found: dict[tuple[Role, str], list[Member]] = {}
    for member in members:
        found.setdefault((member.role, member.node), []).append(member)
    return tuple(
        Node(name, role, tuple(sorted(of, key=lambda member: member.process)))
        for (role, name), of in sorted(found.items())
    )


def in_force(nodes: Sequence[Node], registry: str = "") -> InForce:
    """Return where a state of the registry is in force.

    A node counts once all of its processes have it: until then, which one answers is a matter of luck.

    :param nodes: to look at; usually those that serve
    :param registry: its fingerprint; without one, the state that was read last by any of them
    """
    wanted = registry or _newest(nodes)
    lagging = tuple(node for node in nodes if node.registry != wanted)
    return InForce(wanted, len(nodes) - len(lagging), len(nodes), lagging)


def _newest(nodes: Sequence[Node]) -> str:
    members = [member for node in nodes for member in node.members]
    return max(members, key=lambda member: member.loaded).registry if members else ""
