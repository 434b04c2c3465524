"""How a flow that waits in Redis stands, for those who hold its key and cannot or need not go on with it."""

from __future__ import annotations

from casduo.signing import fingerprint
from casduo.store import Batch, Store, load_script
from casduo.webflow.execution import parked, parse_stored

STAND = load_script(__file__, "stand.lua")

LOST = 20.0
"""Seconds after which nobody works on a step any more: its node died."""


class FlowStands:
    """Tells of flows to those who do not go on with them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, batch: Batch, execution: str, flow_cookie: str, now: float) -> None:
        """Add that somebody works on a flow that has not come to its first stop yet. Until it does, or until its node
        must have died, who holds its key is told so.

        :param execution: the key under which it will wait
        :param flow_cookie: whose it is
        """
        stored = parse_stored(execution)
        assert stored is not None
        facts = ("version", 0, "cookie", fingerprint(flow_cookie), "since", int(now * 1000), "again", "{}")
        batch.command("HSET", stored.key, *facts)
        batch.command("PEXPIRE", stored.key, int(LOST * 1000))

    def wait_for_somebody(self, execution: str, now: float) -> bool:
        """Say whether a flow goes on without more than a look: somebody works on it, or it waits for an answer or a
        choice. One whose last request was refused or not answered does not. One round trip.

        :param execution: the key it began with
        """
        stored = parse_stored(execution)
        if stored is None:
            return False
        match self._store.command("HMGET", stored.key, "state", "over", "since"):
            case [_, str(), _]:
                return False
            case [str(state), *_]:
                return not _out_of_requests(state)
            case [None, None, str(since)]:
                return now - int(since) / 1000 < LOST
        return False


def _out_of_requests(state: str) -> bool:
    """Whether the page of the second factor has nothing under way."""
    place, scope = parked(state)
    return place[-1] == ("duo", "viewPush") and not scope.get("duo_push")
