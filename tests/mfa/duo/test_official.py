"""The gateway as the rest of casduo sees it, against the simulated Duo."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.mfa.duo.errors import DuoBusy, DuoFailure, DuoMisconfigured, DuoRateLimited, DuoStale, DuoUnavailable
from casduo.mfa.duo.gateway import DuoGateway, HealthState, NullDuoGateway, PreauthResult
from casduo.outbound import Bulkhead
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application

pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")

PING, PREAUTH = "/auth/v2/ping", "/auth/v2/preauth"
HEALTH, TOKEN = "/oauth/v1/health_check", "/oauth/v1/token"


def failure_of(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    return caught.value


# -- a whole login ---------------------------------------------------------------------------------------------------


def test_a_whole_login(gateway: DuoGateway, duo: DuoSimulator) -> None:
    assert gateway.health().ok
    assert gateway.preauth("ada", "192.0.2.7").result is PreauthResult.AUTH
    state, nonce = gateway.new_state(), gateway.new_nonce()
    duo.phone("ada").script("approve")
    back = parse_qs(urlsplit(duo.visit_prompt(gateway.prompt_url("ada", state, nonce))).query)
    assert back["state"] == [state]
    assert gateway.exchange(back["duo_code"][0], "ada", nonce).allowed
    assert [record.path for record in duo.requests() if not record.path.endswith("/authorize")] == [
        PING,
        HEALTH,
        PREAUTH,
        TOKEN,
    ]


def test_states_and_nonces_are_long_random_and_plain(gateway: DuoGateway) -> None:
    made = {gateway.new_state() for _ in range(100)} | {gateway.new_nonce() for _ in range(100)}
    assert len(made) == 200
    assert all(len(each) in (36, 44) and each.isascii() and each.isalnum() for each in made)


# -- health ----------------------------------------------------------------------------------------------------------


def test_a_good_answer_serves_for_a_few_seconds(make_gateway: Any, duo: DuoSimulator) -> None:
    clock = VirtualClock()
    gateway = make_gateway(clock)
    for _ in range(5):
        assert gateway.health().ok
    assert duo.requests.count(PING) == duo.requests.count(HEALTH) == 1
    clock.advance(5.0)
    gateway.health()
    assert duo.requests.count(PING) == duo.requests.count(HEALTH) == 2


def test_a_bad_answer_does_not_serve_anybody_else(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway()
    duo.faults.answer(HEALTH, "server_error_json", times=1)
    assert not gateway.health().ok
    assert gateway.health().ok


def test_logins_at_the_same_time_share_one_question(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(concurrency=20)
    duo.transport.delay(0.1)
    together = threading.Barrier(20)
    results: list[bool] = []

    def ask() -> None:
        together.wait(5)
        results.append(gateway.health().ok)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert results == [True] * 20
    assert duo.requests.count(PING) == duo.requests.count(HEALTH) == 1


def test_an_outage_is_asked_about_a_few_times_and_then_left_alone(make_gateway: Any, duo: DuoSimulator) -> None:
    clock = VirtualClock()
    gateway = make_gateway(clock, breaker_failures=3, breaker_pause=10.0, read_timeout=0.05)
    duo.transport.stay_silent(PING)
    details = [gateway.health().detail for _ in range(6)]
    assert details == ["timeout"] * 3 + ["breaker_open"] * 3
    assert gateway.health().may_fail_open

    clock.advance(10.0)
    assert gateway.health().detail == "timeout"
    assert gateway.health().detail == "breaker_open"

    duo.transport.clear()
    duo.server.drop_connections()
    clock.advance(10.0)
    assert gateway.health().ok


def test_during_an_outage_preauth_is_not_asked_either(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    duo.stop_listening()
    assert failure_of(lambda: gateway.preauth("ada", "")).detail == "refused"
    failure = failure_of(lambda: gateway.preauth("ada", ""))
    assert (type(failure), failure.detail, failure.may_fail_open) == (DuoUnavailable, "breaker_open", True)
    assert gateway.health().detail == "breaker_open"


@pytest.mark.parametrize("fault", ["rate limit", "certificate", "keys"])
def test_what_may_not_fail_open_never_opens_the_breaker(
    make_gateway: Any, duo: DuoSimulator, application: Application, stranger: CertificateAuthority, fault: str
) -> None:
    gateway = make_gateway(breaker_failures=1)
    match fault:
        case "rate limit":
            duo.faults.rate_limit()
        case "certificate":
            duo.use_certificate(stranger.issue())
        case "keys":
            duo.rotate_secret(application.integration_key)
    for _ in range(3):
        health, failure = gateway.health(), failure_of(lambda: gateway.preauth("ada", ""))
        assert not health.ok
        assert health.may_fail_open is False
        assert failure.may_fail_open is False
        assert "breaker_open" not in (health.detail, failure.detail)


def test_half_down_the_auth_api_is_still_offered_and_the_prompt_left_alone(
    make_gateway: Any, duo: DuoSimulator
) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=2)
    duo.faults.break_down(HEALTH)
    healths = [gateway.health() for _ in range(4)]
    assert [health.detail for health in healths] == ["server_error"] * 2 + ["breaker_open"] * 2
    assert all(health.state is HealthState.UNAVAILABLE and health.auth_api_answers for health in healths)
    assert gateway.preauth("ada", "").result is PreauthResult.AUTH


def test_without_the_auth_api_nothing_is_offered(gateway: DuoGateway, duo: DuoSimulator) -> None:
    duo.faults.break_down(PING)
    health = gateway.health()
    assert (health.state, health.auth_api_answers) == (HealthState.UNAVAILABLE, False)
    assert duo.requests.count(HEALTH) == 0


@pytest.mark.parametrize(
    ("offset", "state", "detail"),
    [
        (0.0, HealthState.OK, ""),
        (45.0, HealthState.OK, "clock_drift"),
        (-45.0, HealthState.OK, "clock_drift"),
        (-250.0, HealthState.MISCONFIGURED, "clock"),
        (75.0, HealthState.MISCONFIGURED, "clock"),
        (400.0, HealthState.MISCONFIGURED, "clock"),
        (-400.0, HealthState.MISCONFIGURED, "clock"),
    ],
)
def test_clocks(gateway: DuoGateway, duo: DuoSimulator, offset: float, state: HealthState, detail: str) -> None:
    duo.faults.clock_offset = offset
    health = gateway.health()
    assert (health.state, health.detail, health.may_fail_open) == (state, detail, False)
    assert health.skew == pytest.approx(offset, abs=5)


def test_a_wrong_key_is_told_from_a_wrong_clock(
    gateway: DuoGateway, duo: DuoSimulator, application: Application
) -> None:
    duo.rotate_secret(application.integration_key)
    health = gateway.health()
    assert (health.state, health.detail) == (HealthState.MISCONFIGURED, "keys")
    assert "client id and secret" in health.message
    duo.faults.clock_offset = 400.0
    assert "clock" in gateway.health().message


def test_what_is_wrong_is_logged_without_secrets(
    gateway: DuoGateway, duo: DuoSimulator, application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    duo.rotate_secret(application.integration_key)
    with caplog.at_level(logging.DEBUG):
        gateway.health()
        failure_of(lambda: gateway.preauth("ada", "192.0.2.7"))
        failure_of(lambda: gateway.exchange("c0de-c0de", "ada", gateway.new_nonce()))
    assert caplog.text.count("misconfigured, keys") == 3
    assert {record.levelname for record in caplog.records if record.name.startswith("casduo.mfa")} == {"ERROR"}
    assert all(secret not in caplog.text for secret in (application.secret_key, "c0de-c0de", "eyJ", "Basic "))


# -- bulkhead --------------------------------------------------------------------------------------------------------


def test_no_more_threads_than_allowed_wait_for_duo(make_gateway: Any, duo: DuoSimulator) -> None:
    bulkhead = Bulkhead("duo", 2)
    gateway = make_gateway(bulkhead=bulkhead)
    with bulkhead, bulkhead:
        failures = [
            failure_of(lambda: gateway.preauth("grace", "")),
            failure_of(lambda: gateway.exchange("4711", "grace", gateway.new_nonce())),
        ]
        healths = [gateway.health(), gateway.auth_api_health()]
        assert gateway.prompt_url("grace", gateway.new_state(), gateway.new_nonce())
    assert [(type(failure), failure.may_fail_open) for failure in failures] == [(DuoBusy, False)] * 2
    for health in healths:
        assert (health.state, health.detail, health.may_fail_open) == (
            HealthState.UNAVAILABLE,
            "bulkhead_full",
            False,
        )
    assert (len(duo.requests), bulkhead.refused) == (0, 4)
    assert gateway.health().ok


def test_a_place_is_free_again_after_a_failure(make_gateway: Any, duo: DuoSimulator) -> None:
    bulkhead = Bulkhead("duo", 1)
    gateway = make_gateway(bulkhead=bulkhead)
    duo.faults.break_down()
    for _ in range(3):
        gateway.health()
        failure_of(lambda: gateway.preauth("ada", ""))
    assert (bulkhead.inside, bulkhead.refused) == (0, 0)


def test_a_full_house_does_not_hide_an_answer_that_is_already_there(make_gateway: Any) -> None:
    bulkhead = Bulkhead("duo", 1)
    gateway = make_gateway(bulkhead=bulkhead)
    gateway.health()
    with bulkhead:
        assert gateway.health().ok


def test_the_number_of_places_is_a_setting(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(concurrency=1)
    duo.transport.delay(0.2, path=PREAUTH)
    together = threading.Barrier(2)
    ended: list[str] = []

    def ask() -> None:
        together.wait(5)
        try:
            ended.append(gateway.preauth("ada", "").result)
        except DuoBusy as busy:
            ended.append(busy.detail)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert ended == ["bulkhead_full", "auth"]


# -- the Auth API's keys ---------------------------------------------------------------------------------------------


def test_the_keys_of_the_auth_api_are_checked_by_themselves(make_gateway: Any, duo: DuoSimulator) -> None:
    keys = duo.add_application("authapi")
    gateway = make_gateway(integration_key=keys.integration_key, secret_key=keys.secret_key)
    assert gateway.auth_api_health().ok
    duo.rotate_secret(keys.integration_key)
    health = gateway.auth_api_health()
    assert (health.state, health.detail, health.may_fail_open) == (HealthState.MISCONFIGURED, "keys", False)
    assert gateway.health().ok


def test_the_auth_api_does_without_the_prompts_side(gateway: DuoGateway, duo: DuoSimulator) -> None:
    duo.faults.break_down(HEALTH)
    assert gateway.auth_api_health().ok
    assert duo.requests.count(HEALTH) == 0


@pytest.mark.parametrize(
    ("offset", "state", "detail"),
    [
        (75.0, HealthState.OK, "clock_drift"),
        (-250.0, HealthState.OK, "clock_drift"),
        (400.0, HealthState.MISCONFIGURED, "clock"),
        (-400.0, HealthState.MISCONFIGURED, "clock"),
    ],
)
def test_the_auth_api_tolerates_more_of_a_clock(
    gateway: DuoGateway, duo: DuoSimulator, offset: float, state: HealthState, detail: str
) -> None:
    duo.faults.clock_offset = offset
    health = gateway.auth_api_health()
    assert (health.state, health.detail) == (state, detail)


# -- preauth and exchange --------------------------------------------------------------------------------------------


def test_preauth_is_never_cached(gateway: DuoGateway, duo: DuoSimulator) -> None:
    assert gateway.preauth("ken", "").result is PreauthResult.ENROLL
    duo.add_user("ken")
    assert gateway.preauth("ken", "").result is PreauthResult.AUTH
    duo.add_user("ken", "locked out")
    assert gateway.preauth("ken", "").result is PreauthResult.DENY


def test_the_auth_api_can_have_keys_of_its_own(make_gateway: Any, duo: DuoSimulator) -> None:
    keys = duo.add_application("authapi")
    gateway = make_gateway(integration_key=keys.integration_key, secret_key=keys.secret_key)
    assert gateway.health().ok
    gateway.preauth("ada", "")
    assert duo.requests(PREAUTH)[0].integration_key == keys.integration_key


def test_keys_of_the_wrong_kind_never_open(make_gateway: Any, duo: DuoSimulator) -> None:
    keys = duo.add_application("admin")
    gateway = make_gateway(integration_key=keys.integration_key, secret_key=keys.secret_key)
    failure = failure_of(lambda: gateway.preauth("ada", ""))
    assert (type(failure), failure.detail, failure.may_fail_open) == (DuoMisconfigured, "rights", False)


def test_an_open_breaker_does_not_stop_somebody_who_already_answered_the_prompt(
    make_gateway: Any, duo: DuoSimulator
) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    nonce = gateway.new_nonce()
    duo.phone("ada").script("approve")
    back = parse_qs(urlsplit(duo.visit_prompt(gateway.prompt_url("ada", gateway.new_state(), nonce))).query)
    duo.faults.break_down(HEALTH, times=1)
    assert [gateway.health().detail for _ in range(2)] == ["server_error", "breaker_open"]
    assert gateway.exchange(back["duo_code"][0], "ada", nonce).allowed
    assert gateway.health().ok


def test_an_exchange_that_finds_duo_down_counts_as_an_outage(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    duo.faults.break_down(TOKEN)
    failure = failure_of(lambda: gateway.exchange("4711", "ada", gateway.new_nonce()))
    assert (type(failure), failure.may_fail_open) == (DuoUnavailable, False)
    assert gateway.health().detail == "breaker_open"


@pytest.mark.parametrize(("code", "nonce"), [("", "n" * 36), ("ö", "n" * 36), ("4711", "")])
def test_what_a_browser_makes_up_does_not_pass_for_an_answer_of_duos(
    make_gateway: Any, duo: DuoSimulator, code: str, nonce: str
) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    duo.faults.break_down(HEALTH)
    gateway.health()
    failure_of(lambda: gateway.exchange(code, "ada", nonce))
    assert gateway.health().detail == "breaker_open"


def test_a_used_code_does_not_count_as_an_outage(make_gateway: Any) -> None:
    gateway = make_gateway(breaker_failures=1)
    assert type(failure_of(lambda: gateway.exchange("4711", "ada", gateway.new_nonce()))) is DuoStale
    assert gateway.health().ok


def test_a_rate_limit_does_not_open_a_breaker_that_an_outage_would(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(breaker_failures=2)
    duo.faults.break_down(PREAUTH, times=1)
    duo.faults.rate_limit(PREAUTH, times=2)
    kinds = [type(failure_of(lambda: gateway.preauth("ada", ""))) for _ in range(3)]
    assert kinds == [DuoUnavailable, DuoRateLimited, DuoRateLimited]
    assert gateway.preauth("ada", "").result is PreauthResult.AUTH


# -- no Duo ----------------------------------------------------------------------------------------------------------


def test_without_duo_nothing_opens() -> None:
    gateway: DuoGateway = NullDuoGateway()
    for health in (gateway.health(), gateway.auth_api_health()):
        assert (health.state, health.detail, health.may_fail_open) == (HealthState.MISCONFIGURED, "off", False)
    for call in (
        lambda: gateway.preauth("ada", ""),
        lambda: gateway.prompt_url("ada", gateway.new_state(), gateway.new_nonce()),
        lambda: gateway.exchange("4711", "ada", gateway.new_nonce()),
    ):
        failure = failure_of(call)
        assert (type(failure), failure.detail, failure.may_fail_open) == (DuoMisconfigured, "off", False)
