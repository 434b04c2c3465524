"""What every exception, refusal and odd answer that was seen at Duo's official clients means."""

from __future__ import annotations

import json
import socket
import ssl
from http.client import BadStatusLine
from typing import Any

import jwt
import pytest
import requests
from duo_universal import client as duo_universal

from casduo.errors import UpstreamBusy, UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.mfa.duo import classify
from casduo.mfa.duo.classify import answer_failure, auth_api_failure, exchange_failure, health_failure
from casduo.mfa.duo.errors import (
    DuoBadParameter,
    DuoBadToken,
    DuoBusy,
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoStale,
    DuoUnavailable,
    DuoUnexpected,
    DuoUntrusted,
)
from casduo.outbound.failures import UpstreamUntrusted
from casduo.outbound.http import HttpAnswer

OPEN, CLOSED = True, False
SECRET = "5ecret-5ecret-5ecret"


def facts(failure: DuoFailure | None) -> tuple[type[DuoFailure], str, bool] | None:
    return None if failure is None else (type(failure), failure.detail, failure.may_fail_open)


def refusal(status: int, data: Any) -> RuntimeError:
    """What duo_client raises when Duo refuses: an error with attributes, and a text that quotes Duo."""
    error: Any = RuntimeError(f"Received {status} {SECRET}")
    error.status, error.reason, error.data = status, "Bad Request", data
    return error


def fail(code: object, detail: str | None = None) -> dict[str, object]:
    body: dict[str, object] = {"stat": "FAIL", "code": code, "message": SECRET}
    return body if detail is None else {**body, "message_detail": detail}


# -- by HTTP status --------------------------------------------------------------------------------------------------

JSON, HTML = b'{"stat": "OK"}', b"<p>Bad Gateway</p>"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, JSON, None),
        (200, HTML, None),
        (400, JSON, None),
        (401, JSON, None),
        (204, b"", None),
        (302, HTML, (DuoUnavailable, "unreadable", OPEN)),
        (302, JSON, (DuoUnavailable, "unreadable", OPEN)),
        (101, b"", (DuoUnavailable, "unreadable", OPEN)),
        (400, HTML, (DuoMisconfigured, "request", CLOSED)),
        (401, HTML, (DuoMisconfigured, "request", CLOSED)),
        (403, HTML, (DuoMisconfigured, "request", CLOSED)),
        (404, HTML, (DuoMisconfigured, "request", CLOSED)),
        (429, JSON, (DuoRateLimited, "rate_limited", CLOSED)),
        (429, HTML, (DuoRateLimited, "rate_limited", CLOSED)),
        (500, JSON, (DuoUnavailable, "server_error", OPEN)),
        (502, HTML, (DuoUnavailable, "server_error", OPEN)),
        (503, b"\xf6", (DuoUnavailable, "server_error", OPEN)),
    ],
)
def test_a_status_by_itself(status: int, body: bytes, expected: object) -> None:
    assert facts(answer_failure(HttpAnswer(status, "", {}, body))) == expected


# -- Duo's codes -----------------------------------------------------------------------------------------------------

CODES = [
    (fail(40001, "factor"), (DuoMisconfigured, "request", CLOSED)),
    (fail(40001, "user_id or username"), (DuoBadParameter, "username", CLOSED)),
    (fail(40002), (DuoMisconfigured, "request", CLOSED)),
    (fail(40002, "ipaddr"), (DuoMisconfigured, "request", CLOSED)),
    (fail(40002, "username"), (DuoBadParameter, "username", CLOSED)),
    (fail(40002, "user_id"), (DuoBadParameter, "user_id", CLOSED)),
    (fail(40002, "device"), (DuoBadParameter, "device", CLOSED)),
    (fail(40002, "No capable device"), (DuoBadParameter, "no_capable_device", CLOSED)),
    (fail(40002, "passcode"), (DuoBadParameter, "passcode", CLOSED)),
    (fail(40002, "txid"), (DuoBadParameter, "txid", CLOSED)),
    (fail(40003), (DuoMisconfigured, "request", CLOSED)),
    (fail(40101), (DuoMisconfigured, "keys", CLOSED)),
    (fail(40102), (DuoMisconfigured, "keys", CLOSED)),
    (fail(40103), (DuoMisconfigured, "keys", CLOSED)),
    (fail(40104), (DuoMisconfigured, "clock", CLOSED)),
    (fail(40105), (DuoMisconfigured, "clock", CLOSED)),
    (fail(40301, "Wrong integration type for this API."), (DuoMisconfigured, "rights", CLOSED)),
    (fail(40401), (DuoMisconfigured, "request", CLOSED)),
    (fail(40501), (DuoMisconfigured, "request", CLOSED)),
    (fail(42901), (DuoRateLimited, "rate_limited", CLOSED)),
    (fail(50000), (DuoUnavailable, "server_error", OPEN)),
    (fail(50001), (DuoUnavailable, "server_error", OPEN)),
    (fail(1000), (DuoUnexpected, "unknown_code", CLOSED)),
    (fail(20000), (DuoUnexpected, "unknown_code", CLOSED)),
]


