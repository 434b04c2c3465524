"""What a difference between two clocks means."""

from __future__ import annotations

import pytest

from casduo.diagnosis.clocks import judge_duo_clock, judge_store_clock
from casduo.diagnosis.model import Part

PART = Part("Duo")


@pytest.mark.parametrize(
    ("skew", "level", "detail"),
    [
        (0.0, "ok", ""),
        (29.9, "ok", ""),
        (-30.0, "ok", ""),
        (30.1, "attention", "clock_drift"),
        (-60.0, "attention", "clock_drift"),
        (60.1, "fault", "clock"),
        (-61.0, "fault", "clock"),
        (300.0, "fault", "clock"),
        (-4000.0, "fault", "clock"),
    ],
)
def test_duo_is_patient_up_to_a_point(skew: float, level: str, detail: str) -> None:
    finding = judge_duo_clock(PART, skew)
    assert (finding.level, finding.detail) == (level, detail)
    assert finding.facts["skew"] == skew


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (45.0, "from 60 seconds on logins by Duo's own page fail"),
        (100.0, "logins fail after the person has answered the prompt"),
        (-100.0, "Duo may refuse it before anybody is asked"),
        (301.0, "Duo refuses every request that is dated 300 seconds off or more"),
    ],
)
def test_each_limit_has_its_reason(skew: float, words: str) -> None:
    finding = judge_duo_clock(PART, skew)
    assert words in finding.cause
    assert finding.remedy.startswith("set this server's clock")


@pytest.mark.parametrize(("skew", "words"), [(45.0, "45 seconds behind Duo's"), (-45.0, "45 seconds ahead of Duo's")])
def test_whose_clock_is_ahead_is_told(skew: float, words: str) -> None:
    assert words in judge_duo_clock(PART, skew).found


@pytest.mark.parametrize(("skew", "words"), [(0.2, "to 0 seconds"), (-1.1, "to 1 second"), (2.4, "to 2 seconds")])
def test_clocks_that_agree(skew: float, words: str) -> None:
    assert judge_duo_clock(PART, skew).found == f"agrees with Duo's, {words}"
    assert judge_store_clock(PART, skew).found == f"agrees with that of Redis, {words}"


def test_a_redis_on_a_machine_with_another_clock() -> None:
    assert judge_store_clock(PART, 9.0).level == "ok"
    finding = judge_store_clock(PART, -75.0)
    assert (finding.level, finding.detail) == ("attention", "clock_drift")
    assert "75 seconds ahead of that of Redis" in finding.found
