from __future__ import annotations

import pytest

from casduo.mfa.duo.errors import DuoBusy, DuoFailure, DuoMisconfigured, DuoRateLimited, DuoUnavailable, DuoUntrusted
from casduo.mfa.duo.gateway import Health, HealthState
from casduo.mfa.duo.health import judge, judge_failure, judge_half

NOW = 1_800_000_000.0
KEYS = DuoMisconfigured("keys", "Duo does not accept our keys.")
OUTAGE = DuoUnavailable("timeout", may_fail_open=True)


@pytest.mark.parametrize("skew", [0.0, -1.4, 30.0, -30.0])
def test_clocks_that_agree_are_not_worth_a_word(skew: float) -> None:
    health = judge(NOW, skew)
    assert (health.ok, health.detail, health.message) == (True, "", "")


@pytest.mark.parametrize(("skew", "words"), [(31.0, "31 seconds behind"), (60.0, "behind"), (-250.0, "ahead of")])
def test_clocks_that_drift_apart_are_reported_while_all_still_works(skew: float, words: str) -> None:
    health = judge(NOW, skew)
    assert (health.ok, health.detail, health.skew) == (True, "clock_drift", skew)
    assert words in health.message


def test_a_clock_so_far_behind_that_every_result_would_be_refused_is_not_healthy() -> None:
    health = judge(NOW, 75.0)
    assert (health.state, health.detail, health.may_fail_open) == (HealthState.MISCONFIGURED, "clock", False)
    assert "75 seconds behind" in health.message


def test_refused_keys_with_clocks_that_agree_are_wrong_keys() -> None:
    health = judge_failure(KEYS, NOW, 2.0)
    assert (health.state, health.detail, health.may_fail_open) == (HealthState.MISCONFIGURED, "keys", False)
    assert "2 seconds" in health.message


@pytest.mark.parametrize("skew", [301.0, -301.0])
def test_refused_keys_with_clocks_far_apart_are_a_wrong_clock(skew: float) -> None:
    health = judge_failure(KEYS, NOW, skew)
    assert (health.state, health.detail, health.may_fail_open) == (HealthState.MISCONFIGURED, "clock", False)
    assert "301 seconds" in health.message


@pytest.mark.parametrize("skew", [0.0, None])
def test_a_failed_check_leaves_nothing_that_could_take_over(skew: float | None) -> None:
    health = judge_failure(OUTAGE, NOW, skew)
    assert (health.state, health.may_fail_open, health.auth_api_answers) == (HealthState.UNAVAILABLE, True, False)
    assert health.skew == skew


def test_a_prompt_that_is_down_leaves_the_auth_api() -> None:
    health = judge_half(OUTAGE, judge(NOW, 0.0, prompt=False), NOW, 0.0)
    assert (health.state, health.may_fail_open, health.auth_api_answers) == (HealthState.UNAVAILABLE, True, True)


def test_both_sides_down_are_an_outage() -> None:
    health = judge_half(OUTAGE, judge_failure(OUTAGE, NOW, 0.0), NOW, 0.0)
    assert (health.state, health.may_fail_open, health.auth_api_answers) == (HealthState.UNAVAILABLE, True, False)


@pytest.mark.parametrize("fault", [KEYS, DuoRateLimited("rate_limited"), DuoUntrusted("certificate"), DuoBusy("full")])
def test_a_second_fault_does_not_open_what_it_would_keep_closed_by_itself(fault: DuoFailure) -> None:
    auth_api = judge_failure(fault, NOW, 0.0)
    assert judge_half(OUTAGE, auth_api, NOW, 0.0) == auth_api
    assert auth_api.may_fail_open is False


def test_a_rate_limit_of_the_prompt_opens_nothing_though_both_sides_are_down() -> None:
    health = judge_half(DuoRateLimited("rate_limited"), judge_failure(OUTAGE, NOW, 0.0), NOW, 0.0)
    assert (health.detail, health.may_fail_open, health.auth_api_answers) == ("rate_limited", False, False)


@pytest.mark.parametrize(
    ("failure", "state", "may_fail_open"),
    [
        (DuoUnavailable("timeout", may_fail_open=True), HealthState.UNAVAILABLE, True),
        (DuoRateLimited("rate_limited"), HealthState.UNAVAILABLE, False),
        (DuoBusy("bulkhead_full"), HealthState.UNAVAILABLE, False),
        (DuoUntrusted("certificate"), HealthState.MISCONFIGURED, False),
        (KEYS, HealthState.MISCONFIGURED, False),
    ],
)
def test_what_a_failure_amounts_to(failure: DuoUnavailable, state: HealthState, may_fail_open: bool) -> None:
    health = Health.of_failure(failure, NOW)
    assert (health.state, health.may_fail_open, health.ok) == (state, may_fail_open, False)
    assert health.detail == failure.detail