@pytest.mark.parametrize(("data", "expected"), CODES)
def test_refusals_of_the_auth_api(data: dict[str, object], expected: object) -> None:
    assert facts(auth_api_failure(refusal(400, data))) == expected


@pytest.mark.parametrize(("data", "expected"), CODES)
def test_refusals_of_the_health_check(data: dict[str, object], expected: object) -> None:
    assert facts(health_failure(data)) == expected


@pytest.mark.parametrize(("data", "expected"), CODES)
def test_refusals_of_the_token_endpoint_in_the_auth_apis_words_never_open(
    data: dict[str, object], expected: tuple[object, object, object]
) -> None:
    assert facts(exchange_failure(data)) == (*expected[:2], CLOSED)


def test_invalid_client_at_the_health_check_is_about_keys() -> None:
    body = {"stat": "FAIL", "code": 40002, "message": "invalid_client", "message_detail": "The client_assertion ..."}
    assert facts(health_failure(body)) == (DuoMisconfigured, "keys", CLOSED)


@pytest.mark.parametrize(
    ("status", "data", "expected"),
    [
        (200, {"stat": "FAIL", "code": 40002}, (DuoMisconfigured, "request", CLOSED)),
        (200, {"response": {}}, (DuoUnavailable, "unreadable", OPEN)),
        (200, ["stat", "OK"], (DuoUnavailable, "unreadable", OPEN)),
        (200, "<html>", (DuoUnavailable, "unreadable", OPEN)),
        (200, None, (DuoUnavailable, "unreadable", OPEN)),
        (503, {"error": "x"}, (DuoUnavailable, "unreadable", OPEN)),
        (403, {"error": "x"}, (DuoMisconfigured, "request", CLOSED)),
        (400, fail("40103"), (DuoMisconfigured, "request", CLOSED)),
    ],
)
def test_refusals_without_a_code(status: int, data: object, expected: object) -> None:
    assert facts(auth_api_failure(refusal(status, data))) == expected


# -- what reading an answer can end in -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        json.JSONDecodeError("Expecting value", SECRET, 0),
        requests.exceptions.JSONDecodeError("Expecting value", SECRET, 0),
        UnicodeDecodeError("utf-8", b"\xf6", 0, 1, "invalid start byte"),
        KeyError("stat"),
        IndexError(),
        TypeError("list indices must be integers"),
        AttributeError("'NoneType' object has no attribute 'get'"),
        RecursionError(),
    ],
)
def test_a_body_nobody_can_read_is_an_outage(error: Exception) -> None:
    assert facts(auth_api_failure(error)) == (DuoUnavailable, "unreadable", OPEN)
    assert facts(health_failure(error)) == (DuoUnavailable, "unreadable", OPEN)
    assert facts(exchange_failure(error)) == (DuoUnavailable, "unreadable", CLOSED)


@pytest.mark.parametrize("detail", ["refused", "reset", "dns", "timeout", "deadline", "proxy", "too_large"])
def test_an_outage_of_the_transport_is_one_of_duo(detail: str) -> None:
    error = UpstreamUnavailable("duo", detail)
    assert facts(auth_api_failure(error)) == (DuoUnavailable, detail, OPEN)
    assert facts(health_failure(error)) == (DuoUnavailable, detail, OPEN)
    assert facts(exchange_failure(error)) == (DuoUnavailable, detail, CLOSED)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UpstreamUntrusted("duo"), (DuoUntrusted, "certificate", CLOSED)),
        (UpstreamMisconfigured("duo", "request"), (DuoMisconfigured, "request", CLOSED)),
        (DuoRateLimited("rate_limited"), (DuoRateLimited, "rate_limited", CLOSED)),
        (UnicodeEncodeError("ascii", "ö", 0, 1, "ordinal not in range"), (DuoMisconfigured, "request", CLOSED)),
        # These come only from the clients' own networking, which casduo replaces.
        (ConnectionRefusedError(), (DuoUnavailable, "refused", OPEN)),
        (socket.gaierror(), (DuoUnavailable, "dns", OPEN)),
        (TimeoutError(), (DuoUnavailable, "timeout", OPEN)),
        (requests.ReadTimeout(), (DuoUnavailable, "timeout", OPEN)),
        (requests.exceptions.ProxyError(), (DuoUnavailable, "proxy", OPEN)),
        (ssl.SSLCertVerificationError(), (DuoUntrusted, "certificate", CLOSED)),
        (requests.exceptions.SSLError(), (DuoUntrusted, "certificate", CLOSED)),
        (FileNotFoundError(), (DuoMisconfigured, "ca_file", CLOSED)),
        # duo_client reports a certificate with the wrong name as one of these.
        (BadStatusLine(SECRET), (DuoUnexpected, "unexpected", CLOSED)),
        (RuntimeError(SECRET), (DuoUnexpected, "unexpected", CLOSED)),
        (MemoryError(), (DuoUnexpected, "unexpected", CLOSED)),
        (Warning(SECRET), (DuoUnexpected, "unexpected", CLOSED)),
    ],
)
def test_other_exceptions(error: Exception, expected: tuple[object, object, object]) -> None:
    assert facts(auth_api_failure(error)) == expected
    assert facts(health_failure(error)) == expected
    assert facts(exchange_failure(error)) == (*expected[:2], CLOSED)


