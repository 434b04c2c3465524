"""Whether Duo can be used now: by its own page, by the Auth API alone, and while only half of it works."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from casduo.mfa.duo.gateway import DuoGateway, HealthState
from casduo.outbound import Bulkhead
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application

pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")

PING, CHECK, PREAUTH = "/auth/v2/ping", "/auth/v2/check", "/auth/v2/preauth"
HEALTH = "/oauth/v1/health_check"
OK, UNAVAILABLE, MISCONFIGURED = HealthState.OK, HealthState.UNAVAILABLE, HealthState.MISCONFIGURED


@pytest.fixture
def keys(duo: DuoSimulator) -> Application:
    """The Auth API's own."""
    return duo.add_application("authapi")


@pytest.fixture
def two_keyed(make_gateway: Any, keys: Application) -> DuoGateway:
    """A gateway whose sides have keys of their own."""
    gateway: DuoGateway = make_gateway(integration_key=keys.integration_key, secret_key=keys.secret_key)
    return gateway


# -- the Auth API alone ----------------------------------------------------------------------------------------------


def test_without_the_prompt_ping_and_the_auth_apis_keys_are_checked(two_keyed: DuoGateway, duo: DuoSimulator) -> None:
    health = two_keyed.health(prompt=False)
    assert (health.state, health.auth_api_answers) == (OK, True)
    assert [record.path for record in duo.requests()] == [PING, CHECK]


def test_a_good_answer_serves_for_a_few_seconds(make_gateway: Any, duo: DuoSimulator) -> None:
    clock = VirtualClock()
    gateway = make_gateway(clock)
    for _ in range(5):
        assert gateway.health(prompt=False).ok
    assert duo.requests.count(CHECK) == 1
    clock.advance(5.0)
    gateway.health(prompt=False)
    assert duo.requests.count(CHECK) == 2


def test_a_bad_answer_does_not_serve_anybody_else(gateway: DuoGateway, duo: DuoSimulator) -> None:
    duo.faults.break_down(CHECK, times=1)
    assert not gateway.health(prompt=False).ok
    assert gateway.health(prompt=False).ok


def test_the_two_answers_are_kept_apart(two_keyed: DuoGateway, duo: DuoSimulator, keys: Application) -> None:
    duo.rotate_secret(keys.integration_key)
    assert two_keyed.health().ok
    assert not two_keyed.health(prompt=False).ok
    assert two_keyed.health().ok


