"""Accounts made at Duo, and the codes that tie a phone to them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from casduo.errors import CasduoError
from casduo.mfa.duo.errors import (
    DuoBadParameter,
    DuoBusy,
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoUnavailable,
)
from casduo.mfa.duo.gateway import DuoGateway, Enrollment, EnrollmentState, PreauthResult
from casduo.outbound import Bulkhead
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS, CannedAnswer
from casduo.simulators.duo.model import Application

ENROLL, ENROLL_STATUS = "/auth/v2/enroll", "/auth/v2/enroll_status"


@pytest.fixture
def passing() -> VirtualClock:
    """The time in which codes run out, moved by hand."""
    return VirtualClock()


@pytest.fixture
def duo(authority: CertificateAuthority, passing: VirtualClock) -> Iterator[DuoSimulator]:
    with DuoSimulator(authority.issue(), passing, wall_clock=time.time) as simulator:
        simulator.add_user("ada")
        simulator.add_user("grace", devices=[])
        yield simulator


@pytest.fixture
def keys(duo: DuoSimulator) -> Application:
    return duo.add_application("authapi")


@pytest.fixture
def make_enrolling(make_gateway: Any, keys: Application) -> Callable[..., DuoGateway]:
    def make(*arguments: Any, **changes: Any) -> DuoGateway:
        made: DuoGateway = make_gateway(
            *arguments, integration_key=keys.integration_key, secret_key=keys.secret_key, **changes
        )
        return made

    return make


@pytest.fixture
def gateway(make_enrolling: Callable[..., DuoGateway]) -> DuoGateway:
    return make_enrolling()


def enroll(gateway: DuoGateway) -> object:
    return gateway.enroll("ken", 600)


def ask(gateway: DuoGateway) -> object:
    return gateway.enroll_status("DU" + "0" * 18, "duo://code-host")


CALLS = [pytest.param(enroll, ENROLL, id="enroll"), pytest.param(ask, ENROLL_STATUS, id="enroll_status")]


def failure_of(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    failure = caught.value
    assert failure.__cause__ is None
    assert failure.__context__ is None or isinstance(failure.__context__, CasduoError)
    assert failure.may_fail_open is False
    return failure


def answer_of(response: object) -> CannedAnswer:
    return CannedAnswer(200, "application/json", json.dumps({"stat": "OK", "response": response}).encode())


# -- good answers ----------------------------------------------------------------------------------------------------


def test_somebody_unknown_gets_an_account_and_a_code_for_a_phone(gateway: DuoGateway, duo: DuoSimulator) -> None:
    enrollment = gateway.enroll("ken", 600)
    assert enrollment.user_id == duo.user("ken").id
    assert enrollment.activation_code.startswith("duo://")
    assert enrollment.activation_url.startswith(duo.base_url)
    assert enrollment.expires_at == pytest.approx(time.time() + 600, abs=5)
    assert duo.requests(ENROLL)[0].parameters["valid_secs"] == "600"


def test_the_code_waits_for_a_phone_and_then_the_person_can_authenticate(
    gateway: DuoGateway, duo: DuoSimulator
) -> None:
    enrollment = gateway.enroll("ken", 600)
    assert state_of(gateway, enrollment) is EnrollmentState.WAITING
    assert gateway.preauth("ken", "").result is PreauthResult.ENROLL
    assert duo.activate(enrollment.activation_code)
    assert state_of(gateway, enrollment) is EnrollmentState.SUCCESS
    assert gateway.preauth("ken", "").result is PreauthResult.AUTH


def test_a_code_runs_out(gateway: DuoGateway, passing: VirtualClock) -> None:
    enrollment = gateway.enroll("ken", 600)
    passing.advance(600.0)
    assert state_of(gateway, enrollment) is EnrollmentState.INVALID


@pytest.mark.parametrize("username", ["ada", "grace"])
def test_somebody_whom_duo_knows_is_refused_with_and_without_a_device(gateway: DuoGateway, username: str) -> None:
    failure = failure_of(lambda: gateway.enroll(username, 600))
    assert (type(failure), failure.detail) == (DuoBadParameter, "username")


@pytest.mark.parametrize("wording", ["username", "Username already exists"])
def test_duo_words_that_in_several_ways(gateway: DuoGateway, duo: DuoSimulator, wording: str) -> None:
    duo.faults.refuse(ENROLL, 40002, wording)
    assert failure_of(lambda: enroll(gateway)).detail == "username"


def test_a_second_account_of_the_same_name_is_refused(gateway: DuoGateway) -> None:
    gateway.enroll("ken", 600)
    assert failure_of(lambda: gateway.enroll("ken", 600)).detail == "username"


def test_an_account_that_is_not_there_has_no_state(gateway: DuoGateway) -> None:
    failure = failure_of(lambda: ask(gateway))
    assert (type(failure), failure.detail) == (DuoBadParameter, "user_id")


def test_a_code_of_somebody_else_is_invalid(gateway: DuoGateway) -> None:
    ken, dennis = gateway.enroll("ken", 600), gateway.enroll("dennis", 600)
    assert gateway.enroll_status(ken.user_id, dennis.activation_code) is EnrollmentState.INVALID


def state_of(gateway: DuoGateway, enrollment: Enrollment) -> EnrollmentState:
    return gateway.enroll_status(enrollment.user_id, enrollment.activation_code)


# -- answers to distrust ---------------------------------------------------------------------------------------------

WHOLE: dict[str, object] = {
    "user_id": "DU94SWSN4ADHHJHF2HXT",
    "activation_code": "duo://8LIRa5danrICkhHtkLxi-aG9zdA",
    "activation_url": "https://m-1234.duosecurity.com/activate/8LIRa5danrICkhHtkLxi",
    "expiration": 1_800_000_000,
}


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": None},
        {"user_id": 7},
        {"user_id": "DU 94"},
        {"activation_code": ""},
        {"activation_code": "duo://a\nb"},
        {"activation_code": "duo://" + "x" * 500},
        {"activation_code": "duo://ö"},
        {"expiration": None},
        {"expiration": "1800000000"},
        {"expiration": -1},
        {"expiration": 10**400},
    ],
)
def test_an_account_without_what_a_phone_needs_is_unreadable(
    gateway: DuoGateway, duo: DuoSimulator, change: dict[str, object]
) -> None:
    duo.faults.answer(ENROLL, answer_of({**WHOLE, **change}))
    failure = failure_of(lambda: enroll(gateway))
    assert (type(failure), failure.detail) == (DuoUnavailable, "unreadable")


@pytest.mark.parametrize("url", [None, "", "javascript:alert(1)", "http://m.example/activate/1", 7])
def test_a_link_that_is_none_is_left_out(gateway: DuoGateway, duo: DuoSimulator, url: object) -> None:
    duo.faults.answer(ENROLL, answer_of({**WHOLE, "activation_url": url}))
    enrollment = gateway.enroll("ken", 600)
    assert enrollment == Enrollment("DU94SWSN4ADHHJHF2HXT", str(WHOLE["activation_code"]), "", 1_800_000_000.0)


@pytest.mark.parametrize("response", ["", "SUCCESS", "soon", None, True, ["success"], {"success": True}])
def test_a_state_nobody_knows_is_unreadable(gateway: DuoGateway, duo: DuoSimulator, response: object) -> None:
    duo.faults.answer(ENROLL_STATUS, answer_of(response))
    failure = failure_of(lambda: ask(gateway))
    assert (type(failure), failure.detail) == (DuoUnavailable, "unreadable")


def test_a_code_is_not_shown_and_not_quoted(
    gateway: DuoGateway, duo: DuoSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        enrollment = gateway.enroll("ken", 600)
        duo.faults.refuse(ENROLL_STATUS, 40103)
        failure = failure_of(lambda: state_of(gateway, enrollment))
    shown = f"{enrollment!r} {failure!r} {failure.message} {vars(failure)} {caplog.text}"
    assert enrollment.activation_code.removeprefix("duo://")[:20] not in shown


# -- faults: nothing that enrols opens a door ------------------------------------------------------------------------


@pytest.mark.parametrize(("call", "path"), CALLS)
@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_odd_answers(gateway: DuoGateway, duo: DuoSimulator, call: Any, path: str, kind: Any) -> None:
    duo.faults.answer(path, kind)
    failure = failure_of(lambda: call(gateway))
    assert type(failure) is (DuoMisconfigured if kind == "fail_with_200" else DuoUnavailable)


@pytest.mark.parametrize(("call", "path"), CALLS)
@pytest.mark.parametrize(
    ("code", "detail", "expected"),
    [
        (40002, "activation_code", DuoBadParameter),
        (40002, "valid_secs", DuoMisconfigured),
        (40003, None, DuoMisconfigured),
        (40103, None, DuoMisconfigured),
        (40301, None, DuoMisconfigured),
        (42901, None, DuoRateLimited),
        (50000, None, DuoUnavailable),
    ],
)
def test_refusals_are_told_apart(
    gateway: DuoGateway,
    duo: DuoSimulator,
    call: Any,
    path: str,
    code: int,
    detail: str | None,
    expected: type[DuoFailure],
) -> None:
    duo.faults.refuse(path, code, detail)
    assert type(failure_of(lambda: call(gateway))) is expected


def test_keys_of_the_prompt_may_not_enrol(make_gateway: Any) -> None:
    failure = failure_of(lambda: enroll(make_gateway()))
    assert (type(failure), failure.detail) == (DuoMisconfigured, "rights")


def test_an_account_is_made_once_though_the_answer_is_lost(gateway: DuoGateway, duo: DuoSimulator) -> None:
    duo.transport.cut(ENROLL, times=1)
    assert failure_of(lambda: enroll(gateway)).detail == "reset"
    assert duo.requests.count(ENROLL) == 1


def test_the_question_for_the_state_is_asked_again(gateway: DuoGateway, duo: DuoSimulator) -> None:
    enrollment = gateway.enroll("ken", 600)
    duo.transport.cut(ENROLL_STATUS, times=1)
    assert state_of(gateway, enrollment) is EnrollmentState.WAITING


@pytest.mark.parametrize(("call", "path"), CALLS)
def test_an_outage_costs_one_call_its_time(
    make_enrolling: Callable[..., DuoGateway], duo: DuoSimulator, call: Any, path: str
) -> None:
    gateway = make_enrolling(VirtualClock(), breaker_failures=1, read_timeout=0.05)
    duo.transport.stay_silent(path)
    assert [failure_of(lambda: call(gateway)).detail for _ in range(2)] == ["timeout", "breaker_open"]


@pytest.mark.parametrize(("call", "path"), CALLS)
def test_no_more_than_allowed_wait_for_duo_at_a_time(
    make_enrolling: Callable[..., DuoGateway], duo: DuoSimulator, call: Any, path: str
) -> None:
    bulkhead = Bulkhead("duo", 1)
    gateway = make_enrolling(bulkhead=bulkhead)
    with bulkhead:
        assert type(failure_of(lambda: call(gateway))) is DuoBusy
    assert duo.requests.count(path) == 0