# -- the exchange ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("invalid_grant", (DuoStale, "code_refused")),
        ("invalid_client", (DuoMisconfigured, "keys")),
        ("unauthorized_client", (DuoMisconfigured, "keys")),
        ("invalid_request", (DuoMisconfigured, "request")),
        ("unsupported_grant_type", (DuoMisconfigured, "request")),
        ("server_error", (DuoUnavailable, "server_error")),
        ("temporarily_unavailable", (DuoUnavailable, "server_error")),
        ("something_new", (DuoMisconfigured, "request")),
        (None, (DuoUnavailable, "unreadable")),
    ],
)
def test_refusals_of_the_token_endpoint(error: str | None, expected: tuple[object, object]) -> None:
    payload = {"error": error, "error_description": SECRET}
    assert facts(exchange_failure(payload)) == (*expected, CLOSED)


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (jwt.ExpiredSignatureError(), "expired"),
        (jwt.ImmatureSignatureError(), "not_yet_valid"),
        (jwt.InvalidSignatureError(), "signature"),
        (jwt.InvalidAlgorithmError(), "algorithm"),
        (jwt.InvalidIssuerError(), "issuer"),
        (jwt.InvalidAudienceError(), "audience"),
        (jwt.MissingRequiredClaimError("iat"), "claims"),
        (jwt.exceptions.InvalidSubjectError(), "claims"),
        (jwt.exceptions.InvalidJTIError(), "claims"),
        (jwt.DecodeError(SECRET), "malformed"),
    ],
)
def test_results_that_do_not_verify(error: jwt.PyJWTError, detail: str) -> None:
    assert facts(exchange_failure(error)) == (DuoBadToken, detail, CLOSED)


@pytest.mark.parametrize("error", [jwt.ExpiredSignatureError(), jwt.ImmatureSignatureError()])
def test_a_result_out_of_its_time_points_at_the_clocks(error: jwt.PyJWTError) -> None:
    assert "clock" in exchange_failure(error).message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (duo_universal.ERR_CODE, (DuoStale, "code_missing")),
        (duo_universal.ERR_USERNAME, (DuoBadToken, "username")),
        (duo_universal.ERR_NONCE, (DuoBadToken, "nonce")),
        (duo_universal.ERR_UNKNOWN, (DuoUnexpected, "unexpected")),
    ],
)
def test_texts_of_the_library(text: str, expected: tuple[object, object]) -> None:
    assert facts(exchange_failure(text)) == (*expected, CLOSED)


def test_the_librarys_texts_are_still_the_same() -> None:
    assert duo_universal.ERR_CODE == classify.CODE_MISSING
    assert duo_universal.ERR_USERNAME == classify.USERNAME_MISMATCH
    assert duo_universal.ERR_NONCE == classify.NONCE_MISMATCH


# -- the failures themselves -----------------------------------------------------------------------------------------

LEAVES = [
    DuoUnavailable,
    DuoUnexpected,
    DuoRateLimited,
    DuoBusy,
    DuoMisconfigured,
    DuoUntrusted,
    DuoBadParameter,
    DuoStale,
    DuoBadToken,
]


def test_every_failure_has_a_code_of_its_own() -> None:
    assert len({leaf.code for leaf in LEAVES}) == len(LEAVES)


@pytest.mark.parametrize("leaf", LEAVES)
def test_no_failure_opens_unless_it_is_told_to(leaf: type[DuoFailure]) -> None:
    assert leaf("detail").may_fail_open is False
    assert leaf("detail", may_fail_open=True).closed().may_fail_open is False


@pytest.mark.parametrize(
    ("leaf", "branch"),
    [
        (DuoUnavailable, UpstreamUnavailable),
        (DuoUnexpected, UpstreamUnavailable),
        (DuoRateLimited, UpstreamUnavailable),
        (DuoBusy, UpstreamBusy),
        (DuoMisconfigured, UpstreamMisconfigured),
        (DuoUntrusted, UpstreamMisconfigured),
        (DuoBadParameter, UpstreamError),
    ],
)
def test_failures_hang_where_they_belong(leaf: type[DuoFailure], branch: type[UpstreamError]) -> None:
    assert issubclass(leaf, branch)


@pytest.mark.parametrize(
    "failure",
    [
        auth_api_failure(refusal(401, fail(40103, SECRET))),
        auth_api_failure(refusal(503, {"error": SECRET})),
        auth_api_failure(RuntimeError(SECRET)),
        health_failure({"message": SECRET, "code": 40002, "message_detail": SECRET}),
        health_failure(KeyError(SECRET)),
        exchange_failure({"error": SECRET, "error_description": SECRET}),
        exchange_failure(jwt.DecodeError(SECRET)),
        exchange_failure(SECRET),
    ],
)
def test_failures_hold_none_of_what_duo_or_a_library_wrote(failure: DuoFailure) -> None:
    assert SECRET not in f"{failure} {failure!r} {failure.message} {failure.__dict__}"
