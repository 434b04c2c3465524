"""What happens next, as a table of facts; and that no browser is sent round for ever."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.middleware.paths import Access
from casduo.middleware.steps import (
    LOOP_LIMIT,
    LOOP_WINDOW,
    SIGN_IN_MAX_AGE,
    Asked,
    Attempt,
    Situation,
    Step,
    attempt_from_json,
    next_step,
    sent_again,
)
from casduo.middleware.urls import Check

NOW = 1_800_000_000.0
UNDER_WAY = Attempt(1, NOW - 1)
LOOPING = Attempt(LOOP_LIMIT, NOW - 1)


def step(access: Access = Access.PROTECTED, *, method: str = "GET", navigation: bool = True, **facts: Any) -> Step:
    return next_step(Situation(access, method, navigation, **facts), NOW)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"access": Access.PUBLIC}, Step.PASS),
        ({"access": Access.PUBLIC, "method": "POST", "navigation": False}, Step.PASS),
        ({}, Step.SIGN_IN),
        ({"signed_in": True}, Step.PASS),
        ({"signed_in": True, "method": "POST", "navigation": False}, Step.PASS),
        ({"method": "POST", "navigation": False}, Step.REFUSE),
        ({"method": "GET", "navigation": False}, Step.REFUSE),
        ({"method": "HEAD"}, Step.SIGN_IN),
        ({"access": Access.RENEW, "signed_in": True}, Step.SIGN_IN),
        ({"access": Access.RENEW, "signed_in": True, "fresh": True}, Step.PASS),
        ({"access": Access.RENEW, "signed_in": True, "navigation": False}, Step.REFUSE),
        ({"ticket": True, "attempt": UNDER_WAY}, Step.VALIDATE),
        ({"ticket": True, "attempt": UNDER_WAY, "signed_in": True}, Step.VALIDATE),
        ({"ticket": True, "attempt": UNDER_WAY, "access": Access.PUBLIC}, Step.VALIDATE),
        ({"ticket": True}, Step.CHECK_SIGN_IN),
        ({"ticket": True, "signed_in": True}, Step.CHECK_SIGN_IN),
        ({"ticket": True, "attempt": UNDER_WAY, "method": "HEAD"}, Step.SIGN_IN),
        ({"ticket": True, "attempt": UNDER_WAY, "method": "POST", "navigation": False}, Step.REFUSE),
        ({"ticket": True, "attempt": UNDER_WAY, "navigation": False}, Step.REFUSE),
        ({"ticket": True, "by_proxy": True, "navigation": False}, Step.VALIDATE),
        ({"ticket": True, "by_proxy": True, "navigation": False, "method": "POST"}, Step.VALIDATE),
        ({"ticket": True, "by_proxy": True, "navigation": False, "signed_in": True}, Step.VALIDATE),
        ({"ticket": True, "by_proxy": True, "navigation": False, "access": Access.PUBLIC}, Step.VALIDATE),
        ({"check": Check.SIGN_IN, "attempt": Attempt(0, NOW)}, Step.SIGN_IN),
        ({"check": Check.SIGN_IN}, Step.COOKIES_OFF),
        ({"check": Check.SIGN_IN, "signed_in": True}, Step.GO_CLEAN),
        ({"check": Check.SIGN_IN, "access": Access.PUBLIC}, Step.PASS),
        ({"check": Check.SIGN_IN, "access": Access.GATEWAY}, Step.PASS),
        ({"check": Check.GATEWAY, "access": Access.GATEWAY, "asked": Asked.CHECKING}, Step.ASK_SILENTLY),
        ({"check": Check.GATEWAY, "access": Access.GATEWAY, "asked": Asked.DONE}, Step.PASS),
        ({"check": Check.GATEWAY, "access": Access.GATEWAY}, Step.PASS),
        ({"check": Check.GATEWAY, "access": Access.GATEWAY, "attempt": UNDER_WAY}, Step.PASS),
        ({"check": Check.GATEWAY}, Step.SIGN_IN),
        ({"access": Access.GATEWAY}, Step.CHECK_GATEWAY),
        ({"access": Access.GATEWAY, "method": "HEAD"}, Step.PASS),
        ({"access": Access.GATEWAY, "navigation": False}, Step.PASS),
        ({"access": Access.GATEWAY, "asked": Asked.DONE}, Step.PASS),
        ({"access": Access.GATEWAY, "signed_in": True}, Step.PASS),
        ({"attempt": LOOPING}, Step.LOOP),
        ({"attempt": LOOPING, "signed_in": True}, Step.PASS),
        ({"attempt": Attempt(LOOP_LIMIT, NOW - LOOP_WINDOW)}, Step.SIGN_IN),
        ({"check": Check.SIGN_IN, "attempt": LOOPING}, Step.LOOP),
    ],
)
def test_next_step(facts: dict[str, Any], expected: Step) -> None:
    assert step(**facts) is expected


@given(
    st.builds(
        Situation,
        access=st.sampled_from([Access.PROTECTED, Access.RENEW]),
        method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
        navigation=st.booleans(),
        ticket=st.booleans(),
        check=st.sampled_from([None, *Check]),
        signed_in=st.booleans(),
        fresh=st.booleans(),
        attempt=st.sampled_from([None, UNDER_WAY, LOOPING]),
        asked=st.sampled_from([None, *Asked]),
    )
)
def test_nobody_passes_without_what_the_path_demands(situation: Situation) -> None:
    if next_step(situation, NOW) is Step.PASS:
        assert situation.signed_in
        assert situation.access is not Access.RENEW or situation.fresh


def test_redirects_are_counted_within_the_window() -> None:
    attempt = None
    for _ in range(LOOP_LIMIT):
        attempt = sent_again(attempt, NOW)
    assert attempt is not None
    assert attempt.looping(NOW + LOOP_WINDOW - 1)
    assert sent_again(attempt, NOW + LOOP_WINDOW) == Attempt(1, NOW + LOOP_WINDOW)


def test_refusals_are_remembered_beyond_the_window() -> None:
    """Somebody who types slowly must not be asked for a password for ever."""
    assert sent_again(Attempt(3, NOW, refused=1), NOW + LOOP_WINDOW).refused == 1


def test_an_attempt_is_forgotten_in_the_end() -> None:
    stored = Attempt(1, NOW).to_json()
    assert attempt_from_json(stored, NOW + SIGN_IN_MAX_AGE - 1) == Attempt(1, NOW)
    assert attempt_from_json(stored, NOW + SIGN_IN_MAX_AGE) is None


@pytest.mark.parametrize("value", [None, [], [1], "text", {"a": 1}])
def test_what_is_no_attempt_is_none(value: object) -> None:
    assert attempt_from_json(value, NOW) is None
