"""People sign in while slots are moved to a new master of a cluster and back: nobody notices, nothing happens twice.

``CASDUO_FAULT_ROUNDS=10`` makes it long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests.faults.ledger import settle
from tests.faults.stage import on_stage
from tests.faults.stream import Stream, Wrong, ask, sign_in, ticket_of, validate
from tests.support.clusters import Cluster, running_cluster
from tests.support.redis_fleet import Server
from tests.support.resharding import Operator
from tests.support.site import LIBRARY

ROUNDS = int(os.environ.get("CASDUO_FAULT_ROUNDS", "1"))
_TOGETHER = 20
"""Slots that are open at the same time: some more than people would have."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path / "redis", node_timeout=15_000, spare=1) as found:
        yield found


def sign_in_and_return(browser: requests.Session, base: str, person: str) -> tuple[str, str]:
    """Use the ticket of a login, then ask for another one on the session: a walk of the stream."""
    service, ticket = sign_in(browser, base, person)
    if (name := validate(browser, base, ticket, service)) != person:
        raise Wrong(f"the ticket of {person} is good for {name}")
    return LIBRARY, ticket_of(ask(browser, "GET", f"{base}login?service={quote(LIBRARY, safe='')}"))


def move_everything(operator: Operator, source: Server, target: Server) -> tuple[int, int]:
    """Move all slots in which there is something. Returns how many slots and keys that were."""
    slots = operator.filled(source)
    parts = [slots[start : start + _TOGETHER] for start in range(0, len(slots), _TOGETHER)]
    return len(slots), sum(operator.move(source, target, *part) for part in parts)


def test_nobody_notices_that_slots_are_moved(cluster: Cluster, tmp_path: Path) -> None:
    masters = cluster.masters()
    [new] = [server for server in cluster.servers if server.replicas() == 0]
    assert new not in masters
    slots = keys = 0
    # A machine that is busy may take longer over a slot than people would wait.
    url = f"{cluster.url}', timeout: '15s"
    with (
        on_stage(tmp_path / "stage", url, nodes=2) as stage,
        Operator(cluster) as operator,
        Stream(stage.bases, walk=sign_in_and_return) as stream,
    ):

        def refusals() -> dict[str, int]:
            return {kind: operator.refusals(kind) for kind in ("ASK", "TRYAGAIN", "MOVED")}

        stream.flows()
        # One that stays: who has given away its last slot becomes a replica of whoever got it.
        anchor = min(set(operator.owned(masters[0])) - set(operator.filled(masters[0])))
        operator.move(masters[0], new, anchor)
        # Until it was in the way of people: where others keep the machine busy, few come while a slot is moved.
        for number in range(10 * ROUNDS):
            if number >= ROUNDS and all(refusals().values()):
                break
            for master in masters:
                for source, target in ((master, new), (new, master)):
                    moved = move_everything(operator, source, target)
                    slots, keys = slots + moved[0], keys + moved[1]
                    stream.flows(4)
                    operator.await_agreement()
        operator.move(new, masters[0], *operator.owned(new))
        stream.flows()
        refused = refusals()
        operator.forget(new)
        stream.flows()
        settle(stream, stage)
    print(f"{slots} slots with {keys} keys moved, {refused}: {stream.tally}")
    stream.tally.assert_sound()
    assert all(refused.values()), refused
    assert (stream.tally.told, stream.tally.cut) == (0, 0), str(stream.tally)
    assert stream.tally.completed == stream.tally.tried
