"""What an entry may say about Duo: modes by date, trusted browsers, and what is said of mistakes in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from casduo.services.file import read_registry
from casduo.services.model import NOT_YET_IN_FORCE, DuoRule
from casduo.services.policies import ALWAYS, MODES, NEVER


def rule(**keys: Any) -> DuoRule:
    return DuoRule.model_validate(keys)


def refusal(**keys: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        rule(**keys)
    return "; ".join(finding["msg"] for finding in caught.value.errors())


def moment(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()


class TestModes:
    @pytest.mark.parametrize("word", MODES)
    def test_a_word_has_always_held(self, word: str) -> None:
        written = rule(mode=word)
        assert written.mode == {word: ALWAYS}
        assert {written.mode_at(now) for now in (-1e9, 0, 2e9)} == {word}

    def test_required_is_what_holds_where_nothing_is_written(self) -> None:
        assert rule().mode_at(0) == "required"
        assert rule().mode == rule(mode="required").mode

    def test_each_holds_from_its_date_until_the_next_one(self) -> None:
        dated = rule(mode={"report": "2026-12-01", "optional": "2027-01-01T08:00", "required": "2027-02-01"})
        assert dated.mode_at(moment(2026, 11, 30, 23, 59)) is None
        assert dated.mode_at(moment(2026, 12, 1)) == "report"
        assert dated.mode_at(moment(2027, 1, 1, 7, 59)) == "report"
        assert dated.mode_at(moment(2027, 1, 1, 8)) == "optional"
        assert dated.mode_at(moment(2027, 2, 1)) == "required"

    def test_a_single_date_is_enough(self) -> None:
        dated = rule(mode={"required": "2027-02-01"})
        assert (dated.mode_at(moment(2027, 1, 31)), dated.mode_at(moment(2027, 2, 1))) == (None, "required")

    def test_dates_are_meant_in_the_time_zone_of_the_settings(self) -> None:
        zone = {"zone": ZoneInfo("Europe/Berlin")}
        dated = DuoRule.model_validate({"mode": {"required": "2027-02-01"}}, context=zone)
        assert dated.mode_at(moment(2027, 1, 31, 22, 59)) is None
        assert dated.mode_at(moment(2027, 1, 31, 23)) == "required"

    @given(st.lists(st.floats(0, 4e9), min_size=1, max_size=3, unique_by=round), st.floats(-1e9, 5e9))
    def test_the_last_one_that_has_begun_is_in_force(self, starts: list[float], now: float) -> None:
        dates = {
            mode: datetime.fromtimestamp(round(start), UTC).isoformat()
            for mode, start in zip(MODES, sorted(starts), strict=False)
        }
        begun = [mode for mode, date in dates.items() if datetime.fromisoformat(date).timestamp() <= now]
        assert rule(mode=dates).mode_at(now) == (begun[-1] if begun else None)


class TestTrustedBrowsers:
    @pytest.mark.parametrize(("written", "seconds"), [("1d", 86_400), ("30d", 2_592_000), ("90d", 7_776_000)])
    def test_are_trusted_for_days(self, written: str, seconds: float) -> None:
        assert rule(trusted_browser=written).trusted_browser == seconds

    @pytest.mark.parametrize("written", [False, 0, "false", " No ", "off"])
    def test_may_be_refused(self, written: object) -> None:
        assert rule(trusted_browser=written).trusted_browser == NEVER

    def test_are_left_to_the_settings_by_default(self) -> None:
        assert rule().trusted_browser is None

    @pytest.mark.parametrize(
        ("written", "complaint"),
        [
            (True, "must be a duration such as 30d, or false"),
            ("true", "must be a duration such as 30d, or false"),
            ("a month", "must be a duration such as 30d, or false"),
            (["30d"], "must be a duration such as 30d, or false"),
            (30, "must be from 1d to 90d, or false, not 30s"),
            ("23h", "must be from 1d to 90d, or false, not 23h"),
            ("91d", "must be from 1d to 90d, or false, not 91d"),
        ],
    )
    def test_are_not_trusted_for_just_any_time(self, written: object, complaint: str) -> None:
        assert complaint in refusal(trusted_browser=written)


def problems(*lines: str) -> list[str]:
    """Return what is said of a rule that begins in line 6, by line, column and key."""
    entry = (
        "services:\n  - id: payroll\n    name: Payroll\n    url: https://payroll.example.edu/**\n    requires_duo:\n"
    )
    text = entry + "".join(f"      {line}\n" for line in lines)
    reading = read_registry(text.encode(), "registry.yaml", None)
    return [
        f"{found.line}:{found.column} {found.path.removeprefix('services[0].requires_duo.')}: {found.message}"
        for found in reading.problems
    ]


CHOICES = "must be required, optional or report"
NO_DATE = "is not a date such as 2026-01-31, nor a date with time such as 2026-01-31T18:00"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("mode: requierd",), f"6:7 mode: {CHOICES}, not 'requierd', did you mean 'required'?"),
        (("mode: 5",), f"6:7 mode: {CHOICES}, or a mapping such as {{report: 2026-12-01, required: 2027-02-01}}"),
        (("mode:",), f"6:7 mode: {CHOICES}, or a mapping such as {{report: 2026-12-01, required: 2027-02-01}}"),
        (("mode: {}",), "6:7 mode: must have at least 1 entry"),
        (
            ("mode:", "  report: 2026-12-01", "  requierd: 2027-02-01"),
            "8:9 mode.requierd: must be 'required', 'optional' or 'report', not 'requierd'",
        ),
        (("mode:", "  report: 2026-12-01", "  required: soon"), f"8:9 mode.required: 'soon' {NO_DATE}"),
        (
            ("mode:", "  report: 2027-02-01", "  required: 2026-12-01"),
            "6:7 mode: must have rising dates: 'required' does not begin later than 'report'",
        ),
        (
            ("mode:", "  optional: 2026-12-01", "  required: 2026-12-01"),
            "6:7 mode: must have rising dates: 'required' does not begin later than 'optional'",
        ),
        (("fail: open", "trusted_browser: 6h"), "7:7 trusted_browser: must be from 1d to 90d, or false, not 6h"),
    ],
)
def test_mistakes_are_told_with_their_place_in_plain_words(lines: tuple[str, ...], told: str) -> None:
    assert problems(*lines) == [told]


def test_all_of_duo_is_in_force() -> None:
    assert not [key for key in NOT_YET_IN_FORCE if "duo" in key or key in ("unenrolled", "enrollment_url")]
