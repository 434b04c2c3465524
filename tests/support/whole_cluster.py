"""A store on a cluster for tests that were written for one Redis: it empties and lists all nodes, and notes scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from casduo.settings.redisnodes import Node
from casduo.store.cluster import ClusterStore, NodeStore
from casduo.store.scripts import Script
from casduo.store.store import Pending, Value
from tests.support.opened import opened_store

_EVERYWHERE = frozenset({"FLUSHALL", "KEYS", "SCRIPT", "CONFIG", "DBSIZE"})


class WholeCluster(ClusterStore):
    """A cluster's store; ``ran`` holds the names of the scripts that were called."""

    def __init__(self, seeds: Sequence[Node], connect: Callable[[Node], NodeStore], patience: float) -> None:
        super().__init__(seeds, connect, patience)
        self.ran: set[str] = set()

    def command(self, *words: Value) -> Any:
        """Run a command; one about no key in particular on all nodes."""
        if words[0] not in _EVERYWHERE:
            return super().command(*words)
        answers = [master.command(*words) for _, master in self.masters()]
        return [key for answer in answers for key in answer] if words[0] == "KEYS" else answers[0]

    def _run(self, pending: Sequence[Pending], *, measured: bool = True) -> None:
        self.ran |= {name_of(item[1]) for item in pending if item[1] is not None}
        super()._run(pending, measured=measured)


def name_of(script: Script) -> str:
    """Return what tells a script from all others: some have the same name."""
    return f"{script.name}:{script.sha}"


@contextmanager
def whole_cluster(directory: Path, url: str) -> Iterator[WholeCluster]:
    """Open the store of a cluster as a server does."""
    opened = opened_store(directory, f"url: '{url}', timeout: 5s", 64)
    assert isinstance(opened, ClusterStore)
    seeds: Sequence[Node] = opened._seeds

    def connect(node: Node) -> NodeStore:
        return opened._connect(node)

    store = WholeCluster(seeds, connect, opened._patience)
    yield store
    store.close()
