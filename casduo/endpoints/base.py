"""What endpoints work with, and what a row of the URL table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from casduo.parts import Parts
from casduo.protocol.errors import ProtocolError
from casduo.protocol.rest.sessions import RestProtocol
from casduo.request import Request
from casduo.web import Reply, Web
from casduo.webflow.execution import Executions


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """``cas2_attributes``: whether the CAS 2.0 paths tell attributes too; many clients of them expect it."""

    cas2_attributes: bool = True


@dataclass(frozen=True, slots=True)
class Server:
    """What endpoints work with. ``rest`` is there only where the REST protocol is enabled."""

    web: Web
    parts: Parts
    executions: Executions
    validation: ValidationSettings
    rest: RestProtocol | None = None


Endpoint = Callable[[Server, Request], Reply]
Refusal = Callable[[Server, Request, ProtocolError], Reply]
Audience = Literal["person", "application", "probe"]


@dataclass(frozen=True, slots=True)
class Route:
    """One address. ``audience`` says whom faults are told: people get pages; ``refuse`` tells an application in its own
    language.
    """

    endpoint: Endpoint
    methods: tuple[str, ...] = ("GET", "POST")
    audience: Audience = "person"
    refuse: Refusal | None = None
