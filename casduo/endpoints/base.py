"""What endpoints work with, and what a row of the URL table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from casduo.admin.tools import AdminTools
from casduo.diagnosis.health import HealthReports
from casduo.diagnosis.readiness import Readiness
from casduo.enrollment.service import Enrollment
from casduo.parts import Parts
from casduo.phone.runs import Runs
from casduo.phone.tokens import PhoneTokens
from casduo.protocol.errors import ProtocolError
from casduo.protocol.rest.sessions import RestProtocol
from casduo.request import Request
from casduo.serving.draining import Draining
from casduo.web import Reply, Web
from casduo.webex.hook import WebexHook
from casduo.webflow.execution import Executions
from casduo.webflow.transactions import Transactions

if TYPE_CHECKING:
    # It imports prometheus_client, which has to wait until it is known where the numbers go.
    from casduo.metrics.scraping import Scrape


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """``cas2_attributes``: whether the CAS 2.0 paths tell attributes too; many clients of them expect it."""

    cas2_attributes: bool = True


@dataclass(frozen=True, slots=True)
class Phones:
    """What the addresses of phones work with: their flows, the tokens by which these are named, what answers phones in
    time, and every how many seconds a phone that waits asks for news.
    """

    transactions: Transactions
    tokens: PhoneTokens
    runs: Runs[Reply]
    refresh: int = 3


@dataclass(frozen=True, slots=True)
class Server:
    """What endpoints work with. ``rest``, ``enrollment``, ``webex``, ``admin`` and ``metrics`` exist only where the
    settings switch them on; ``draining`` is what this process knows of its own end.
    """

    web: Web
    parts: Parts
    executions: Executions
    validation: ValidationSettings
    health: HealthReports
    readiness: Readiness
    phones: Phones
    rest: RestProtocol | None = None
    enrollment: Enrollment | None = None
    webex: WebexHook | None = None
    admin: AdminTools | None = None
    metrics: Scrape | None = None
    draining: Draining = field(default_factory=Draining)


Endpoint = Callable[[Server, Request], Reply]
Refusal = Callable[[Server, Request, ProtocolError], Reply]
Audience = Literal["person", "application", "probe"]


@dataclass(frozen=True, slots=True)
class Route:
    """One address. ``audience`` says whom faults are told: people get pages; ``refuse`` tells an application in its own
    language. ``repeatable`` says that its page can be had once more by asking for the same address, which then does
    nothing else; not so where coming by itself ends a session, or where the query holds what is good for one use.
    """

    endpoint: Endpoint
    methods: tuple[str, ...] = ("GET", "POST")
    audience: Audience = "person"
    refuse: Refusal | None = None
    repeatable: bool = True
