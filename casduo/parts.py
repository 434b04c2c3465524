"""The collaborators of the server, typed and in one place. Actions name them as parameters."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.account.history import SignInHistory
from casduo.approvals.requests import ApprovalRequests
from casduo.authentication.authenticator import Authenticator
from casduo.clock import Clock
from casduo.csrf import CsrfTokens
from casduo.enrollment.links import EnrollmentLinks
from casduo.events.journal import Journal
from casduo.events.stream import EventStream
from casduo.mfa.duo.applications import DuoApplications
from casduo.mfa.duo.passcodes import Passcodes
from casduo.mfa.duo.pushes import Pushes
from casduo.mfa.duo.reports import Reports
from casduo.mfa.trust import TrustedBrowsers
from casduo.phone.addresses import PhoneAddresses
from casduo.phone.locks import DeviceLocks
from casduo.phone.open_logins import OpenLogins
from casduo.phone.rules import PhoneRules
from casduo.phone.timers import LogoutTimers
from casduo.protocol.failures import FailureLog
from casduo.protocol.proxy import Proxying
from casduo.protocol.validation import Validator
from casduo.rules import LoginRules
from casduo.services.watch import RegistrySource
from casduo.signing import Signing
from casduo.store import Store
from casduo.store.later import LaterWrites
from casduo.throttling import LoginThrottle, PinThrottle
from casduo.tickets.answers import SignOutAnswers
from casduo.tickets.registry import TicketRegistry
from casduo.ucm.interfaces import PhoneLogins, UserDirectory
from casduo.webflow.stands import FlowStands


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
    duo: DuoApplications
    passcodes: Passcodes
    pushes: Pushes
    reports: Reports
    trusted: TrustedBrowsers
    approvals: ApprovalRequests
    links: EnrollmentLinks
    stands: FlowStands
    phone_rules: PhoneRules
    phone_addresses: PhoneAddresses
    pin_authenticator: Authenticator
    pins: PinThrottle
    user_directory: UserDirectory
    phone_logins: PhoneLogins
    device_locks: DeviceLocks
    open_logins: OpenLogins
    logout_timers: LogoutTimers
    events: EventStream
    history: SignInHistory
    journal: Journal
