"""Where processes say that they are there, in Redis. What is not said again is forgotten within half a minute."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from casduo.nodes.model import Member, Node, nodes_of
from casduo.store import Batch, Reply, Store, load_script

_ANNOUNCE = load_script(__file__, "announce.lua")
_PRESENT = load_script(__file__, "present.lua")

EVERY: Final = 5.0
"""Seconds between two announcements of a process."""
GOOD_FOR: Final = 20.0
"""Seconds for which one is good."""
MOST: Final = 512
"""Processes that are kept; more than any installation has."""

_UNTIL: Final = "casduo:{nodes}:until"
_SAID: Final = "casduo:{nodes}:said"
_GOOD_FOR_MS: Final = int(GOOD_FOR * 1000)


def announce(batch: Batch, member: Member) -> None:
    """Add the announcement of a process."""
    batch.script(_ANNOUNCE, (_UNTIL, _SAID), (member.name, member.to_json(), _GOOD_FOR_MS, MOST))


def withdraw(batch: Batch, member: Member) -> None:
    """Add that a process ends: nobody need wait until it is missed."""
    batch.command("ZREM", _UNTIL, member.name)
    batch.command("HDEL", _SAID, member.name)


class NodesReading:
    """The nodes that are there; readable once the batch has run."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes. What another version wrote and this one cannot read is left out.

        :raises RuntimeError: the batch has not run
        """
        members: list[Member] = []
        for text in self._reply.value:
            with suppress(ValueError, TypeError):
                members.append(Member.from_json(text))
        return nodes_of(members)


def ask_nodes(batch: Batch) -> NodesReading:
    """Add the question which nodes are there."""
    return NodesReading(batch.script(_PRESENT, (_UNTIL, _SAID)))


def present_nodes(store: Store) -> tuple[Node, ...]:
    """Return the nodes that are there. One round trip.

    :raises UpstreamUnavailable: Redis does not answer
    """
    batch = store.batch()
    reading = ask_nodes(batch)
    batch.run()
    return reading.nodes
