"""The OIDC side of the Universal Prompt: who may ask, which code stands for which login, what the id_token says.

Nothing here knows HTTP; pages are ``prompt``. Sources: RFC 6749 sections 4.1 and 5.2, OpenID Connect Core sections 2
and 9, and what the official client checks.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from casduo.simulators.duo import jwts
from casduo.simulators.duo.account import Account
from casduo.simulators.duo.errors import OauthRefusal
from casduo.simulators.duo.faults import IdTokenFault
from casduo.simulators.duo.jwts import AuthorizationRequest
from casduo.simulators.duo.model import Application, Phone, Token
from casduo.simulators.duo.transactions import Transaction

CODE_LIFETIME = 60.0
"""Seconds between the return from the prompt and the exchange of the code."""

TOKEN_LIFETIME = 300.0
"""Seconds an id_token is valid."""

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_FACTORS = {"push": "duo_push", "phone": "phone_call"}


@dataclass(frozen=True, slots=True)
class Browser:
    """What the prompt knows of the browser: its address and its user agent."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A finished login that waits to be fetched.

    :param username: as Duo knows the user.
    :param transaction: how it was confirmed; None when the policy asked for nothing.
    :param expires: epoch seconds.
    """

    request: AuthorizationRequest
    username: str
    user_id: str
    browser: Browser
    transaction: Transaction | None
    status: str
    reason: str
    at: float
    expires: float


@dataclass(slots=True)
class Oauth:
    """Verifies clients and trades codes for tokens. Not thread-safe: the caller holds the account's lock.

    :param base_url: scheme and API host, exactly as clients write them: it is compared with ``aud``.
    """

    account: Account
    base_url: str = ""
    _grants: dict[str, Grant] = field(default_factory=dict, repr=False)
    _seen: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)

    @property
    def token_url(self) -> str:
        """The token endpoint, which is also the issuer of id_tokens."""
        return f"{self.base_url}/oauth/v1/token"

    def authenticate(self, parameters: Mapping[str, str], endpoint: str, wall: float) -> Application:
        """Verify ``client_id`` and ``client_assertion``.

        :param endpoint: path of the endpoint called.
        :raises OauthRefusal: ``invalid_client``; also for an assertion that was used before.
        """
        application = self._application(parameters.get("client_id", ""))
        assertion = jwts.verify_assertion(
            parameters.get("client_assertion", ""),
            client_id=application.integration_key,
            secret=application.secret_key,
            audience=f"{self.base_url}{endpoint}",
            now=wall,
        )
        self._seen = {key: expires for key, expires in self._seen.items() if expires > wall - jwts.LEEWAY}
        key = (application.integration_key, assertion.jti)
        if key in self._seen:
            raise jwts.invalid_client()
        self._seen[key] = assertion.expires
        return application

    def authorize(self, query: Mapping[str, str], wall: float) -> tuple[Application, AuthorizationRequest]:
        """Verify a request for the prompt.

        :raises OauthRefusal: when the request is not genuine or not allowed; the browser must then stay here.
        """
        application = self._application(query.get("client_id", ""))
        request = jwts.verify_authorization_request(
            query,
            client_id=application.integration_key,
            secret=application.secret_key,
            audience=self.base_url,
            now=wall,
        )
        if application.redirect_uris is not None and request.redirect_uri not in application.redirect_uris:
            raise jwts.unauthorized_request()
        return application, request

    def grant(self, grant: Grant) -> str:
        """Keep a finished login and return the code that fetches it, once."""
        code = secrets.token_hex(16)
        self._grants[code] = grant
        return code

    def spend(self, code: str) -> None:
        """Make a code useless, as if it had been exchanged."""
        self._grants.pop(code, None)

    def exchange(self, parameters: Mapping[str, str], now: float, wall: float) -> tuple[Application, Grant]:
        """Trade a code for the login it stands for.

        :param now: decides whether the code is still good.
        :param wall: decides whether the assertion is.
        :raises OauthRefusal: ``unsupported_grant_type``, ``invalid_client`` or ``invalid_grant``.
        """
        if parameters.get("grant_type") != "authorization_code":
            raise OauthRefusal("unsupported_grant_type", "Only authorization_code is supported.")
        if parameters.get("client_assertion_type") != _ASSERTION_TYPE:
            raise jwts.invalid_client()
        application = self.authenticate(parameters, "/oauth/v1/token", wall)
        # Take first, compare afterwards: a code that somebody else presents is burnt.
        grant = self._grants.pop(parameters.get("code", ""), None)
        usable = (
            grant is not None
            and now < grant.expires
            and grant.request.client_id == application.integration_key
            and grant.request.redirect_uri == parameters.get("redirect_uri")
        )
        if grant is None or not usable:
            raise OauthRefusal("invalid_grant", "The provided authorization code was invalid or has expired.")
        return application, grant

    def token_response(
        self, application: Application, grant: Grant, wall: float, fault: IdTokenFault | None
    ) -> dict[str, object]:
        """Return the body of a token answer.

        :param wall: the time the token is dated with, epoch seconds.
        :param fault: what is to be wrong with it.
        """
        claims = self._claims(application, grant, wall)
        response: dict[str, object] = {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFETIME),
        }
        if fault != "no_id_token":
            response["id_token"] = _sign(spoil(claims, fault), application.secret_key, fault)
        return response

    def _application(self, client_id: str) -> Application:
        application = self.account.applications.get(client_id)
        if application is None or application.type != "websdk":
            raise jwts.invalid_client()
        return application

    def _claims(self, application: Application, grant: Grant, wall: float) -> dict[str, Any]:
        claims: dict[str, Any] = {
            "iss": self.token_url,
            "aud": application.integration_key,
            "sub": grant.username,
            "preferred_username": grant.username,
            "iat": int(wall),
            "exp": int(wall + TOKEN_LIFETIME),
            "auth_time": int(wall),
            "auth_result": {"result": "allow", "status": grant.status, "status_msg": "Login Successful"},
            "auth_context": _context(application, grant, wall),
        }
        if grant.request.nonce is not None:
            claims["nonce"] = grant.request.nonce
        return claims


def spoil(claims: Mapping[str, Any], fault: IdTokenFault | None) -> dict[str, Any]:
    """Return the claims with one thing wrong, or unchanged where the fault is not in the claims."""
    effects: Mapping[str, dict[str, Any]] = {
        "wrong_issuer": {"iss": "https://elsewhere.example/oauth/v1/token"},
        "wrong_audience": {"aud": "DIXXXXXXXXXXXXXXXXXX"},
        "audience_list": {"aud": [claims["aud"], "DIXXXXXXXXXXXXXXXXXX"]},
        "expired": {"iat": claims["iat"] - 3600, "exp": claims["iat"] - 3300},
        "issued_in_future": {"iat": claims["iat"] + 3600, "exp": claims["iat"] + 3900},
        "not_yet_valid": {"nbf": claims["iat"] + 3600},
        "no_expiry": {"exp": None},
        "no_issued_at": {"iat": None},
        "no_username": {"preferred_username": None},
        "other_user": {"preferred_username": "mallory", "sub": "mallory"},
        "other_case": {"preferred_username": claims["preferred_username"].swapcase()},
        "no_nonce": {"nonce": None},
        "other_nonce": {"nonce": "another-nonce-than-the-one-asked-for"},
        "result_deny": {"auth_result": {"result": "deny", "status": "deny", "status_msg": "Login request denied."}},
        "no_auth_result": {"auth_result": None},
        "subject_not_a_string": {"sub": 7},
        "jti_not_a_string": {"jti": 7},
    }
    changed = {**claims, **effects.get(fault or "", {})}
    return {name: value for name, value in changed.items() if value is not None}


def _sign(claims: Mapping[str, Any], secret: str, fault: IdTokenFault | None) -> str:
    if fault == "wrong_signature":
        return jwts.encode(claims, secret[::-1])
    return jwts.encode(claims, secret, "HS256" if fault == "wrong_algorithm" else jwts.ALGORITHM)


def _context(application: Application, grant: Grant, wall: float) -> dict[str, Any]:
    transaction = grant.transaction
    device = transaction.device if transaction is not None else None
    place = {"city": "", "state": "", "country": ""}
    return {
        "event_type": "authentication",
        "factor": _FACTORS.get(transaction.factor, transaction.factor) if transaction is not None else "not_available",
        "result": "success",
        "reason": grant.reason,
        "timestamp": int(wall),
        "isotimestamp": datetime.fromtimestamp(wall, UTC).isoformat(),
        "txid": transaction.txid if transaction is not None else "",
        "alias": "",
        "email": "",
        "ood_software": "",
        "trusted_endpoint_status": "unknown",
        "user": {"key": grant.user_id, "name": grant.username, "groups": []},
        "application": {"key": application.integration_key, "name": application.name},
        "access_device": {
            "ip": grant.browser.address,
            "hostname": None,
            "browser": grant.browser.user_agent,
            "browser_version": "",
            "os": "",
            "os_version": "",
            "flash_version": "uninstalled",
            "java_version": "uninstalled",
            "is_encryption_enabled": "unknown",
            "is_firewall_enabled": "unknown",
            "is_password_set": "unknown",
            "location": place,
        },
        "auth_device": {"ip": None, "name": _device_name(device), "location": place},
    }


def _device_name(device: object) -> str | None:
    if isinstance(device, Phone):
        return device.display_name
    return device.serial if isinstance(device, Token) else None
