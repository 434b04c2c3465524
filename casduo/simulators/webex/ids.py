"""Makes ids: opaque for clients, the same in every run that starts from the same seed and does the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import uuid
from collections.abc import Mapping
from typing import Literal

Kind = Literal["PEOPLE", "ROOM", "MESSAGE", "ATTACHMENT_ACTION", "WEBHOOK", "ORGANIZATION", "APPLICATION", "TRACKING"]


class Ids:
    """A source of ids.

    :param seed: any text
    """

    def __init__(self, seed: str) -> None:
        self._key = seed.encode()
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def new(self, kind: Kind) -> str:
        """Return the next id of a kind, in the form Webex gives them: base64 of something nobody should parse."""
        return self._resource(kind, str(self._next(kind)))

    def organization(self, name: str) -> str:
        """Return the id of an organisation, the same for the same name."""
        return self._resource("ORGANIZATION", name)

    def application(self, person_id: str) -> str:
        """Return the id of the application that a person's or a bot's token belongs to."""
        return self._resource("APPLICATION", person_id)

    def tracking(self) -> str:
        """Return the next tracking id."""
        return f"SIM_{self._uuid('TRACKING', str(self._next('TRACKING')))}"

    @property
    def counts(self) -> Mapping[str, int]:
        """How many ids of each kind were made."""
        with self._lock:
            return dict(self._counts)

    @counts.setter
    def counts(self, counts: Mapping[str, int]) -> None:
        with self._lock:
            self._counts = dict(counts)

    def _next(self, kind: Kind) -> int:
        with self._lock:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            return self._counts[kind]

    def _resource(self, kind: Kind, name: str) -> str:
        uri = f"ciscospark://us/{kind}/{self._uuid(kind, name)}"
        return base64.urlsafe_b64encode(uri.encode()).decode().rstrip("=")

    def _uuid(self, kind: Kind, name: str) -> uuid.UUID:
        return uuid.UUID(bytes=hmac.digest(self._key, f"{kind}:{name}".encode(), hashlib.sha256)[:16], version=4)
