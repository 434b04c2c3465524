"""A server of several nodes in one process, of which each gets one request after the other.

``CASDUO_TEST_NODES=3 python -m pytest tests/web tests/enrollment tests/security`` runs so what is there for one node.
What counts round trips cannot hold then, for each node writes its own.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from casduo.compose import Composed

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

NODES = "CASDUO_TEST_NODES"
"""The variable that says how many nodes a server has in these tests."""


def how_many() -> int:
    """Return how many nodes are wanted: one, where nobody asks for more."""
    return int(os.environ.get(NODES, "1"))


class Scattered:
    """Nodes that have nothing in common but their settings and their Redis. What is asked of it otherwise than by a
    request is asked of the first one.
    """

    def __init__(self, nodes: Iterable[Composed]) -> None:
        self._first, *self._others = nodes
        self._turns: Iterator[Composed] = itertools.cycle([self._first, *self._others])

    def wsgi(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request at the next node."""
        node = next(self._turns)
        if node is self._first:
            return node.wsgi(environ, start)
        # What its threads do: follow the registry, and write what nobody waits for.
        known, ours = self._first.parts.services, node.parts.services
        if (known.current().version, known.problems) != (ours.current().version, ours.problems):
            ours.poll()
        answer = node.wsgi(environ, start)
        node.parts.later.flush()
        node.parts.events.flush()
        return answer

    def close(self) -> None:
        """Give everything back."""
        for node in (self._first, *self._others):
            node.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._first, name)
