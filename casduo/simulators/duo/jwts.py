"""JSON Web Tokens of the Universal Prompt: what clients send is verified, what they read is made.

Every token is HS512 with the application's secret key. Times are judged by the caller's ``now``, never by the
library's own clock, so that a simulator's clock decides. Sources: OpenID Connect Core section 9 (client_secret_jwt)
and Duo's description of the OIDC endpoints behind its SDKs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwt import PyJWTError
from jwt.algorithms import HMACAlgorithm
from jwt.api_jws import PyJWS

from casduo.simulators.duo.errors import OauthRefusal

ALGORITHM = "HS512"
LEEWAY = 60.0
"""Seconds of clock difference that the server forgives."""

MAXIMUM_LIFETIME = 300.0
"""Seconds an assertion or request may be valid at most."""

_STATE_LENGTHS = range(16, 1025)


class _ShortKeyHmac(HMACAlgorithm):
    """HMAC that takes Duo's 40-byte secrets in silence; RFC 7518 section 3.2 asks for 64 bytes with HS512."""

    def check_key_length(self, key: bytes) -> str | None:
        return None


_jws = PyJWS(algorithms=())
_jws.register_algorithm("HS256", _ShortKeyHmac(HMACAlgorithm.SHA256))
_jws.register_algorithm("HS512", _ShortKeyHmac(HMACAlgorithm.SHA512))


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """A verified proof of who calls. ``jti`` is for one use until ``expires`` (epoch seconds)."""

    jti: str
    expires: float


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A verified request to authenticate somebody.

    :param username: as the application wrote it.
    :param nonce: from the query, because the official client leaves it outside the signed request; None if absent.
    :param code_parameter: name of the callback parameter that carries the code, ``duo_code`` or ``code``.
    """

    client_id: str
    redirect_uri: str
    state: str
    username: str
    nonce: str | None
    code_parameter: str


def verify_assertion(token: str, *, client_id: str, secret: str, audience: str, now: float) -> ClientAssertion:
    """Verify a ``client_assertion``.

    :param audience: the URL of the endpoint that was called, character for character.
    :raises OauthRefusal: ``invalid_client``. The caller still has to check that ``jti`` was not seen before.
    """
    claims = _verified_claims(token, secret)
    jti = claims.get("jti")
    trustworthy = (
        claims.get("iss") == client_id
        and claims.get("sub") == client_id
        and claims.get("aud") == audience
        and isinstance(jti, str)
        and bool(jti)
    )
    if not trustworthy:
        raise invalid_client()
    return ClientAssertion(str(jti), _checked_expiry(claims, now))


def verify_authorization_request(
    query: Mapping[str, str], *, client_id: str, secret: str, audience: str, now: float
) -> AuthorizationRequest:
    """Verify the parameters of ``/oauth/v1/authorize``; the redirect URI is still to be compared with the allow-list.

    :param query: the query parameters.
    :param audience: the base URL of the API host.
    :raises OauthRefusal: ``invalid_client`` for the signed part, ``unauthorized_request`` for the rest.
    """
    claims = _verified_claims(query.get("request", ""), secret)
    _checked_expiry(claims, now)
    if not (claims.get("iss") == claims.get("client_id") == client_id and claims.get("aud") == audience):
        raise invalid_client()
    nonce = query.get("nonce")
    state, username, redirect_uri = (claims.get(name) for name in ("state", "duo_uname", "redirect_uri"))
    acceptable = (
        claims.get("scope") == "openid"
        and claims.get("response_type") == query.get("response_type") == "code"
        and isinstance(state, str)
        and len(state) in _STATE_LENGTHS
        and isinstance(username, str)
        and bool(username)
        and isinstance(redirect_uri, str)
        and (nonce is None or len(nonce) in _STATE_LENGTHS)
    )
    if not acceptable:
        raise unauthorized_request()
    return AuthorizationRequest(
        client_id=client_id,
        redirect_uri=str(redirect_uri),
        state=str(state),
        username=str(username),
        nonce=nonce,
        code_parameter="duo_code" if claims.get("use_duo_code_attribute") is True else "code",
    )


def encode(claims: Mapping[str, Any], secret: str, algorithm: str = ALGORITHM) -> str:
    """Sign claims with ``HS512``, or with ``HS256`` to see a client refuse it."""
    return _jws.encode(json.dumps(claims, separators=(",", ":")).encode(), secret, algorithm=algorithm)


def unauthorized_request() -> OauthRefusal:
    """Return the refusal for a request that is genuine but not allowed."""
    return OauthRefusal("unauthorized_request", "Unauthorized OIDC request")


def invalid_client() -> OauthRefusal:
    """Return the refusal for a request that is not genuine; Duo gives no more reason than this."""
    return OauthRefusal("invalid_client", "The provided client_assertion was invalid.")


def _verified_claims(token: str, secret: str) -> dict[str, Any]:
    """Check the signature only; the claims are compared by hand, with the caller's clock."""
    try:
        payload = _jws.decode_complete(token, secret, algorithms=[ALGORITHM])["payload"]
        claims = json.loads(payload)
    except (PyJWTError, ValueError) as error:
        raise invalid_client() from error
    if not isinstance(claims, dict):
        raise invalid_client()
    return claims


def _checked_expiry(claims: Mapping[str, Any], now: float) -> float:
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or isinstance(expires, bool):
        raise invalid_client()
    if expires <= now - LEEWAY or expires > now + MAXIMUM_LIFETIME + LEEWAY:
        raise invalid_client()
    return float(expires)
