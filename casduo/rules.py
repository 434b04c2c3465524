"""What the settings say about logins, as plain values that decisions can be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from casduo.authentication.names import UsernameCase
from casduo.webflow.scope import Scope


@dataclass(frozen=True, slots=True)
class LoginRules:
    """Settings of the login, the logout and the addresses of our own pages.

    ``base`` is the path of the server without a trailing slash, ``/cas``. Times in seconds. ``remember_me`` says
    whether people may choose a session of ``remembered_lifetime``.
    """

    base: str
    form_lifetime: float = 3600.0
    flow_lifetime: float = 600.0
    session_lifetime: float = 8 * 3600.0
    remember_me: bool = False
    remembered_lifetime: float = 30 * 86400.0
    username_case: UsernameCase = "lower"
    group_attributes: tuple[str, ...] = ("groups", "memberOf")
    duo_fail: Literal["closed", "open"] = "closed"
    duo_accept_allow: bool = True
    duo_end_sessions_on_fraud: bool = True
    duo_enrollment_url: str = ""
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
    def logout_url(self) -> str:
        """Where one signs out."""
        return f"{self.base}/logout"

    def login_url(self, scope: Scope, *, renew: bool = False) -> str:
        """Return the address at which the login of ``scope`` begins again."""
        query = []
        if scope.service:
            name = "service" if scope.ticket_name == "ticket" else "TARGET"
            query.append(f"{name}={quote(scope.service, safe='')}")
        if renew or scope.renew:
            query.append("renew=true")
        if scope.method != "GET":
            query.append(f"method={scope.method}")
        return f"{self.base}/login" + ("?" + "&".join(query) if query else "")
