"""What the functions of a flow see: the facts of one request, and what this run has found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from casduo.events.model import Subject
from casduo.mfa.strength import Strength
from casduo.services.model import RegisteredService
from casduo.services.urls import ServiceUrl
from casduo.store import Batch
from casduo.tickets.ledger import LedgerLine
from casduo.tickets.model import LiveSession
from casduo.tickets.registry import Closing
from casduo.webflow.scope import Scope

Refusal = Literal["denied", "duoUnavailable", "duoDenied", "duoUnenrolled", "duoRestart"]
Verdict = Literal["granted", "denied", "duoUnavailable", "duoDenied", "duoUnenrolled", "duoRestart"]
"""What the checks between password and ticket came to."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """The facts of one request that actions may know.

    ``now`` is the moment of the request, the same for everything decided in it. ``fields`` are the submitted form
    fields or, on the return from Duo, the query. ``session_cookie`` is the presented TGC, ``flow_cookie`` the browser's
    mark that flow keys are bound to. ``posted`` says that a form was sent: a page shown in answer to it cannot be come
    back to. Not shown in full anywhere: both cookies and the password are bearer values.
    """

    now: float
    address: str
    agent: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    session_cookie: str = field(default="", repr=False)
    flow_cookie: str = field(default="", repr=False)
    cross_site: bool = False
    submitted: bool = False
    posted: bool = False
    referrer_host: str = ""
    reference: str = ""


@dataclass(slots=True)
class Context:
    """One run of a flow within one request.

    ``batch`` gathers writes; whoever needs an answer runs it, and what is left is run before anything is sent.
    ``set_cookie`` is the TGC to set, empty to clear it, ``None`` to leave it alone; ``cookie_lifetime`` are the seconds
    a browser keeps it, ``None`` for as long as it is open. ``next_key`` is the execution key
    under which the flow will wait if it pauses now; only flows that wait in Redis know it beforehand. ``stale_cookie``
    says that the presented TGC is known to stand for no session any more.
    """

    inbound: Inbound
    scope: Scope
    batch: Batch
    claim: str = field(default="", repr=False)
    next_key: str = field(default="", repr=False)
    set_cookie: str | None = field(default=None, repr=False)
    cookie_lifetime: int | None = None
    stale_cookie: bool = False
    notice: str = ""
    error: str = ""
    error_facts: dict[str, Any] = field(default_factory=dict)
    wait: int = 0
    username: str = ""

    url: ServiceUrl | None = None
    service: RegisteredService | None = None
    session: LiveSession | None = None
    opened: LiveSession | None = None
    verdict: Verdict = "granted"
    facts: dict[str, Any] = field(default_factory=dict, repr=False)
    ticket: str = field(default="", repr=False)
    closing: Closing | None = None
    told: tuple[LedgerLine, ...] = ()

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The attributes of the person this run is about."""
        return {name: tuple(values) for name, values in self.scope.attributes.items()}

    @property
    def subject(self) -> Subject:
        """Whom and what events of this run are about."""
        inbound, service = self.inbound, self.service
        principal = self.scope.principal_id or self.username
        return Subject(inbound.reference, inbound.address, principal, service.id if service is not None else "")

    @property
    def strength(self) -> Strength:
        """What a second factor has proved so far."""
        return Strength.from_fields(self.scope.strength)

    @strength.setter
    def strength(self, strength: Strength) -> None:
        self.scope.strength = strength.to_fields()

    @property
    def required_service(self) -> RegisteredService:
        """The registry entry of the requested service; only states behind the service check may ask."""
        assert self.service is not None
        return self.service
