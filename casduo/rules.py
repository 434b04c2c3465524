"""What the settings say about logins, as plain values that decisions can be given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlencode

from casduo.admin.roles import AdminRoles
from casduo.approvals.terms import ApprovalTerms
from casduo.authentication.names import UsernameCase
from casduo.mfa.duo.info import Places
from casduo.mfa.terms import DuoDefaults
from casduo.webflow.scope import Scope

DUO_ASKED = "mfa-duo"
"""The value of the parameter by which a request asks for Duo; Apereo CAS's name for it."""


@dataclass(frozen=True, slots=True)
class LoginRules:
    """Settings of the login, the logout and the addresses of our own pages.

    ``base`` is the path of the server without a trailing slash, ``/cas``. Times in seconds. ``remember_me`` says
    whether people may choose a session of ``remembered_lifetime``. ``duo_fallback``: the built-in page takes over while
    Duo's own is down; ``duo_enrollment``: there are enrolment pages of our own; ``duo_parameter``: name of the
    parameter by which an application's request asks for Duo, empty for none; ``duo_passcodes``: what may be a passcode;
    ``duo_places``: names of places and their address blocks.
    """

    base: str
    form_lifetime: float = 3600.0
    flow_lifetime: float = 600.0
    session_lifetime: float = 8 * 3600.0
    remember_me: bool = False
    remembered_lifetime: float = 30 * 86400.0
    username_case: UsernameCase = "lower"
    group_attributes: tuple[str, ...] = ("groups", "memberOf")
    duo: DuoDefaults = field(default_factory=DuoDefaults)
    duo_fallback: bool = True
    duo_enrollment: bool = False
    duo_end_sessions_on_fraud: bool = True
    duo_parameter: str = ""
    duo_passcodes: str = "[0-9]{6,10}"
    duo_places: Places = ()
    approvals: ApprovalTerms = field(default_factory=ApprovalTerms)
    admin: AdminRoles = field(default_factory=AdminRoles)
    logout_confirm: Literal["foreign", "always", "never"] = "foreign"
    logout_follow_service: bool = True
    logout_legacy_url: bool = False

    def lifetime_of(self, remembered: bool) -> float:
        """Return how long after its password a session ends."""
        return self.remembered_lifetime if remembered else self.session_lifetime

    @property
    def home_url(self) -> str:
        """The page of a signed-in person."""
        return f"{self.base}/login"

    @property
    def requests_url(self) -> str:
        """The page with one's own requests for access; each has a page of its own below it."""
        return f"{self.base}/requests"

    @property
    def account_url(self) -> str:
        """The page on which people see and end what is theirs; others hang below it."""
        return f"{self.base}/account/"

    @property
    def approvals_url(self) -> str:
        """The page of those who decide about requests."""
        return f"{self.base}/approvals"

    @property
    def admin_url(self) -> str:
        """The first of the administration pages, without the slash at its end; the others are below it."""
        return f"{self.base}/admin"

    @property
    def logout_url(self) -> str:
        """Where one signs out."""
        return f"{self.base}/logout"

    def login_url(self, scope: Scope, *, renew: bool = False) -> str:
        """Return the address at which the login of ``scope`` begins again."""
        query = self.asked(scope, renew=renew)
        return f"{self.base}/login" + (f"?{urlencode(query, quote_via=quote, safe='')}" if query else "")

    def step_url(self, scope: Scope, execution: str) -> str:
        """Return the address of the page with which the login of ``scope`` waits. It tells what was asked for as well:
        who comes too late begins again with that.
        """
        query = [("execution", execution), *self.asked(scope)]
        return f"{self.base}/login/step?{urlencode(query, quote_via=quote, safe='')}"

    def asked(self, scope: Scope, *, renew: bool = False) -> list[tuple[str, str]]:
        """Return what the login of ``scope`` was asked for, as parameters of ``/login``. ``gateway`` is not among them:
        who begins again is a person.
        """
        asked = []
        if scope.service:
            asked.append(("service" if scope.ticket_name == "ticket" else "TARGET", scope.service))
        if renew or scope.renew:
            asked.append(("renew", "true"))
        if scope.duo_asked and self.duo_parameter:
            asked.append((self.duo_parameter, DUO_ASKED))
        if scope.method != "GET":
            asked.append(("method", scope.method))
        return asked
