"""What breakers tell of the servers behind them, as the calls of late have left them; pure. No server is asked: each
question would take a place away from somebody who signs in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casduo.diagnosis.model import Fact, Finding, Part
from casduo.outbound.breaker import BreakerState
from casduo.ucm.nodes import Node

Servers = Mapping[str, BreakerState]
"""How the breaker of each server stands, by the address in the settings."""

_UCM_NEEDED_FOR = {
    "axl": "nobody can log in on a phone",
    "em": "nobody can log in on a phone",
    "ris": "nobody can log in on a phone whose address is not known yet, or has changed",
}
"""What the nodes of a UCM are needed for, by interface."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """A server with a breaker.

    :param group: those that can stand in for each other
    :param without: what becomes of people when none of those answers
    """

    part: Part
    examined: str
    state: BreakerState
    group: str
    without: str
    facts: Mapping[str, Fact]


def judge_directories(directories: Mapping[str, Servers]) -> tuple[Finding, ...]:
    """Return a finding about each directory server.

    :param directories: the servers of each handler, by its name
    """
    without = "nobody whom it knows can sign in with a password; live sessions and validations go on"
    return _judge(
        [
            _Watched(Part(f"Directory ({name})"), server, state, name, without, {"handler": name, "server": server})
            for name, servers in directories.items()
            for server, state in servers.items()
        ]
    )


def judge_ucm(nodes: Sequence[Node], now: float) -> tuple[Finding, ...]:
    """Return a finding about each node of a UCM, once for each interface.

    :param now: epoch seconds.
    """
    watched = []
    for each in nodes:
        _, interface, node = each.upstream.split(" ")
        facts: dict[str, Fact] = {"interface": interface, "node": node}
        without = _UCM_NEEDED_FOR[interface]
        state = each.breaker.state(now)
        watched.append(_Watched(Part("UCM"), f"{interface} {node}", state, interface, without, facts))
    return _judge(watched)


def _judge(watched: Sequence[_Watched]) -> tuple[Finding, ...]:
    served = {each.group for each in watched if each.state is BreakerState.CLOSED}
    return tuple(_finding(each, others=each.group in served) for each in watched)


def _finding(watched: _Watched, *, others: bool) -> Finding:
    part, examined = watched.part, watched.examined
    facts: dict[str, Fact] = {**watched.facts, "breaker": str(watched.state)}
    if watched.state is BreakerState.CLOSED:
        return part.ok(examined, "is asked when there is something to ask", **facts)
    alone = watched.state is BreakerState.OPEN
    found = f"has not answered of late, and {'is left alone for a moment' if alone else 'the next call tries it again'}"
    cause, remedy = "it is down, too busy, or cannot be reached", "run casduo doctor"
    if others:
        cause = f"{cause}; others are asked meanwhile"
        return part.attention(examined, found, "breaker_open", cause, remedy, **facts)
    cause = f"{cause}, and no other is left: {watched.without}"
    return part.fault(examined, found, "breaker_open", cause, remedy, **facts)