def test_logins_at_the_same_time_share_one_question(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(concurrency=12)
    duo.transport.delay(0.1)
    together = threading.Barrier(12)
    results: list[bool] = []

    def ask() -> None:
        together.wait(5)
        results.append(gateway.health(prompt=False).ok)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert results == [True] * 12
    assert duo.requests.count(CHECK) == 1


def test_during_an_outage_the_answer_comes_at_once(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1, read_timeout=0.05)
    duo.transport.stay_silent(PING)
    details = [gateway.health(prompt=False).detail for _ in range(3)]
    assert details == ["timeout", "breaker_open", "breaker_open"]
    assert gateway.health(prompt=False).may_fail_open
    assert gateway.health().detail == "breaker_open"


def test_a_full_house_is_said_so(make_gateway: Any, duo: DuoSimulator) -> None:
    bulkhead = Bulkhead("duo", 1)
    gateway = make_gateway(bulkhead=bulkhead)
    with bulkhead:
        health = gateway.health(prompt=False)
    assert (health.state, health.detail, health.may_fail_open) == (UNAVAILABLE, "bulkhead_full", False)
    assert health.auth_api_answers is False
    assert gateway.health(prompt=False).ok


@pytest.mark.parametrize(
    ("offset", "state", "detail"),
    [(75.0, OK, "clock_drift"), (-250.0, OK, "clock_drift"), (400.0, MISCONFIGURED, "clock")],
)
def test_the_auth_api_tolerates_more_of_a_clock(
    gateway: DuoGateway, duo: DuoSimulator, offset: float, state: HealthState, detail: str
) -> None:
    duo.faults.clock_offset = offset
    health = gateway.health(prompt=False)
    assert (health.state, health.detail, health.may_fail_open) == (state, detail, False)


def test_a_strange_certificate_never_opens(
    gateway: DuoGateway, duo: DuoSimulator, stranger: CertificateAuthority
) -> None:
    duo.use_certificate(stranger.issue())
    health = gateway.health(prompt=False)
    assert (health.state, health.detail, health.may_fail_open) == (MISCONFIGURED, "certificate", False)


# -- half down -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["answers 500", "unreadable", "silent", "hangs up", "rate limit"])
def test_while_the_prompts_side_is_down_the_auth_api_can_take_over(
    make_gateway: Any, duo: DuoSimulator, fault: str
) -> None:
    gateway = make_gateway(read_timeout=0.2)
    match fault:
        case "answers 500":
            duo.faults.break_down(HEALTH)
        case "unreadable":
            duo.faults.answer(HEALTH, "html")
        case "silent":
            duo.transport.stay_silent(HEALTH)
        case "hangs up":
            duo.transport.cut(HEALTH)
        case "rate limit":
            duo.faults.rate_limit(HEALTH)
    health = gateway.health()
    assert (health.state, health.auth_api_answers) == (UNAVAILABLE, True)
    assert health.may_fail_open is (fault != "rate limit")
    assert gateway.health(prompt=False).ok


def test_that_the_auth_api_can_take_over_is_asked_once_for_all(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    duo.faults.break_down(HEALTH)
    assert all(gateway.health().auth_api_answers for _ in range(5))
    assert duo.requests.count(CHECK) == duo.requests.count(HEALTH) == 1


def test_both_sides_down_is_an_outage(gateway: DuoGateway, duo: DuoSimulator) -> None:
    duo.faults.break_down(HEALTH)
    duo.faults.break_down(CHECK)
    health = gateway.health()
    assert (health.state, health.detail) == (UNAVAILABLE, "server_error")
    assert (health.may_fail_open, health.auth_api_answers) == (True, False)


def test_without_ping_neither_side_is_asked(gateway: DuoGateway, duo: DuoSimulator) -> None:
    duo.faults.break_down(PING)
    for health in (gateway.health(), gateway.health(prompt=False)):
        assert (health.state, health.may_fail_open, health.auth_api_answers) == (UNAVAILABLE, True, False)
    assert duo.requests.count(HEALTH) == duo.requests.count(CHECK) == 0


@pytest.mark.parametrize("fault", ["keys", "rights", "rate limit"])
def test_an_auth_api_that_refuses_us_keeps_closed_what_the_prompts_outage_would_open(
    two_keyed: DuoGateway, duo: DuoSimulator, keys: Application, fault: str
) -> None:
    duo.faults.break_down(HEALTH)
    match fault:
        case "keys":
            duo.rotate_secret(keys.integration_key)
        case "rights":
            duo.change_type(keys.integration_key, "admin")
        case "rate limit":
            duo.faults.rate_limit(CHECK)
    health = two_keyed.health()
    assert health.state is (UNAVAILABLE if fault == "rate limit" else MISCONFIGURED)
    assert (health.may_fail_open, health.auth_api_answers) == (False, False)


@pytest.mark.parametrize("fault", ["keys", "clock"])
def test_a_prompt_that_is_misconfigured_is_not_half_down(
    two_keyed: DuoGateway, duo: DuoSimulator, application: Application, fault: str
) -> None:
    if fault == "keys":
        duo.rotate_secret(application.integration_key)
    else:
        duo.faults.clock_offset = 75.0
    health = two_keyed.health()
    assert (health.state, health.detail) == (MISCONFIGURED, fault)
    assert (health.may_fail_open, health.auth_api_answers) == (False, False)
    assert duo.requests.count(CHECK) == 0
    assert two_keyed.health(prompt=False).ok


def test_all_is_well_again_with_the_next_question(make_gateway: Any, duo: DuoSimulator) -> None:
    clock = VirtualClock()
    gateway = make_gateway(clock, breaker_failures=1, breaker_pause=10.0)
    duo.faults.break_down(HEALTH, times=1)
    assert [gateway.health().detail for _ in range(2)] == ["server_error", "breaker_open"]
    clock.advance(10.0)
    assert gateway.health().ok
