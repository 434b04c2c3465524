"""The collaborators of the server, typed and in one place. Actions name them as parameters."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.authentication.authenticator import Authenticator
from casduo.clock import Clock
from casduo.csrf import CsrfTokens
from casduo.events.journal import Journal
from casduo.mfa.duo.gateway import DuoGateway
from casduo.protocol.validation import Validator
from casduo.rules import LoginRules
from casduo.services.watch import RegistrySource
from casduo.signing import Signing
from casduo.store import Store
from casduo.throttling import LoginThrottle
from casduo.tickets.registry import TicketRegistry


@dataclass(frozen=True, slots=True)
class Parts:
    """What the server is made of."""

    clock: Clock
    rules: LoginRules
    signing: Signing
    csrf: CsrfTokens
    store: Store
    services: RegistrySource
    tickets: TicketRegistry
    validator: Validator
    authenticator: Authenticator
    throttle: LoginThrottle
    duo: DuoGateway
    journal: Journal
