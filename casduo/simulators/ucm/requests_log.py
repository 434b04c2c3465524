"""What was asked of the nodes, so that tests can count it. Never holds a PIN or a password."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

HIDDEN = "[hidden]"

_SECRETS = frozenset({"pin", "password", "appcertificate", "appencryptedcertificate"})


@dataclass(slots=True)
class RequestRecord:
    """One request.

    :param node: number of the node, from 0.
    :param operation: as the documents call it (``getUser``, ``login``); empty when the request could not be read.
    :param parameters: names and texts, with ``[hidden]`` in the place of every secret.
    :param at: the simulator's time in epoch seconds.
    :param account: who asked; empty while that is not proven.
    :param status: HTTP status of the answer; None while it is not there yet, or when none was given.
    :param outcome: the code of a fault or a failure (``axl 5007``, ``em 25``), empty otherwise.
    """

    node: int
    interface: str
    operation: str
    parameters: Mapping[str, str]
    at: float
    account: str = ""
    status: int | None = None
    outcome: str = ""

    def __str__(self) -> str:
        parameters = " ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        asked = f"node {self.node + 1} {self.interface} {self.operation or '(unreadable)'}"
        return f"{asked} {self.status or 'no answer'} {self.outcome} ({self.account or 'not verified'}) {parameters}"


@dataclass(slots=True)
class RequestLog:
    """The requests since the start, or since :meth:`clear`, in the order they came."""

    _records: list[RequestRecord] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(
        self, node: int, interface: str, operation: str, parameters: Iterable[tuple[str, str]], at: float
    ) -> RequestRecord:
        """Note a request on its arrival."""
        shown = {name: HIDDEN if name.lower() in _SECRETS else value for name, value in parameters}
        record = RequestRecord(node, interface, operation, shown, at)
        with self._lock:
            self._records.append(record)
        return record

    def __call__(self, operation: str | None = None, node: int | None = None) -> list[RequestRecord]:
        """Return the requests for an operation and to a node, or all."""
        with self._lock:
            return [
                record
                for record in self._records
                if operation in (None, record.operation) and node in (None, record.node)
            ]

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(self())

    def __len__(self) -> int:
        return len(self())

    def count(self, operation: str | None = None, node: int | None = None) -> int:
        """Return how many requests there were, as :meth:`__call__`."""
        return len(self(operation, node))

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._records.clear()
