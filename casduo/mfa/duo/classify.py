"""What an exception, a refusal or an odd HTTP answer of Duo means. Pure: values in, a failure out.

The rules behind the table:

* What a person between us and Duo, or Duo itself, can break by being down is an outage: refused and reset
  connections, names that do not resolve, time-outs, server errors, bodies nobody can read. Outages may fail open.
* What says that Duo answers and does not want us never fails open: keys, clock, rights, rate limit, certificate.
* A 4xx is never an outage, whatever its body. What nobody foresaw is unavailable, and does not fail open.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import JSONDecodeError

import jwt

from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from casduo.mfa.duo.errors import (
    DuoBadParameter,
    DuoBadToken,
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoStale,
    DuoUnavailable,
    DuoUnexpected,
    DuoUntrusted,
)
from casduo.outbound.failures import UpstreamUntrusted
from casduo.outbound.http import HttpAnswer, transport_failure

CODE_MISSING = "Missing authorization code"
USERNAME_MISMATCH = "The username is invalid."
NONCE_MISMATCH = "The nonce is invalid."
"""What duo_universal says in these cases; it has no other way of telling them apart."""

_PARAMETERS = {
    "username": "username",
    "user_id": "user_id",
    "user_id or username": "username",
    "username already exists": "username",
    "device": "device",
    "no capable device": "no_capable_device",
    "passcode": "passcode",
    "txid": "txid",
    "activation_code": "activation_code",
}
_TOKEN_DETAILS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.ImmatureSignatureError, "not_yet_valid"),
    (jwt.InvalidSignatureError, "signature"),
    (jwt.InvalidAlgorithmError, "algorithm"),
    (jwt.InvalidIssuerError, "issuer"),
    (jwt.InvalidAudienceError, "audience"),
    (jwt.DecodeError, "malformed"),
)
_PARSING = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What reading a body can end in: the clients look into it before they made sure what it is."""


def answer_failure(answer: HttpAnswer) -> DuoFailure | None:
    """Return what an HTTP status says by itself, before an official client looks at the body; None if nothing.

    duo_universal never looks at the status of a health check, and both clients lose it where the body is not JSON.
    A 4xx with JSON is better explained by what the JSON says.
    """
    status = answer.status
    if status == 429:
        return _rate_limited()
    if status >= 500:
        return _outage("server_error", f"Duo answered with status {status}.")
    if status >= 400:
        return None if answer.is_json else _not_duo(status)
    if not 200 <= status < 300:
        return _outage("unreadable", f"Duo answered with status {status}, which its interface does not have.")
    return None


def auth_api_failure(error: BaseException) -> DuoFailure:
    """Return what an exception of duo_client means.

    Refusals are ``RuntimeError`` with ``status`` and ``data``; transport errors come as they are; a body of an
    unforeseen shape ends in whatever the parsing ends in.
    """
    if isinstance(error, RuntimeError) and hasattr(error, "data"):
        return _refusal(error.data, getattr(error, "status", 0))
    return _general_failure(error)


def health_failure(payload: object) -> DuoFailure:
    """Return what a failed health check of duo_universal means.

    :param payload: what its exception holds at the core: Duo's answer as a dict, or another exception.
    """
    if isinstance(payload, Mapping):
        return _keys() if payload.get("message") == "invalid_client" else _refusal(payload)
    return _general_failure(payload)


def exchange_failure(payload: object) -> DuoFailure:
    """Return what a failed exchange of a code means. A factor was offered before it, so none fails open.

    :param payload: as for :func:`health_failure`; also one of the library's fixed texts, or a PyJWT error.
    """
    if isinstance(payload, jwt.PyJWTError):
        return _bad_token(payload)
    if isinstance(payload, str):
        return _mismatch(payload)
    if isinstance(payload, Mapping) and "error" in payload:
        return _oauth_refusal(payload["error"]).closed()
    return health_failure(payload).closed()


