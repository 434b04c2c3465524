"""What the functions of a flow see: the facts of one request, and what this run has found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from casduo.agents import PHONE, agent_words
from casduo.events.model import Subject
from casduo.mfa.strength import Strength
from casduo.outbound.budget import Budget
from casduo.services.model import RegisteredService
from casduo.services.urls import ServiceUrl
from casduo.store import Batch
from casduo.tickets.ledger import LedgerLine
from casduo.tickets.model import LiveSession, Permit
from casduo.tickets.registry import Closing
from casduo.values import value_object
from casduo.webflow.effects import NewCookie
from casduo.webflow.scope import Scope

Refusal = Literal["denied", "duoUnavailable", "duoDenied", "duoUnenrolled", "duoRefused", "duoRestart"]
Verdict = Literal["granted", "denied", "duoUnavailable", "duoDenied", "duoUnenrolled", "duoRefused", "duoRestart"]
"""What the checks between password and ticket came to."""


@value_object(frozen=True, slots=True)
class Inbound:
    """The facts of one request that actions may know.

    ``now`` is the moment of the request, the same for everything decided in it. ``fields`` are the submitted form
    fields or, on the return from Duo, the query. ``session_cookie`` is the presented TGC, ``flow_cookie`` the browser's
    mark that flow keys are bound to. ``posted`` says that a form was sent: a page shown in answer to it cannot be come
    back to. ``trust_cookie`` is the browser's mark of somebody who trusts it, ``way_cookie`` how Duo was answered in it
    last. ``on_phone`` says that an IP phone asks, and not a browser: then ``step`` is which page of ours, ``device``
    its name, ``model`` what it calls itself, ``budget`` what is left of the time in which it wants an answer. Not shown
    in full anywhere: most cookies and the password are bearer values.
    """

    now: float
    address: str
    agent: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    session_cookie: str = field(default="", repr=False)
    flow_cookie: str = field(default="", repr=False)
    trust_cookie: str = field(default="", repr=False)
    way_cookie: str = ""
    cross_site: bool = False
    submitted: bool = False
    posted: bool = False
    referrer_host: str = ""
    reference: str = ""
    on_phone: bool = False
    step: str = ""
    device: str = ""
    model: str = ""
    budget: Budget | None = None


@dataclass(slots=True)
class Context:
    """One run of a flow within one request.

    ``batch`` gathers writes; whoever needs an answer runs it, and what is left is run before anything is sent.
    ``set_cookie`` is the TGC to set, empty to clear it, ``None`` to leave it alone; ``cookie_lifetime`` are the seconds
    a browser keeps it, ``None`` for as long as it is open. ``next_key`` is the execution key
    under which the flow will wait if it pauses now; only flows that wait in Redis know it beforehand. ``looking`` says
    that the page of a waiting flow is shown once more: nothing may change. ``cookies`` are further cookies to set, by
    name. ``stale_cookie`` says that the presented TGC is known to stand for no session any more.
    ``permit`` is the approval by which the service is open, where it demands one.
    """

    inbound: Inbound
    scope: Scope
    batch: Batch
    claim: str = field(default="", repr=False)
    next_key: str = field(default="", repr=False)
    looking: bool = False
    set_cookie: str | None = field(default=None, repr=False)
    cookie_lifetime: int | None = None
    cookies: dict[str, NewCookie] = field(default_factory=dict)
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
    permit: Permit | None = None
    closing: Closing | None = None
    told: tuple[LedgerLine, ...] = ()

    def budget(self, seconds: float) -> Budget:
        """Return what is left of the time for this request.

        :param seconds: all there is, for requests that nobody has begun to count
        """
        return self.inbound.budget or Budget(seconds)

    @property
    def on_phone(self) -> bool:
        """Whether this runs at a phone, and not in a browser."""
        return self.inbound.on_phone

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The attributes of the person this run is about."""
        return {name: tuple(values) for name, values in self.scope.attributes.items()}

    @property
    def subject(self) -> Subject:
        """Whom and what events of this run are about."""
        inbound, service = self.inbound, self.service
        principal = self.scope.principal_id or self.username
        return Subject(
            inbound.reference,
            inbound.address,
            principal,
            service.id if service is not None else "",
            self.strength.level if self.scope.principal_id else "",
            PHONE if inbound.on_phone else agent_words(inbound.agent),
        )

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
