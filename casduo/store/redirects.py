"""Slots of a cluster: who has which, and what a node means that refuses a command because of them.

Redis Cluster specification, "Redirection and resharding": while a slot moves its keys go one by one. The node that it
leaves answers for the keys it still has. For others it refuses with ``ASK``, which names the node that the slot goes
to; that one answers there and then, to whom has sent it ``ASKING``. Where a command has several keys, and some of them
are not there, either says ``TRYAGAIN``. Once the slot has moved the old node says ``MOVED``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.crc import key_slot
from redis.exceptions import AskError, MovedError, ResponseError, TryAgainError

from casduo.settings.redisnodes import Node

ELSEWHERE = frozenset({"ClusterDownError", "MasterDownError", "ReadOnlyError", "ConnectionError"})
"""Refusals after which it is worth asking once who has the key now, by the names of their classes."""

_STREAM_WENT = ("UNBLOCKED", "NOGROUP")
"""What a command is told that waited for a stream when the stream moved: Redis 7.0, and later ones."""


@dataclass(frozen=True, slots=True)
class SlotMap:
    """Who has which slots.

    :param starts: the first slot of each range, ascending
    :param owners: the master of each range
    """

    starts: tuple[int, ...]
    owners: tuple[Node, ...]

    def owner(self, slot: int | None) -> Node:
        """Return who has a slot; some master for ``None``, where any will do."""
        return self.owners[0 if slot is None else bisect_right(self.starts, slot) - 1]


def read_slots(rows: Sequence[Any], asked: Node) -> SlotMap | None:
    """Read the answer to ``CLUSTER SLOTS``; ``None`` where nobody has slots.

    :param asked: who answered: a node that does not know its own address tells none
    """
    ranges = sorted(rows, key=lambda row: int(row[0]))
    if not ranges:
        return None
    owners = tuple((str(row[2][0] or asked[0]), int(row[2][1])) for row in ranges)
    return SlotMap(tuple(int(row[0]) for row in ranges), owners)


@dataclass(frozen=True, slots=True)
class Way:
    """Where a command goes that was refused.

    :param node: who is asked; ``None`` for whoever has the slot by the map
    :param asking: whether ``ASKING`` goes in front of it, for the slot has not arrived there yet
    :param moving: whether slots are being moved: then it may be refused some times more
    :param later: whether it is of use only after a pause
    :param stale: whether the map is wrong
    """

    node: Node | None = None
    asking: bool = False
    moving: bool = False
    later: bool = False
    stale: bool = False


ONCE_MORE = Way(stale=True)


def way_after(error: Exception, asked: Node, *, script: bool) -> Way | None:
    """Return what to do about a refusal; ``None`` where sending it again is of no use.

    All of these come before anything has happened (``processCommand``: the slot is looked at before the command runs).

    :param asked: who refused
    :param script: whether it was a script: that hands on, in the same words, what happened in its middle
    """
    match error:
        case MovedError():
            return Way((error.host or asked[0], error.port), moving=True, stale=True)
        case AskError():
            return Way((error.host or asked[0], error.port), asking=True, moving=True)
        case TryAgainError():
            return Way(moving=True, later=True)
        case ResponseError() if not script and str(error).startswith(_STREAM_WENT):
            return ONCE_MORE
    return ONCE_MORE if type(error).__name__ in ELSEWHERE else None


def slot_of(key: str) -> int:
    """Return the slot of a key."""
    return key_slot(key.encode())


def companion(key: str) -> str:
    """Return a key that lies in the same slot and never exists.

    A script that has it among its keys is refused while its slot moves, wherever it is sent. Without it the script
    would run as soon as the keys are there that it names; and those that it finds by what it reads, or makes anew after
    having deleted them, would be missing or stop it in its middle, for inside a script each command is looked at again.

    :param key: with a slot tag, or without braces
    """
    _, opened, rest = key.partition("{")
    tag, closed, _ = rest.partition("}")
    return f"casduo:{{{tag if opened and closed and tag else key}}}:whole"