def _refusal(data: object, status: int = 0) -> DuoFailure:
    """What ``{"stat": "FAIL", "code": ...}`` means; a code's first three digits are an HTTP status."""
    answer = data if isinstance(data, Mapping) else {}
    code = answer.get("code")
    if not isinstance(code, int):
        return _not_duo(status) if 400 <= status < 500 else _unreadable()
    if code >= 50000:
        return _outage("server_error", f"Duo reports an error of its own, code {code}.")
    if code in (40104, 40105):
        return DuoMisconfigured("clock", f"Duo refuses the time in our request, code {code}: set this server's clock.")
    if code in (40001, 40002) and (parameter := _PARAMETERS.get(str(answer.get("message_detail")).strip().lower())):
        return DuoBadParameter(parameter, f"Duo does not accept the {parameter.replace('_', ' ')}, code {code}.")
    match code // 100:
        case 401:
            return _keys(f", code {code}")
        case 403:
            return DuoMisconfigured("rights", f"These keys belong to an application that may not do this, code {code}.")
        case 429:
            return _rate_limited()
        case kind if 400 <= kind < 500:
            return DuoMisconfigured("request", f"Duo refuses our request as such, code {code}.")
    return DuoUnexpected("unknown_code", f"Duo refuses with code {code}, which casduo does not know.")


def _oauth_refusal(error: object) -> DuoFailure:
    """Why a token request is refused: RFC 6749, 5.2."""
    match error:
        case "invalid_grant":
            return DuoStale("code_refused", "Duo does not take the code: used, too old, or for another redirect URI.")
        case "invalid_client" | "unauthorized_client":
            return _keys()
        case "server_error" | "temporarily_unavailable":
            return _outage("server_error", "Duo reports an error of its own.")
        case str():
            return DuoMisconfigured("request", "Duo refuses the token request as such.")
    return _unreadable()


def _mismatch(text: str) -> DuoFailure:
    if text == CODE_MISSING:
        return DuoStale("code_missing", "The browser came back from Duo without a code.")
    if text == USERNAME_MISMATCH:
        return DuoBadToken(
            "username",
            "Duo's result is for another user name. They must agree to the letter; "
            "see the application's user name normalisation in Duo.",
        )
    if text == NONCE_MISMATCH:
        return DuoBadToken("nonce", "Duo's result belongs to another login.")
    return _unexpected()


def _bad_token(error: jwt.PyJWTError) -> DuoBadToken:
    detail = next((word for kind, word in _TOKEN_DETAILS if isinstance(error, kind)), "claims")
    if detail in ("expired", "not_yet_valid"):
        return DuoBadToken(detail, "Duo's result is out of its time: compare this server's clock with Duo's.")
    return DuoBadToken(detail, f"Duo's result does not verify: {detail}.")


def _general_failure(payload: object) -> DuoFailure:
    match payload:
        case DuoFailure():
            return payload
        case UpstreamUntrusted():
            return DuoUntrusted("certificate", "The certificate shown for Duo's host does not verify.")
        case UpstreamMisconfigured():
            return DuoMisconfigured(payload.detail, "The request to Duo cannot be sent: check API host, proxy and CA.")
        case UpstreamUnavailable():
            return _outage(payload.detail, f"Duo cannot be reached: {payload.detail}.")
        case UnicodeEncodeError():
            return DuoMisconfigured("request", "The request to Duo cannot be written: are the keys plain ASCII?")
        case JSONDecodeError():
            return _unreadable()
        # Before other ValueErrors: a certificate that does not verify is one of both.
        case OSError():
            return _general_failure(transport_failure("duo", payload))
        case _ if isinstance(payload, _PARSING):
            return _unreadable()
    return _unexpected()


def _outage(detail: str, message: str) -> DuoUnavailable:
    return DuoUnavailable(detail, message, may_fail_open=True)


def _unreadable() -> DuoUnavailable:
    return _outage("unreadable", "Duo's answer is not one that its interface describes.")


def _unexpected() -> DuoUnexpected:
    return DuoUnexpected("unexpected", "Duo's client failed in a way that casduo does not know.")


def _rate_limited() -> DuoRateLimited:
    return DuoRateLimited("rate_limited", "Duo limits our requests: too many of them for a while.")


def _not_duo(status: int) -> DuoMisconfigured:
    return DuoMisconfigured("request", f"What answers is not Duo's interface, status {status}: check the API host.")


def _keys(code: str = "") -> DuoMisconfigured:
    return DuoMisconfigured("keys", f"Duo does not accept our keys{code}.")
