"""Passcodes by the Auth API: the wrapper of duo_client, and the gateway around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from casduo.mfa.duo.answers import read_passcode
from casduo.mfa.duo.auth_api import AuthApi
from casduo.mfa.duo.errors import (
    DuoBadParameter,
    DuoBusy,
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoUnavailable,
    DuoUntrusted,
)
from casduo.mfa.duo.gateway import DuoGateway, NullDuoGateway, Verdict
from casduo.outbound import Bulkhead
from casduo.outbound.http import HttpClient
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS
from casduo.simulators.duo.model import Application, Token

pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")

AUTH = "/auth/v2/auth"


@pytest.fixture
def api(duo: DuoSimulator, http: HttpClient) -> AuthApi:
    keys = duo.add_application("authapi")
    return AuthApi(keys.integration_key, keys.secret_key, duo.api_host, http)


def failure_of(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    assert caught.value.__cause__ is None
    return caught.value


# -- what Duo says ---------------------------------------------------------------------------------------------------


def test_a_right_passcode_is_allowed_once(gateway: DuoGateway, duo: DuoSimulator) -> None:
    code = duo.phone("ada").passcode()
    verdict = gateway.passcode("ada", code, "192.0.2.7")
    assert (verdict.allowed, verdict.status, verdict.factor) == (True, "allow", "passcode")
    again = gateway.passcode("ada", code, "192.0.2.7")
    assert (again.allowed, again.status) == (False, "fraud")
    assert "already been used" in again.status_message


def test_a_hardware_token_and_a_bypass_code_serve_as_well(gateway: DuoGateway, duo: DuoSimulator) -> None:
    duo.add_user("ken", devices=[Token("20361492")], bypass_codes=["123456789"])
    assert gateway.passcode("ken", duo.phone("ken").passcode(), "").allowed
    assert gateway.passcode("ken", "123456789", "").allowed


@pytest.mark.parametrize(
    ("username", "status"), [("ada", "deny"), ("grace", "deny"), ("linus", "locked_out"), ("alan", "bypass")]
)
def test_everything_else_is_refused(gateway: DuoGateway, username: str, status: str) -> None:
    verdict = gateway.passcode(username, "000000", "192.0.2.7")
    assert (verdict.allowed, verdict.status) == (False, status)


def test_guesses_lock_out_at_duo(gateway: DuoGateway, duo: DuoSimulator) -> None:
    statuses = [gateway.passcode("ada", "000000", "").status for _ in range(11)]
    assert (statuses[0], statuses[-1]) == ("deny", "locked_out")
    assert not gateway.passcode("ada", duo.phone("ada").passcode(), "").allowed


def test_the_persons_address_is_sent_if_it_is_known(gateway: DuoGateway, duo: DuoSimulator) -> None:
    gateway.passcode("ada", "000000", "192.0.2.7")
    gateway.passcode("ada", "000000", "")
    assert [record.parameters.get("ipaddr") for record in duo.requests(AUTH)] == ["192.0.2.7", None]
    assert {record.parameters["async"] for record in duo.requests(AUTH)} == {"0"}


@pytest.mark.parametrize("response", [None, "allow", [], 7])
def test_an_answer_that_is_no_object_is_unreadable(response: object) -> None:
    with pytest.raises(DuoUnavailable, match="unreadable") as caught:
        read_passcode(response)
    assert caught.value.may_fail_open is False


@pytest.mark.parametrize(
    "response",
    [{}, {"result": "ALLOW"}, {"result": True}, {"status": "allow"}, {"result": "allow", "status": "bypass"}],
)
def test_nothing_but_allow_allows_and_a_bypass_is_none(response: dict[str, object]) -> None:
    assert not read_passcode(response).allowed


def test_texts_of_duo_are_made_fit_to_be_logged() -> None:
    read = read_passcode({"result": "deny", "status": "deny\n", "status_msg": "no\x1b[31m\n"})
    assert read == Verdict(False, "deny", "no [31m", "passcode")


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_name_duo_does_not_know_is_told(gateway: DuoGateway) -> None:
    failure = failure_of(lambda: gateway.passcode("ken", "000000", ""))
    assert (type(failure), failure.detail) == (DuoBadParameter, "username")


@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_no_odd_answer_may_fail_open(api: AuthApi, gateway: DuoGateway, duo: DuoSimulator, kind: Any) -> None:
    duo.faults.answer(AUTH, kind)
    for asked in (api, gateway):
        failure = failure_of(lambda asked=asked: asked.passcode("ada", "000000", ""))  # type: ignore[misc]
        assert failure.may_fail_open is False
        assert isinstance(failure, DuoUnavailable | DuoMisconfigured)
    assert duo.requests.count(AUTH) == 2


@pytest.mark.parametrize(
    ("code", "detail", "expected"),
    [
        (40002, "passcode", DuoBadParameter),
        (40002, "username", DuoBadParameter),
        (40002, None, DuoMisconfigured),
        (40103, None, DuoMisconfigured),
        (40301, None, DuoMisconfigured),
        (42901, None, DuoRateLimited),
        (50000, None, DuoUnavailable),
    ],
)
def test_refusals_are_told_apart(
    gateway: DuoGateway, duo: DuoSimulator, code: int, detail: str | None, expected: type[DuoFailure]
) -> None:
    duo.faults.refuse(AUTH, code, detail)
    failure = failure_of(lambda: gateway.passcode("ada", "000000", ""))
    assert (type(failure), failure.may_fail_open) == (expected, False)


def test_a_passcode_is_sent_once_though_the_answer_is_lost(api: AuthApi, duo: DuoSimulator) -> None:
    duo.transport.cut(AUTH)
    assert failure_of(lambda: api.passcode("ada", "000000", "")).may_fail_open is False
    assert duo.requests.count(AUTH) == 1


def test_an_open_breaker_opens_no_door(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    duo.stop_listening()
    failures = [failure_of(lambda: gateway.passcode("ada", "000000", "")) for _ in range(2)]
    assert [(failure.detail, failure.may_fail_open) for failure in failures] == [
        ("refused", False),
        ("breaker_open", False),
    ]


def test_refused_passcodes_do_not_open_the_breaker(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(breaker_failures=1)
    for username in ("ada", "linus", "alan"):
        gateway.passcode(username, "000000", "")
    assert gateway.passcode("ada", duo.phone("ada").passcode(), "").allowed


def test_a_strange_certificate_gets_no_passcode(
    gateway: DuoGateway, duo: DuoSimulator, stranger: CertificateAuthority
) -> None:
    duo.use_certificate(stranger.issue())
    assert type(failure_of(lambda: gateway.passcode("ada", "000000", ""))) is DuoUntrusted
    assert len(duo.requests) == 0


def test_passcodes_have_no_more_places_than_others(make_gateway: Any) -> None:
    bulkhead = Bulkhead("duo", 1)
    gateway = make_gateway(bulkhead=bulkhead)
    with bulkhead:
        assert type(failure_of(lambda: gateway.passcode("ada", "000000", ""))) is DuoBusy
    assert gateway.passcode("ada", "000000", "").status == "deny"


def test_without_duo_there_is_no_passcode() -> None:
    failure = failure_of(lambda: NullDuoGateway().passcode("ada", "000000", ""))
    assert (type(failure), failure.detail, failure.may_fail_open) == (DuoMisconfigured, "off", False)


def test_failures_quote_no_passcode(gateway: DuoGateway, duo: DuoSimulator, application: Application) -> None:
    duo.rotate_secret(application.integration_key)
    failure = failure_of(lambda: gateway.passcode("ada", "73519420", ""))
    assert "73519420" not in f"{failure} {failure!r} {failure.message} {vars(failure)}"
