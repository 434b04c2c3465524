"""Says every few seconds that this process is there, with which version and which state of the registry."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from casduo import __version__
from casduo.clock import Clock
from casduo.errors import UpstreamError
from casduo.nodes.model import Member, Role
from casduo.nodes.roster import EVERY, announce, withdraw
from casduo.services.watch import RegistrySource
from casduo.signing import random_text
from casduo.store import Batch, Store

VARIABLE: Final = "CASDUO_NODE"
"""Names the node to the processes that ``casduo serve`` starts."""
_NAME_LENGTH: Final = 6
_LONGEST_NAME: Final = 100
_STOP_SECONDS: Final = 2.0


def new_node_name() -> str:
    """Return a name for a node that starts on this machine."""
    return f"{socket.gethostname()}-{random_text(_NAME_LENGTH)}"


def node_name(environ: Mapping[str, str]) -> str:
    """Return the name of the node that this process is one of. Under another server than ``casduo serve`` the processes
    of one parent are a node.
    """
    return (environ.get(VARIABLE) or f"{socket.gethostname()}-{os.getppid()}")[:_LONGEST_NAME]


class Presence:
    """What there is to say of this process.

    :param node: the name of its node
    :param services: its registry
    :param clock: epoch seconds
    """

    def __init__(self, node: str, role: Role, services: RegistrySource, clock: Clock) -> None:
        self._node = node
        self._role = role
        self._services = services
        self._started = clock()

    @property
    def member(self) -> Member:
        """The process as it is now."""
        services = self._services
        return Member(
            node=self._node,
            process=os.getpid(),
            role=self._role,
            version=__version__,
            registry=services.current().version,
            loaded=services.loaded_at,
            rejected=bool(services.problems),
            started=self._started,
        )

    def announce(self, batch: Batch) -> None:
        """Add that it is there."""
        announce(batch, self.member)

    def withdraw(self, batch: Batch) -> None:
        """Add that it ends."""
        withdraw(batch, self.member)


class Announcer:
    """Announces a serving process, in a thread of its own, and at once when its registry has changed."""

    def __init__(self, store: Store, presence: Presence, services: RegistrySource) -> None:
        self._store = store
        self._presence = presence
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        services.listen(lambda event, facts: self._wanted.set())

    def say(self) -> None:
        """Announce it now. While Redis is away nobody hears it, and who asks for the nodes knows that as well."""
        self._send(self._presence.announce)

    def start(self) -> None:
        """Announce it from now on. Once is enough."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Take the announcement back."""
        if self._thread is None:
            return
        self._stopping.set()
        self._wanted.set()
        self._thread.join(_STOP_SECONDS)
        self._send(self._presence.withdraw)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.clear()
            self.say()
            self._wanted.wait(EVERY)

    def _send(self, add: Callable[[Batch], None]) -> None:
        batch = self._store.batch()
        add(batch)
        with suppress(UpstreamError):
            batch.run()
