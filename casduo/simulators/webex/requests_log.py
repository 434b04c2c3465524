"""What was asked of the API, so that tests can count it. Never holds a token or the secret of a webhook."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

HIDDEN = "[hidden]"

_SECRETS = frozenset({"secret"})


@dataclass(slots=True)
class RequestRecord:
    """One call.

    :param path: after ``/v1``, for instance ``/messages``
    :param endpoint: for instance ``DELETE /messages/{id}``; empty when there is none like that
    :param query: of the address
    :param body: the JSON that was sent, with ``[hidden]`` in the place of secrets; None where there was none
    :param at: the simulator's time in epoch seconds
    :param owner: first address of whose token it carried; empty when that is not known or not valid
    :param status: HTTP status of the answer; None while it is not there yet, or when none was given
    :param outcome: HTTP status of what was really done; None when nothing was tried because of a fault
    :param tracking_id: as the answer told it
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    at: float
    endpoint: str = ""
    owner: str = ""
    status: int | None = None
    outcome: int | None = None
    tracking_id: str = ""

    def __str__(self) -> str:
        done = "" if self.outcome == self.status else f" (really {self.outcome or 'nothing'})"
        return f"{self.method} {self.path} {self.status or 'no answer'}{done} {self.owner or 'not verified'}"


@dataclass(slots=True)
class RequestLog:
    """The calls since the start, or since :meth:`clear`, in the order they came."""

    _records: list[RequestRecord] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, method: str, path: str, query: Mapping[str, str], body: Any, at: float) -> RequestRecord:
        """Note a call on its arrival."""
        shown = (
            {name: HIDDEN if name in _SECRETS else value for name, value in body.items()}
            if isinstance(body, dict)
            else body
        )
        record = RequestRecord(method, path, dict(query), shown, at)
        with self._lock:
            self._records.append(record)
        return record

    def __call__(self, method: str | None = None, path_prefix: str | None = None) -> list[RequestRecord]:
        """Return the calls with a method and with a path that begins like this, or all.

        :param path_prefix: with or without ``/v1`` before it
        """
        prefix = (path_prefix or "").removeprefix("/v1")
        with self._lock:
            return [
                record for record in self._records if method in (None, record.method) and record.path.startswith(prefix)
            ]

    def __iter__(self) -> Iterator[RequestRecord]:
        return iter(self())

    def __len__(self) -> int:
        return len(self())

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._records.clear()
