"""The last failed validations of each service, for its owner: what was asked, what it was held against, and why.

A failure is no reason to make an application wait: it is noted in memory and written a moment later, and of a flood
only the last few of each service are. Nothing that lets anybody in is kept: tickets are masked, and numbers stand for
the values of query parameters.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, field, fields, replace
from functools import partial
from typing import Any, Final, NamedTuple

from casduo.errors import MalformedService
from casduo.protocol.errors import Cause, InvalidService, ProtocolError
from casduo.protocol.mismatch import Mismatch, shown
from casduo.services.index import Registry
from casduo.services.urls import ServiceUrl, parse_service
from casduo.store import Batch, Store, load_script
from casduo.store.later import LaterWrites
from casduo.tickets.ids import parse_ticket_id
from casduo.values import value_object

MOST: Final = 20
"""Failures that are kept of each service; the oldest go first."""
KEPT_SECONDS: Final = 7 * 86400
UNREGISTERED: Final = ""
"""Stands for the entry of a service where neither the registry nor the ticket names one."""

_ADD = load_script(__file__, "failures.lua")


@value_object(frozen=True, slots=True)
class Attempt:
    """A validation as it came. ``endpoint`` is its path below that of the server, ``address`` that of the application,
    ``service`` and ``ticket`` the texts as they were given, empty where there were none; ``at`` in epoch seconds.
    """

    at: float
    endpoint: str
    service: str = field(repr=False)
    ticket: str = field(repr=False)
    address: str = ""
    reference: str = ""


@value_object(frozen=True, slots=True)
class Failure:
    """A validation that was refused.

    ``service_id`` is the entry it is kept under, ``cause`` one of :data:`casduo.protocol.errors.Cause`, ``why`` the
    same in words, ``reference`` what the log knows the request by. ``ticket`` is masked; ``granted`` and ``presented``
    are the service at login and at validation in canonical form without values of parameters, empty where they are not
    known; ``difference`` is the first part in which they differ, and ``loosely_same`` says whether ``service_match:
    loose`` would not mind.
    """

    at: float
    service_id: str
    endpoint: str
    code: str
    cause: str
    why: str
    address: str = ""
    reference: str = ""
    ticket: str = ""
    granted: str = ""
    presented: str = ""
    difference: str = ""
    loosely_same: bool = False


class Noted(NamedTuple):
    """A refusal as it is noted while the application waits: next to nothing is made of it yet."""

    attempt: Attempt
    service_id: str
    url: ServiceUrl | None
    code: str
    cause: Cause
    why: str
    mismatch: Mismatch | None


def noted(error: ProtocolError, attempt: Attempt, registry: Registry) -> Noted:
    """Return what there is to say about a refusal, and whose it is.

    It belongs to the entry that has the presented service; if none has it, to the one that the ticket was granted for;
    if that is not known either, to nobody (:data:`UNREGISTERED`).
    """
    try:
        url = parse_service(attempt.service, registry.schemes)
    except MalformedService:
        url = None
    entry = registry.find(url) if url is not None else None
    service_id = entry.id if entry is not None else error.granted_entry or UNREGISTERED
    mismatch = error.mismatch if isinstance(error, InvalidService) else None
    # Not the error itself: it holds on to everything that the request held.
    return Noted(attempt, service_id, url, error.code, error.cause, error.why, mismatch)


def failure_of(refusal: Noted) -> Failure:
    """Return what is kept of a refusal."""
    attempt, mismatch = refusal.attempt, refusal.mismatch
    ticket = parse_ticket_id(attempt.ticket)
    failure = Failure(
        at=attempt.at,
        service_id=refusal.service_id,
        endpoint=attempt.endpoint,
        code=refusal.code,
        cause=refusal.cause,
        why=refusal.why,
        address=attempt.address,
        reference=attempt.reference,
        ticket=ticket.masked if ticket is not None else "",
        presented=shown(refusal.url) if refusal.url is not None else "",
    )
    if mismatch is None:
        return failure
    return replace(
        failure,
        granted=mismatch.granted,
        presented=mismatch.presented,
        difference=mismatch.difference,
        loosely_same=mismatch.loosely_same,
    )


class FailureLog:
    """Keeps failures by service, in Redis. Safe to share by threads.

    :param later: takes writes that nobody waits for
    """

    def __init__(self, store: Store, later: LaterWrites) -> None:
        self._store = store
        self._later = later
        self._lock = threading.Lock()
        self._gathered: dict[str, deque[Noted]] = {}

    def note(self, refusal: Noted) -> None:
        """Take note of a refusal, without waiting for anybody. Of a flood the last ones of each service are kept."""
        name = refusal.service_id
        with self._lock:
            self._gathered.setdefault(name, deque(maxlen=MOST)).append(refusal)
        self._later.add(partial(self._write, name), (FailureLog, name))

    def of_service(self, service_id: str, now: float) -> list[Failure]:
        """Return the failures kept under an entry, the newest first; those of nobody under :data:`UNREGISTERED`.

        :param now: epoch seconds
        :raises UpstreamUnavailable: Redis does not answer
        """
        texts = self._store.command("LRANGE", _key(service_id), 0, -1)
        return [failure for failure in _read(texts) if failure.at > now - KEPT_SECONDS]

    def _write(self, service_id: str, batch: Batch) -> None:
        with self._lock:
            gathered = self._gathered.pop(service_id, None)
        if gathered:
            failures = [failure_of(refusal) for refusal in gathered]
            texts = [f"{int(failure.at)} {json.dumps(asdict(failure))}" for failure in failures]
            batch.script(_ADD, (_key(service_id),), (MOST, KEPT_SECONDS, int(failures[-1].at), *texts))


def _key(service_id: str) -> str:
    return f"casduo:{{failures:{service_id}}}"


_NAMES = frozenset(item.name for item in fields(Failure))


def _read(texts: Iterable[str]) -> Iterable[Failure]:
    for text in texts:
        # A node of another version may tell more than this one knows, or less than it needs.
        with contextlib.suppress(ValueError, TypeError):
            kept: dict[str, Any] = json.loads(text.partition(" ")[2])
            yield Failure(**{name: value for name, value in kept.items() if name in _NAMES})
