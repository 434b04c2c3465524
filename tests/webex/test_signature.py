"""Deliveries of Webex are believed when every signature on them was made with a secret of ours."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.webex.signature import signature_fault

SECRET, BEFORE, STRANGE = "s" * 32, "b" * 32, "x" * 32
BODY = b'{"id": "Y2lz", "created": "2026-05-10T19:41:00.100Z"}'


def spark(secret: str = SECRET, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, "sha1").hexdigest()


def strong(algorithm: str, secret: str = SECRET, body: bytes = BODY) -> str:
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def test_the_documented_signature_is_enough() -> None:
    assert signature_fault(BODY, spark(), "", [SECRET]) is None


def test_a_signature_known_from_elsewhere_is_right() -> None:
    # RFC 2202, section 3, test case 2.
    digest = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    assert signature_fault(b"what do ya want for nothing?", digest, "", ["Jefe"]) is None


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_newer_signature_is_enough(algorithm: str) -> None:
    assert signature_fault(BODY, "", strong(algorithm), [SECRET], strong_only=True) is None


def test_all_signatures_together_are_right() -> None:
    newer = f"{strong('sha256')}, {strong('sha512')}"
    assert signature_fault(BODY, spark(), newer, [SECRET], strong_only=True) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (spark(STRANGE), strong("sha256")),
        (spark(), strong("sha256", STRANGE)),
        (spark(), f"{strong('sha256')},{strong('sha512', STRANGE)}"),
        (spark(), "sha256="),
        (spark(), "sha256"),
    ],
)
def test_one_wrong_signature_spoils_the_others(first: str, second: str) -> None:
    assert signature_fault(BODY, first, second, [SECRET]) == "wrong_signature"


@pytest.mark.parametrize("newer", ["", "md5=abc", "sha3-256=abc", ",,,", "="])
def test_without_a_signature_that_can_be_checked_nothing_is_believed(newer: str) -> None:
    assert signature_fault(BODY, "", newer, [SECRET]) == "no_signature"


def test_an_algorithm_nobody_knows_is_passed_over() -> None:
    assert signature_fault(BODY, spark(), "sha3-256=abc", [SECRET]) is None


@pytest.mark.parametrize("wrong", ["0" * 40, spark().upper(), spark()[:-1], f"{spark()},{spark()}", "ü" * 40, "sha1=x"])
def test_what_is_no_signature_of_ours_is_refused(wrong: str) -> None:
    assert signature_fault(BODY, wrong, "", [SECRET]) == "wrong_signature"


def test_another_secret_is_refused() -> None:
    assert signature_fault(BODY, spark(STRANGE), "", [SECRET, BEFORE]) == "wrong_signature"


def test_the_secret_before_counts_too() -> None:
    assert signature_fault(BODY, spark(BEFORE), strong("sha256", BEFORE), [SECRET, BEFORE]) is None


def test_two_signatures_by_two_secrets_are_refused() -> None:
    assert signature_fault(BODY, spark(BEFORE), strong("sha256"), [SECRET, BEFORE]) == "wrong_signature"


def test_without_a_secret_nothing_is_right() -> None:
    assert signature_fault(BODY, spark(), "", []) == "wrong_signature"


def test_the_weaker_signature_alone_is_refused_where_settings_say_so() -> None:
    assert signature_fault(BODY, spark(), "", [SECRET], strong_only=True) == "weak_signature"
    assert signature_fault(BODY, spark(), f"{strong('sha256')}", [SECRET], strong_only=True) is None


def test_a_thousand_signatures_are_not_looked_at() -> None:
    assert signature_fault(BODY, "", ",".join([strong("sha256")] * 1000), [SECRET]) == "wrong_signature"


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_is_noticed(place: int, change: int) -> None:
    changed = BODY[:place] + bytes([BODY[place] ^ change]) + BODY[place + 1 :]
    assert signature_fault(changed, spark(), "", [SECRET]) == "wrong_signature"
    assert signature_fault(changed, "", strong("sha256"), [SECRET]) == "wrong_signature"


@given(st.binary(max_size=200), st.text(max_size=80), st.text(max_size=80))
def test_nothing_made_up_is_believed_or_breaks_anything(body: bytes, first: str, second: str) -> None:
    assert signature_fault(body, first, second, [SECRET]) in ("no_signature", "wrong_signature")
