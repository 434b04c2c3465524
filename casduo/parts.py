"""The collaborators of the server, typed and in one place. Actions name them as parameters."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.authentication.authenticator import Authenticator
from casduo.clock import Clock
from casduo.csrf import CsrfTokens
from casduo.events.journal import Journal
from casduo.mfa.duo.gateway import DuoGateway
from casduo.protocol.failures import FailureLog
from casduo.protocol.proxy import Proxying
from casduo.protocol.validation import Validator
from casduo.rules import LoginRules
from casduo.services.watch import RegistrySource
from casduo.signing import Signing
from casduo.store import Store
from casduo.store.later import LaterWrites
from casduo.throttling import LoginThrottle
from casduo.tickets.answers import SignOutAnswers
from casduo.tickets.registry import TicketRegistry


@dataclass(frozen=True, slots=True)
class Parts:
    """What the server is made of."""

    clock: Clock
    rules: LoginRules
    signing: Signing
    csrf: CsrfTokens
    store: Store
    later: LaterWrites
    services: RegistrySource
    tickets: TicketRegistry
    answers: SignOutAnswers
    validator: Validator
    failures: FailureLog
    proxying: Proxying
    authenticator: Authenticator
    throttle: LoginThrottle
    duo: DuoGateway
    journal: Journal
