"""What was asked of the simulator, so that tests can count it. Never holds a secret."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

HIDDEN = "[hidden]"

_SECRET_PARAMETERS = frozenset(
    {
        "activation_code",
        "client_assertion",
        "code",
        "codes",
        "duo_code",
        "passcode",
        "prompt",
        "request",
        "trusted_device_token",
        "value",
    }
)


@dataclass(slots=True)
class RequestRecord:
    """One request.

    :param parameters: with ``[hidden]`` in the place of every secret.
    :param signature_version: 1, 2, 4 or 5; None for a request that was not signed, or not correctly.
    :param integration_key: who signed; empty as above.
    :param at: the simulator's time in epoch seconds.
    :param status: HTTP status of the answer; None while it is not there yet.
    """

    method: str
    path: str
    parameters: Mapping[str, str]
    at: float
    signature_version: int | None = None
    integration_key: str = ""
    status: int | None = None

    def __str__(self) -> str:
        signed = f"v{self.signature_version} {self.integration_key}" if self.signature_version else "not verified"
        parameters = " ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{self.method} {self.path} {self.status} ({signed}) {parameters}".rstrip()


@dataclass(slots=True)
class RequestLog:
    """The requests since the start, or since :meth:`clear`, in the order they came."""

    _records: list[RequestRecord] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, method: str, path: str, parameters: Mapping[str, str], at: float) -> RequestRecord:
        """Note a request on its arrival."""
        shown = {name: HIDDEN if name in _SECRET_PARAMETERS else value for name, value in parameters.items()}
        record = RequestRecord(method, path, shown, at)
        with self._lock:
            self._records.append(record)
        return record

    def __call__(self, path: str | None = None) -> list[RequestRecord]:
        """Return the requests for a path, or all."""
        with self._lock:
            return [record for record in self._records if path in (None, record.path)]

    def __len__(self) -> int:
        return len(self())

    def count(self, path: str | None = None) -> int:
        """Return how many requests there were for a path, or in all."""
        return len(self(path))

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._records.clear()
