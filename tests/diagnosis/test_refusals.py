"""What a failure of Duo means for the settings."""

from __future__ import annotations

import pytest

from casduo.diagnosis.model import Part
from casduo.diagnosis.refusals import Keys, code_of, explain, explained, wrong_kind_of_application
from casduo.mfa.duo.classify import auth_api_failure
from casduo.mfa.duo.errors import DuoMisconfigured, DuoUnavailable

OWN = Keys("duo.auth_api.integration_key", "duo.auth_api.secret_key", "Auth API", "duo.api_host")
BORROWED = Keys(
    "duo.universal.client_id", "duo.universal.client_secret", "Auth API", "duo.api_host", True, "duo.auth_api"
)
OUTAGES = [
    "timeout",
    "deadline",
    "refused",
    "reset",
    "dns",
    "connection",
    "proxy",
    "server_error",
    "unreadable",
    "too_large",
    "request",
    "rate_limited",
    "certificate",
]


def refusal(code: int, detail: str = "") -> RuntimeError:
    """An exception as duo_client raises it."""
    error = RuntimeError("Received")
    error.data = {"stat": "FAIL", "code": code, "message": "", "message_detail": detail}  # type: ignore[attr-defined]
    error.status = code // 100  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("code", "detail", "setting"),
    [
        (40101, "no_credentials", "Authorization header"),
        (40102, "unknown_key", "duo.auth_api.integration_key"),
        (40103, "wrong_secret", "duo.auth_api.secret_key"),
        (40104, "wrong_clock", "clock"),
        (40105, "wrong_clock", "clock"),
        (40301, "wrong_type", "duo.auth_api.integration_key"),
        (42901, "rate_limited", "same keys"),
        (50000, "server_error", "fault at Duo"),
    ],
)
def test_each_of_duos_codes_is_a_mistake_of_its_own(code: int, detail: str, setting: str) -> None:
    said = explain(auth_api_failure(refusal(code)), OWN)
    assert said.detail == detail
    assert setting in said.cause
    assert said.remedy


def test_the_code_is_read_from_the_failures_sentence() -> None:
    assert code_of(auth_api_failure(refusal(40103)).message) == 40103
    assert code_of(auth_api_failure(refusal(40002, "username")).message) == 40002
    assert code_of(DuoUnavailable("timeout", "Duo cannot be reached: timeout.").message) == 0


def test_keys_without_a_code_may_be_either() -> None:
    said = explain(DuoMisconfigured("keys", "Duo does not accept our keys."), OWN)
    assert said.detail == "keys"
    assert "duo.auth_api.integration_key or duo.auth_api.secret_key" in said.cause


def test_keys_that_do_for_two_purposes_are_told_where_better_ones_go() -> None:
    said = explain(auth_api_failure(refusal(40301)), BORROWED)
    assert "no keys of the type Auth API are set" in said.cause
    assert "duo.universal.client_id" in said.cause
    assert said.remedy.endswith("put its keys into duo.auth_api")


def test_keys_of_the_wrong_type_may_have_been_exchanged() -> None:
    said = wrong_kind_of_application(OWN, "found")
    assert "another type than Auth API" in said.cause
    assert "exchanged" in said.cause


@pytest.mark.parametrize("detail", OUTAGES)
def test_every_outage_has_words_of_its_own(detail: str) -> None:
    said = explained(detail, 0, OWN)
    assert said.detail == {"deadline": "timeout"}.get(detail, detail)
    assert said.cause


def test_the_host_of_the_application_itself_is_named() -> None:
    elsewhere = Keys("id", "secret", "Auth API", "duo.applications['{wards}'].api_host")
    assert explained("unreadable", 0, elsewhere).remedy == "compare duo.applications['{wards}'].api_host and duo.proxy"


def test_what_nobody_foresaw_says_so() -> None:
    assert explained("unknown_code", 0, OWN).detail == "unexpected"


def test_an_explanation_becomes_a_finding() -> None:
    finding = explained("keys", 40102, OWN).finding(Part("Duo", {"application": "payroll"}), "Auth API")
    assert (finding.part, finding.examined, finding.level, finding.detail) == (
        "Duo",
        "Auth API",
        "fault",
        "unknown_key",
    )
    assert finding.facts == {"application": "payroll"}
